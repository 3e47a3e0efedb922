//! RESP, the protocol of Redis: each key as a `SET` command, an array of bulk strings, for `redis-cli --pipe`.
//!
//! Every byte travels as it is. Redis counts expiry in milliseconds: what is cut off is rounded up, so that nothing is gone
//! earlier than in the store.

use std::io::{self, Write};

use super::row::RowRef;

/// Writes a row as a command.
pub(super) fn write(row: &RowRef<'_>, to: &mut dyn Write) -> io::Result<()> {
    match row.expires_at {
        None => command(&[b"SET", row.key, row.value], to),
        Some(at) => {
            let millis = at.div_ceil(1000).to_string();
            command(&[b"SET", row.key, row.value, b"PXAT", millis.as_bytes()], to)
        }
    }
}

fn command(words: &[&[u8]], to: &mut dyn Write) -> io::Result<()> {
    write!(to, "*{}\r\n", words.len())?;
    for word in words {
        write!(to, "${}\r\n", word.len())?;
        to.write_all(word)?;
        to.write_all(b"\r\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_row_is_a_command_and_its_expiry_is_never_early() {
        let mut out = Vec::new();
        write(&RowRef { key: b"a\r\n", value: b"", expires_at: None, suspect: false }, &mut out).unwrap();
        write(&RowRef { key: b"k", value: b"\0\xff", expires_at: Some(1_500_001), suspect: false }, &mut out).unwrap();
        let expected = b"*3\r\n$3\r\nSET\r\n$3\r\na\r\n\r\n$0\r\n\r\n\
            *5\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\0\xff\r\n$4\r\nPXAT\r\n$4\r\n1501\r\n";
        assert_eq!(out, expected);
    }
}
