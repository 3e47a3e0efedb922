//! A line of text under the cursor: the command line and the filter.
//!
//! Holds what was typed as it was typed, pasted control characters included; showing it is the view's business.
//! Invariant: the cursor is on a character boundary.

use super::action::Edit;

/// Text and a cursor in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    text: String,
    cursor: usize,
}

impl Field {
    /// A field that holds `text`, with the cursor behind it.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The byte before which the next character goes.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// What stands before the cursor.
    pub fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// What stands behind the cursor.
    pub fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts text at the cursor.
    pub fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    /// Replaces the bytes from `start` to `end` and puts the cursor behind them.
    pub fn replace(&mut self, start: usize, end: usize, with: &str) {
        let (Some(before), Some(after)) = (self.text.get(..start), self.text.get(end.max(start)..)) else { return };
        self.cursor = before.len() + with.len();
        self.text = format!("{before}{with}{after}");
    }

    /// Changes the text or moves the cursor.
    pub fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Left => self.cursor = self.left(),
            Edit::Right => self.cursor = self.right(),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::Backspace => self.cut(self.left(), self.cursor),
            Edit::Delete => self.cut(self.cursor, self.right()),
            Edit::CutToStart => self.cut(0, self.cursor),
            Edit::CutToEnd => self.cut(self.cursor, self.text.len()),
            Edit::CutWord => self.cut(self.word_start(), self.cursor),
        }
    }

    fn left(&self) -> usize {
        self.before().char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        self.cursor + self.after().chars().next().map_or(0, char::len_utf8)
    }

    fn word_start(&self) -> usize {
        let word = self.before().trim_end_matches(' ');
        word.rfind(' ').map_or(0, |space| space + 1)
    }

    fn cut(&mut self, start: usize, end: usize) {
        self.text.drain(start..end);
        self.cursor = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn editing_works_on_characters_not_bytes() {
        let mut field = Field::new("aé漢");
        field.edit(Edit::Left);
        field.edit(Edit::Backspace);
        assert_eq!((field.text(), field.before()), ("a漢", "a"));
        field.edit(Edit::Delete);
        field.insert("b c");
        field.edit(Edit::CutWord);
        assert_eq!(field.text(), "ab ");
        field.edit(Edit::CutToStart);
        assert!(field.is_empty());
    }

    #[test]
    fn completion_replaces_a_word_in_place() {
        let mut field = Field::new("get us x");
        field.replace(4, 6, "user:1");
        assert_eq!((field.text(), field.after()), ("get user:1 x", " x"));
    }

    proptest! {
        #[test]
        fn the_cursor_stays_on_a_boundary(text in "\\PC{0,12}", edits in proptest::collection::vec(0..9_usize, 0..30)) {
            let mut field = Field::new(text);
            for edit in edits {
                field.edit(Edit::ALL.get(edit).copied().unwrap_or(Edit::Left));
                prop_assert!(field.text().is_char_boundary(field.cursor()));
            }
        }
    }
}
