//! Bytes that are text, and how strings and bytes are written between brackets.

use std::fmt;

use crate::text;

/// Bytes by which text is told.
const LOOK: usize = 512;

/// Whether bytes are better shown as text, judged by their beginning.
pub fn looks_like_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..LOOK).unwrap_or(bytes);
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character cut by the end of the look is no fault.
        Err(e) => e.error_len().is_none() && head.len() < bytes.len(),
    };
    let odd = head.iter().filter(|byte| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t')).count();
    valid && odd * 10 <= head.len()
}

/// A string of a format that is not text: in quotes, escaped.
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let pieces = self.0.split(|byte| *byte == b'"').enumerate();
        for (at, piece) in pieces {
            f.write_str(if at > 0 { "\\\"" } else { "" })?;
            text::escape(piece).fmt(f)?;
        }
        f.write_str("\"")
    }
}

/// Bytes as CBOR's diagnostic notation has them: `h'01ff'`.
pub(super) struct HexBytes<'a>(pub(super) &'a [u8]);

impl fmt::Display for HexBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("h'")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_binary_are_told_apart() {
        assert!(looks_like_text(b"{\"a\": 1}\n") && looks_like_text("漢".repeat(1000).as_bytes()));
        assert!(looks_like_text(b"") && !looks_like_text(b"\x00\x01\x02") && !looks_like_text(b"\xff\xfe"));
    }

    #[test]
    fn a_quoted_string_cannot_end_early() {
        assert_eq!(Quoted(b"a\"b\\\x1b\xff").to_string(), r#""a\"b\\\x1b\xff""#);
    }
}
