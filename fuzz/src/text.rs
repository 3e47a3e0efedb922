//! Literals, words, sizes and durations as a person may type them, and any bytes as they are shown.

use logkv::text::{
    CommandLine, FilesAllowed, LiteralError, ValueLiteral, escape, escape_into, escape_to_width, key_literal, key_word,
    parse_duration, parse_key, parse_size, parse_value, rfc3339, size,
};

/// The bytes are shown and read back; as far as they are text, they are read as everything that a person may type.
pub fn literals(input: &[u8]) {
    shown(input);
    let text = String::from_utf8_lossy(input);
    let columns = text.chars().count() + 1;
    match parse_key(&text) {
        Ok(key) => assert_eq!(parse_key(&key_literal(&key)).as_ref(), Ok(&key)),
        Err(e) => explained(&e, columns),
    }
    for files in [FilesAllowed::Yes, FilesAllowed::No] {
        match parse_value(&text, files) {
            Ok(ValueLiteral::Bytes(bytes)) => assert!(bytes.len() <= text.len()),
            Ok(ValueLiteral::File(_)) => assert!(files == FilesAllowed::Yes && text.starts_with('@')),
            Err(e) => explained(&e, columns),
        }
    }
    words(&text, columns);
    printable(&parse_size(&text).map_or_else(|e| e.to_string(), size));
    printable(&parse_duration(&text).map_or_else(|e| e.to_string(), |duration| format!("{duration:?}")));
    let number = input.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    printable(&rfc3339(number));
}

/// Invariants 1 to 3 of `text::escape`.
fn shown(bytes: &[u8]) {
    let whole = escape(bytes).to_string();
    printable(&whole);
    let mut pushed = String::new();
    escape_into(bytes, &mut pushed);
    assert_eq!(pushed, whole);
    assert_eq!(parse_key(&key_literal(bytes)).as_deref(), Ok(bytes));
    for width in [0, 1, 2, 7, 80] {
        let clipped = escape_to_width(bytes, width);
        assert!(clipped.cells <= width);
        let kept = if clipped.truncated { clipped.text.trim_end_matches('…') } else { &clipped.text };
        assert!(whole.starts_with(kept) && clipped.truncated == (kept.len() < whole.len()));
    }
    let line = format!("get {}", key_word(bytes));
    let mut words = CommandLine::new(&line);
    words.take_word().unwrap();
    assert_eq!(words.take_word().unwrap().unwrap().key().as_deref(), Ok(bytes));
    words.finish().unwrap();
}

fn words(line: &str, columns: usize) {
    let mut words = CommandLine::new(line);
    let mut end = 0;
    let fault = loop {
        match words.take_word() {
            Ok(Some(word)) => {
                assert!(word.start >= end && word.start + word.typed.len() <= line.len(), "words do not overlap");
                end = word.start + word.typed.len();
                let _ = word.key().map_err(|e| explained(&e, columns));
                let _ = word.text().map_err(|e| explained(&e, columns));
            }
            Ok(None) => break None,
            Err(e) => break Some(e),
        }
    };
    match fault {
        Some(e) => explained(&e, columns),
        None => assert!(words.finish().is_ok()),
    }
    for cursor in 0..=line.len() {
        let word = CommandLine::word_at(line, cursor);
        assert!(word.start <= word.end && word.end <= line.len());
        assert!(line[word.start..word.end].contains(word.typed));
    }
}

fn explained(e: &LiteralError, columns: usize) {
    assert!((1..=columns).contains(&e.column), "column {} of {columns}", e.column);
    printable(&e.to_string());
}

/// No terminal obeys it.
pub fn printable(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
