//! JSON: what is valid, and that it is shown as it stands.

use super::*;

fn is_json(text: &str) -> bool {
    recognise(whole(text.as_bytes())).fitting.contains(&View::Json)
}

#[test]
fn it_is_laid_out_and_otherwise_as_it_stands() {
    let value = br#"{"b":1.50e+3,"a":[],"b":{},"c":[true,null,"\u00e9\n\"" , -0]}"#;
    let expected = [
        "{",
        "  \"b\": 1.50e+3,",
        "  \"a\": [],",
        "  \"b\": {},",
        "  \"c\": [true, null, \"\\u00e9\\n\\\"\", -0]",
        "}",
    ];
    assert_eq!(shown(View::Json, value), expected.join("\n"));
}

#[test]
fn numbers_in_a_row_share_lines_and_short_lists_are_one() {
    let numbers: Vec<String> = (100..130).map(|n| n.to_string()).collect();
    let value = format!("{{\"a\":[1,[\"b\",[]],{{\"k\":2}},3,4],\"c\":[{}]}}", numbers.join(","));
    let expected = [
        "{",
        "  \"a\": [",
        "    1,",
        "    [\"b\", []],",
        "    {",
        "      \"k\": 2",
        "    },",
        "    3, 4",
        "  ],",
        "  \"c\": [",
        "    100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,",
        "    112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123,",
        "    124, 125, 126, 127, 128, 129",
        "  ]",
        "}",
    ];
    assert_eq!(shown(View::Json, value.as_bytes()), expected.join("\n"));
}

#[test]
fn keys_and_strings_are_told_apart() {
    let lines = lines(View::Json, whole(br#"{"k": "v", "n": 1, "t": true}"#));
    let classes: Vec<Class> = lines[1].spans.iter().map(|span| span.class).collect();
    assert_eq!(classes, [Class::Plain, Class::Key, Class::Punctuation, Class::Text, Class::Punctuation]);
    assert_eq!((lines[2].spans[3].class, lines[3].spans[3].class), (Class::Number, Class::Literal));
}

#[test]
fn exactly_what_the_standard_allows_is_json() {
    let yes =
        ["0", "-0.5e-7", "\"\"", "\"\\ud800\"", "[]", " [1 , 2]\r\n", "{\"\":{}}", "null", "[[[[]]]]", "\"\u{7f}\""];
    let no = [
        "",
        " ",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "- 1",
        "NaN",
        "'a'",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "[1,]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "[1 2]",
        "[1}",
        "]",
        "1 2",
        "tru",
        "truex",
        "\"a",
        "[",
        "{\"a\":1,}",
        "\u{feff}1",
    ];
    assert_eq!(yes.into_iter().filter(|text| !is_json(text)).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(no.into_iter().filter(|text| is_json(text)).collect::<Vec<_>>(), [""; 0]);
    assert!(!recognise(whole(b"\"\xff\"")).fitting.contains(&View::Json));
}

#[test]
fn a_string_is_escaped_where_a_terminal_would_obey_it() {
    let value = "[\"\u{202e}\u{9b}31m\"]";
    assert_eq!(dense(View::Json, value.as_bytes()), "[\"\\u{202e}\\u{9b}31m\"]");
}

#[test]
fn nesting_without_end_is_recognised_and_cut_where_it_is_shown() {
    let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
    assert_eq!(detected(&deep), View::Json);
    let lines = lines(View::Json, whole(&deep));
    assert_eq!(lines.last().unwrap().to_string(), "… nested more than 128 deep: the rest is not shown");
    assert!(lines.len() < 140);
}

#[test]
fn a_long_list_is_cut_after_the_budget() {
    let long = format!("[{}1]", "null,".repeat(30_000));
    let lines = lines(View::Json, whole(long.as_bytes()));
    assert!(lines.len() <= crate::value::MOST_LINES, "{}", lines.len());
    assert_eq!(lines.last().unwrap().to_string(), "… more than 20,000 lines: the rest is not shown");
}
