//! Painting: the state becomes cells, and nothing changes.
//!
//! One panel, one file. Every byte of data goes through [`crate::text`] before it gets here or on its way into a cell;
//! what is not on the screen is not formatted. Invariant: no size of the screen panics.

mod anatomy;
mod bottom;
mod findings;
mod hints;
mod history;
mod key_names;
mod keydir;
mod keys;
mod merge;
mod page;
mod pane;
mod record;
mod records;
mod segments;
mod slot;
mod stage;
mod subject;
mod top;
mod trace;
mod value;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, Pane};
use super::ascii::stand_in;
use super::layout::{Area, Layout, is_too_small, layout};
use super::theme::Theme;

impl From<Area> for Rect {
    fn from(area: Area) -> Self {
        Self::new(area.x, area.y, area.width, area.height)
    }
}

/// What every panel needs.
struct View<'a> {
    app: &'a App,
    theme: Theme,
    layout: Layout,
}

/// Paints everything.
pub fn view(app: &App, theme: Theme, frame: &mut Frame<'_>) {
    paint(app, theme, frame);
    if theme.ascii {
        stand_in(frame.buffer_mut());
    }
}

fn paint(app: &App, theme: Theme, frame: &mut Frame<'_>) {
    let layout = layout(app);
    let view = View { app, theme, layout };
    // The terminal may have another size than the last one that was told.
    let screen = frame.area();
    if is_too_small(app.size) || screen.width < app.size.width || screen.height < app.size.height {
        return top::too_small(app, screen, frame.buffer_mut());
    }
    let buf = frame.buffer_mut();
    top::draw(&view, buf);
    if app.figures.is_some() {
        panes(&view, buf);
    } else {
        stage::draw(&view, buf);
    }
    if let Some(page) = &app.page {
        page::draw(&view, page, buf);
    }
    if let Some(cursor) = bottom::draw(&view, buf) {
        frame.set_cursor_position(cursor);
    }
}

/// All frames, then what they hold: the frames share lines, and titles stand on them. The pane with the focus comes
/// last, so that the lines that it shares are its own.
fn panes(view: &View<'_>, buf: &mut Buffer) {
    let panes = &view.layout.panes;
    for focused in [false, true] {
        let frames = panes.iter().filter(|(pane, _)| (*pane == view.app.focus) == focused);
        frames.for_each(|(_, area)| pane::border(view, focused, (*area).into(), buf));
    }
    for (pane, area) in panes {
        let area = Rect::from(*area);
        match pane {
            Pane::Keys => keys::draw(view, area, buf),
            Pane::Segments => segments::draw(view, area, buf),
            Pane::Records => records::draw(view, area, buf),
            Pane::Record => record::draw(view, area, buf),
            Pane::Value => value::draw(view, area, buf),
            Pane::History => history::draw(view, area, buf),
            Pane::Keydir => keydir::draw(view, area, buf),
            Pane::Trace => trace::draw(view, area, buf),
        }
    }
    if let Some(line) = view.layout.keydir_line {
        keydir::draw_line(view, line.into(), buf);
    }
}
