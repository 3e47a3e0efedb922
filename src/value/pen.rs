//! Lines of words within a budget.
//!
//! Knows neither decoders nor colours. Invariants: no more than [`MOST_LINES`] lines come out, and no line is longer than
//! [`LONGEST`] bytes and a word: a longer one goes on in the next.

use std::fmt::{self, Write};

/// Lines that are made of one value at most.
pub const MOST_LINES: usize = 20_000;
/// Bytes after which a line is broken, whatever the screen's width.
const LONGEST: usize = 2048;

/// What a word is; colours go by this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// Nothing in particular.
    #[default]
    Plain,
    /// A key of a map, a name of a field.
    Key,
    /// A string.
    Text,
    /// A number, a time.
    Number,
    /// One of a few words: true, null, an atom.
    Literal,
    /// Bytes that are no text.
    Bytes,
    /// Brackets and what separates.
    Punctuation,
    /// Words about the value that are not in it.
    Note,
    /// What says that something is left out or wrong.
    Stop,
}

/// Words of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What they are.
    pub class: Class,
    /// The words, escaped.
    pub text: String,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its parts from left to right.
    pub spans: Vec<Span>,
}

impl Line {
    /// Its characters but for the indent.
    fn chars(&self) -> usize {
        let indent = self.spans.first().map_or(0, |span| span.text.len() - span.text.trim_start().len());
        self.spans.iter().map(|span| span.text.chars().count()).sum::<usize>() - indent
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|span| f.write_str(&span.text))
    }
}

/// Writes lines.
#[derive(Debug, Default)]
pub(super) struct Pen {
    lines: Vec<Line>,
    line: Line,
    /// Bytes of the line.
    len: usize,
    class: Class,
}

impl Pen {
    /// Adds words to the line.
    pub(super) fn write(&mut self, class: Class, words: &dyn fmt::Display) {
        self.class = class;
        // It fails only when the budget is spent, which `is_full` tells.
        let _ = write!(self, "{words}");
    }

    /// Ends the line and begins one that is indented by so many cells.
    pub(super) fn next_line(&mut self, indent: usize) {
        self.end_line();
        if indent > 0 {
            self.write(Class::Plain, &format_args!("{:indent$}", ""));
        }
    }

    fn end_line(&mut self) {
        self.lines.push(std::mem::take(&mut self.line));
        self.len = 0;
    }

    /// Bytes of the line so far.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number of the line.
    pub(super) fn number(&self) -> usize {
        self.lines.len()
    }

    /// Makes one line of those from `first` on, if it has no more than so many characters.
    pub(super) fn join(&mut self, first: usize, most: usize) -> bool {
        let parts = self.lines.get(first..).unwrap_or_default();
        // Each has one character at least.
        if parts.len() > most || parts.iter().map(Line::chars).sum::<usize>() + self.line.chars() + parts.len() > most {
            return false;
        }
        let last = std::mem::take(&mut self.line);
        let parts = self.lines.split_off(first).into_iter().chain([last]);
        self.len = 0;
        for (at, part) in parts.enumerate() {
            // An indent is one span; between two items there is one space.
            let spans = part.spans.into_iter().skip_while(|span| at > 0 && span.text.trim().is_empty());
            if at > 1 {
                self.write(Class::Plain, &" ");
            }
            spans.for_each(|span| self.write(span.class, &span.text));
        }
        true
    }

    /// No line will be taken any more but the one that says so.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() + 2 >= MOST_LINES
    }

    /// Everything, with a last line that says why it ends here, if it ends early.
    pub(super) fn finish(mut self, stop: Option<&str>) -> Vec<Line> {
        if !self.line.spans.is_empty() {
            self.end_line();
        }
        if let Some(why) = stop {
            self.write(Class::Stop, &format_args!("… {why}"));
            self.end_line();
        }
        self.lines
    }

    fn push(&mut self, c: char) {
        match self.line.spans.last_mut() {
            Some(last) if last.class == self.class => last.text.push(c),
            _ => self.line.spans.push(Span { class: self.class, text: c.into() }),
        }
        self.len += c.len_utf8();
    }
}

impl Write for Pen {
    fn write_str(&mut self, words: &str) -> fmt::Result {
        for c in words.chars() {
            if self.len >= LONGEST {
                if self.is_full() {
                    return Err(fmt::Error);
                }
                self.end_line();
            }
            self.push(c);
        }
        Ok(())
    }
}
