//! From a terminal's events to [`Key`]s and actions. Plain data in and out.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::action::{Action, Size};
use super::key::Key;

/// What came from the terminal.
#[derive(Clone, Debug)]
pub enum Input {
    /// A key.
    Key(Key),
    /// A key held with Alt, or Esc and a key in quick succession: terminals send the same for both.
    Escaped(Key),
    /// Something that means the same whatever is on the screen.
    Action(Action),
}

/// What an event means; `None`: nothing.
pub fn input(event: Event) -> Option<Input> {
    match event {
        Event::Key(event) if event.modifiers.contains(KeyModifiers::ALT) => key(event).map(Input::Escaped),
        Event::Key(event) => key(event).map(Input::Key),
        Event::Paste(text) => Some(Input::Action(Action::Paste(text))),
        Event::Mouse(event) => mouse(event).map(Input::Action),
        Event::Resize(width, height) => Some(Input::Action(Action::Resized(Size { width, height }))),
        _ => None,
    }
}

fn mouse(event: MouseEvent) -> Option<Action> {
    let (x, y) = (event.column, event.row);
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Action::Click { x, y }),
        MouseEventKind::Drag(MouseButton::Left) => Some(Action::Drag { x, y }),
        MouseEventKind::ScrollUp => Some(Action::Wheel { x, y, down: false }),
        MouseEventKind::ScrollDown => Some(Action::Wheel { x, y, down: true }),
        _ => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        // Many terminals send the one for the other.
        KeyCode::Char('h') if ctrl => Key::Backspace,
        KeyCode::Char(c) if ctrl => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Key::BackTab,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
        key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn terminals_that_send_ctrl_h_for_backspace_are_understood() {
        assert_eq!(pressed(KeyCode::Char('h'), KeyModifiers::CONTROL), Some(Key::Backspace));
        assert_eq!(pressed(KeyCode::Char('U'), KeyModifiers::CONTROL), Some(Key::Ctrl('u')));
        assert_eq!(pressed(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Key::Char('G')));
    }
}
