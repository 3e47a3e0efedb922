//! The sample against a model: what is live after all steps, and how the segments come out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Bytes of a record beside its key and value, and of a segment's header.
const RECORD_OVERHEAD: u64 = 24;
const SEGMENT_HEADER: u64 = 40;

#[derive(Default)]
struct Model {
    live: BTreeMap<Vec<u8>, Vec<u8>>,
    summary: SampleSummary,
}

impl Model {
    fn filled() -> Self {
        let mut model = Self::default();
        for step in steps() {
            match step {
                Step::Put { key, value } => {
                    model.summary.puts += 1;
                    model.summary.overwrites += u64::from(model.live.insert(key, value).is_some());
                }
                Step::Delete { key } => {
                    model.summary.deletes += 1;
                    assert!(model.live.remove(&key).is_some(), "{} was not there", key.escape_ascii());
                }
            }
        }
        model
    }

    fn get(&self, key: &str) -> &[u8] {
        self.live.get(key.as_bytes()).map(Vec::as_slice).unwrap_or_else(|| panic!("{key} is not live"))
    }

    fn json(&self, key: &str) -> serde_json::Value {
        serde_json::from_slice(self.get(key)).unwrap()
    }
}

#[test]
fn about_three_thousand_facts_have_a_past() {
    let model = Model::filled();
    assert!((2_700..3_500).contains(&model.live.len()), "{}", model.live.len());
    let SampleSummary { puts, overwrites, deletes } = model.summary;
    assert!(overwrites > 1_500 && deletes > 100, "{:?}", model.summary);
    assert_eq!(model.live.len() as u64, puts - overwrites - deletes);
}

#[test]
fn the_steps_are_the_same_at_every_call() {
    assert!(steps().eq(steps()));
}

#[test]
fn no_edition_repeats_the_one_before_it() {
    let mut live = BTreeMap::new();
    for step in steps() {
        if let Step::Put { key, value } = step {
            let renewed = live.insert(key.clone(), value.clone()) != Some(value);
            assert!(renewed, "{} is written twice", key.escape_ascii());
        }
    }
}

#[test]
fn the_tree_has_known_branches_each_of_one_kind() {
    let json = ["country", "dwarf", "element", "errno", "http", "leap", "planet", "unicode", "zone"];
    let text = ["entity", "letter", "media", "port", "prefix"];
    let bytes = ["color", "flag", "moon", "place", "primes", "utf16", "utf8"];
    let mut branches = BTreeSet::new();
    for (key, value) in Model::filled().live {
        let key = String::from_utf8(key).unwrap();
        let branch = key.split(':').next().unwrap().to_owned();
        let is_json = serde_json::from_slice::<serde_json::Map<_, _>>(&value).is_ok();
        assert_eq!(is_json, json.contains(&branch.as_str()), "{key}");
        assert!(!text.contains(&branch.as_str()) || std::str::from_utf8(&value).is_ok_and(|v| !v.is_empty()), "{key}");
        branches.insert(branch);
    }
    let mut known: Vec<_> = [&json[..], &text, &bytes].concat();
    known.sort_unstable();
    assert!(branches.iter().eq(known), "{branches:?}");
}

#[test]
fn every_cell_that_should_hold_something_does() {
    for (key, value) in Model::filled().live {
        let key = String::from_utf8(key).unwrap();
        assert!(!value.is_empty() && !value.windows(3).any(|bytes| bytes == "\u{fffd}".as_bytes()), "{key}");
        let Ok(fields) = serde_json::from_slice::<serde_json::Map<_, _>>(&value) else { continue };
        let may_be_null = ["atomic_weight", "by", "comment", "discovered", "group"];
        let missing = fields.iter().find(|(name, value)| value.is_null() && !may_be_null.contains(&name.as_str()));
        assert_eq!(missing, None, "{key}");
    }
}

#[test]
fn facts_are_as_everyone_knows_them() {
    let model = Model::filled();
    assert_eq!(model.json("country:IT")["zones"], serde_json::json!(["Europe/Rome"]));
    assert_eq!(model.json("country:IT")["flag"], "🇮🇹");
    assert_eq!(model.json("zone:Europe/Rome")["minutes_ahead_of_utc"]["most"], 120);
    assert_eq!(model.json("element:026")["name"], "Iron");
    assert_eq!(model.json("element:112")["symbol"], "Cn");
    assert_eq!(model.json("unicode:1F600")["char"], "😀");
    assert_eq!(model.json("http:404")["phrase"], "Not Found");
    assert_eq!(model.get("utf16:1F600"), b"\xd8\x3d\xde\x00");
    assert_eq!(model.get("port:tcp/443"), b"https");
    assert_eq!(model.get("color:rebeccapurple"), b"\x66\x33\x99");
    assert_eq!(model.get("primes").len(), 9_592 * 4);
    let latitude = f64::from_le_bytes(model.get("place:Europe/Rome")[..8].try_into().unwrap());
    assert!((latitude - 41.9).abs() < 0.001);
}

#[test]
fn every_flag_belongs_to_a_country_and_has_its_colours() {
    let model = Model::filled();
    let flags: Vec<_> = model.live.iter().filter(|(key, _)| key.starts_with(b"flag:")).collect();
    assert!(flags.len() > 20);
    for (key, png) in flags {
        let code = String::from_utf8(key[5..].to_vec()).unwrap();
        model.get(&format!("country:{code}"));
        let palette = png.windows(4).position(|bytes| bytes == b"PLTE").unwrap();
        assert!(matches!(png[palette - 1], 6 | 9), "{code}: a colour has no name");
    }
}

/// One segment as the steps and [`options`] make it.
#[derive(Debug, Default)]
struct Segment {
    bytes: u64,
    live: u64,
    tombstones: u64,
}

fn segments() -> Vec<Segment> {
    let mut segments = vec![Segment { bytes: SEGMENT_HEADER, ..Segment::default() }];
    let mut places: BTreeMap<Vec<u8>, (usize, u64)> = BTreeMap::new();
    for step in steps() {
        let (key, value) = match step {
            Step::Put { key, value } => (key, Some(value)),
            Step::Delete { key } => (key, None),
        };
        let len = RECORD_OVERHEAD + (key.len() + value.as_ref().map_or(0, Vec::len)) as u64;
        if segments.last().unwrap().bytes + len > options().max_segment_bytes {
            segments.push(Segment { bytes: SEGMENT_HEADER, ..Segment::default() });
        }
        let active = segments.len() - 1;
        segments[active].bytes += len;
        let superseded = match value {
            Some(_) => {
                segments[active].live += len;
                places.insert(key, (active, len))
            }
            None => {
                segments[active].tombstones += 1;
                places.remove(&key)
            }
        };
        if let Some((segment, len)) = superseded {
            segments[segment].live -= len;
        }
    }
    segments
}

#[test]
fn segments_differ_in_what_is_dead() {
    let segments = segments();
    assert!((6..=12).contains(&segments.len()), "{segments:#?}");
    let live_share = |segment: &Segment| segment.live as f64 / segment.bytes as f64;
    let count = |range: std::ops::Range<f64>| segments.iter().filter(|s| range.contains(&live_share(s))).count();
    assert!(count(0.0..0.2) >= 1 && count(0.2..0.8) >= 2 && count(0.9..1.0) >= 3, "{segments:#?}");
    assert!(segments.iter().any(|segment| segment.tombstones > 50), "{segments:#?}");
}
