//! Examples from the specifications, and any bytes at all.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod any;
mod binary;
mod json;
mod riak;
mod terms;

use super::{Class, Head, View, lines, recognise};

fn whole(bytes: &[u8]) -> Head<'_> {
    Head { bytes, is_whole: true }
}

fn head(bytes: &[u8]) -> Head<'_> {
    Head { bytes, is_whole: false }
}

fn detected(bytes: &[u8]) -> View {
    recognise(whole(bytes)).detected
}

fn shown(view: View, bytes: &[u8]) -> String {
    let lines = lines(view, whole(bytes));
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The same without blanks and line ends.
fn dense(view: View, bytes: &[u8]) -> String {
    shown(view, bytes).split_whitespace().collect()
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn what_a_value_is_does_not_depend_on_luck() {
    assert_eq!(detected(b"{\"a\": 1}\n"), View::Json);
    assert_eq!(detected(b"{\"a\": 1"), View::Text, "it is not whole");
    assert_eq!(detected(b"12"), View::Text, "a number is text as well");
    assert!(recognise(whole(b"12")).fitting.contains(&View::Json), "and can be shown as JSON");
    assert_eq!(detected(b""), View::Text);
    assert_eq!(detected(b"\x80"), View::Hex, "an empty array says too little");
    assert_eq!(detected(b"\x82\xa1a\x01\xa1b\xc3"), View::MessagePack);
    assert_eq!(detected(b"\x82\xa1a\x01\xa1b\xc3\x00"), View::Hex, "something follows");
    assert_eq!(detected(&hex("a26161016162820203")), View::Cbor);
    assert_eq!(detected(&hex("d9d9f700")), View::Cbor, "it says so itself");
    assert_eq!(detected(b"\x83h\x02a\x01a\x02"), View::Term);
    assert_eq!(detected(b"bxy"), View::Text, "which would be a CBOR string");
    assert_eq!(detected(b"\x00\x01\x02"), View::Hex);
}

#[test]
fn of_a_head_only_what_it_cannot_be_is_ruled_out() {
    let detected = |bytes| recognise(head(bytes)).detected;
    assert_eq!(detected(b"[{\"a\": \"b"), View::Json);
    assert_eq!(detected(b"[{\"a\": oops"), View::Text);
    assert_eq!(detected(b"12345"), View::Text);
    assert_eq!(detected(b"\x82\xa1a\x01\xa1b"), View::Hex, "nearly anything begins like MessagePack");
    let lines = lines(View::Json, head(b"[1, {\"a\": \"b"));
    assert_eq!(lines.last().unwrap().to_string(), "… the 12 B at hand end here");
    assert_eq!(lines.last().unwrap().spans[0].class, Class::Stop);
}
