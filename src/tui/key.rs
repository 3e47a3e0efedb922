//! A key of the keyboard, by one name everywhere: in the table of actions, the hints, the help and the tests.
//!
//! It must not know which terminal library delivered it. Invariant: [`Key::by_name`] reads back [`Key::name`].

use std::borrow::Cow;

/// One key press, modifiers included as far as they mean anything here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "keys are called what is printed on them")]
pub enum Key {
    /// A character as typed, capitals and all.
    Char(char),
    /// A lower-case letter held with Ctrl.
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    /// Shift and Tab.
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Backspace,
    Delete,
}

/// Keys that have a name instead of a character: the name to type, and the one to show.
const NAMED: [(Key, &str, &str); 14] = [
    (Key::Enter, "enter", "enter"),
    (Key::Esc, "esc", "esc"),
    (Key::Tab, "tab", "tab"),
    (Key::BackTab, "shift-tab", "shift-tab"),
    (Key::Up, "up", "↑"),
    (Key::Down, "down", "↓"),
    (Key::Left, "left", "←"),
    (Key::Right, "right", "→"),
    (Key::PageUp, "pgup", "pgup"),
    (Key::PageDown, "pgdn", "pgdn"),
    (Key::Home, "home", "home"),
    (Key::End, "end", "end"),
    (Key::Backspace, "backspace", "bksp"),
    (Key::Delete, "delete", "del"),
];

impl Key {
    /// The name in plain letters, as scripts and settings write it.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Char(' ') => "space".into(),
            Self::Char(c) => c.to_string().into(),
            Self::Ctrl(c) => format!("ctrl-{c}").into(),
            _ => NAMED.iter().find(|(key, ..)| *key == self).map_or("", |(_, name, _)| name).into(),
        }
    }

    /// The name as the screen shows it.
    pub fn label(self) -> Cow<'static, str> {
        match NAMED.iter().find(|(key, ..)| *key == self) {
            Some((_, _, label)) => (*label).into(),
            None => self.name(),
        }
    }

    /// The key called `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        if let Some((key, ..)) = NAMED.iter().find(|(_, known, _)| *known == name) {
            return Some(*key);
        }
        let one = |text: &str| {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        };
        match name {
            "space" => Some(Self::Char(' ')),
            _ => match name.strip_prefix("ctrl-") {
                Some(letter) => one(letter).map(Self::Ctrl),
                None => one(name).map(Self::Char),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        let plain = [Key::Char('a'), Key::Char(' '), Key::Char('?'), Key::Char('é'), Key::Ctrl('u')];
        for key in NAMED.iter().map(|(key, ..)| *key).chain(plain) {
            assert_eq!(Key::by_name(&key.name()), Some(key));
            assert!(!key.label().is_empty());
        }
        assert_eq!([Key::by_name("ctrl-"), Key::by_name("nope"), Key::by_name("")], [None; 3]);
    }
}
