//! Texts, and the rows or faults that they are.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

use std::io::BufReader;

use super::*;
use crate::transfer::row::Row;

/// The same whatever the buffer.
fn steps(text: &[u8]) -> Vec<Step> {
    let read = |buffer| -> Vec<Step> {
        let text = BufReader::with_capacity(buffer, text);
        let mut reader = CsvReader::with_limit(text, Path::new("text"), 1, 4096).unwrap();
        let steps = std::iter::from_fn(|| reader.next_step().unwrap()).collect();
        assert!(reader.next_step().unwrap().is_none());
        steps
    };
    let steps = read(8192);
    for buffer in 1..5 {
        assert_eq!(read(buffer), steps, "{buffer}");
    }
    steps
}

fn rows(text: &str) -> Vec<(String, String)> {
    let row = |step| match step {
        Step::Row { row: Row { key, value, .. }, .. } => {
            (String::from_utf8(key).unwrap(), String::from_utf8(value).unwrap())
        }
        Step::Fault(fault) => panic!("{fault}"),
    };
    steps(text.as_bytes()).into_iter().map(row).collect()
}

fn faults(text: impl AsRef<[u8]>) -> Vec<String> {
    let fault = |step| match step {
        Step::Fault(fault) => Some(fault.to_string()),
        Step::Row { .. } => None,
    };
    steps(text.as_ref()).into_iter().filter_map(fault).collect()
}

fn written(key: &[u8], value: &[u8], expires_at: Option<u64>) -> String {
    let mut row = Vec::new();
    write(&RowRef { key, value, expires_at, suspect: false }, &mut row).unwrap();
    String::from_utf8(row).unwrap()
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn a_row_is_quoted_where_it_must_be_and_base64_where_it_is_no_text() {
    assert_eq!(written(b"a", b"1", None), "a,1,,,\r\n");
    assert_eq!(written(b"a,b", b"say \"x\"\r\n", Some(9)), "\"a,b\",\"say \"\"x\"\"\r\n\",,,9\r\n");
    assert_eq!(written(b" a", b"\xff", None), "\" a\",,,/w==,\r\n");
    assert_eq!(written(b"\0", b"", None), ",,AA==,,\r\n");
}

#[test]
fn rows_end_with_either_line_end_or_the_text_and_empty_lines_are_none() {
    let expected = [pair("a", "1"), pair("", ""), pair("b", "2")];
    assert_eq!(rows("key,value\r\na,1\r\n,\r\nb,2\r\n"), expected);
    assert_eq!(rows("\u{feff}key,value\n\na,1\n\"\",\"\"\n\r\nb,2"), expected);
    assert_eq!(rows("value,\"key\"\n1,a\n,\"\"\n2,\"b\""), expected);
    assert_eq!(rows("key,value\n\"a\n\"\"b\"\",\",\n"), [pair("a\n\"b\",", "")]);
    assert_eq!(rows(""), []);
    assert_eq!(rows("key,value"), []);
}

#[test]
fn the_line_of_a_row_is_where_it_begins() {
    let text = "key,value\n\"a\n\n\",1\nb,\"\n\"\nc,3\n";
    let places: Vec<_> = steps(text.as_bytes())
        .into_iter()
        .map(|step| match step {
            Step::Row { place, .. } => place,
            Step::Fault(fault) => panic!("{fault}"),
        })
        .collect();
    assert_eq!(places, [2, 5, 7].map(Place::Line));
    let mut reader = CsvReader::new(text.as_bytes(), Path::new("text"), 3).unwrap();
    let first = reader.next_step().unwrap();
    assert!(matches!(&first, Some(Step::Row { row, place: Place::Line(5), .. }) if row.key == b"b"), "{first:?}");
}

#[test]
fn columns_of_others_are_left_out_by_name() {
    let text = "id,key,value,expires_at,note\n7,a,1,99,x\n8,b,2,,\n";
    let mut reader = CsvReader::new(text.as_bytes(), Path::new("text"), 1).unwrap();
    let Some(Step::Row { row, .. }) = reader.next_step().unwrap() else { panic!("no row") };
    assert_eq!(row, Row { key: b"a".to_vec(), value: b"1".to_vec(), expires_at: Some(99) });
    assert_eq!(reader.ignored(), [("id".to_owned(), 1), ("note".to_owned(), 1)]);
}

#[test]
fn each_fault_says_its_line_and_what_is_wrong_and_the_next_line_is_read() {
    let head = "key,value,key_b64,value_b64,expires_at\n";
    let cases: [(&[u8], &str); 11] = [
        (b"a,1,,", "it has 4 fields, and the first row names 5"),
        (b"a\"b,1,,,", "a quote stands within a field that does not begin with one"),
        (b"\"a\"b,1,,,", "the field whose quote opens on line 2 goes on behind its closing quote"),
        (b"a,1\rb,,,", "a carriage return stands outside quotes, and no line feed follows it"),
        (b"a,1,YQ==,,", "it has both `key` and `key_b64`"),
        (b"a,1,,MQ==,", "it has both `value` and `value_b64`"),
        (b"a,,,M!==,", "`value_b64` is not base64: Invalid symbol 33, offset 1."),
        (b"a,1,,,soon", "`expires_at` is soon, and should be microseconds since 1970"),
        (b"a,1,,,-1", "`expires_at` is -1, and should be microseconds since 1970"),
        (b"a,\xff,,,", "`value` is not UTF-8; bytes go as base64, in a column `value_b64`"),
        (b"\x1b,1,,,\x1b[2J", "`expires_at` is \\x1b[2J, and should be microseconds since 1970"),
    ];
    for (line, expected) in cases {
        let text = [head.as_bytes(), line, b"\nnext,2,,,\n"].concat();
        assert_eq!(faults(&text), [format!("line 2: {expected}")], "{}", String::from_utf8_lossy(line));
        assert_eq!(steps(&text).len(), 2, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn a_quote_that_is_never_closed_is_told_by_the_line_where_it_opens() {
    assert_eq!(faults("key,value\na,1\nb,\"x\nc,3\n"), ["line 3: the quote that opens on line 3 is never closed"]);
    assert_eq!(faults("key,value\n\"a\nb\",\"x"), ["line 2: the quote that opens on line 3 is never closed"]);
    let endless = format!("key,value\na,\"{}", "x\n".repeat(2049));
    let shown = faults(&endless);
    assert_eq!(shown.len(), 2, "and then a line of it that is no row");
    assert!(shown[0].ends_with("is the quote that opens on line 2 never closed?"), "{shown:?}");
    assert_eq!(faults("key,value\na,1\r"), ["line 2: the text ends behind a carriage return outside quotes"]);
}

#[test]
fn without_the_names_of_the_columns_nothing_is_read() {
    let head = "the first row must name the columns, at least `key` and `value`";
    for text in ["a,1\nkey,value\nb,2", "key\na", "value\n1", "key,key_b64\na,b"] {
        assert_eq!(faults(text), [format!("line 1: {head}")], "{text:?}");
        assert_eq!(steps(text.as_bytes()).len(), 1, "{text:?}");
    }
    assert_eq!(faults("key,value,key\n1,2,3"), ["line 1: it names the column `key` twice"]);
}

#[test]
fn a_row_of_nothing_but_commas_takes_little_memory() {
    let text = format!("key,value\n{}\na,1\n", ",".repeat(4000));
    assert_eq!(faults(&text), ["line 2: it has more than 1024 fields"]);
}

#[test]
fn a_row_that_is_too_long_is_passed_over() {
    let text = format!("key,value\na,{}\nb,2\n", "x".repeat(5000));
    assert_eq!(faults(&text), ["line 2: it is longer than 4096 bytes, which no row needs"]);
    assert_eq!(steps(text.as_bytes()).len(), 2);
}
