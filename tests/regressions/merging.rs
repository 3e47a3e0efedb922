//! Merges that promised what they did not keep.

use logkv::disk::sim::SimDisk;
use logkv::store::{MergeChoice, MergeControl};
use logkv::{Options, Store};

use super::{open, options};

/// A store with a dead record and a live one in each of three segments, of which no two live ones fit into one segment.
fn bulky() -> Store {
    let store = open(&SimDisk::new(), Options { max_segment_bytes: 300, ..options() }).unwrap();
    for key in [b"a", b"b", b"c"] {
        store.put(key, &[0; 20]).unwrap();
        store.put(key, &[1; 150]).unwrap();
    }
    store
}

/// The plan divided the bytes that stay by the size of a segment, as if outputs were filled to the last byte: it promised
/// fewer of them than the merge wrote, and so a gain where there was none. A merge in the background would have rewritten
/// such segments for ever.
#[test]
fn a_plan_counts_outputs_as_they_will_be_filled() {
    let store = bulky();
    store.merge(&MergeChoice::All, &MergeControl::default()).unwrap();
    let ids: Vec<_> = store.segments().iter().filter(|segment| !segment.active).map(|segment| segment.id).collect();
    assert_eq!(ids.len(), 3);
    let again = store.merge_plan(&MergeChoice::Segments(ids)).unwrap();
    assert_eq!(again.input_ids(), [0; 0], "nothing is gained: {again:?}");

    let store = bulky();
    let ids: Vec<_> = store.segments().iter().filter(|segment| !segment.active).map(|segment| segment.id).collect();
    let choice = MergeChoice::Segments(ids);
    let plan = store.merge_plan(&choice).unwrap();
    let merged = store.merge(&choice, &MergeControl::default()).unwrap().expect("dead records are there");
    let promised = (plan.outputs, plan.written_bytes, plan.freed_bytes);
    assert_eq!(promised, (merged.outputs.len() as u64, merged.written_bytes, merged.freed_bytes));
}
