//! A Bitcask store that you can see into: append-only segment files, an in-memory hash index called the keydir, hints,
//! and an interface that shows all of it.
//!
//! Dependencies point one way, and `tests/layers.rs` keeps it so:
//!
//! ```text
//! text, format, error  ←  disk  ←  store  ←  inspect, value, transfer, sample  ←  tui  ←  cli  ←  main
//!  (words, bytes)        (files)  (engine)  (questions, decoding, moving)       (faces)
//! ```
//!
//! Start reading at [`mod@format`] for the bytes, [`store`] for the promises and how they are kept.
//!
//! # The words
//!
//! A *store* is a directory of *segments*, files of *records* that are only ever appended to. The last one is *active*,
//! the others are *sealed*. The *keydir* maps each key to the *location* of its newest record, which is *live*; older
//! ones are *superseded*, their bytes are *dead*. Deleting a key appends a *tombstone*. A *hint* lists the keys of one
//! segment so that opening need not read the values; a *checkpoint* is the whole keydir as a clean close left it. A segment
//! whose end was being written when the power went has a *torn tail*; an invalid record anywhere else is *damaged*. What a
//! check has to say is a *finding*.
//!
//! ```
//! # fn main() -> logkv::Result<()> {
//! # let dir = tempfile::tempdir().unwrap();
//! # let dir = dir.path().join("data");
//! use logkv::{Options, Store};
//!
//! let store = Store::open(&dir, Options { create: true, ..Options::default() })?;
//! store.put(b"user:1", b"Ada")?;
//! assert_eq!(store.get(b"user:1")?.value(), Some(&b"Ada"[..]));
//! store.delete(b"user:1")?;
//! store.close()?;
//! # Ok(())
//! # }
//! ```

pub mod disk;
pub mod error;
pub mod format;
pub mod inspect;
mod primitives;
pub mod store;
pub mod text;
pub mod transfer;
pub mod value;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod sample;
#[cfg(feature = "tui")]
pub mod tui;

pub use error::{Error, Result};
pub use store::{Options, Store};
