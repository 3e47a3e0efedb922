//! Out of a store and into another one: equal, whatever the bytes.

use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::store::{MergeChoice, MergeControl, check_limits};
use logkv::transfer::{self, ExportFormat, ExportNews, ImportNews, ImportOptions, Place, Step, Why};
use logkv::{Error, Options, Store};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::resp::replayed;
use crate::{Contents, contents, exported, import, options, put_until, reader, store};

/// Bytes that a format could trip over, and any others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    const SIGNS: &[&[u8]] = &[
        b"\"",
        b",",
        b"\r",
        b"\n",
        b"\0",
        b"\xff",
        b"\\",
        b" ",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\x1b[2J",
        b"key",
        b"=1+1",
    ];
    let signs = proptest::sample::select(SIGNS);
    prop_oneof![vec(signs, 0..8).prop_map(|signs| signs.concat()), vec(any::<u8>(), 0..40)]
}

fn any_contents() -> impl Strategy<Value = Contents> {
    // From the year 2100 on, so that no test ever sees one expire.
    let expiry = proptest::option::of(4_102_444_800_000_000_u64..);
    btree_map(bytes(), (bytes(), expiry), 0..12)
}

fn filled(contents: &Contents) -> Store {
    let store = store(&SimDisk::new());
    for (key, (value, expires_at)) in contents {
        put_until(&store, key, value, *expires_at);
    }
    store
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_and_imported_is_equal(held in any_contents()) {
        let from = filled(&held);
        for format in [ExportFormat::Jsonl, ExportFormat::Csv] {
            let text = exported(&from, format);
            let to = store(&SimDisk::new());
            let imported = import(&to, &mut *reader(&text)).unwrap();
            prop_assert_eq!((imported.imported, imported.faults), (held.len() as u64, 0));
            prop_assert_eq!(imported.bytes, text.len() as u64);
            prop_assert_eq!(&contents(&to), &held, "{}", format.name());
            // Again, and nothing is written.
            let again = import(&to, &mut *reader(&text)).unwrap();
            prop_assert_eq!((again.imported, again.unchanged), (0, held.len() as u64));
        }
        let millis = |(key, (value, at)): (&Vec<u8>, &(Vec<u8>, Option<u64>))| {
            (key.clone(), (value.clone(), at.map(|at| at.div_ceil(1000))))
        };
        prop_assert_eq!(replayed(&exported(&from, ExportFormat::Resp)), held.iter().map(millis).collect::<Contents>());
    }

    #[test]
    fn any_text_is_rows_and_faults_and_nothing_else(text in vec(any::<u8>(), 0..300), csv: bool) {
        let text = if csv { [b"key,value,value_b64,expires_at\n", &text[..]].concat() } else { [b"{", &text[..]].concat() };
        let mut source = reader(&text);
        let mut last = 0;
        while let Some(step) = source.next_step().unwrap() {
            let (Step::Row { place, .. } | Step::Fault(logkv::transfer::Fault { place, .. })) = step;
            let Place::Line(line) = place else { panic!("{place}") };
            prop_assert!(line > last, "{} after {}", line, last);
            last = line;
        }
        prop_assert_eq!(source.bytes_read(), text.len() as u64);
    }
}

#[test]
fn the_longest_key_goes_through() {
    let key = vec![0xff; 65_535];
    let from = filled(&Contents::from([(key.clone(), (b"v".to_vec(), None)), (vec![b'"'; 65_535], (vec![], None))]));
    for format in [ExportFormat::Jsonl, ExportFormat::Csv] {
        let to = store(&SimDisk::new());
        import(&to, &mut *reader(&exported(&from, format))).unwrap();
        assert_eq!(contents(&to), contents(&from));
    }
    let too_long = format!("{{\"key\":\"{}\",\"value\":\"\"}}\n", "k".repeat(65_536));
    let stopped = import(&store(&SimDisk::new()), &mut *reader(too_long.as_bytes())).unwrap_err();
    let Why::Fault(fault) = stopped.why else { panic!("{:?}", stopped.why) };
    assert_eq!(fault.to_string(), "line 1: the key has 65536 bytes; at most 65535 are allowed");
    assert!(check_limits(&key, 0).is_ok());
}

#[test]
fn rows_keep_their_order_and_the_last_of_a_key_wins() {
    let text = r#"{"key":"b","value":"1"}
{"key":"a","value":"2"}
{"key":"b","value":"3"}
{"key":"a","value":"2"}
{"key":"c","value":"4","expires_at":1}
"#;
    let to = store(&SimDisk::new());
    to.put(b"c", b"older").unwrap();
    to.put(b"z", b"not in the source").unwrap();
    let imported = import(&to, &mut *reader(text.as_bytes())).unwrap();
    assert_eq!((imported.imported, imported.unchanged, imported.expired), (3, 1, 1));
    assert_eq!(imported.durable, Some(Place::Line(5)));
    let value = |key: &[u8]| to.get(key).unwrap().into_value().unwrap();
    assert_eq!([value(b"a"), value(b"b"), value(b"c"), value(b"z")].map(|value| value[0]), *b"23on");
    assert!(to.entry(b"a").unwrap().tstamp < to.entry(b"b").unwrap().tstamp);
}

#[test]
fn a_fault_stops_the_import_and_all_before_it_is_in_and_durable() {
    let text = b"key,value\na,1\nb,2\nc\nd,4\n";
    let disk = SimDisk::new();
    let stopped = import(&store(&disk), &mut *reader(text)).unwrap_err();
    let Why::Fault(fault) = &stopped.why else { panic!("{:?}", stopped.why) };
    assert_eq!(fault.to_string(), "line 4: it has 1 fields, and the first row names 2");
    assert_eq!((stopped.imported.imported, &stopped.imported.durable), (2, &Some(Place::Line(3))));
    let after = disk.crash(logkv::disk::sim::CrashPolicy::Drop, 1);
    assert_eq!(contents(&store(&after)).len(), 2, "a power cut takes nothing of it away");

    let mut faults = Vec::new();
    let keep_going = ImportOptions { keep_going: true, ..ImportOptions::default() };
    let to = store(&SimDisk::new());
    let imported = transfer::import(&to, &mut *reader(text), keep_going, &mut |news| {
        if let ImportNews::Fault(fault) = news {
            faults.push(fault.to_string());
        }
    });
    assert_eq!((imported.unwrap().faults, faults.len(), contents(&to).len()), (1, 1, 3));
}

#[test]
fn a_damaged_value_is_named_and_left_out_and_the_rest_goes_on() {
    let disk = SimDisk::new();
    let writer = store(&disk);
    let mut place = None;
    for key in [&b"a"[..], b"b", b"c"] {
        let written = writer.put(key, b"the value of a key").unwrap();
        place = Some(written.location).filter(|_| key == b"b").or(place);
    }
    writer.close().unwrap();
    let last_byte = place.unwrap().offset + place.unwrap().len - 1;
    disk.poke("data/0000000001.data", last_byte, b"!").unwrap();
    let reader = Store::open_read_only_on(disk.reader(), Path::new("data"), Options::default()).unwrap();
    let (mut text, mut told) = (Vec::new(), Vec::new());
    let exported = transfer::export(&reader, ExportFormat::Jsonl, b"", &mut text, &mut |news| {
        if let ExportNews::Damaged(key, error) = news {
            assert!(matches!(error, Error::Damaged { segment: 1, .. }), "{error}");
            told.push(key.to_vec());
        }
    });
    let exported = exported.unwrap();
    assert_eq!((exported.exported, exported.damaged, told), (2, 1, vec![b"b".to_vec()]));
    let lines = String::from_utf8(text).unwrap();
    assert!(lines.starts_with("{\"key\":\"a\",") && lines.contains("{\"key\":\"c\",") && !lines.contains("\"b\""));
}

#[test]
fn an_export_is_of_one_moment() {
    let disk = SimDisk::new();
    let writer =
        Store::open_on(Arc::new(disk.clone()), Path::new("data"), Options { create: true, ..options() }).unwrap();
    for n in 0..3000_u32 {
        writer.put(&n.to_be_bytes(), b"before").unwrap();
    }
    writer.sync().unwrap();
    let reader = Store::open_read_only_on(disk.reader(), Path::new("data"), options()).unwrap();
    let mut round = 0_u32;
    for (from, merges) in [(&reader, true), (&writer, false)] {
        let before = contents(from);
        let mut text = Vec::new();
        transfer::export(from, ExportFormat::Jsonl, b"", &mut text, &mut |_| {
            // Between any two pages. A merge of the exporting process itself would wait for the end of the export.
            round += 1;
            writer.put(&(round * 100).to_be_bytes(), b"after").unwrap();
            writer.delete(&(round * 100 + 1).to_be_bytes()).unwrap();
            writer.put(&(4000 + round).to_be_bytes(), b"new").unwrap();
            writer.sync().unwrap();
            if merges {
                writer.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
            }
        })
        .unwrap();
        let to = store(&SimDisk::new());
        import(&to, &mut *crate::reader(&text)).unwrap();
        assert!(contents(&to) == before, "merges: {merges}");
    }
    assert!(round > 4);
}

#[test]
fn a_prefix_limits_what_is_exported() {
    let from = filled(&[&b"a"[..], b"ab", b"b", b""].map(|key| (key.to_vec(), (vec![], None))).into());
    let mut text = Vec::new();
    transfer::export(&from, ExportFormat::Jsonl, b"a", &mut text, &mut |_| {}).unwrap();
    assert_eq!(text, b"{\"key\":\"a\",\"value\":\"\"}\n{\"key\":\"ab\",\"value\":\"\"}\n");
}
