//! Riak's keys and objects of version 1, by the example of its layout.

use super::*;
use crate::value::pen::MOST_LINES;
use crate::value::riak::{object, riak_key};
use crate::value::sink::Stop;

/// A value `x` with one pair of metadata.
fn example() -> Vec<u8> {
    let clock = "836c0000000168026d0000000c6564b3191304280200000004680261016e0500811f02de0e6a";
    let metadata = "00000697 00000fc1 000dbce6 15";
    [
        hex("3501 00000026"),
        hex(clock),
        hex("00000001 00000002 01 78 00000043"),
        hex(metadata),
        b"P7FsEPcpvEby4q2qovzt6".to_vec(),
        hex("00 0000000d 01"),
        b"content-type".to_vec(),
        hex("0000000b 01"),
        b"text/plain".to_vec(),
    ]
    .concat()
}

#[test]
fn an_object_is_shown_part_by_part() {
    let bytes = example();
    assert_eq!(detected(&bytes), View::RiakObject);
    let expected = [
        "Riak object, version 1, 1 sibling",
        "vclock",
        "  6564b3191304280200000004: 1  2023-06-17 12:13:53",
        "sibling 1 of 1",
        "  last modified: 2023-06-17 12:13:53.900326",
        "  vtag: P7FsEPcpvEby4q2qovzt6",
        "  content-type: \"text/plain\"",
        "  value: 1 B",
        "    x",
    ];
    assert_eq!(shown(View::RiakObject, &bytes), expected.join("\n"));
}

#[test]
fn an_object_fits_exactly_or_not_at_all() {
    let bytes = example();
    for len in 0..bytes.len() {
        assert!(object(&bytes[..len], true).is_err(), "cut at {len}");
        assert_ne!(detected(&bytes[..len]), View::RiakObject, "cut at {len}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(object(&longer, true), Err(Stop::Malformed));
    let mut many = bytes.clone();
    many[44..48].copy_from_slice(&[0xff; 4]);
    assert_eq!(object(&many, true), Err(Stop::Cut), "siblings that are not there");
}

#[test]
fn an_object_of_very_many_parts_is_cut_at_the_most_lines() {
    let pairs = hex("00000001 01 00000001 01").repeat(MOST_LINES + 9);
    let metadata = [&[0; 14][..], &pairs].concat();
    let len = u32::try_from(metadata.len()).unwrap().to_be_bytes();
    let object = [&example()[..44], &hex("00000001 00000002 01 78"), &len, &metadata].concat();
    let shown = lines(View::RiakObject, whole(&object));
    assert!(recognise(whole(&object)).detected == View::RiakObject && shown.len() <= MOST_LINES, "{}", shown.len());
    assert!(shown.last().unwrap().to_string().contains("the rest is not shown"));
}

#[test]
fn the_head_of_an_object_shows_the_head_of_its_value() {
    let mut bytes = example();
    bytes.truncate(54);
    bytes[48..52].copy_from_slice(&[0x10, 0, 0, 1]);
    assert_eq!(recognise(head(&bytes)).detected, View::RiakObject);
    let shown: Vec<String> = lines(View::RiakObject, head(&bytes)).iter().map(ToString::to_string).collect();
    assert_eq!(shown[3..], ["sibling 1 of 1", "  value: 256.0 MiB", "    x", "… the 54 B at hand end here"]);
}

#[test]
fn keys_of_both_versions_are_taken_apart() {
    let key = |bytes: &[u8]| {
        riak_key(bytes).map(|key| (key.bucket_type.map(<[u8]>::to_vec), key.bucket.to_vec(), key.key.to_vec()))
    };
    let parts = |kind: Option<&[u8]>| Some((kind.map(<[u8]>::to_vec), b"b".to_vec(), b"key".to_vec()));
    assert_eq!(key(b"\x02\x00\x01bkey"), parts(None));
    assert_eq!(key(b"\x03\x00\x01t\x00\x01bkey"), parts(Some(b"t")));
    assert_eq!(key(&hex("83 6802 6d00000001 62 6d00000003 6b6579")), parts(None));
    assert_eq!(key(&hex("83 6802 6802 6d00000001 74 6d00000001 62 6d00000003 6b6579")), parts(Some(b"t")));
    for none in [&b""[..], b"user:1", b"\x02", b"\x02\x00\x09b", b"\x83h\x02a\x01a\x01"] {
        assert_eq!(riak_key(none), None, "{none:?}");
    }
}
