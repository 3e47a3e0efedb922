//! What happened to the keys since the lists were looked at last.
//!
//! Plain data. Invariant: no more than [`UNREAD`] changes wait; of more than that it is only known that there were some.

use std::sync::Arc;

use crate::store::Entry;

/// Changes that are kept for the next look at the keys.
const UNREAD: usize = 1 << 16;

/// What happened to the keys.
#[derive(Clone, Debug)]
pub(in crate::tui::jobs) enum KeyChange {
    /// One key got another entry, or came, or went.
    One {
        /// Which.
        key: Arc<[u8]>,
        /// Its entry before.
        before: Option<Entry>,
        /// Its entry now.
        after: Option<Entry>,
    },
    /// It is not known what.
    Anything,
}

/// Changes that wait for the next look, oldest first.
#[derive(Debug, Default)]
pub(in crate::tui::jobs) struct Changes(Vec<KeyChange>);

impl Changes {
    /// Notes a change. Where nobody looks at the keys, the lists are made anew when somebody does.
    pub(in crate::tui::jobs) fn push(&mut self, change: KeyChange) {
        if self.0.len() >= UNREAD {
            self.0 = vec![KeyChange::Anything];
        }
        self.0.push(change);
    }

    /// Hands them over.
    pub(in crate::tui::jobs) fn take(&mut self) -> Vec<KeyChange> {
        std::mem::take(&mut self.0)
    }
}
