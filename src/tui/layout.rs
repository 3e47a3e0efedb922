//! Where each pane is, for any size of the screen. One answer for `update`, which needs to know how many rows a pane
//! shows, and for the view, which paints them.
//!
//! It knows cells and nothing of painting. Neighbouring panes share the line between them: their areas overlap by one
//! cell. Invariant: no area reaches beyond the screen, whatever its size.

use super::action::Size;
use super::app::{App, Pane};

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Area {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

/// The narrowest and lowest screen that shows a pane.
pub const SMALLEST: Size = Size { width: 40, height: 10 };

/// Cells of a page on a screen that is much wider.
const WIDEST_PAGE: u16 = 120;

/// The whole screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Directory, format, mode and figures.
    pub top: Area,
    /// The panes that are to be seen.
    pub panes: Vec<(Pane, Area)>,
    /// The keydir in one line, where it has no pane.
    pub keydir_line: Option<Area>,
    /// What the last command answered.
    pub answer: Area,
    /// The command line.
    pub command: Area,
    /// The hints.
    pub hints: Area,
    /// Record, value, history, keydir and trace take turns in one place.
    pub tabbed: bool,
}

impl Layout {
    /// Where a pane is, if it is to be seen.
    pub fn area(&self, pane: Pane) -> Option<Area> {
        self.panes.iter().find(|(at, _)| *at == pane).map(|(_, area)| *area)
    }

    /// Lines between the borders of a pane.
    pub fn inner_height(&self, pane: Pane) -> usize {
        self.area(pane).map_or(0, |area| usize::from(area.height.saturating_sub(2)))
    }

    /// Cells between the borders of a pane.
    pub fn inner_width(&self, pane: Pane) -> usize {
        self.area(pane).map_or(0, |area| usize::from(area.width.saturating_sub(2)))
    }

    /// Rows of a list below its headings.
    pub fn page(&self, pane: Pane) -> usize {
        let headings = usize::from(pane.has_headings());
        self.inner_height(pane).saturating_sub(headings)
    }

    /// The pane beside another one, on the level of its middle.
    pub fn neighbour(&self, pane: Pane, to_the_left: bool) -> Option<Pane> {
        let here = self.area(pane)?;
        let middle = here.y + here.height / 2;
        let touches = |area: &Area| match to_the_left {
            true => area.x + area.width == here.x + 1,
            false => here.x + here.width == area.x + 1,
        };
        let beside = |area: &Area| touches(area) && (area.y..area.y + area.height).contains(&middle);
        self.panes.iter().find(|(_, area)| beside(area)).map(|(pane, _)| *pane)
    }

    /// Where a page lies that covers the panes.
    pub fn over(&self) -> Area {
        let body = self.body();
        let width = if body.width < WIDEST_PAGE + 16 { body.width } else { WIDEST_PAGE };
        Area { x: body.x + (body.width - width) / 2, width, ..body }
    }

    /// Cells and lines between the borders of such a page, one of each at least.
    pub fn page_inside(&self) -> (usize, usize) {
        let inside = |outside: u16| usize::from(outside.saturating_sub(2)).max(1);
        let Area { width, height, .. } = self.over();
        (inside(width), inside(height))
    }

    /// The space between the top line and the bottom lines.
    pub fn body(&self) -> Area {
        let y = self.top.y + self.top.height;
        Area { x: 0, y, width: self.top.width, height: self.answer.y.saturating_sub(y) }
    }
}

/// Places everything.
pub fn layout(app: &App) -> Layout {
    let Size { width, height } = app.size;
    let line = |y| Area { x: 0, y, width, height: 1 };
    let mut layout = Layout {
        top: line(0),
        answer: line(height.saturating_sub(3)),
        command: line(height.saturating_sub(2)),
        hints: line(height.saturating_sub(1)),
        ..Layout::default()
    };
    if is_too_small(app.size) {
        return Layout { top: Area { x: 0, y: 0, width, height: height.min(1) }, ..Layout::default() };
    }
    let body = layout.body();
    // No more than there are, with headings and borders.
    let segments = u16::try_from(app.segment_rows().len()).unwrap_or(u16::MAX).saturating_add(3);
    if app.zoomed || width < 76 || height < 20 {
        layout.panes.push((app.focus, body));
    } else if width >= 160 && height >= 44 {
        wide(&mut layout, body, segments);
    } else if width >= 104 && height >= 32 {
        medium(&mut layout, body, segments, app.tab);
    } else {
        small(&mut layout, body, app.tab);
    }
    layout
}

/// Whether there is room for one line only.
pub fn is_too_small(size: Size) -> bool {
    size.width < SMALLEST.width || size.height < SMALLEST.height
}

/// Three columns.
fn wide(layout: &mut Layout, body: Area, segments: u16) {
    let (left, rest) = split_columns(body, body.width * 29 / 100);
    let (middle, right) = split_columns(rest, rest.width * 49 / 100);
    let (keys, keydir) = split_rows(left, left.height.saturating_sub(16));
    let (segments, records) = split_rows(middle, segments.clamp(8, middle.height * 2 / 5));
    let (records, trace) = split_rows(records, records.height.saturating_sub(10));
    let (record, rest) = split_rows(right, 17);
    let (value, history) = split_rows(rest, rest.height * 3 / 5);
    layout.panes.extend([
        (Pane::Keys, keys),
        (Pane::Segments, segments),
        (Pane::Records, records),
        (Pane::Record, record),
        (Pane::Value, value),
        (Pane::History, history),
        (Pane::Keydir, keydir),
        (Pane::Trace, trace),
    ]);
}

/// Two columns; value, history and trace take turns.
fn medium(layout: &mut Layout, body: Area, segments: u16, tab: Pane) {
    let (left, right) = split_columns(body, body.width * 40 / 100);
    let (keys, keydir) = split_rows(left, left.height.saturating_sub(9));
    let (segments, rest) = split_rows(right, segments.clamp(7, (right.height / 3).max(7)));
    let (records, rest) = split_rows(rest, rest.height.saturating_sub(19).max(8));
    let (record, value) = split_rows(rest, 12);
    layout.panes.extend([
        (Pane::Keys, keys),
        (Pane::Segments, segments),
        (Pane::Records, records),
        (Pane::Record, record),
        (if matches!(tab, Pane::History | Pane::Trace) { tab } else { Pane::Value }, value),
        (Pane::Keydir, keydir),
    ]);
}

/// Two columns; record, value, history, keydir and trace take turns, and the keydir has a line of its own.
fn small(layout: &mut Layout, body: Area, tab: Pane) {
    let keydir = Area { y: body.y + body.height.saturating_sub(1), height: 1, ..body };
    let body = Area { height: body.height.saturating_sub(1), ..body };
    let (keys, right) = split_columns(body, body.width * 43 / 100);
    let (segments, rest) = split_rows(right, (right.height / 3).max(6));
    let (records, tabs) = split_rows(rest, (rest.height / 2).max(6));
    layout.panes.extend([(Pane::Keys, keys), (Pane::Segments, segments), (Pane::Records, records), (tab, tabs)]);
    layout.keydir_line = Some(keydir);
    layout.tabbed = true;
}

/// A left part of `width` cells and the rest, with one column in common.
fn split_columns(area: Area, width: u16) -> (Area, Area) {
    let width = width.clamp(1, area.width.max(1));
    let x = area.x + width - 1;
    (Area { width, ..area }, Area { x, width: (area.x + area.width).saturating_sub(x), ..area })
}

/// An upper part of `height` lines and the rest, with one line in common.
fn split_rows(area: Area, height: u16) -> (Area, Area) {
    let height = height.clamp(1, area.height.max(1));
    let y = area.y + height - 1;
    (Area { height, ..area }, Area { y, height: (area.y + area.height).saturating_sub(y), ..area })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn app(width: u16, height: u16) -> App {
        App::new("data".into(), Size { width, height }, 0)
    }

    #[test]
    fn the_three_sizes_show_what_they_promise() {
        let shown = |w, h| layout(&app(w, h)).panes.into_iter().map(|(pane, _)| pane).collect::<Vec<_>>();
        assert_eq!(shown(80, 24), [Pane::Keys, Pane::Segments, Pane::Records, Pane::Value]);
        assert_eq!(shown(120, 40).len(), Pane::ALL.len() - 2, "value, history and trace take turns");
        assert_eq!(shown(200, 60).len(), Pane::ALL.len());
        assert_eq!(shown(40, 10), [Pane::Keys]);
        assert!(shown(39, 10).is_empty() && shown(1, 1).is_empty());
        assert!(layout(&app(80, 24)).keydir_line.is_some());
    }

    proptest! {
        #[test]
        fn nothing_reaches_beyond_the_screen(width in 0..300_u16, height in 0..120_u16, zoomed: bool) {
            let layout = layout(&App { zoomed, ..app(width, height) });
            let lines = [layout.top, layout.answer, layout.command, layout.hints];
            for area in layout.panes.iter().map(|(_, area)| *area).chain(lines) {
                prop_assert!(area.x + area.width <= width && area.y + area.height <= height, "{area:?}");
            }
            for (pane, area) in &layout.panes {
                prop_assert!(area.height >= 4 && area.width >= 20, "{pane:?} {area:?}");
            }
        }
    }
}
