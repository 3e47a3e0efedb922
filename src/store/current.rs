//! Where the state of a store is found. A writer's stays the same for as long as it is open; a reader's is swapped for a
//! new one when its writer has merged.
//!
//! Looking takes no lock, and on a writer's store touches nothing that another thread may be writing.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::contents::Contents;

/// The state in force.
#[derive(Debug)]
pub(super) enum Current {
    /// For good.
    Fixed(Arc<Contents>),
    /// Until the next one.
    Until(ArcSwap<Contents>),
}

/// A look at the state in force: it stays whole while this is held.
pub(super) enum Look<'a> {
    Fixed(&'a Contents),
    Held(Guard<Arc<Contents>>),
}

impl Current {
    pub(super) fn new(contents: Contents, may_change: bool) -> Self {
        let contents = Arc::new(contents);
        if may_change { Self::Until(ArcSwap::new(contents)) } else { Self::Fixed(contents) }
    }

    /// For a moment.
    pub(super) fn look(&self) -> Look<'_> {
        match self {
            Self::Fixed(contents) => Look::Fixed(contents),
            Self::Until(contents) => Look::Held(contents.load()),
        }
    }

    /// For as long as the caller likes.
    pub(super) fn keep(&self) -> Arc<Contents> {
        match self {
            Self::Fixed(contents) => contents.clone(),
            Self::Until(contents) => contents.load_full(),
        }
    }

    /// Puts another state in force. A writer's own is always the newest, and stays.
    pub(super) fn replace(&self, contents: Contents) {
        if let Self::Until(now) = self {
            now.store(Arc::new(contents));
        }
    }
}

impl Deref for Look<'_> {
    type Target = Contents;

    fn deref(&self) -> &Contents {
        match self {
            Self::Fixed(contents) => contents,
            Self::Held(contents) => contents,
        }
    }
}
