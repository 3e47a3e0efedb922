//! The list of findings: how each is told, in how many lines, and where the list is scrolled.
//!
//! Plain data and its geometry; it must not know colours, or who found what. Only findings near the screen are put into
//! lines. Invariant: after [`FindingsPage::settle`] the selected finding is on the screen, from its first line on if it
//! has more lines than the screen and was not scrolled.

use super::action::Motion;
use super::wrap::words;
use crate::store::Finding;
use crate::text;

/// Cells of the marks before a line: selection, severity.
const INDENT: usize = 4;

/// A list of findings that lies over the panes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingsPage {
    /// On its border.
    pub title: String,
    /// The findings; their paths are as seen from the store's directory.
    pub findings: Vec<Finding>,
    /// The selected one.
    pub at: usize,
    /// What is on the first line of the screen.
    pub top: Place,
}

/// A line of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which finding.
    pub finding: usize,
    /// Which of its lines.
    pub line: usize,
}

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// How bad it is, what it is, and where.
    Head,
    /// The key that it is about.
    Key,
    /// What is the case.
    Message,
    /// What it means for answers.
    Consequence,
    /// What to do.
    Advice,
}

/// One line. Its text is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it tells.
    pub part: Part,
    /// Its words, without the indentation.
    pub text: String,
}

/// A finding in lines of so many cells, the indentation included.
pub fn tell(finding: &Finding, cells: usize) -> Vec<Told> {
    let room = cells.saturating_sub(INDENT).max(8);
    let mut lines = Vec::new();
    let mut add = |part, text: &str| lines.extend(words(text, room).into_iter().map(|text| Told { part, text }));
    add(Part::Head, &head(finding));
    match finding.key.as_deref() {
        Some([]) => add(Part::Key, "the empty key"),
        Some(key) => add(Part::Key, &format!("key {}", text::escape_to_width(key, room - 4).text)),
        None => {}
    }
    add(Part::Message, &finding.message);
    add(Part::Consequence, finding.consequence());
    add(Part::Advice, finding.advice());
    lines
}

fn head(finding: &Finding) -> String {
    let mut head = format!("{}  {}  {}", finding.severity.name(), finding.kind.name(), text::path(&finding.path));
    if let Some(offset) = finding.offset {
        head.push_str(&format!(" @ {}", text::count(offset)));
    }
    if let Some(len) = finding.len {
        head.push_str(&format!("  {}", text::size(len)));
    }
    head
}

impl FindingsPage {
    /// A list with the first finding selected.
    pub fn new(title: String, findings: Vec<Finding>) -> Self {
        Self { title, findings, at: 0, top: Place::default() }
    }

    /// The selected finding.
    pub fn selected(&self) -> Option<&Finding> {
        self.findings.get(self.at)
    }

    /// Lines of one finding, and the empty one behind it.
    fn height(&self, finding: usize, cells: usize) -> usize {
        self.findings.get(finding).map_or(0, |finding| tell(finding, cells).len() + 1)
    }

    /// Moves by a key, on a screen of `height` lines of `cells` cells. A finding that has more lines than the screen is
    /// scrolled through before the next one is selected.
    pub fn go(&mut self, motion: Motion, height: usize, cells: usize) {
        let last = self.findings.len().saturating_sub(1);
        let hidden = self.height(self.at, cells).saturating_sub(height + 1);
        let scrolled = if self.top.finding == self.at { self.top.line } else { 0 };
        match motion {
            Motion::Up | Motion::Left if scrolled > 0 => self.top.line -= 1,
            Motion::Down | Motion::Right if scrolled < hidden => {
                self.top = Place { finding: self.at, line: scrolled + 1 };
            }
            Motion::Up | Motion::Left => self.at = self.at.saturating_sub(1),
            Motion::Down | Motion::Right => self.at = (self.at + 1).min(last),
            Motion::PageUp | Motion::HalfUp => self.at = self.before(self.at, height, cells).finding.min(self.at),
            Motion::PageDown | Motion::HalfDown => self.at = self.after(height, cells).clamp(self.at, last),
            Motion::First => self.at = 0,
            Motion::Last => self.at = last,
        }
        self.settle(height, cells);
    }

    /// Brings the selected finding onto a screen of `height` lines of `cells` cells.
    pub fn settle(&mut self, height: usize, cells: usize) {
        self.at = self.at.min(self.findings.len().saturating_sub(1));
        let own = self.height(self.at, cells).saturating_sub(1);
        let highest = self.before(self.at, height.saturating_sub(own), cells);
        let lowest = Place { finding: self.at, line: own.saturating_sub(height) };
        self.top = self.top.clamp(highest, lowest.max(highest));
    }

    /// The place `lines` lines before the first line of a finding.
    fn before(&self, finding: usize, mut lines: usize, cells: usize) -> Place {
        let mut place = Place { finding, line: 0 };
        while lines > 0 && place.finding > 0 {
            place.finding -= 1;
            let height = self.height(place.finding, cells);
            place.line = height.saturating_sub(lines);
            lines = lines.saturating_sub(height);
        }
        place
    }

    /// The first finding that begins `lines` lines behind the selected one, or later.
    fn after(&self, lines: usize, cells: usize) -> usize {
        let mut passed = 0;
        let mut at = self.at;
        while passed < lines && at < self.findings.len() {
            passed += self.height(at, cells);
            at += 1;
        }
        at
    }

    /// The lines on a screen: which finding each belongs to, and what it tells; `None` between two findings.
    pub fn shown(&self, height: usize, cells: usize) -> Vec<(usize, Option<Told>)> {
        let told = self.findings.iter().enumerate().skip(self.top.finding);
        let lines = told.flat_map(|(at, finding)| {
            let lines = tell(finding, cells).into_iter().map(Some);
            lines.chain([None]).map(move |line| (at, line))
        });
        lines.skip(self.top.line).take(height).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;
    use crate::store::{FindingKind, Severity};

    fn finding(key: Option<&[u8]>, message: &str) -> Finding {
        Finding {
            severity: Severity::Damage,
            kind: FindingKind::DamagedRecord,
            path: "0000000001.data".into(),
            segment: Some(1),
            offset: Some(4096),
            len: Some(90),
            key: key.map(<[u8]>::to_vec),
            message: message.into(),
        }
    }

    #[test]
    fn a_finding_is_told_whole_and_its_key_is_escaped() {
        let told: Vec<String> =
            tell(&finding(Some(b"\x1b[2J"), "it is bad"), 200).into_iter().map(|line| line.text).collect();
        let (consequence, advice) = (FindingKind::DamagedRecord.consequence(), FindingKind::DamagedRecord.advice());
        let head = "damage  damaged-record  0000000001.data @ 4,096  90 B";
        assert_eq!(told, [head, "key \\x1b[2J", "it is bad", consequence, advice]);
        let long = tell(&finding(Some(&[b'k'; 65_535]), "it is bad"), 40);
        assert_eq!(long.iter().filter(|line| line.part == Part::Key).count(), 1);
    }

    #[test]
    fn a_finding_longer_than_the_screen_is_scrolled_through() {
        let mut page = FindingsPage::new(String::new(), vec![finding(None, &"word ".repeat(40)), finding(None, "b")]);
        let lines = tell(&page.findings[0], 40).len();
        for line in 1..=lines - 4 {
            page.go(Motion::Down, 4, 40);
            assert_eq!((page.at, page.top), (0, Place { finding: 0, line }));
        }
        page.go(Motion::Down, 4, 40);
        assert_eq!((page.at, page.top.finding), (1, 1));
    }

    proptest! {
        #[test]
        fn the_selected_finding_is_on_the_screen(
            lens in proptest::collection::vec(0..60_usize, 1..20),
            motions in proptest::collection::vec(0..10_usize, 1..40), height in 1..30_usize, cells in 10..100_usize,
        ) {
            let findings = lens.iter().map(|len| finding(None, &"word ".repeat(*len))).collect();
            let mut page = FindingsPage::new(String::new(), findings);
            for motion in motions {
                page.go(Motion::ALL[motion], height, cells);
                let shown = page.shown(height, cells);
                prop_assert!(shown.iter().any(|(at, told)| *at == page.at && told.is_some()), "{:?}", page.top);
                prop_assert!(shown.len() <= height);
            }
        }
    }
}
