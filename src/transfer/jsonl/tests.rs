//! Lines, and the rows or faults that they are.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

use super::*;
use crate::transfer::row::Row;

fn steps(text: &[u8]) -> Vec<Step> {
    let mut reader = JsonlReader::with_limit(text, Path::new("text"), 1, 4096).unwrap();
    std::iter::from_fn(|| reader.next_step().unwrap()).collect()
}

fn row(text: &str) -> Row {
    match steps(text.as_bytes()).pop().unwrap() {
        Step::Row { row, .. } => row,
        Step::Fault(fault) => panic!("{fault}"),
    }
}

fn fault(line: impl AsRef<[u8]>) -> String {
    match steps(line.as_ref()).pop().unwrap() {
        Step::Row { row, .. } => panic!("{row:?}"),
        Step::Fault(fault) => fault.to_string(),
    }
}

fn written(key: &[u8], value: &[u8], expires_at: Option<u64>) -> String {
    let mut line = Vec::new();
    write(&RowRef { key, value, expires_at, suspect: false }, &mut line).unwrap();
    String::from_utf8(line).unwrap()
}

#[test]
fn a_row_is_a_line_and_bytes_that_are_no_text_change_the_name_of_the_field() {
    assert_eq!(written(b"a", b"\"1\"\n", None), "{\"key\":\"a\",\"value\":\"\\\"1\\\"\\n\"}\n");
    assert_eq!(written(b"\xff", b"", Some(5)), "{\"key_b64\":\"/w==\",\"value\":\"\",\"expires_at\":5}\n");
    let mut line = Vec::new();
    write(&RowRef { key: b"", value: b"\0\xfe", expires_at: None, suspect: true }, &mut line).unwrap();
    assert_eq!(String::from_utf8(line).unwrap(), "{\"key\":\"\",\"value_b64\":\"AP4=\",\"suspect\":true}\n");
}

#[test]
fn fields_come_in_any_order_and_those_of_others_are_left_out_by_name() {
    let expected = Row { key: b"k".to_vec(), value: b"v".to_vec(), expires_at: Some(7) };
    assert_eq!(row(r#"{"expires_at":7,"value_b64":"dg==","key":"\u006b"}"#), expected);
    assert_eq!(row(r#"{"key":"k","value":"v","expires_at":null}"#).expires_at, None);
    let text = b"{\"key\":\"k\",\"value\":\"v\",\"len\":[1,{}]}\n{\"key\":\"k\",\"value\":\"v\",\"len\":1,\"b\":null}";
    let mut reader = JsonlReader::new(&text[..], Path::new("text"), 1).unwrap();
    while reader.next_step().unwrap().is_some() {}
    assert_eq!(reader.ignored(), [("len".to_owned(), 1), ("b".to_owned(), 2)]);
}

#[test]
fn empty_lines_carriage_returns_and_a_missing_last_line_feed_do_not_matter() {
    let text = "\u{feff}\r\n{\"key\":\"a\",\"value\":\"1\"}\r\n\n \n{\"key\":\"b\",\"value\":\"2\"}";
    let places: Vec<Place> = steps(text.as_bytes())
        .into_iter()
        .map(|step| match step {
            Step::Row { place, .. } => place,
            Step::Fault(fault) => panic!("{fault}"),
        })
        .collect();
    assert_eq!(places, [Place::Line(2), Place::Line(5)]);
}

#[test]
fn each_fault_says_its_line_and_what_is_wrong() {
    let cases: [(&[u8], &str); 16] = [
        (b"\n{\"key\":\"a\"}", "line 2: it has no `value`, and no `value_b64` in its place"),
        (b"{}", "line 1: it has no `key`, and no `key_b64` in its place"),
        (br#"{"key":"a","key_b64":"YQ==","value":""}"#, "line 1: it has both `key` and `key_b64`"),
        (br#"{"key":"a","value":"","value_b64":""}"#, "line 1: it has both `value` and `value_b64`"),
        (br#"{"key":"a","value":"1","value":"2"}"#, "line 1: `value` stands there twice, at column 30"),
        (br#"{"key":"a","value_b64":"a!=="}"#, "line 1: `value_b64` is not base64: Invalid symbol 33, offset 1."),
        (br#"{"key":"a","value":5}"#, "line 1: invalid type: integer `5`, expected a string, at column 20"),
        (br#"{"key":null,"value":""}"#, "line 1: invalid type: null, expected a string, at column 11"),
        (
            br#"{"key":"a","value":"","expires_at":"soon"}"#,
            "line 1: `expires_at` is a string, and should be microseconds since 1970, or null, at column 41",
        ),
        (
            br#"{"key":"a","value":"","expires_at":-1}"#,
            "line 1: invalid type: integer `-1`, expected `expires_at` as microseconds since 1970, or null, at column 37",
        ),
        (b"{\"key\":\"a\",\"value\":\"\xff\"}", "line 1: invalid unicode code point, at column 21"),
        (br#"{"key":"a","value":"\ud800"}"#, "line 1: unexpected end of hex escape, at column 27"),
        (br#"{"key":"a","value":"1"} x"#, "line 1: trailing characters, at column 25"),
        (br#"{"key":"a","val"#, "line 1: it ends within the object (EOF while parsing a string)"),
        (br#"["a","b"]"#, "line 1: invalid type: sequence, expected an object"),
        (b"nonsense", "line 1: expected ident, at column 2"),
    ];
    let told: Vec<String> = cases.iter().map(|(line, _)| fault(line)).collect();
    assert_eq!(told, cases.map(|(_, expected)| expected));
}

#[test]
fn a_line_that_is_too_long_is_a_fault_and_the_next_one_a_row() {
    let long = format!("{{\"key\":\"a\",\"value\":\"{}\"}}\n{{\"key\":\"b\",\"value\":\"\"}}\n", "x".repeat(5000));
    let steps = steps(long.as_bytes());
    assert!(matches!(&steps[0], Step::Fault(fault) if fault.to_string().starts_with("line 1: it is longer than 4096")));
    assert!(matches!(&steps[1], Step::Row { place: Place::Line(2), .. }));
}

#[test]
fn what_a_message_repeats_is_short_and_safe_to_show() {
    let name = format!("{{\"\x1b[2J{}\":1", "\u{9b}".repeat(1000));
    for line in [name, format!("{{\"key\":{{\"\u{9b}{}\":1}}}}", "x".repeat(1000))] {
        let shown = fault(&line);
        assert!(shown.len() < 1000 && !shown.chars().any(char::is_control), "{shown:?}");
    }
}

#[test]
fn a_text_whose_escapes_would_be_too_long_goes_as_base64() {
    assert!(fits("aaaaaa", 6) && !fits("aaaaaaa", 6));
    assert!(fits("\u{1}", 6) && !fits("\u{1}\n", 7) && fits("\u{1}\n", 8));
    for byte in 0..0x80_u8 {
        let text = char::from(byte).to_string();
        let escaped = serde_json::to_string(&text).unwrap();
        assert_eq!(escaped_len(byte), escaped.len() - 2, "{byte:#x}");
    }
}

#[test]
fn reading_begins_at_the_line_that_is_asked_for() {
    let text = b"not json\n{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"2\"}\n";
    let mut reader = JsonlReader::new(&text[..], Path::new("text"), 3).unwrap();
    let Some(Step::Row { row, place, .. }) = reader.next_step().unwrap() else { panic!("no row") };
    assert_eq!((row.key, place), (b"b".to_vec(), Place::Line(3)));
    assert_eq!((reader.next_step().unwrap(), reader.bytes_read()), (None, text.len() as u64));
}
