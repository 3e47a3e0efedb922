//! Where the records of a merge's inputs have their copies, by the places that they had.
//!
//! So the keydir is moved by going over its rows as they lie in memory, which costs a small part of looking for every key
//! that was copied. Must not know: keys, files. Keeps: four bytes a record, and one for every hundred of an input.

use std::collections::BTreeMap;

use crate::format::{SegmentId, record};
use crate::store::Location;
use crate::store::tally::Tally;

/// The copies of puts.
#[derive(Debug, Default)]
pub(in crate::store) struct Moves {
    inputs: BTreeMap<SegmentId, Copies>,
    /// Copies that were not made in the order of their places, as where a hint is not in the order of the file.
    strays: BTreeMap<Place, Place>,
    copied: Tally,
}

/// A segment and an offset in it.
type Place = (SegmentId, u64);

/// The copies of one input's records.
#[derive(Debug, Default)]
struct Copies {
    /// Which records were copied, in the order of their places.
    marks: Vec<Marks>,
    /// Where each copy is in its output: 32 bits, since a segment is under 4 GiB.
    offsets: Vec<u32>,
    /// The outputs, and how many copies come before the first in each.
    outputs: Vec<(usize, SegmentId)>,
}

/// A bit for each of 64 places where a record may begin.
#[derive(Clone, Copy, Debug)]
struct Marks {
    bits: u64,
    /// How many records were copied that begin before these places.
    before: u32,
}

impl Moves {
    /// A record has been copied.
    pub(super) fn note(&mut self, from: Location, to: Location) {
        self.copied.born(to);
        if !self.inputs.entry(from.segment).or_default().push(from.offset, to) {
            self.strays.insert((from.segment, from.offset), (to.segment, to.offset));
        }
    }

    /// Where the copy of the record at this place is.
    pub(super) fn of(&self, from: Location) -> Option<Location> {
        let copies = self.inputs.get(&from.segment)?;
        let (segment, offset) =
            copies.get(from.offset).or_else(|| self.strays.get(&(from.segment, from.offset)).copied())?;
        Some(Location { segment, offset, ..from })
    }

    /// All copies, counted as if the keydir pointed at every one.
    pub(super) fn copied(&self) -> &Tally {
        &self.copied
    }
}

impl Copies {
    /// False if this place is not behind those before it.
    fn push(&mut self, from: u64, to: Location) -> bool {
        let (Some((word, bit)), Ok(at)) = (bit(from), u32::try_from(to.offset)) else { return false };
        let before = self.offsets.len();
        if word >= self.marks.len() {
            // A segment has fewer records than bytes.
            self.marks.resize(word + 1, Marks { bits: 0, before: before as u32 });
        }
        let is_last = word + 1 == self.marks.len();
        let Some(marks) = self.marks.get_mut(word).filter(|marks| is_last && marks.bits < bit) else { return false };
        marks.bits |= bit;
        if self.outputs.last().is_none_or(|(_, output)| *output != to.segment) {
            self.outputs.push((before, to.segment));
        }
        self.offsets.push(at);
        true
    }

    fn get(&self, from: u64) -> Option<Place> {
        let (word, bit) = bit(from)?;
        let marks = self.marks.get(word).filter(|marks| marks.bits & bit != 0)?;
        let nth = marks.before as usize + (marks.bits & (bit - 1)).count_ones() as usize;
        let outputs = self.outputs.partition_point(|(before, _)| *before <= nth);
        let (_, output) = self.outputs.get(outputs.checked_sub(1)?)?;
        Some((*output, u64::from(*self.offsets.get(nth)?)))
    }
}

/// The bit of a record that begins here: no two begin within the length of the shortest.
fn bit(offset: u64) -> Option<(usize, u64)> {
    let place = u32::try_from(offset).ok()? / record::HEADER_LEN as u32;
    Some(((place / u64::BITS) as usize, 1 << (place % u64::BITS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tally::Live;

    fn at(segment: SegmentId, offset: u64) -> Location {
        Location { segment, offset, len: 30 }
    }

    /// Records close together and far apart, from two inputs into three outputs.
    #[test]
    fn every_copy_is_found_by_the_place_of_its_record_and_no_other() {
        let mut moves = Moves::default();
        let places: Vec<Location> = [1, 2]
            .into_iter()
            .flat_map(|input| (0..400).map(move |i| at(input, 40 + i * 60 + if i >= 200 { 20_000 } else { 0 })))
            .collect();
        let copy = |i: usize| at(7 + i as u64 / 300, 40 + i as u64 % 300 * 30);
        places.iter().enumerate().for_each(|(i, from)| moves.note(*from, copy(i)));
        for (i, from) in places.iter().enumerate() {
            assert_eq!(moves.of(*from), Some(copy(i)), "{i}");
            assert_eq!(moves.of(at(from.segment, from.offset + 24)), None, "{i}");
            assert_eq!(moves.of(at(3, from.offset)), None, "{i}");
        }
        for offset in [0, 14_000, 100_000, u64::MAX] {
            assert_eq!(moves.of(at(1, offset)), None, "{offset}");
        }
        let of = |output| moves.copied().of(output);
        assert_eq!(of(7), Live { records: 300, bytes: 9_000 });
        assert_eq!((of(8).records, of(9).records, of(1).records), (300, 200, 0));
    }

    #[test]
    fn copies_out_of_order_are_found_all_the_same() {
        let mut moves = Moves::default();
        let pairs = [(400, 40), (40, 70), (5_000, 100), (400, 130), (u64::from(u32::MAX) + 1, 160)];
        pairs.iter().for_each(|(from, to)| moves.note(at(1, *from), at(9, *to)));
        for (from, to) in [(400, 40), (40, 70), (5_000, 100), (u64::from(u32::MAX) + 1, 160)] {
            assert_eq!(moves.of(at(1, from)), Some(at(9, to)));
        }
    }
}
