//! Moving a store's contents: out of it, into it, and whole as it lies on disk.
//!
//! - [`export()`] writes every key with its value as JSONL, CSV or RESP, into a pipe or into a [`NewFile`] that is complete
//!   or absent.
//! - [`import()`] puts the rows of a [`Source`] into a store: [`JsonlReader`], [`CsvReader`], or [`StoreReader`] for
//!   directories of this and of other programs.
//! - [`snapshot()`] makes a directory that is a store itself, with links where they are possible; [`archive()`] makes one
//!   compressed file. Both show one moment of a store that goes on being written.
//! - [`restore()`] makes a store of either, after every record of it was read; [`check()`] only looks.
//!
//! It works on a [`crate::Store`] like any other caller, and must not know who asks or what is printed.
//!
//! # Invariants
//!
//! 1. What is exported and imported is equal: every key, every value and every expiry, whatever the bytes.
//! 2. A value is written out only if its checksum holds; what cannot be read is named, and never made up.
//! 3. Memory is bounded by the longest row that is allowed and by one segment's keys, not by the length of what is moved.
//! 4. An import that is started again after it was stopped at any moment ends as if it had never been stopped.
//! 5. A snapshot, an archive and a restored store are complete or absent, at any moment and after any crash.
//! 6. Nothing that a snapshot or an archive says of itself is believed before it is checked: names, lengths, checksums.

mod archive;
mod copying;
#[cfg(feature = "cli")]
mod csv;
mod earlier;
#[cfg(feature = "cli")]
mod export;
#[cfg(feature = "cli")]
mod import;
#[cfg(feature = "cli")]
mod input;
#[cfg(feature = "cli")]
mod jsonl;
mod manifest;
mod new_dir;
mod new_file;
#[cfg(feature = "cli")]
mod resp;
mod restore;
#[cfg(feature = "cli")]
mod row;
mod snapshot;
#[cfg(feature = "cli")]
mod sniff;
mod source;
#[cfg(feature = "cli")]
mod stores;
mod unpack;

pub use archive::archive;
pub use copying::Watch;
#[cfg(feature = "cli")]
pub use csv::CsvReader;
#[cfg(feature = "cli")]
pub use export::{ExportError, ExportFormat, ExportNews, Exported, export};
#[cfg(feature = "cli")]
pub use import::{ImportNews, ImportOptions, Imported, Stopped, Why, import};
#[cfg(feature = "cli")]
pub use jsonl::JsonlReader;
pub use manifest::{MANIFEST, MAX_MANIFEST_BYTES, Manifest, ManifestFile};
pub use new_file::NewFile;
pub use restore::{RestoreOptions, Restored, check, restore};
#[cfg(feature = "cli")]
pub use row::{Fault, MAX_ROW, Place, Row, RowRef, Source, Step};
pub use snapshot::{Snapshot, SnapshotOptions, snapshot};
#[cfg(feature = "cli")]
pub use sniff::{TextFormat, sniff};
#[cfg(feature = "cli")]
pub use stores::StoreReader;
