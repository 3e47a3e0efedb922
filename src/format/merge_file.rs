//! The file `MERGE`, both ways: what a merge takes away and what it puts in its place. All integers little-endian:
//!
//! ```text
//! ┌──────────────────────────┬─────────┬─ ─ ─┬──────────┬─ ─ ─┬─────┐
//! │ header, 24 bytes         │ input 1 │     │ output 1 │     │ crc │
//! └──────────────────────────┴─────────┴─ ─ ─┴──────────┴─ ─ ─┴─────┘
//!                                                                └ CRC-32 of everything before it
//!  0    4      8        16
//! ┌────┬──────┬────────┐
//! │ id │ salt │ length │   an input or an output: a segment file, byte for byte this long
//! └────┴──────┴────────┘
//! ```
//!
//! It is there only while a merge commits: from the moment on when its outputs are whole and durable until its inputs are
//! gone. Must not know: files, or what is done with it. Keeps: a file that decodes is whole, and believed together.

use std::collections::BTreeSet;

use super::field::{fixed_len, start_of};
use super::{Check, Field, HeaderFault, Role, SegmentId, Width, bytes_at};

/// The file's name.
pub const NAME: &str = "MERGE";
/// The first eight bytes of the file.
pub const MAGIC: [u8; 8] = *b"LOGKVMRG";
/// The layout version that is written.
pub const VERSION: u16 = 1;

/// What the file begins with, field by field.
pub const FIELDS: [Field; 6] = [
    Field::bytes("magic", Width::Fixed(8), Role::Kind, "Eight letters by which the record of a merge is known."),
    Field::le("version", 2, Role::Kind, "The layout of everything that follows."),
    Field::le("header length", 2, Role::Length, "Bytes of this header."),
    Field::le("flags", 4, Role::Kind, "Bit 0: the inputs are set aside under quarantine/, not removed."),
    Field::le("inputs", 4, Role::Length, "How many segments go."),
    Field::le("outputs", 4, Role::Length, "How many segments come in their place."),
];

/// An input or an output, field by field.
pub const PART_FIELDS: [Field; 3] = [
    Field::le("segment id", 4, Role::Place, "The number in the file's name."),
    Field::le("salt", 4, Role::Place, "The salt in the file's header: no other file of this name is meant."),
    Field::le("length", 8, Role::Length, "Bytes of the file."),
];

const HEADER_LEN: usize = fixed_len(&FIELDS);
const HEADER_VERSION: usize = start_of(&FIELDS, 1);
const HEADER_FLAGS: usize = start_of(&FIELDS, 3);
const HEADER_INPUTS: usize = start_of(&FIELDS, 4);
const HEADER_OUTPUTS: usize = start_of(&FIELDS, 5);
const PART_LEN: usize = fixed_len(&PART_FIELDS);
const PART_SALT: usize = start_of(&PART_FIELDS, 1);
const PART_LENGTH: usize = start_of(&PART_FIELDS, 2);
const CRC_LEN: usize = 4;

const FLAG_SET_ASIDE: u32 = 1;

/// The longest file that is read: a merge of a million segments takes no more.
pub const MAX_LEN: u64 = 64 << 20;

/// What a merge takes away and puts in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeFile {
    /// The inputs are kept under `quarantine/`.
    pub set_aside: bool,
    /// Segments that go.
    pub inputs: Vec<MergePart>,
    /// Segments that come.
    pub outputs: Vec<MergePart>,
}

/// One segment file of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergePart {
    /// The number in its name.
    pub id: SegmentId,
    /// The salt in its header.
    pub salt: u32,
    /// Bytes of the file.
    pub len: u64,
}

impl MergeFile {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN + (self.inputs.len() + self.outputs.len()) * PART_LEN + CRC_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(HEADER_LEN as u16).to_le_bytes());
        out.extend_from_slice(&if self.set_aside { FLAG_SET_ASIDE } else { 0 }.to_le_bytes());
        out.extend_from_slice(&(self.inputs.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.outputs.len() as u32).to_le_bytes());
        for part in self.inputs.iter().chain(&self.outputs) {
            // Ids of the native format have 32 bits.
            out.extend_from_slice(&(part.id as u32).to_le_bytes());
            out.extend_from_slice(&part.salt.to_le_bytes());
            out.extend_from_slice(&part.len.to_le_bytes());
        }
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Decodes and checks the whole file.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let body_len = bytes.len().checked_sub(CRC_LEN).ok_or(HeaderFault::Incomplete)?;
        let body = bytes.get(..body_len).ok_or(HeaderFault::Incomplete)?;
        let magic: [u8; 8] = bytes_at(body, 0).ok_or(HeaderFault::Incomplete)?;
        if magic != MAGIC {
            return Err(HeaderFault::Damaged(Check::Implausible("the file does not begin with LOGKVMRG")));
        }
        let stored = bytes_at(bytes, body_len).map(u32::from_le_bytes).ok_or(HeaderFault::Incomplete)?;
        let computed = crc32fast::hash(body);
        if stored != computed {
            return Err(HeaderFault::Damaged(Check::FileChecksum { stored, computed }));
        }
        let version = bytes_at(body, HEADER_VERSION).map(u16::from_le_bytes).ok_or(HeaderFault::Incomplete)?;
        let flags = bytes_at(body, HEADER_FLAGS).map(u32::from_le_bytes).ok_or(HeaderFault::Incomplete)?;
        if version > VERSION || flags & !FLAG_SET_ASIDE != 0 {
            return Err(HeaderFault::NeedsNewer(format!("a merge of version {version} with flags {flags:#x}")));
        }
        parts(body, flags).ok_or(HeaderFault::Damaged(Check::Implausible("its lengths do not fit the file")))
    }
}

fn parts(body: &[u8], flags: u32) -> Option<MergeFile> {
    let count = |at| bytes_at(body, at).map(u32::from_le_bytes).and_then(|n| usize::try_from(n).ok());
    let (inputs, outputs) = (count(HEADER_INPUTS)?, count(HEADER_OUTPUTS)?);
    let rest = body.get(HEADER_LEN..)?;
    if rest.len() != inputs.checked_add(outputs)?.checked_mul(PART_LEN)? {
        return None;
    }
    let (of_inputs, of_outputs) = rest.split_at_checked(inputs * PART_LEN)?;
    let all = |bytes: &[u8]| bytes.chunks_exact(PART_LEN).map(part).collect::<Option<Vec<_>>>();
    let (inputs, outputs) = (all(of_inputs)?, all(of_outputs)?);
    // Ids are never used twice: what comes is not among what goes.
    let goes: BTreeSet<SegmentId> = inputs.iter().map(|input| input.id).collect();
    if outputs.iter().any(|output| goes.contains(&output.id)) {
        return None;
    }
    Some(MergeFile { set_aside: flags & FLAG_SET_ASIDE != 0, inputs, outputs })
}

fn part(bytes: &[u8]) -> Option<MergePart> {
    Some(MergePart {
        id: SegmentId::from(bytes_at(bytes, 0).map(u32::from_le_bytes)?),
        salt: bytes_at(bytes, PART_SALT).map(u32::from_le_bytes)?,
        len: bytes_at(bytes, PART_LENGTH).map(u64::from_le_bytes)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn example() -> MergeFile {
        let part = |id, len| MergePart { id, salt: 0xdead_beef, len };
        MergeFile { set_aside: true, inputs: vec![part(1, 400), part(3, 4_000_000_000)], outputs: vec![part(7, 99)] }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for merge in [example(), MergeFile::default(), MergeFile { set_aside: false, ..example() }] {
            assert_eq!(MergeFile::decode(&merge.encode()), Ok(merge));
        }
        assert_eq!(example().encode().len(), 24 + 3 * 16 + 4);
    }

    #[test]
    fn no_turned_bit_and_no_cut_is_believed() {
        let bytes = example().encode();
        for len in 0..bytes.len() {
            assert!(MergeFile::decode(&bytes[..len]).is_err(), "cut at {len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            assert!(MergeFile::decode(&turned).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_segment_cannot_both_go_and_come() {
        let mut merge = example();
        merge.outputs[0].id = 3;
        assert!(matches!(MergeFile::decode(&merge.encode()), Err(HeaderFault::Damaged(_))));
    }

    #[test]
    fn counts_that_do_not_fit_and_later_versions_are_told_apart() {
        let resealed = |change: fn(&mut Vec<u8>)| {
            let mut bytes = example().encode();
            bytes.truncate(bytes.len() - 4);
            change(&mut bytes);
            let crc = crc32fast::hash(&bytes);
            bytes.extend_from_slice(&crc.to_le_bytes());
            MergeFile::decode(&bytes)
        };
        assert!(matches!(resealed(|b| b[16..20].fill(0xff)), Err(HeaderFault::Damaged(_))));
        assert!(matches!(resealed(|b| b.push(0)), Err(HeaderFault::Damaged(_))));
        assert!(matches!(resealed(|b| b[8] = 2), Err(HeaderFault::NeedsNewer(_))));
        assert!(matches!(resealed(|b| b[12] = 3), Err(HeaderFault::NeedsNewer(_))));
    }
}
