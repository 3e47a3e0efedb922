//! Moving a store's contents: out of it and into it.
//!
//! - [`export()`] writes every key with its value as JSONL, CSV or RESP, into a pipe or into a [`NewFile`] that is complete
//!   or absent.
//! - [`import()`] puts the rows of a [`Source`] into a store: [`JsonlReader`], [`CsvReader`], or [`StoreReader`] for
//!   directories of this and of other programs.
//!
//! It works on a [`crate::Store`] like any other caller, and must not know who asks or what is printed.
//!
//! # Invariants
//!
//! 1. What is exported and imported is equal: every key, every value and every expiry, whatever the bytes.
//! 2. A value is written out only if its checksum holds; what cannot be read is named, and never made up.
//! 3. Memory is bounded by the longest row that is allowed, not by the length of the input.
//! 4. An import that is started again after it was stopped at any moment ends as if it had never been stopped.

#[cfg(feature = "cli")]
mod csv;
#[cfg(feature = "cli")]
mod export;
#[cfg(feature = "cli")]
mod import;
#[cfg(feature = "cli")]
mod input;
#[cfg(feature = "cli")]
mod jsonl;
#[cfg(feature = "cli")]
mod new_file;
#[cfg(feature = "cli")]
mod resp;
#[cfg(feature = "cli")]
mod row;
#[cfg(feature = "cli")]
mod sniff;
#[cfg(feature = "cli")]
mod stores;

#[cfg(feature = "cli")]
pub use csv::CsvReader;
#[cfg(feature = "cli")]
pub use export::{ExportError, ExportFormat, ExportNews, Exported, export};
#[cfg(feature = "cli")]
pub use import::{ImportNews, ImportOptions, Imported, Stopped, Why, import};
#[cfg(feature = "cli")]
pub use jsonl::JsonlReader;
#[cfg(feature = "cli")]
pub use new_file::NewFile;
#[cfg(feature = "cli")]
pub use row::{Fault, MAX_ROW, Place, Row, RowRef, Source, Step};
#[cfg(feature = "cli")]
pub use sniff::{TextFormat, sniff};
#[cfg(feature = "cli")]
pub use stores::StoreReader;
