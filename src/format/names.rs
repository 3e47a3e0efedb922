//! What file names mean, one by one and as a directory's whole listing. Knows nothing of what is in the files.
//!
//! Keeps: a name means something to one format at most, so that a listing can be told by its names alone.

use super::{FormatKind, SegmentId};

/// The part that a file plays in a store's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRole {
    /// Records.
    Segment(SegmentId),
    /// Keys and places of one segment.
    Hint(SegmentId),
    /// A lock, a checkpoint, a version note: the format's own, but nothing to read records from.
    Companion,
    /// Left over from a write that did not finish; only ever under a name of ours.
    Leftover,
}

/// The directory, beside a native store's segments, where recovery sets bytes and files aside. Never searched for
/// segments.
pub const QUARANTINE: &str = "quarantine";

/// The formats of which at least one segment is among `names`, in the order of [`FormatKind::ALL`]. More than one means
/// that somebody must choose; none, that [`only_format_of`] may still know.
///
/// `names` are those of regular files alone: what is not regular is never opened, whatever it is called.
pub fn formats_present(names: &[&str]) -> Vec<FormatKind> {
    let holds_segment =
        |kind: &FormatKind| names.iter().any(|name| matches!(kind.format().role(name), Some(FileRole::Segment(_))));
    FormatKind::ALL.into_iter().filter(holds_segment).collect()
}

/// The format that every one of `names` belongs to: a store whose segments are not there, or not yet. `None` for no
/// names at all, and as soon as one of them is foreign: a `LOCK` among other files may be another program's.
pub fn only_format_of(names: &[&str]) -> Option<FormatKind> {
    let owns_all = |kind: &FormatKind| names.iter().all(|name| kind.format().role(name).is_some());
    FormatKind::ALL.into_iter().find(owns_all).filter(|_| !names.is_empty())
}

/// A decimal number written the one usual way: digits alone, no sign, no leading zero unless `width` asks for them.
pub fn parse_decimal(text: &str, width: Option<usize>) -> Option<u64> {
    let exact = match width {
        Some(width) => text.len() == width,
        None => !text.is_empty() && (text == "0" || !text.starts_with('0')),
    };
    if !exact || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(name: &str) -> Vec<(FormatKind, FileRole)> {
        FormatKind::ALL.into_iter().filter_map(|kind| Some((kind, kind.format().role(name)?))).collect()
    }

    #[test]
    fn names_are_exact_and_belong_to_one_format() {
        use FileRole::{Companion, Hint, Leftover, Segment};
        use FormatKind::{LogkvGo, Native, Riak};
        let known = [
            ("0000000001.data", Native, Segment(1)),
            ("4294967295.data", Native, Segment(u64::from(u32::MAX))),
            ("0000000001.hint", Native, Hint(1)),
            ("LOCK", Native, Companion),
            ("KEYDIR", Native, Companion),
            ("MERGE", Native, Companion),
            ("SNAPSHOT", Native, Companion),
            ("TAIL", Native, Companion),
            ("SNAPSHOT.tmp", Native, Leftover),
            ("0000000001.data.tmp", Native, Leftover),
            ("KEYDIR.tmp", Native, Leftover),
            ("1.bitcask.data", Riak, Segment(1)),
            ("1700000000.bitcask.data", Riak, Segment(1_700_000_000)),
            ("10.bitcask.hint", Riak, Hint(10)),
            ("bitcask.write.lock", Riak, Companion),
            ("bitcask.merge.lock", Riak, Companion),
            ("bitcask.create.lock", Riak, Companion),
            ("merge.txt", Riak, Companion),
            ("version.txt", Riak, Companion),
            ("upgrade.txt", Riak, Companion),
            ("segment_1.log", LogkvGo, Segment(1)),
            ("segment_120.log", LogkvGo, Segment(120)),
        ];
        for (name, kind, role) in known {
            assert_eq!(owners(name), [(kind, role)], "{name}");
        }
    }

    #[test]
    fn near_misses_mean_nothing() {
        let foreign = [
            "",
            "1.data",
            "00000000001.data",
            "0000000001.DATA",
            "4294967296.data",
            "+000000001.data",
            "lock",
            "0000000001.data.tmp.tmp",
            ".tmp",
            "a.txt.tmp",
            "01.bitcask.data",
            "-1.bitcask.data",
            ".bitcask.data",
            "1.bak.data",
            "notes.old.data",
            "1.bitcask.data.bak",
            "99999999999999999999.bitcask.data",
            "segment_01.log",
            "segment_.log",
            "segment_1.log.tmp",
            "Segment_1.log",
            "1.bitcask.hint.tmp",
        ];
        for name in foreign {
            assert_eq!(owners(name), [], "{name}");
        }
    }

    #[test]
    fn segment_and_hint_names_are_read_back_as_what_they_are() {
        for kind in FormatKind::ALL {
            for id in [0, 1, 9, 10, 4_294_967_295] {
                let format = kind.format();
                assert_eq!(format.role(&format.segment_name(id)), Some(FileRole::Segment(id)));
                if let Some(name) = format.hint_name(id) {
                    assert_eq!(format.role(&name), Some(FileRole::Hint(id)));
                }
            }
        }
    }

    #[test]
    fn a_listing_is_told_by_its_segments() {
        assert_eq!(formats_present(&["0000000001.data", "a.txt"]), [FormatKind::Native]);
        assert_eq!(formats_present(&["notes.old.data", "1.bak.data", "2.bitcask.data"]), [FormatKind::Riak]);
        let mixed = ["segment_1.log", "1.bitcask.data", "0000000001.data"];
        assert_eq!(formats_present(&mixed), FormatKind::ALL);
        assert_eq!(formats_present(&["LOCK", "1.bitcask.hint", "version.txt"]), []);
    }

    #[test]
    fn a_listing_without_segments_belongs_to_a_format_only_as_a_whole() {
        assert_eq!(only_format_of(&["LOCK", "KEYDIR"]), Some(FormatKind::Native));
        assert_eq!(only_format_of(&["version.txt", "1.bitcask.hint"]), Some(FormatKind::Riak));
        assert_eq!(only_format_of(&["LOCK", "CURRENT"]), None);
        assert_eq!(only_format_of(&["LOCK", "version.txt"]), None);
        assert_eq!(only_format_of(&[]), None);
    }

    #[test]
    fn decimals_are_written_one_way_only() {
        assert_eq!(parse_decimal("0", None), Some(0));
        assert_eq!(parse_decimal("10", None), Some(10));
        assert_eq!(parse_decimal("0000000010", Some(10)), Some(10));
        for text in ["", "00", "01", "+1", "-1", " 1", "1e3", "１", "18446744073709551616"] {
            assert_eq!(parse_decimal(text, None), None, "{text}");
        }
        assert_eq!(parse_decimal("010", Some(10)), None);
    }
}
