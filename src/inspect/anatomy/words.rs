//! What a field says, in words.

use super::FieldAnatomy;
use crate::format::{Field, Role};
use crate::text;

/// Cells of bytes that are repeated as the value of a field.
const CELLS: usize = 60;
/// In a Riak hint entry the offset carries a mark besides.
const TOMBSTONE_BIT: u64 = 1 << 63;

pub(super) fn describe(field: &'static Field, start: u64, len: u64, bytes: Vec<u8>) -> FieldAnatomy {
    let number = field.encoding.number(&bytes).filter(|_| !bytes.is_empty());
    let value = match (number, field.role) {
        (Some(number), Role::Checksum) => format!("{number:08x}"),
        (Some(number), Role::Time) => text::timestamp(micros(number, len)).to_string(),
        (Some(number), Role::Length) if is_count(field.name) => text::count(number).to_string(),
        (Some(number), Role::Length) => text::size(number).to_string(),
        (Some(number), Role::Kind) => words(field, number),
        (Some(number), Role::Place) if field.name == "salt" => format!("{number:08x}"),
        (Some(number), Role::Place) if field.name == "hash seed" => format!("{number:016x}"),
        (Some(number), Role::Place) if number & TOMBSTONE_BIT != 0 => {
            format!("{}, a tombstone", text::count(number & !TOMBSTONE_BIT))
        }
        (Some(number), _) => number.to_string(),
        (None, _) => text::escape_to_width(&bytes, CELLS).text,
    };
    FieldAnatomy { field, start, len, bytes, number, value }
}

/// Lengths of lists, as against bytes.
fn is_count(name: &str) -> bool {
    const COUNTS: [&str; 16] = [
        "entries",
        "marks",
        "table shards",
        "segments",
        "images",
        "keys",
        "expired",
        "records",
        "tombstones",
        "live records",
        "buckets",
        "blocks",
        "words",
        "freed",
        "expiring",
        "unused words",
    ];
    COUNTS.contains(&name)
}

/// Four bytes of time are seconds, eight are microseconds, in every layout.
fn micros(number: u64, width: u64) -> u64 {
    if width == 4 { number.saturating_mul(1_000_000) } else { number }
}

fn words(field: &Field, number: u64) -> String {
    let known: &[(u64, &str)] = match field.name {
        "kind" => &[(1, "put"), (2, "tombstone"), (0x83, "mark")],
        "origin" => &[(0, "puts"), (1, "merge")],
        _ => &[],
    };
    let bits: &[(u64, &str)] = match field.name {
        "flags" => &[(1, "has an expiry"), (2, "batch goes on"), (4, "lz4"), (16, "barrier")],
        _ => &[],
    };
    let named = known.iter().find(|(value, _)| *value == number).map(|(_, word)| (*word).to_owned());
    let set: Vec<_> = bits.iter().filter(|(bit, _)| number & bit != 0).map(|(_, word)| *word).collect();
    match named {
        Some(word) => word,
        None if field.name == "version" => number.to_string(),
        None if number == 0 && matches!(field.name, "flags" | "features") => "none".to_owned(),
        None if !set.is_empty() => set.join(", "),
        None => format!("{number:#04x}"),
    }
}
