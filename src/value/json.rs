//! JSON, walked over as RFC 8259 has it and shown as it stands: no number is rounded, no string is unescaped, no key is
//! dropped, nothing is put into another order.

use std::fmt;

use super::pen::Class;
use super::sink::{Bracket, Sink, Stop};
use crate::text;

/// Goes over one JSON text to its end, blanks around it included.
pub(super) fn walk(bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut walk = Walk { bytes, at: 0, open: Vec::new() };
    loop {
        walk.item(sink)?;
        if walk.after_item(sink)?.is_none() {
            return Ok(());
        }
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Bracket>,
}

/// There is another item.
struct Another;

impl<'a> Walk<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Result<u8, Stop> {
        let rest = self.rest();
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += blanks;
        rest.get(blanks).copied().ok_or(Stop::Cut)
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        if self.peek()? != wanted {
            return Err(Stop::Malformed);
        }
        self.at += 1;
        Ok(())
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let taken = self.rest().get(..len).unwrap_or_default();
        self.at += len;
        taken
    }

    /// An item, or the brackets that it begins with.
    fn item(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        loop {
            let (bracket, opening, closing) = match self.peek()? {
                b'{' => (Bracket::Map, "{", b'}'),
                b'[' => (Bracket::Array, "[", b']'),
                b'"' => return self.string(sink),
                b'-' | b'0'..=b'9' => return self.number(sink),
                _ => return self.word(sink),
            };
            self.at += 1;
            sink.open(bracket, &opening)?;
            if self.peek()? == closing {
                self.at += 1;
                return sink.close();
            }
            self.open.push(bracket);
            if bracket == Bracket::Map {
                self.key(sink)?;
            }
        }
    }

    /// Closes what ends here. `None`: that was all.
    fn after_item(&mut self, sink: &mut dyn Sink) -> Result<Option<Another>, Stop> {
        while let Some(bracket) = self.open.last().copied() {
            let byte = self.peek()?;
            self.at += 1;
            match (byte, bracket) {
                (b',', Bracket::Map) => return self.key(sink).map(|()| Some(Another)),
                (b',', _) => return Ok(Some(Another)),
                (b'}', Bracket::Map) | (b']', Bracket::Array) => sink.close()?,
                _ => return Err(Stop::Malformed),
            }
            self.open.pop();
        }
        match self.peek() {
            Err(_) => Ok(None),
            Ok(_) => Err(Stop::Malformed),
        }
    }

    fn key(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.peek()? != b'"' {
            return Err(Stop::Malformed);
        }
        self.string(sink)?;
        self.expect(b':')
    }

    fn string(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let len = string_len(self.rest())?;
        sink.leaf(Class::Text, &AsItStands(self.take(len)))
    }

    fn number(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let len = number_len(self.rest())?;
        sink.leaf(Class::Number, &AsItStands(self.take(len)))
    }

    fn word(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let rest = self.rest();
        for word in ["true", "false", "null"] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return sink.leaf(Class::Literal, &word);
            }
            if word.as_bytes().starts_with(rest) {
                return Err(Stop::Cut);
            }
        }
        Err(Stop::Malformed)
    }
}

/// Bytes of the string that starts here, its quotes included.
fn string_len(bytes: &[u8]) -> Result<usize, Stop> {
    let mut at = 1;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
        let plain_bytes = rest.get(..plain).unwrap_or_default();
        match std::str::from_utf8(plain_bytes) {
            Ok(_) => {}
            Err(e) if e.error_len().is_none() && plain == rest.len() => return Err(Stop::Cut),
            Err(_) => return Err(Stop::Malformed),
        }
        at += plain;
        match rest.get(plain).copied() {
            None => return Err(Stop::Cut),
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at += escape_len(rest.get(plain..).unwrap_or_default())?,
            Some(_) => return Err(Stop::Malformed),
        }
    }
}

/// Bytes of the escape that starts here.
fn escape_len(bytes: &[u8]) -> Result<usize, Stop> {
    match bytes.get(1).copied() {
        None => Err(Stop::Cut),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => {
            let digits = bytes.iter().skip(2).take(4);
            let (mut count, mut all) = (0, true);
            digits.for_each(|byte| (count, all) = (count + 1, all && byte.is_ascii_hexdigit()));
            match (all, count) {
                (true, 4) => Ok(6),
                (true, _) => Err(Stop::Cut),
                (false, _) => Err(Stop::Malformed),
            }
        }
        Some(_) => Err(Stop::Malformed),
    }
}

/// Bytes of the number that starts here.
fn number_len(bytes: &[u8]) -> Result<usize, Stop> {
    let digits = |at: usize| bytes.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count();
    let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
    let some = |at: usize| match digits(at) {
        0 if at >= bytes.len() => Err(Stop::Cut),
        0 => Err(Stop::Malformed),
        count => Ok(at + count),
    };
    let start = usize::from(is(0, b"-"));
    let mut at = if is(start, b"0") { start + 1 } else { some(start)? };
    if is(at, b".") {
        at = some(at + 1)?;
    }
    if is(at, b"eE") {
        at = some(at + 1 + usize::from(is(at + 1, b"+-")))?;
    }
    Ok(at)
}

/// A part of the text: backslashes stay as they are, all else goes through the escape.
struct AsItStands<'a>(&'a [u8]);

impl fmt::Display for AsItStands<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, piece) in self.0.split(|byte| *byte == b'\\').enumerate() {
            f.write_str(if at > 0 { "\\" } else { "" })?;
            text::escape(piece).fmt(f)?;
        }
        Ok(())
    }
}
