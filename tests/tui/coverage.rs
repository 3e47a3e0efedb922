//! Whether the golden scripts show everything: every pane, page and state at the three sizes, on stores of each format and
//! on damaged ones.
//!
//! It looks at what was shown, not at what was asked for: each variant has words, and these must stand in a shot of a
//! script. A variant that is added does not compile before it has words here.
//!
//! | what                                                  | on                               | where                      |
//! |-------------------------------------------------------|----------------------------------|----------------------------|
//! | each of the eight panes                               | native, riak, logkv-go           | `s_keys` to `s_trace`      |
//! | records, one record, value, findings of what was hit  | each store with damage           | `s_damage`, `s_damage_riak`|
//! | states, views, pages, stages, questions, other moments| one store that has them          | the other `s_*`            |
//! | all panes beside each other, and what leads where     | native, riak, logkv-go, damaged  | the scripts without `s_`   |

use std::collections::BTreeSet;

use logkv::format::FormatKind;
use logkv::inspect::RowState;
use logkv::tui::app::{Content, Pane, Stage};
use logkv::value::View;

use super::crop::SIZES;
use super::stores;

/// What a script showed.
pub struct Shot {
    pub size: (u16, u16),
    /// The format of the store that is open.
    pub format: Option<FormatKind>,
    /// The name of the store that the script began with.
    pub on_disk: String,
    pub text: String,
}

/// Words of each variant, and a match that knows them all.
macro_rules! words {
    ($name:ident: $type:ty { $($variant:pat => $words:expr,)* }) => {
        const $name: &[&str] = &[$($words),*];
        const _: fn(&$type) = |variant| match variant { $($variant => {})* };
    };
}

words!(PANES: Pane {
    Pane::Keys => "─ 1 Keys ",
    Pane::Segments => "─ 2 Segments ",
    Pane::Records => "─ Records of segment ",
    Pane::Record => "─ 3 Record ",
    Pane::Value => "─ 4 Value ",
    Pane::History => "─ 5 History ",
    Pane::Keydir => "─ 6 Keydir ",
    Pane::Trace => "─ 7 Trace ",
});

words!(STATES: RowState {
    RowState::Live => "█ live",
    RowState::Superseded => "░ superseded",
    RowState::Tombstone => "✕ tombstone",
    RowState::Expired => "◌ expired",
    RowState::Mark => "· mark",
    RowState::Damaged => "! damaged",
    RowState::Torn => "▏ torn",
    RowState::Header => "· header",
    RowState::Unknown => "? unknown",
});

words!(VIEWS: View {
    View::RiakObject => "─ 4 Value  riak object",
    View::Term => "─ 4 Value  erlang term",
    View::Json => "─ 4 Value  json",
    View::MessagePack => "─ 4 Value  messagepack",
    View::Cbor => "─ 4 Value  cbor",
    View::Text => "─ 4 Value  text",
    View::Hex => "─ 4 Value  hex",
});

words!(PAGES: Content {
    Content::Help => "─ help   / filters ",
    Content::Report(_) => "─ stats ",
    Content::Findings(_) => "─ since opening ",
    Content::Diff(_) => "─ difference ",
    Content::Merge(_) => "─ plan of a merge  by policy ",
});

words!(STAGES: Stage {
    Stage::Opening => "looking at the directory …",
    Stage::Loading { .. } => " read",
    Stage::AskCreate(_) => "─ Nothing there ",
    Stage::Choose { .. } => "stores lie here; choose one ",
    Stage::Refused(_) => "─ Not opened ",
    Stage::Open => "READ-WRITE",
});

/// What has no variant of its own: orders, filters and questions, what is told of values and of other processes.
const MOMENTS: [&str; 38] = [
    "name↑",
    "size↓",
    "tree \":\"",
    "/user:",
    "/re:",
    "/~",
    "no key begins so",
    "sorting…",
    "no keys yet",
    "(forced)",
    "  superseded 1:",
    " not comp",
    "suspect:",
    "a tombstone has no value",
    "the value is empty",
    "checksum is ",
    ": hint  it holds",
    "no hint: opening reads the records",
    "this format has no hints",
    " copy the",
    " delete user:2? ",
    " back as it was at ",
    "─ help   /",
    " FOLLOWING ",
    " PAUSED ",
    " READ-ONLY ",
    "planning: hints",
    "this merge would free",
    "there is nothing to gain",
    "tombstones that stay  1",
    "a merge can be planned, not done",
    "─ no merge ",
    "─ merging  by policy ",
    " MERGING 25% ",
    "m shows it",
    "a merge is running: leave, and give it up?",
    "; m shows it",
    "─ merged ",
];

/// Directories of the other programs that something is wrong with.
const DAMAGED_ELSEWHERE: [&str; 3] = ["riak/riak-corrupt", "riak/riak-torn", "riak/riak-badlen"];

/// Fails with a list of all that no script shows.
pub fn assert_complete(shots: &[Shot]) {
    let mut missing = BTreeSet::new();
    let mut want = |what: String, so: &dyn Fn(&Shot) -> bool| {
        for size in SIZES {
            if !shots.iter().any(|shot| shot.size == size && so(shot)) {
                missing.insert(format!("{what} at {}x{}", size.0, size.1));
            }
        }
    };
    for words in [STATES, VIEWS, PAGES, STAGES, MOMENTS.as_slice()].concat() {
        want(format!("{words:?}"), &|shot| shot.text.contains(words));
    }
    for pane in PANES {
        for format in FormatKind::ALL {
            want(format!("{pane:?} of {format}"), &|shot| shot.format == Some(format) && shot.text.contains(pane));
        }
    }
    for name in stores::damaged().chain(DAMAGED_ELSEWHERE) {
        for words in ["─ Records of segment ", "─ 3 Record ", "─ 4 Value ", "findings "] {
            want(format!("{words:?} of {name}"), &|shot| shot.on_disk == name && shot.text.contains(words));
        }
    }
    assert!(missing.is_empty(), "no golden script shows\n{}", Vec::from_iter(missing).join("\n"));
}
