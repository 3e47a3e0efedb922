//! What a real terminal would be sent: the screen through the backend of the program, into memory.
//!
//! The backend moves the cursor, shows and hides it, and sets colours. Whatever else is not a printable character came
//! from data, and a terminal would obey it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use logkv::tui::view::view;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::screen::Screen;

#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<u8>>>);

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal of one size after the other that only listens.
#[derive(Default)]
pub struct Wire {
    sent: Sent,
    size: (u16, u16),
    terminal: Option<Terminal<CrosstermBackend<Sent>>>,
}

impl Wire {
    /// Sends what changed on the screen since the last time, and looks at every byte of it.
    pub fn assert_only_text(&mut self, screen: &Screen) {
        let size = screen.size();
        if self.size != size {
            let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, size.0, size.1)) };
            let terminal = Terminal::with_options(CrosstermBackend::new(self.sent.clone()), options).unwrap();
            (self.size, self.terminal) = (size, Some(terminal));
        }
        if let Some(terminal) = &mut self.terminal {
            terminal.draw(|frame| view(&screen.app, screen.theme, frame)).unwrap();
        }
        let sent = std::mem::take(&mut *self.sent.0.lock().unwrap());
        let text = without_orders(std::str::from_utf8(&sent).unwrap());
        if let Some(at) = text.find(is_obeyed) {
            let around: String = text[at..].chars().take(40).collect();
            panic!("a terminal would obey {around:?}");
        }
    }
}

/// Leaves out what the backend itself says to the terminal, and nothing that only looks like it: of colours and
/// attributes those that it has.
fn without_orders(mut text: &str) -> String {
    let mut left = String::new();
    while let Some(at) = text.find("\x1b[") {
        let (before, order) = text.split_at(at);
        left.push_str(before);
        let len = order_len(order);
        if len == 0 {
            left.push('\x1b');
        }
        text = &order[len.max(1)..];
    }
    left + text
}

/// Bytes of an order of the backend at the start of a text; 0: it is none.
fn order_len(text: &str) -> usize {
    let Some(end) = text[2..].find(|c: char| c.is_ascii_alphabetic()).map(|end| end + 2) else { return 0 };
    let (inside, last) = (&text[2..end], &text[end..=end]);
    let numbers = || inside.split(';').all(|number| number.parse::<u16>().is_ok());
    let known = match last {
        "H" => numbers() && inside.contains(';'),
        "l" | "h" => inside == "?25",
        "m" => is_look(inside),
        _ => false,
    };
    if known { end + 1 } else { 0 }
}

/// Colours come as `38;5;N` and `48;5;N`; attributes as one number below 30.
fn is_look(inside: &str) -> bool {
    let mut numbers = inside.split(';');
    while let Some(number) = numbers.next() {
        let known = match number.parse::<u16>() {
            Ok(38 | 48) => numbers.next() == Some("5") && numbers.next().is_some_and(|n| n.parse::<u8>().is_ok()),
            Ok(number) => number < 30 || matches!(number, 39 | 49 | 59),
            Err(_) => false,
        };
        if !known {
            return false;
        }
    }
    true
}

/// Controls of both sets, marks that turn text round, and characters that no cell shows.
pub fn is_obeyed(c: char) -> bool {
    let hidden =
        [('\u{200b}', '\u{200f}'), ('\u{2028}', '\u{202e}'), ('\u{2060}', '\u{206f}'), ('\u{feff}', '\u{feff}')];
    c.is_control() || hidden.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

#[test]
fn orders_in_data_are_told_from_those_of_the_backend() {
    let of_the_backend = "\x1b[?25l\x1b[1;1H\x1b[1m\x1b[38;5;10;49ma\x1b[39m\x1b[49m\x1b[0m\x1b[?25h";
    assert_eq!(without_orders(of_the_backend), "a");
    for order in ["\x1b[31m", "\x1b[2J", "\x1b]52;c;Zm9v\x07", "\x1b[H", "\x1b[?1049h", "\x1bc", "\x1b", "\u{9b}31m"] {
        assert!(without_orders(order).contains(is_obeyed), "{order:?}");
    }
}
