//! The keys of Riak: a bucket's type, the bucket, and the key within it, in either version.

use crate::value::numbers::take_counted;
use crate::value::term::{Token, VERSION, take_token};

const PLAIN: u8 = 2;
const TYPED: u8 = 3;

/// A key taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiakKey<'a> {
    /// The bucket's type, if it has one.
    pub bucket_type: Option<&'a [u8]>,
    /// The bucket.
    pub bucket: &'a [u8],
    /// The key in it.
    pub key: &'a [u8],
}

/// Reads a key of Riak; `None` if the bytes are none.
pub fn riak_key(bytes: &[u8]) -> Option<RiakKey<'_>> {
    let (first, mut rest) = bytes.split_first()?;
    match *first {
        PLAIN => {
            let bucket = take_counted(&mut rest, 2).ok()?;
            Some(RiakKey { bucket_type: None, bucket, key: rest })
        }
        TYPED => {
            let bucket_type = Some(take_counted(&mut rest, 2).ok()?);
            let bucket = take_counted(&mut rest, 2).ok()?;
            Some(RiakKey { bucket_type, bucket, key: rest })
        }
        VERSION => term_key(rest),
        _ => None,
    }
}

/// `{Bucket, Key}`, where a bucket may be `{Type, Bucket}`.
fn term_key(mut rest: &[u8]) -> Option<RiakKey<'_>> {
    let rest = &mut rest;
    is_pair(rest)?;
    let mut ahead = *rest;
    let bucket_type = if is_pair(&mut ahead).is_some() {
        *rest = ahead;
        Some(binary(rest)?)
    } else {
        None
    };
    let key = RiakKey { bucket_type, bucket: binary(rest)?, key: binary(rest)? };
    rest.is_empty().then_some(key)
}

fn is_pair(rest: &mut &[u8]) -> Option<()> {
    (take_token(rest).ok()? == Token::Tuple(2)).then_some(())
}

fn binary<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    match take_token(rest).ok()? {
        Token::Binary(bytes) => Some(bytes),
        _ => None,
    }
}
