//! Findings as a page: those that are known since opening, and those that a verify brings.
//!
//! Invariant: a page holds no more than [`MOST`] findings, whatever state a store is in; its title counts all.

use super::session::Session;
use crate::store::Finding;
use crate::text;
use crate::tui::action::Arrived;
use crate::tui::findings::FindingsPage;

/// Findings that a page lists.
const MOST: usize = 10_000;

/// What opening and following found: as many as the top line counts.
pub(super) fn known(session: &Session) -> Arrived {
    let mut page = page(session, "since opening", session.store().findings());
    if page.findings.is_empty() {
        // Opening reads hints where it can: to have found nothing says little about the records.
        page.title = "since opening  nothing was found; verify reads every byte".to_owned();
    }
    Arrived::Findings(page)
}

/// A list of findings, their files named as seen from the store.
pub(super) fn page(session: &Session, about: &str, mut findings: Vec<Finding>) -> FindingsPage {
    let title = format!("{about}  {}", number(findings.len()));
    findings.truncate(MOST);
    for finding in &mut findings {
        if let Ok(inside) = finding.path.strip_prefix(session.store().dir())
            && !inside.as_os_str().is_empty()
        {
            finding.path = inside.to_owned();
        }
    }
    FindingsPage::new(title, findings)
}

/// `1 finding`, `2 findings`.
pub(super) fn number(findings: usize) -> String {
    match findings {
        0 => "nothing is amiss".to_owned(),
        1 => "1 finding".to_owned(),
        n => format!("{} findings", text::count(n as u64)),
    }
}
