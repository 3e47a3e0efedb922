//! CBOR by the examples of RFC 8949, appendix A, and MessagePack by those of its specification.

use super::*;

/// An item as hexadecimal, and in diagnostic notation.
const CBOR: &[(&str, &str)] = &[
    ("00", "0"),
    ("17", "23"),
    ("1818", "24"),
    ("1903e8", "1000"),
    ("1a000f4240", "1000000"),
    ("1b000000e8d4a51000", "1000000000000"),
    ("1bffffffffffffffff", "18446744073709551615"),
    ("c249010000000000000000", "18446744073709551616"),
    ("3bffffffffffffffff", "-18446744073709551616"),
    ("c349010000000000000000", "-18446744073709551617"),
    ("20", "-1"),
    ("3903e7", "-1000"),
    ("f90000", "0.0"),
    ("f98000", "-0.0"),
    ("f93c00", "1.0"),
    ("fb3ff199999999999a", "1.1"),
    ("f93e00", "1.5"),
    ("f97bff", "65504.0"),
    ("fa47c35000", "100000.0"),
    ("fa7f7fffff", "3.4028235e38"),
    ("fb7e37e43c8800759c", "1e300"),
    ("f90001", "5.960464477539063e-8"),
    ("f90400", "6.103515625e-5"),
    ("f9c400", "-4.0"),
    ("fbc010666666666666", "-4.1"),
    ("f97c00", "Infinity"),
    ("f97e00", "NaN"),
    ("f9fc00", "-Infinity"),
    ("fa7f800000", "Infinity"),
    ("fbfff0000000000000", "-Infinity"),
    ("f4", "false"),
    ("f5", "true"),
    ("f6", "null"),
    ("f7", "undefined"),
    ("f0", "simple(16)"),
    ("f8ff", "simple(255)"),
    ("c074323031332d30332d32315432303a30343a30305a", "0(\"2013-03-21T20:04:00Z\")"),
    ("c11a514b67b0", "1(1363896240)"),
    ("c1fb41d452d9ec200000", "1(1363896240.5)"),
    ("d74401020304", "23(h'01020304')"),
    ("d818456449455446", "24(h'6449455446')"),
    ("40", "h''"),
    ("4401020304", "h'01020304'"),
    ("60", "\"\""),
    ("6449455446", "\"IETF\""),
    ("62225c", "\"\\\"\\\\\""),
    ("62c3bc", "\"ü\""),
    ("63e6b0b4", "\"水\""),
    ("80", "[]"),
    ("83010203", "[1,2,3]"),
    ("8301820203820405", "[1,[2,3],[4,5]]"),
    (
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
        "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]",
    ),
    ("a0", "{}"),
    ("a201020304", "{1:2,3:4}"),
    ("a26161016162820203", "{\"a\":1,\"b\":[2,3]}"),
    ("826161a161626163", "[\"a\",{\"b\":\"c\"}]"),
    ("5f42010243030405ff", "(_h'0102',h'030405')"),
    ("7f657374726561646d696e67ff", "(_\"strea\",\"ming\")"),
    ("9fff", "[_]"),
    ("9f018202039f0405ffff", "[_1,[2,3],[_4,5]]"),
    ("83018202039f0405ff", "[1,[2,3],[_4,5]]"),
    ("bf61610161629f0203ffff", "{_\"a\":1,\"b\":[_2,3]}"),
    ("826161bf61626163ff", "[\"a\",{_\"b\":\"c\"}]"),
    ("bf6346756ef563416d7421ff", "{_\"Fun\":true,\"Amt\":-2}"),
];

#[test]
fn the_examples_of_the_cbor_standard_read_as_it_says() {
    for (bytes, notation) in CBOR {
        assert_eq!(dense(View::Cbor, &hex(bytes)), *notation, "{bytes}");
    }
}

#[test]
fn what_is_not_well_formed_cbor_is_none() {
    // RFC 8949, appendix F, and what follows an item.
    let bad = [
        "18",
        "1900",
        "61",
        "5affffffff",
        "7b7fffffffffffffff",
        "9f",
        "bf",
        "8180ff",
        "a1",
        "a101",
        "bf00ff",
        "5f00ff",
        "5f61",
        "7f4100ff",
        "1c",
        "3e",
        "5c",
        "f818",
        "f800",
        "ff",
        "81ff",
        "a1ff",
        "9fde",
        "c0",
        "ffff",
        "0000",
        "5f5f4100ffff",
        "df00ff",
        "1f",
        "fc",
        "fe",
        "a2010203",
        "9bffffffffffffffff",
        "bb8000000000000000",
    ];
    let well: Vec<_> = bad.iter().filter(|bytes| recognise(whole(&hex(bytes))).fitting.contains(&View::Cbor)).collect();
    assert_eq!(well, Vec::<&&str>::new());
}

const MSGPACK: &[(&str, &str)] = &[
    ("00", "0"),
    ("7f", "127"),
    ("e0", "-32"),
    ("ff", "-1"),
    ("c0", "nil"),
    ("c2", "false"),
    ("c3", "true"),
    ("ccff", "255"),
    ("cdffff", "65535"),
    ("ceffffffff", "4294967295"),
    ("cfffffffffffffffff", "18446744073709551615"),
    ("d080", "-128"),
    ("d18000", "-32768"),
    ("d280000000", "-2147483648"),
    ("d38000000000000000", "-9223372036854775808"),
    ("ca3dcccccd", "0.1"),
    ("cb3fb999999999999a", "0.1"),
    ("ca7fc00000", "NaN"),
    ("a0", "\"\""),
    ("a3616263", "\"abc\""),
    ("d903ff6263", "\"\\xffbc\""),
    ("da000161", "\"a\""),
    ("db0000000161", "\"a\""),
    ("c40201ff", "h'01ff'"),
    ("c5000101", "h'01'"),
    ("c60000000101", "h'01'"),
    ("90", "[]"),
    ("93010203", "[1,2,3]"),
    ("dc000101", "[1]"),
    ("dd0000000101", "[1]"),
    ("80", "{}"),
    ("82a16101a162c3", "{\"a\":1,\"b\":true}"),
    ("81810102c0", "{{1:2}:nil}"),
    ("de0001a16101", "{\"a\":1}"),
    ("df00000001a16101", "{\"a\":1}"),
    ("d405aa", "ext5h'aa'"),
    ("d5fe0102", "ext-2h'0102'"),
    ("c7030501ff02", "ext5h'01ff02'"),
    ("c8000105aa", "ext5h'aa'"),
    ("d6ff00000000", "time1970-01-0100:00:00"),
    ("d7ff0000000400000001", "time1970-01-0100:00:01and1ns"),
    ("c70cff3b9ac9ff0000000000000001", "time1970-01-0100:00:01and999999999ns"),
    ("c70cff00000000ffffffffffffffff", "time-1s"),
    ("d7ffffffffffffffffff", "ext-1h'ffffffffffffffff'"),
];

#[test]
fn every_type_of_messagepack_is_read() {
    for (bytes, notation) in MSGPACK {
        assert_eq!(dense(View::MessagePack, &hex(bytes)), *notation, "{bytes}");
    }
}

#[test]
fn what_is_not_well_formed_messagepack_is_none() {
    for bytes in ["c1", "", "a3", "92c0", "81c0", "d9", "dd ffffffff 00", "df ffffffff 00", "c0c0", "c7ff05", "cb00"] {
        assert!(!recognise(whole(&hex(bytes))).fitting.contains(&View::MessagePack), "{bytes}");
    }
}
