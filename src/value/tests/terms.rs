//! Erlang terms: one of every tag, as `term_to_binary` writes it.

use super::*;

const TERMS: &[(&str, &str)] = &[
    ("83 61 ff", "255"),
    ("83 62 ffffffff", "-1"),
    ("83 46 3ff8000000000000", "1.5"),
    ("83 63 312e3530303030303030303030303030303030303030652b30300000000000", "1.50000000000000000000e+00"),
    ("83 64 0002 6f6b", "ok"),
    ("83 73 03 e9 20 61", "'éa'"),
    ("83 77 03 c3a9 61", "'éa'"),
    ("83 76 0001 61", "a"),
    ("83 6a", "[]"),
    ("83 6b 0002 6162", "\"ab\""),
    ("83 6d 00000002 6162", "<<\"ab\">>"),
    ("83 6d 00000002 00ff", "h'00ff'"),
    ("83 4d 00000001 05 f8", "h'f8',5bitsofthelast"),
    ("83 6c 00000002 61 01 61 02 6a", "[1,2]"),
    ("83 6c 00000001 61 01 61 02", "[1|2]"),
    ("83 6c 00000001 61 01 68 01 6a", "[1|{[]}]"),
    ("83 68 00", "{}"),
    ("83 69 00000002 61 01 6a", "{1,[]}"),
    ("83 74 00000001 61 01 77 01 61", "#{1=>a}"),
    ("83 6e 08 00 ffffffffffffffff", "18446744073709551615"),
    ("83 6e 09 01 000000000000000001", "-18446744073709551616"),
    ("83 6f 00000001 00 07", "7"),
    ("83 58 7701 61 000000010000000200000003", "pid(a,h'000000010000000200000003')"),
    ("83 5a 0001 7701 61 00000001 00000002", "reference(a,h'0000000100000002')"),
    ("83 71 7701 61 7701 62 61 02", "fun(a,b,2)"),
    ("83 70 00000006 0102", "fun(h'0102')"),
];

#[test]
fn every_tag_reads_as_erlang_writes_it() {
    for (bytes, notation) in TERMS {
        assert_eq!(dense(View::Term, &hex(bytes)), *notation, "{bytes}");
    }
}

#[test]
fn what_does_not_fit_is_no_term() {
    for bytes in
        ["83", "82 6a", "83 6a 6a", "83 6c ffffffff 6a", "83 68 02 6a", "83 6d ffffffff 00", "83 75", "83 70 00000003"]
    {
        assert!(!recognise(whole(&hex(bytes))).fitting.contains(&View::Term), "{bytes}");
    }
}

fn compressed(body: &[u8], claimed: u32) -> Vec<u8> {
    let deflated = miniz_oxide::deflate::compress_to_vec_zlib(body, 6);
    [&[131, 80][..], &claimed.to_be_bytes(), &deflated].concat()
}

#[test]
fn a_compressed_term_is_opened_up_to_a_bound() {
    let body = hex("6d 00000002 6162");
    assert_eq!(shown(View::Term, &compressed(&body, 7)), "<<\"ab\">>");
    assert_eq!(detected(&compressed(&body, 8)), View::Hex, "another length than it claims");
    let bomb = [&hex("6c 00ffffff")[..], &b"\x61\x01".repeat(1 << 24)].concat();
    let value = compressed(&bomb, bomb.len() as u32);
    assert!(value.len() < 100_000);
    assert_eq!(detected(&value), View::Hex, "what is beyond the bound is not known to fit");
}

#[test]
fn an_object_of_version_0_is_shown_as_its_term() {
    let object = hex("83 68 07 64 0008 725f6f626a656374 6a 6a 6a 6a 6a 6a");
    assert_eq!(detected(&object), View::RiakObject);
    assert_eq!(dense(View::RiakObject, &object), "{r_object,[],[],[],[],[],[]}");
}
