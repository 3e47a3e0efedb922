//! What a text is, by its first bytes.

/// The texts that rows are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFormat {
    /// A JSON object a line.
    Jsonl,
    /// RFC 4180, the first row names the columns.
    Csv,
}

/// Which text begins like this. `Err`: neither; a clause that goes on after the file's name and a colon.
pub fn sniff(start: &[u8]) -> Result<TextFormat, &'static str> {
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Err("it is UTF-16; save it as UTF-8");
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let first_line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    if start.is_empty() || start.starts_with(b"{") {
        return Ok(TextFormat::Jsonl);
    }
    let mut names = first_line.split(|byte| *byte == b',').map(|name| name.trim_ascii());
    if names.any(|name| matches!(name, b"key" | b"\"key\"" | b"key_b64" | b"\"key_b64\"")) {
        return Ok(TextFormat::Csv);
    }
    Err("it begins neither with a JSON object nor with a row that names the columns key and value; --from jsonl or \
         --from csv says which it is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_by_their_beginning() {
        for start in ["", "\n", "{\"key\":1}", " {", "\u{feff}{"] {
            assert_eq!(sniff(start.as_bytes()), Ok(TextFormat::Jsonl), "{start:?}");
        }
        for start in ["key,value\n", "value,key", "\"key\",\"value\"\r\n1,2", "\u{feff}key,value", "value,key_b64"] {
            assert_eq!(sniff(start.as_bytes()), Ok(TextFormat::Csv), "{start:?}");
        }
        for start in [&b"keys,values\n"[..], b"a\nkey,value", b"\x00\x01", b"[1]", b"\xff\xfek\x00e\x00"] {
            assert!(sniff(start).is_err(), "{start:?}");
        }
    }
}
