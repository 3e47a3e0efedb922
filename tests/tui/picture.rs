//! The picture in README: the real screen on the sample store, as an SVG.
//!
//! `UPDATE_GOLDENFILES=1 cargo test --test tui` draws `assets/screen.svg` anew.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::sim::SimDisk;
use logkv::store::Options;
use logkv::{Store, sample};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::screen::{Screen, options, settings};

const CELL: (usize, usize) = (9, 18);
const INK: &str = "#d4d4d4";
const PAPER: &str = "#18181c";

#[test]
fn the_picture_in_readme_is_what_the_program_shows() {
    let disk = SimDisk::new();
    let sample = Options { create: true, max_segment_bytes: 64 << 10, ..options() };
    let store = Store::open_on(Arc::new(disk.clone()), Path::new("demo"), sample).unwrap();
    sample::fill(&store).unwrap();
    store.close().unwrap();
    let mut screen = Screen::open(&disk, "demo", (120, 40), settings(false));
    screen.press("/");
    screen.type_text("http:4");
    screen.press("enter down down down down");
    screen.command("get zone:Europe/Rome");
    let picture = svg(&screen.buffer());

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screen.svg");
    if std::env::var_os("UPDATE_GOLDENFILES").is_some() {
        std::fs::write(&path, &picture).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == picture, "assets/screen.svg shows another screen than the program does");
}

fn svg(buffer: &Buffer) -> String {
    let (width, height) = (usize::from(buffer.area.width) * CELL.0, usize::from(buffer.area.height) * CELL.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"DejaVu Sans Mono, \
         Menlo, Consolas, monospace\" font-size=\"15\" xml:space=\"preserve\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"{PAPER}\"/>\n"
    );
    for y in 0..buffer.area.height {
        let row: Vec<&Cell> = (0..buffer.area.width).map(|x| &buffer[(x, y)]).collect();
        let mut start = 0;
        while start < row.len() {
            let look = look(row[start]);
            let len = row[start..].iter().take_while(|cell| self::look(cell) == look).count();
            draw(&mut out, &row[start..start + len], (start, usize::from(y)), &look);
            start += len;
        }
    }
    out + "</svg>\n"
}

/// Ink, paper, bold.
fn look(cell: &Cell) -> (&'static str, &'static str, bool) {
    let (mut ink, mut paper) = (colour(cell.fg, INK), colour(cell.bg, PAPER));
    if cell.modifier.contains(Modifier::REVERSED) {
        (ink, paper) = (paper, ink);
    }
    if cell.modifier.contains(Modifier::DIM) {
        ink = "#767678";
    }
    (ink, paper, cell.modifier.contains(Modifier::BOLD))
}

fn colour(colour: Color, otherwise: &'static str) -> &'static str {
    match colour {
        Color::Black => "#000000",
        Color::Red | Color::LightRed => "#f14c4c",
        Color::Green | Color::LightGreen => "#0dbc79",
        Color::Yellow | Color::LightYellow => "#e5e510",
        Color::Blue | Color::LightBlue => "#3b8eea",
        Color::Magenta | Color::LightMagenta => "#d670d6",
        Color::Cyan | Color::LightCyan => "#11a8cd",
        Color::Gray | Color::White => "#e5e5e5",
        Color::DarkGray => "#767678",
        _ => otherwise,
    }
}

fn draw(out: &mut String, cells: &[&Cell], (x, y): (usize, usize), (ink, paper, bold): &(&str, &str, bool)) {
    let (left, top, width) = (x * CELL.0, y * CELL.1, cells.len() * CELL.0);
    if *paper != PAPER {
        writeln!(out, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{}\" fill=\"{paper}\"/>", CELL.1)
            .unwrap();
    }
    let text: String = cells.iter().map(|cell| cell.symbol()).collect();
    if text.trim().is_empty() {
        return;
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let weight = if *bold { " font-weight=\"bold\"" } else { "" };
    let base = top + 14;
    writeln!(
        out,
        "<text x=\"{left}\" y=\"{base}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{ink}\"{weight}>\
         {text}</text>"
    )
    .unwrap();
}
