//! What pane 3 is about, a row of the record list or of a hint, in the words of its title and of its last line.

use ratatui::style::Style;

use super::View;
use crate::format::{Check, Kind};
use crate::inspect::{CrcState, HintPart, HintRow, RecordRow, RowKind, RowState};
use crate::text;

/// Cells below which the title is shortened.
const NARROW: u16 = 60;

/// The selected row.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Record(&'a RecordRow),
    Hint(&'a HintRow),
}

impl<'a> Subject<'a> {
    pub(super) fn of(view: &View<'a>) -> Option<Self> {
        match &view.app.records.hint {
            Some(hint) => hint.row().map(Self::Hint),
            None => view.app.records.row().map(Self::Record),
        }
    }

    /// Segment and offset, by which an answer is told to be about it.
    pub(super) fn key(self) -> (u64, u64) {
        match self {
            Self::Record(row) => (row.segment, row.offset),
            Self::Hint(row) => (row.segment, row.offset),
        }
    }

    pub(super) fn len(self) -> u64 {
        match self {
            Self::Record(row) => row.len,
            Self::Hint(row) => row.len,
        }
    }

    /// The check that it failed.
    pub(super) fn check(self) -> Option<Check> {
        match self {
            Self::Record(row) => row.check,
            Self::Hint(row) => row.check,
        }
    }

    /// What one that holds is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Record(RecordRow { kind: RowKind::Header, .. }) => "header",
            Self::Record(_) => "record",
            Self::Hint(_) => "hint",
        }
    }

    /// Where it is; shorter where the title would be cut.
    pub(super) fn place(self, cells: u16) -> String {
        let (segment, offset) = self.key();
        match (self, cells < NARROW) {
            (Self::Record(_), true) => format!("{segment}:{offset}"),
            (Self::Record(_), false) => format!("segment {segment} @ {}", text::count(offset)),
            (Self::Hint(_), true) => format!("hint {segment}:{offset}"),
            (Self::Hint(_), false) => format!("hint of {segment} @ {}", text::count(offset)),
        }
    }

    /// Whether its checksums hold.
    pub(super) fn crc(self, view: &View<'_>) -> Option<(&'static str, Style)> {
        match self {
            // It may have one, whole or not; whether it can be computed is said below.
            Self::Record(row) if row.state == RowState::Torn => None,
            Self::Record(row) => Some(match row.crc {
                CrcState::None => ("no crc", view.theme.dim()),
                CrcState::Bad => ("crc BAD", view.theme.bad()),
                CrcState::Ok => ("crc ok", view.theme.dim()),
                CrcState::Unread => ("crc …", view.theme.dim()),
            }),
            Self::Hint(_) => None,
        }
    }

    /// What becomes of it.
    pub(super) fn state(self, view: &View<'_>) -> (String, Style) {
        match self {
            Self::Record(row) => (row.state.name().to_uppercase(), view.theme.state(row.state)),
            Self::Hint(row) if row.check.is_some() => (row.part.name().to_uppercase(), view.theme.bad()),
            Self::Hint(row) => (row.part.name().to_uppercase(), view.theme.dim()),
        }
    }

    /// Why it is what it is.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Record(row) => format!("{}: {}", row.state.name(), record(row)),
            Self::Hint(row) => format!("{}: {}", row.part.name(), hint(row)),
        }
    }
}

fn record(row: &RecordRow) -> &'static str {
    match (row.state, row.kind) {
        (RowState::Live, _) => "the keydir points here",
        (RowState::Superseded, _) => "a newer record of this key, or its tombstone, took its place",
        (RowState::Tombstone, _) => "says that the key is gone; it stays until no older version can come back",
        (RowState::Expired, _) => "its time ran out",
        (RowState::Mark, _) => "says how far this file is on stable storage",
        (RowState::Damaged, RowKind::Header) => "so the segment is not loaded, and what it held is not served",
        (RowState::Damaged, _) => "fails a check; what it held is not served",
        (RowState::Torn, _) => "was being written when writing stopped",
        (RowState::Header, _) => "says which file this is; records begin behind it",
        (RowState::Unknown, RowKind::Record(Kind::Put | Kind::Tombstone)) => {
            "the header of this file does not hold, so the keydir knows nothing of its records"
        }
        (RowState::Unknown, _) => "a later version wrote this",
    }
}

fn hint(row: &HintRow) -> String {
    match (&row.points_at, row.part) {
        (Some(place), _) if row.check.is_some() => {
            format!("points at a record from {} on that is not all there: bytes were lost", text::count(place.start))
        }
        (Some(place), _) => format!("o goes to the record at {} that it points at", text::count(place.start)),
        (None, HintPart::Header) => "says whose hint this is, and how much of the segment it covers".to_owned(),
        (None, HintPart::Bloom) => "built from the keys of all entries before it".to_owned(),
        (None, HintPart::Closing) => "written last: without it the hint was not finished".to_owned(),
        (None, HintPart::Entry | HintPart::Gap) => "the segment is read instead of this hint".to_owned(),
    }
}
