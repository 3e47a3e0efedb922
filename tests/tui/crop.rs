//! Parts of a screen as text: one pane, one page, a line. A script about a pane shows that pane alone, and does not change
//! with every other one.

use logkv::tui::app::Pane;
use logkv::tui::layout::{Area, layout};

use super::screen::Screen;

/// The sizes that every pane has to look well at.
pub const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// A part by its name: a pane, `top`, `bottom`, or `page`, which is what lies over the panes or stands in their place.
/// Panes and pages come without the line below them, which may be that of others.
pub fn part(screen: &Screen, name: &str) -> Result<String, String> {
    let layout = layout(&screen.app);
    let lines = match name {
        "top" => screen.rows(layout.top),
        "bottom" => {
            [layout.answer, layout.command, layout.hints].into_iter().flat_map(|line| screen.rows(line)).collect()
        }
        "page" if screen.app.figures.is_none() => framed(screen, layout.body()),
        "page" => framed(screen, layout.over()),
        name => {
            let pane = Pane::ALL.into_iter().find(|pane| pane.title().to_lowercase() == name);
            let pane = pane.ok_or_else(|| format!("there is no part {name}"))?;
            let area = layout.area(pane).ok_or_else(|| format!("{name} is not on the screen"))?;
            framed(screen, area)
        }
    };
    Ok(lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n"))
}

/// A frame that neighbours share has their corners in it: these become plain. Many empty rows become one.
fn framed(screen: &Screen, area: Area) -> Vec<String> {
    let mut lines = screen.rows(Area { height: area.height - 1, ..area });
    if let Some(title) = lines.first_mut() {
        *title = title.replace(['┬', '┴', '┼', '├', '┤', '┌', '┐'], "─");
    }
    for line in lines.iter_mut().skip(1) {
        *line = line.replace(['├', '┤', '┼'], "│");
    }
    let mut shown: Vec<String> = Vec::new();
    let mut rows = lines.into_iter().peekable();
    while let Some(row) = rows.next() {
        let mut more = 0;
        while is_empty(&row) && rows.next_if_eq(&row).is_some() {
            more += 1;
        }
        shown.push(row.clone());
        match more {
            0 => {}
            1 => shown.push(row),
            more => shown.push(format!("│ and {more} more empty rows")),
        }
    }
    shown
}

fn is_empty(row: &str) -> bool {
    row.chars().all(|c| c == '│' || c == ' ')
}
