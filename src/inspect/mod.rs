//! Questions about a store's files with plain answers. Reads through the engine's decoder, decides nothing for it.

pub mod anatomy;
pub mod checkpoint;
pub mod detect;
pub mod header;
pub mod hint;
pub mod history;
pub mod map;
mod probe;
pub mod reading;
pub mod records;
pub mod seek;
pub mod single;
pub mod verify;

pub use anatomy::{Anatomy, FieldAnatomy, SumAnatomy, anatomy, file_header_anatomy};
pub use checkpoint::{CheckpointFile, CheckpointPart, CheckpointRow};
pub use detect::{Detected, detect};
pub use header::header_row;
pub use hint::{HintFile, HintPart, HintRow};
pub use history::{History, Reason, Version, history, newest_versions};
pub use map::StripMap;
pub use records::{CrcState, RecordRow, Records, RowKind, RowState, boundaries, records, records_from, records_unread};
pub use seek::{Found, Sought, seek};
pub use single::open_file;
pub use verify::{Report, verify};
