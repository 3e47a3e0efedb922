//! Records written by hand, scanned and judged.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::disk::ReadDisk;
use crate::disk::sim::SimDisk;
use crate::format::record::{FILE_HEADER_LEN, Native, NewRecord, encode, encode_file_header};
use crate::format::{FileHeader, Format, Origin};
use crate::store::scan::Scanner;

const SALT: u32 = 77;

/// A segment under construction.
#[derive(Clone, Debug)]
struct Segment {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Segment {
    fn new() -> Self {
        let mut bytes = Vec::new();
        encode_file_header(1, SALT, 0, Origin::Puts, &mut bytes);
        Self { bytes, starts: Vec::new() }
    }

    fn add(mut self, record: NewRecord<'_>) -> Self {
        let offset = self.bytes.len();
        self.starts.push(offset);
        let tstamp = offset as u64;
        encode(&NewRecord { tstamp, ..record }, SALT, offset as u64, &mut self.bytes);
        self
    }

    fn put(self) -> Self {
        self.add(NewRecord::put(b"key", b"some value", 0))
    }

    fn barrier(self) -> Self {
        self.add(NewRecord { barrier: true, ..NewRecord::put(b"key", b"some value", 0) })
    }

    fn batch(self) -> Self {
        self.add(NewRecord { batch_continues: true, ..NewRecord::put(b"key", b"of a batch", 0) })
    }

    fn mark(self, stable: usize) -> Self {
        let value = (stable as u64).to_le_bytes();
        self.add(NewRecord::mark(&value, 0))
    }

    /// Damages the header of record `i`, or its value.
    fn flip(mut self, i: usize, in_value: bool) -> Self {
        let at = self.starts[i] + if in_value { 30 } else { 5 };
        self.bytes[at] ^= 1;
        self
    }

    fn zeros(mut self, len: usize) -> Self {
        self.bytes.resize(self.bytes.len() + len, 0);
        self
    }

    fn cut(mut self, len: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - len);
        self
    }

    fn judge(&self, vouched: usize, standing: Standing) -> Verdict {
        let disk = SimDisk::from_files([("segment", self.bytes.clone())]).unwrap();
        let file = disk.open_read(Path::new("segment")).unwrap();
        let end = self.bytes.len() as u64;
        let header = Native.file_header(&self.bytes).unwrap_or(FileHeader::NONE);
        let mut scan = Scanner::new(file, &Native, header, FILE_HEADER_LEN as u64, end);
        let mut survey = Survey::new(vouched as u64, end);
        while let Some(item) = scan.next_item().unwrap() {
            survey.see(&item);
        }
        survey.judge(standing)
    }

    fn active(&self) -> Verdict {
        self.judge(FILE_HEADER_LEN, Standing::Active)
    }
}

fn tail(intact_records: bool) -> Cut {
    Cut::Tail { intact_records }
}

#[test]
fn what_decodes_to_its_last_byte_is_all_data() {
    let whole = Segment::new().put().put();
    let len = whole.bytes.len() as u64;
    assert_eq!(whole.active(), Verdict { data_len: len, cut: Cut::Nothing, stable_len: FILE_HEADER_LEN as u64 });
}

#[test]
fn an_invalid_record_that_nothing_vouches_for_ends_the_log_even_if_intact_ones_follow() {
    for in_value in [false, true] {
        let segment = Segment::new().put().put().put().flip(1, in_value);
        let verdict = segment.active();
        assert_eq!((verdict.data_len, verdict.cut), (segment.starts[1] as u64, tail(true)));
        let last = Segment::new().put().put().flip(1, in_value);
        assert_eq!((last.active().data_len, last.active().cut), (last.starts[1] as u64, tail(false)));
    }
    let short = Segment::new().put().put().cut(1);
    assert_eq!((short.active().data_len, short.active().cut), (short.starts[1] as u64, tail(false)));
}

#[test]
fn below_what_was_synced_it_is_damage_whoever_says_so() {
    let plain = Segment::new().put().put().put();
    let (second, third) = (plain.starts[1], plain.starts[2]);
    let by_barrier = Segment::new().put().put().barrier().flip(1, false);
    let by_mark = Segment::new().put().put().mark(third).put().flip(1, false);
    let by_hint = plain.flip(1, false).judge(third, Standing::Active);
    for verdict in [by_barrier.active(), by_mark.active(), by_hint] {
        assert_eq!((verdict.cut, verdict.stable_len), (Cut::Nothing, third as u64));
    }
    let of_less = Segment::new().put().put().mark(second).put().flip(1, false);
    assert_eq!((of_less.active().data_len, of_less.active().cut), (second as u64, tail(true)), "a mark says how far");
}

#[test]
fn a_barrier_holds_even_if_the_value_of_its_own_record_does_not() {
    let segment = Segment::new().put().barrier().flip(0, false).flip(1, true);
    let verdict = segment.active();
    assert_eq!((verdict.data_len, verdict.cut), (segment.starts[1] as u64, tail(false)));
    assert_eq!(verdict.stable_len, segment.starts[1] as u64, "the first one's damage is damage");
}

#[test]
fn an_unfinished_batch_is_cut_at_its_first_record() {
    let unfinished = Segment::new().put().batch().batch();
    let torn = Segment::new().put().batch().batch().put().cut(3);
    let damaged = Segment::new().put().batch().put().put().flip(2, true);
    let zeros = Segment::new().put().batch().zeros(50);
    for (segment, intact) in [(unfinished, false), (torn, true), (damaged, true), (zeros, true)] {
        let verdict = segment.active();
        assert_eq!(verdict.data_len, segment.starts[1] as u64, "{segment:?}");
        assert_eq!(verdict.cut, tail(intact), "{segment:?}");
    }
    let finished = Segment::new().put().batch().batch().put();
    assert_eq!(finished.active().cut, Cut::Nothing);
    let vouched = Segment::new().put().batch();
    assert_eq!(vouched.judge(vouched.bytes.len(), Standing::Active).cut, Cut::Nothing, "a clean close leaves none");
}

#[test]
fn zeros_from_a_boundary_on_are_reserved_space_unless_they_were_data() {
    let segment = Segment::new().put().zeros(100);
    let end = segment.bytes.len() - 100;
    assert_eq!((segment.active().data_len, segment.active().cut), (end as u64, Cut::Reserved));
    let vouched = segment.judge(segment.bytes.len(), Standing::Active);
    assert_eq!((vouched.data_len, vouched.cut), (segment.bytes.len() as u64, Cut::Nothing));
    let not_all = Segment::new().put().zeros(100).put();
    assert_eq!(not_all.active().cut, tail(true), "zeros in the middle are pages that did not make it");
}

#[test]
fn in_a_sealed_segment_nothing_is_cut() {
    for segment in [Segment::new().put().cut(1), Segment::new().put().zeros(9), Segment::new().batch()] {
        let verdict = segment.judge(0, Standing::Sealed);
        assert_eq!((verdict.data_len, verdict.cut), (segment.bytes.len() as u64, Cut::Nothing));
    }
}

#[test]
fn in_a_foreign_file_only_an_incomplete_end_is_torn() {
    // Into the frame: of a value alone, only a format with one checksum would make a torn record.
    let torn = Segment::new().put().put().cut(20);
    let verdict = torn.judge(0, Standing::Foreign);
    assert_eq!((verdict.data_len, verdict.cut), (torn.starts[1] as u64, tail(false)));
    let damaged = Segment::new().put().put().put().flip(1, false);
    assert_eq!(damaged.judge(0, Standing::Foreign).cut, Cut::Nothing);
}

proptest! {
    #[test]
    fn a_cut_takes_nothing_stable_falls_on_a_boundary_and_splits_no_batch(
        kinds in prop::collection::vec(0u8..5, 1..12),
        flips in prop::collection::vec((0usize..12, any::<bool>()), 0..3),
        cut in 0usize..30,
    ) {
        let mut segment = Segment::new();
        let mut batch = None;
        let mut batches = Vec::new();
        for kind in kinds {
            let start = segment.bytes.len();
            // Writers sync no half batch.
            segment = match kind {
                3 if batch.is_none() => segment.barrier(),
                4 if batch.is_none() => segment.mark(start),
                2 => segment.batch(),
                _ => segment.put(),
            };
            let first = *batch.get_or_insert(start);
            if kind != 2 {
                batches.push(first..segment.bytes.len());
                batch = None;
            }
        }
        for (i, in_value) in flips {
            if i < segment.starts.len() {
                segment = segment.flip(i, in_value);
            }
        }
        let segment = segment.cut(cut);
        let verdict = segment.active();
        let at = verdict.data_len as usize;
        prop_assert!(verdict.data_len >= verdict.stable_len);
        prop_assert!(at == segment.bytes.len() || segment.starts.contains(&at), "{} in {:?}", at, segment.starts);
        prop_assert_eq!(verdict.cut == Cut::Nothing, at == segment.bytes.len());
        for batch in batches {
            prop_assert!(at <= batch.start || at >= batch.end.min(segment.bytes.len()), "{} splits {:?}", at, batch);
        }
    }
}
