//! What can be asked of the key list: which keys, in what order, and which window of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::tui::filter::KeyFilter;

/// The order of the key list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By bytes of the key.
    #[default]
    Name,
    /// Largest value first.
    Size,
    /// Newest first.
    Age,
}

impl Sort {
    /// The next one in turn.
    pub fn next(self) -> Self {
        match self {
            Self::Name => Self::Size,
            Self::Size => Self::Age,
            Self::Age => Self::Name,
        }
    }

    /// The word in the pane's title.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "name↑",
            Self::Size => "size↓",
            Self::Age => "newest",
        }
    }
}

/// The branches of a tree that are open, each by the bytes with which its keys begin, delimiter included.
pub type OpenBranches = Arc<BTreeSet<Vec<u8>>>;

/// Branches in branches that are opened by themselves: a key may be nothing but delimiters.
const DEPTH: usize = 16;

/// Opens the branches that a key is in.
pub fn open_around(open: &mut OpenBranches, key: &[u8], delimiter: u8) {
    let ends = key.iter().enumerate().filter(|(_, byte)| **byte == delimiter).map(|(at, _)| at + 1);
    Arc::make_mut(open).extend(ends.take(DEPTH).filter_map(|end| key.get(..end).map(<[u8]>::to_vec)));
}

/// A list of keys: what a window is a window of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyView {
    /// Which keys.
    pub filter: KeyFilter,
    /// Their order. A tree is by name.
    pub sort: Sort,
    /// As a tree, with these branches open; `None`: flat.
    pub tree: Option<OpenBranches>,
}

/// A window of the key list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeysWanted {
    /// Of which list.
    pub view: KeyView,
    /// Where the window lies.
    pub at: KeyPlace,
    /// How many rows it has.
    pub rows: usize,
}

/// A place in the key list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// By number.
    Row(usize),
    /// Where a key is; the first row if the filter leaves the key out.
    Key {
        /// The key.
        key: Arc<[u8]>,
        /// Its row so far, in case it is gone and the order does not say where it would be.
        or: usize,
    },
    /// Where a branch of the tree is.
    Branch(Arc<[u8]>),
}

impl Default for KeyPlace {
    fn default() -> Self {
        Self::Row(0)
    }
}
