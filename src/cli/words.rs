//! Arguments as keys and values. The literals themselves are read by [`crate::text`], the same for every face; here is
//! what only the command line has: arguments that are not UTF-8, `@FILE`, and standard input.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use anyhow::anyhow;

use super::exit::Usage;
use super::session::Notes;
use crate::format::record::MAX_VALUE_LEN;
use crate::text::{self, FilesAllowed, ValueLiteral};

/// A key literal. An argument that is not UTF-8 cannot be a literal and is taken byte by byte.
pub(super) fn key(word: &OsStr) -> Result<Vec<u8>, Usage> {
    match word.to_str() {
        Some(word) => text::parse_key(word)
            .map_err(|error| Usage(format!("the key {} cannot be read: {error}", text::escape_str(word)))),
        None => Ok(word.as_encoded_bytes().to_vec()),
    }
}

/// Several key literals.
pub(super) fn keys<T: AsRef<OsStr>>(words: &[T]) -> Result<Vec<Vec<u8>>, Usage> {
    words.iter().map(|word| key(word.as_ref())).collect()
}

/// A value: a literal, `@FILE`, or standard input.
pub(super) fn value(word: Option<&OsStr>, notes: &Notes) -> anyhow::Result<Vec<u8>> {
    let Some(word) = word else { return standard_input(notes) };
    match word.to_str() {
        Some(word) => match text::parse_value(word, FilesAllowed::Yes) {
            Ok(ValueLiteral::Bytes(value)) => Ok(value),
            Ok(ValueLiteral::File(path)) => file(&path),
            Err(error) => Err(Usage(format!("the value cannot be read: {error}")).into()),
        },
        None if word.as_encoded_bytes().starts_with(b"@") => {
            Err(Usage("a file name after @ must be UTF-8; give the value on standard input".into()).into())
        }
        None => Ok(word.as_encoded_bytes().to_vec()),
    }
}

fn file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let failed = |error: io::Error| anyhow!("cannot read {}: {error}", text::path(path));
    bounded(File::open(path).map_err(failed)?).map_err(failed)
}

fn standard_input(notes: &Notes) -> anyhow::Result<Vec<u8>> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        notes.hint("reading the value from the terminal; Ctrl-d ends it");
    }
    bounded(stdin.lock()).map_err(|error| anyhow!("cannot read standard input: {error}"))
}

fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    limited(from).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Ends just past the longest value, which the engine then refuses with its number: an endless input does not fill the
/// memory first.
fn limited(from: impl Read) -> impl Read {
    from.take(MAX_VALUE_LEN.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_input_stops_just_past_the_limit() {
        struct Endless(u64);
        impl Read for Endless {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.0 += buf.len() as u64;
                Ok(buf.len())
            }
        }
        let mut endless = Endless(0);
        let taken = io::copy(&mut limited(&mut endless), &mut io::sink()).map_err(|e| e.to_string());
        assert_eq!(taken, Ok(MAX_VALUE_LEN + 1));
    }
}
