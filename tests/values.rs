//! Values that Riak wrote, against what Riak itself says of them: every key and object of a node, part by part.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use logkv::value::riak::{Object, Sibling, Tick, clock, object, riak_key};
use logkv::value::{Class, Head, View, lines, recognise};
use logkv::{Options, Store};
use serde_json::Value;
use sha2::{Digest, Sha256};
use support::fixture;

const PARTITIONS: [&str; 5] = [
    "0",
    "1141798154164767904846628775559596109106197299200",
    "1438665674247607560106752257205091097473808596992",
    "365375409332725729550921208179070754913983135744",
    "753586781748746817198774991869333432010090217472",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Every key and value of the node with the line that Riak's oracle has of it.
fn objects() -> Vec<(Vec<u8>, Vec<u8>, Value)> {
    let mut all = Vec::new();
    for partition in PARTITIONS {
        let store = Store::open_read_only(&fixture(&format!("riak-node/{partition}")), Options::default()).unwrap();
        let oracle = fixture(&format!("riak-node/{partition}.oracle.jsonl"));
        for line in std::fs::read_to_string(oracle).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let key = from_hex(line["key_hex"].as_str().unwrap());
            let value = store.get(&key).unwrap().into_value().unwrap();
            all.push((key, value, line));
        }
    }
    all
}

#[test]
fn every_key_of_the_node_is_taken_apart_as_riak_does() {
    for (bytes, _, line) in objects() {
        let key = riak_key(&bytes).unwrap();
        assert_eq!(key.bucket_type.map(hex).as_deref(), line["bucket_type_hex"].as_str(), "{line}");
        assert_eq!(hex(key.bucket), line["bucket_hex"].as_str().unwrap());
        assert_eq!(hex(key.key), line["key_part_hex"].as_str().unwrap());
    }
}

#[test]
fn every_object_of_the_node_is_shown_to_its_end() {
    let all = objects();
    assert_eq!(all.len(), 356);
    for (_, bytes, line) in all {
        let head = Head { bytes: &bytes, is_whole: true };
        assert_eq!(recognise(head).detected, View::RiakObject, "{line}");
        for each in lines(View::RiakObject, head) {
            let stopped = each.spans.iter().any(|span| span.class == Class::Stop && span.text.starts_with('…'));
            // The deepest of its terms has 200 levels.
            assert!(!stopped || each.to_string().contains("nested more"), "{each} in {line}");
        }
    }
}

#[test]
fn every_object_of_version_1_reads_as_riak_reads_it() {
    let all = objects();
    let current: Vec<_> = all.iter().filter(|(_, _, line)| line["object_version"] == 1).collect();
    assert!(current.len() > 250, "{}", current.len());
    for (_, bytes, line) in current {
        let object = object(bytes, true).unwrap();
        check_clock(&clock(object.clock).unwrap(), &line["vclock"]);
        check_siblings(&object, line);
    }
}

fn check_clock(ticks: &[Tick<'_>], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(ticks.len(), expected.len());
    for (tick, expected) in ticks.iter().zip(expected) {
        assert_eq!(hex(tick.actor), expected["actor_hex"].as_str().unwrap());
        assert_eq!(tick.counter, expected["counter"].as_u64().unwrap());
        assert_eq!(tick.timestamp, expected["timestamp"].as_u64().unwrap());
        assert_eq!(tick.micros(), Some(expected["timestamp_unix"].as_u64().unwrap() * 1_000_000));
    }
}

fn check_siblings(object: &Object<'_>, line: &Value) {
    let expected = line["siblings"].as_array().unwrap();
    assert_eq!((object.siblings.len(), object.claimed), (expected.len(), line["sibling_count"].as_u64().unwrap()));
    for (sibling, expected) in object.siblings.iter().zip(expected) {
        check_sibling(sibling, expected);
    }
}

fn check_sibling(sibling: &Sibling<'_>, expected: &Value) {
    let (value, metadata) = (sibling.value.unwrap(), sibling.metadata.as_ref().unwrap());
    assert_eq!(hex(&Sha256::digest(value.bytes)), expected["value_sha256"].as_str().unwrap());
    assert_eq!(sibling.value_len, expected["value_len"].as_u64().unwrap());
    assert_eq!(value.kind == 0, expected["value_kind"] == "term");
    assert_eq!(metadata.last_modified, expected["last_modified_us"].as_u64());
    assert_eq!(
        metadata.vtag.map(|tag| String::from_utf8_lossy(tag).into_owned()).as_deref(),
        expected["vtag"].as_str()
    );
    assert_eq!(metadata.deleted, expected["deleted"].as_bool().unwrap());
    let has = |name: &[u8]| metadata.pairs.iter().any(|(key, _)| key.kind == 1 && key.bytes == name);
    assert_eq!(has(b"content-type"), !expected["content_type"].is_null());
    assert_eq!(has(b"Links"), !expected["links"].is_null());
    assert_eq!(has(b"index"), !expected["indexes"].is_null());
    assert_eq!(has(b"X-Riak-Meta"), !expected["user_meta"].is_null());
    assert_eq!(has(b"dot"), !expected["dot"].is_null());
}

#[test]
fn what_an_object_says_is_on_its_lines() {
    for (_, bytes, line) in objects() {
        let shown: Vec<String> =
            lines(View::RiakObject, Head { bytes: &bytes, is_whole: true }).iter().map(ToString::to_string).collect();
        let shown = shown.join("\n");
        for sibling in line["siblings"].as_array().unwrap() {
            let content_type = sibling["content_type"].as_str().map(|name| format!("\"{name}\""));
            let version_1 = line["object_version"] == 1;
            let data_type = sibling["value_crdt"]["module"].as_str().map(|module| match module {
                "riak_kv_pncounter" => "a counter of Riak 1.4".to_owned(),
                module => format!("data type {module}"),
            });
            for words in [sibling["vtag"].as_str().map(str::to_owned), content_type, data_type].into_iter().flatten() {
                assert!(!version_1 || shown.contains(&words), "{words} in\n{shown}");
            }
        }
    }
}
