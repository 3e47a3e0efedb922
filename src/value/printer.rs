//! Lays out what a decoder says: an item a line, indented by its depth, keys before their values. Numbers in a row share
//! lines, and a list that is short enough is one line.
//!
//! Knows no format. Invariant: no more than [`DEEPEST`] brackets are open.

use std::fmt::Display;

use super::pen::{Class, Pen};
use super::sink::{Bracket, Sink, Stop};

/// Brackets within brackets that are shown.
pub const DEEPEST: usize = 128;
/// Cells of one step.
const STEP: usize = 2;
/// Characters up to which numbers in a row share a line, and a list is one.
const SHARED: usize = 60;

/// A sink that writes.
pub(super) struct Printer<'a> {
    pen: &'a mut Pen,
    /// Cells before everything.
    base: usize,
    open: Vec<Open>,
    /// The next item is the tail of a list.
    tail: bool,
}

struct Open {
    bracket: Bracket,
    /// Items so far; keys and values count alike.
    items: usize,
    /// The last of them was a number in a list.
    after_number: bool,
    /// The line that it begins on.
    line: usize,
    /// No item of it takes more than a line.
    is_flat: bool,
}

impl Open {
    /// A map keeps its keys apart, however short.
    fn may_be_one_line(&self) -> bool {
        self.is_flat && matches!(self.bracket, Bracket::Array | Bracket::Tuple)
    }
}

impl<'a> Printer<'a> {
    /// Writes with this pen, indented by `base` cells.
    pub(super) fn new(pen: &'a mut Pen, base: usize) -> Self {
        Self { pen, base, open: Vec::new(), tail: false }
    }

    /// Writes what stands before an item; says whether it is a key.
    fn begin_item(&mut self, is_number: bool) -> Result<bool, Stop> {
        if self.pen.is_full() {
            return Err(Stop::Full);
        }
        let tail = std::mem::take(&mut self.tail);
        let indent = self.indent();
        let Some(open) = self.open.last_mut() else { return Ok(false) };
        let (before, pair) = (open.items, open.bracket.pair());
        let shares = open.after_number && is_number && !tail && self.pen.len() < SHARED;
        let stays = shares || open.bracket == Bracket::Call;
        open.items += 1;
        open.after_number = is_number && open.bracket == Bracket::Array;
        if let (Some(pair), 1) = (pair, before % 2) {
            self.pen.write(Class::Punctuation, &pair);
            return Ok(false);
        }
        match (before, tail, stays) {
            (0, ..) => {}
            (_, false, false) => self.pen.write(Class::Punctuation, &","),
            (_, false, true) => self.pen.write(Class::Punctuation, &", "),
            (_, true, _) => self.pen.write(Class::Punctuation, &" |"),
        }
        if !stays {
            self.pen.next_line(indent);
        }
        Ok(pair.is_some())
    }

    fn indent(&self) -> usize {
        self.base + STEP * self.open.iter().filter(|open| open.bracket != Bracket::Call).count()
    }
}

impl Sink for Printer<'_> {
    fn open(&mut self, bracket: Bracket, words: &dyn Display) -> Result<(), Stop> {
        self.begin_item(false)?;
        if self.open.len() >= DEEPEST {
            return Err(Stop::Deep);
        }
        self.pen.write(Class::Punctuation, words);
        let line = self.pen.number();
        self.open.push(Open { bracket, items: 0, after_number: false, line, is_flat: true });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(closed) = self.open.pop() else { return Ok(()) };
        if self.pen.is_full() {
            return Err(Stop::Full);
        }
        let is_one_line = closed.may_be_one_line() && self.pen.join(closed.line, SHARED);
        if closed.items > 0 && !is_one_line && closed.bracket != Bracket::Call {
            self.pen.next_line(self.indent());
        }
        if let Some(around) = self.open.last_mut() {
            around.is_flat &= self.pen.number() == closed.line;
        }
        self.pen.write(Class::Punctuation, &closed.bracket.close());
        Ok(())
    }

    fn leaf(&mut self, class: Class, words: &dyn Display) -> Result<(), Stop> {
        let is_key = self.begin_item(class == Class::Number)?;
        let class = if is_key && class == Class::Text { Class::Key } else { class };
        self.pen.write(class, words);
        Ok(())
    }

    fn tail(&mut self) {
        self.tail = true;
    }
}
