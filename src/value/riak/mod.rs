//! What Riak KV keeps in Bitcask: its keys, and its objects with their clocks, siblings and metadata.
//!
//! All integers big-endian. Version 1:
//!
//! ```text
//! key     02  bucket length:16  bucket  key…                       without a bucket type
//!         03  type length:16  type  bucket length:16  bucket  key…
//! object  35 01  clock length:32  clock  siblings:32, and each:
//!             value length:32  kind:8 value     metadata length:32  metadata
//! metadata    mega:32 seconds:32 micro:32  tag length:8 tag  deleted:8
//!             then pairs, key length:32 kind:8 key  value length:32 kind:8 value
//! ```
//!
//! A kind is 0 for an Erlang term, 1 for bytes, or a number of the application's own; lengths count it. The clock is a
//! term. Version 0 of both is an Erlang term as a whole (see [`crate::value::term`]).

mod clock;
mod data_type;
mod key;
mod object;
mod show;

pub use clock::{Tick, clock};
pub use data_type::{DataType, data_type};
pub use key::{RiakKey, riak_key};
pub use object::{Object, Sibling, Typed, is_term_object, object};
pub(super) use show::show;
