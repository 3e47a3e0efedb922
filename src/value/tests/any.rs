//! Any bytes at all, and bytes that are nearly right: nothing panics, nothing gets through that a terminal would obey, and
//! what comes out is bounded.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::value::riak::riak_key;
use crate::value::{MOST_LINES, family};

/// Heads of every kind of item, so that walks go further than the first byte.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let heads = vec![
        "83",
        "4502",
        "4501",
        "4701",
        "4601",
        "6c00000002",
        "6802",
        "6801",
        "6a",
        "6b0001",
        "6d00000001",
        "6e0500",
        "7700",
        "50",
        "3501",
        "00000001",
        "92",
        "81",
        "a161",
        "c403",
        "c7",
        "d9",
        "82",
        "a1",
        "9f",
        "bf",
        "5f",
        "7f",
        "ff",
        "c2",
        "41",
        "f9",
        "d818",
        "7b22",
        "223a",
        "2c",
        "5b",
        "5d",
        "7d",
        "22",
        "5c75",
        "30",
        "74727565",
    ];
    let part = prop_oneof![
        4 => proptest::sample::select(heads).prop_map(hex),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(part, 0..60).prop_map(|parts| parts.concat())
}

fn check(bytes: &[u8]) {
    for head in [whole(bytes), head(bytes)] {
        let known = recognise(head);
        assert!(known.fitting.contains(&known.detected));
        assert!(known.fitting.contains(&View::Text) && known.fitting.contains(&View::Hex));
        for view in View::ALL {
            let lines = lines(view, head);
            assert!(lines.len() <= MOST_LINES);
            let text: String = lines.iter().map(ToString::to_string).collect();
            assert!(!text.chars().any(char::is_control), "{text:?}");
            if known.fitting.contains(&view) && head.is_whole {
                let stop = lines.last().and_then(|line| line.spans.first()).filter(|span| span.class == Class::Stop);
                assert!(stop.is_none_or(|span| !span.text.contains("fit")), "{view:?} fits and does not");
            }
        }
    }
    family(bytes);
    riak_key(bytes);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..300)) {
        check(&bytes);
    }

    #[test]
    fn no_bytes_that_are_nearly_right_panic(bytes in likely()) {
        check(&bytes);
    }
}

#[test]
fn openings_without_end_take_neither_the_stack_nor_long() {
    let term = [&b"\x83"[..], &b"h\x01".repeat(1 << 19)].concat();
    for bytes in
        [vec![0x91; 1 << 20], vec![0x81; 1 << 20], vec![0x9f; 1 << 20], vec![0xc1; 1 << 20], term, b"[".repeat(1 << 20)]
    {
        check(&bytes);
    }
}
