//! What things look like, by what they mean.
//!
//! Only the sixteen colours that every terminal has and its user has chosen, and never one that vanishes on a light or
//! a dark ground: no white, no black, no yellow. States have a glyph and a word besides. It knows no pane.

use ratatui::style::{Color, Modifier, Style};

use super::app::Tone;
use super::difference::Side;
use crate::format::Role;
use crate::inspect::RowState;
use crate::value::Class;

/// The styles.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Colours may be used. Without them bold, dim and reverse remain.
    pub color: bool,
    /// Nothing but ASCII may be used beside the letters of keys and values.
    pub ascii: bool,
}

impl Theme {
    fn fg(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    /// Ordinary text.
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// Text that may be overlooked.
    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Text that stands out.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The line around a pane.
    pub fn border(self, focused: bool) -> Style {
        match focused {
            true => self.fg(Color::Cyan).add_modifier(Modifier::BOLD).remove_modifier(Modifier::DIM),
            false => self.dim(),
        }
    }

    /// The name of a pane.
    pub fn title(self, focused: bool) -> Style {
        if focused { self.fg(Color::Cyan).add_modifier(Modifier::BOLD) } else { self.strong() }
    }

    /// The selected row; the whole of it, so that its parts lose their colours.
    pub fn selected(self, focused: bool) -> Style {
        Style::new().add_modifier(if focused { Modifier::REVERSED } else { Modifier::BOLD })
    }

    /// A key to press.
    pub fn key(self) -> Style {
        self.fg(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// The name of the program and of modes.
    pub fn badge(self) -> Style {
        self.fg(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// A mode that one should notice.
    pub fn warning_badge(self) -> Style {
        self.fg(Color::Magenta).add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// Bytes that the keydir points at.
    pub fn live(self) -> Style {
        self.fg(Color::Green)
    }

    /// Bytes that it does not.
    pub fn dead(self) -> Style {
        self.dim()
    }

    /// Something is wrong.
    pub fn bad(self) -> Style {
        self.fg(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Something wants attention.
    pub fn notice(self) -> Style {
        self.fg(Color::Magenta)
    }

    /// What becomes of a record.
    pub fn state(self, state: RowState) -> Style {
        match state {
            RowState::Live => self.live(),
            RowState::Superseded | RowState::Mark | RowState::Header | RowState::Unknown => self.dead(),
            RowState::Tombstone | RowState::Expired => self.notice(),
            RowState::Damaged | RowState::Torn => self.bad(),
        }
    }

    /// The bytes of a field, by what it stands for.
    pub fn role(self, role: Role) -> Style {
        match role {
            Role::Checksum => self.fg(Color::Magenta),
            Role::Kind => self.fg(Color::Red),
            Role::Length => self.fg(Color::Cyan),
            Role::Time => self.fg(Color::Blue),
            Role::Place => self.fg(Color::Blue).add_modifier(Modifier::ITALIC),
            Role::Key => self.fg(Color::Green),
            Role::Value => self.plain(),
        }
    }

    /// A word of a value.
    pub fn class(self, class: Class) -> Style {
        match class {
            Class::Plain => self.plain(),
            Class::Key => self.fg(Color::Blue).add_modifier(Modifier::BOLD),
            Class::Text => self.fg(Color::Green),
            Class::Number => self.fg(Color::Magenta),
            Class::Literal => self.fg(Color::Cyan),
            Class::Bytes => self.plain(),
            Class::Punctuation | Class::Note => self.dim(),
            Class::Stop => self.notice(),
        }
    }

    /// A line of a difference.
    pub fn side(self, side: Side) -> Style {
        match side {
            Side::Older => self.fg(Color::Red),
            Side::Newer => self.fg(Color::Green),
            Side::Both => self.plain(),
            Side::Neither => self.dim(),
        }
    }

    /// The answer to a command.
    pub fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Good => self.live(),
            Tone::Plain => self.plain(),
            Tone::Bad => self.bad(),
        }
    }
}

/// The glyph of a state, in lists and maps alike.
pub fn glyph(state: RowState) -> char {
    match state {
        RowState::Live => '█',
        RowState::Superseded => '░',
        RowState::Tombstone => '✕',
        RowState::Expired => '◌',
        RowState::Mark | RowState::Header => '·',
        RowState::Damaged => '!',
        RowState::Torn => '▏',
        RowState::Unknown => '?',
    }
}
