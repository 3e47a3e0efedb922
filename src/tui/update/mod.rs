//! How the interface changes: one action in, effects out, nothing else touched.
//!
//! Pure: no clock, no file, no terminal, no thread. Each action ends with `look`, which brings cursors back
//! into their lists and asks for whatever the screen needs and does not have. Invariants:
//!
//! 1. A command reaches the store only through [`Effect::Run`], or [`Effect::Merge`], and only after Enter or a yes.
//! 2. An answer about an older state of the store never replaces a newer one.

mod answers;
mod copy;
mod dissect;
mod follow;
mod hints;
mod history;
mod index;
mod jumps;
mod keys;
mod look;
mod merge;
mod mouse;
mod moves;
mod records;
mod strips;
mod typing;
mod value;
mod vanished;
mod verbs;

use super::action::Action;
use super::app::App;
use super::effect::Effect;

/// Lets one thing happen.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    let mut effects = match action {
        Action::Verb(verb) => verbs::verb(app, verb),
        Action::Type(c) => typing::insert(app, c.encode_utf8(&mut [0; 4])),
        Action::Paste(text) => typing::paste(app, &text),
        Action::Click { x, y } => {
            mouse::click(app, x, y);
            Vec::new()
        }
        Action::Drag { x, y } => {
            mouse::drag(app, x, y);
            Vec::new()
        }
        Action::Wheel { x, y, down } => mouse::wheel(app, x, y, down),
        Action::Resized(size) => {
            app.size = size;
            Vec::new()
        }
        Action::Clock(now) => {
            app.now = now;
            Vec::new()
        }
        Action::Arrived(arrived) => answers::arrived(app, arrived),
    };
    effects.extend(look::look(app));
    effects
}

/// The first look at a path.
pub fn start(app: &App, create: bool) -> Vec<Effect> {
    vec![Effect::Open { path: app.path.clone(), create }]
}
