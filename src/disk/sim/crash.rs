//! What a power cut leaves.
//!
//! Works on copies: the machine that stopped stays as it was, and may be crashed again under another policy or seed.

use std::sync::Arc;

use super::content::{Content, put_zero_padded, resize, slice};
use super::machine::Machine;
use super::rng::Rng;
use super::tree::{Node, Tree};

/// How much of what no sync made durable survives a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CrashPolicy {
    /// Nothing.
    Drop,
    /// All of it, also the write during which the machine stopped; but not what a failed sync has lost.
    Keep,
    /// Each page, length and operation on names by itself, as the seed chooses; pages even in part. See
    /// [`crate::disk::sim`] for what is never torn.
    Torn,
}

/// The disk of `machine` as a machine that starts afterwards finds it.
pub(super) fn after_crash(machine: &Machine, policy: CrashPolicy, seed: u64) -> Tree {
    let mut tree = machine.tree.clone();
    // Done first, unsynced as it is, so that the policy judges it with the rest.
    if let Some(write) = &machine.in_flight
        && let Ok(content) = tree.file_mut(write.file)
    {
        // Too long a file is the only failure, and then nothing of it is written.
        let _ = content.write(&write.bytes, write.offset);
    }
    let mut luck = Luck::new(seed);
    let names = match policy {
        CrashPolicy::Drop => Vec::new(),
        CrashPolicy::Keep => tree.pending().kept(),
        CrashPolicy::Torn => tree.pending().survivors(|_| luck.smiles()),
    };
    tree.settle_names(names);
    for node in tree.nodes_mut() {
        if let Node::File(content) = node
            && !content.is_durable()
        {
            *content = Arc::new(settle(content, policy, machine.geometry.sector, &mut luck));
        }
    }
    tree
}

fn settle(content: &Content, policy: CrashPolicy, sector: u64, luck: &mut Luck) -> Content {
    let bytes = match policy {
        CrashPolicy::Drop => content.durable_bytes(),
        CrashPolicy::Keep => content.flushed_bytes(),
        CrashPolicy::Torn => torn_bytes(content, sector.max(1), luck),
    };
    Content::durable(bytes, content.page_size()).unreadable_as(content)
}

/// Each page by itself: the live one, the durable one, or some sectors of each.
fn torn_bytes(content: &Content, sector: u64, luck: &mut Luck) -> Vec<u8> {
    let mut bytes = content.live.clone();
    resize(&mut bytes, torn_len(content, luck));
    for (&page, unsynced) in &content.unsynced {
        let start = page.saturating_mul(content.page_size());
        // A page that was cut off has no newer bytes: if the file has its old length back, it has its old bytes too.
        let was_cut = start >= content.len();
        let all = luck.smiles();
        let part = luck.tears();
        for at in (0..content.page_size()).step_by(usize::try_from(sector).unwrap_or(usize::MAX)) {
            if was_cut || !(if part { luck.smiles() } else { all }) {
                let end = at.saturating_add(sector).min(content.page_size());
                let place = start.saturating_add(at)..start.saturating_add(end);
                put_zero_padded(&mut bytes, place, slice(&unsynced.durable, at, end));
            }
        }
    }
    bytes
}

/// The live length, or one that the file had or grew through since its length was durable.
fn torn_len(content: &Content, luck: &mut Luck) -> u64 {
    if luck.smiles() {
        return content.len();
    }
    let step = luck.rng.below(content.turns.len() as u64);
    let step = usize::try_from(step).unwrap_or(0);
    let to = content.turns.get(step).copied().unwrap_or(content.durable_len);
    let from = step.checked_sub(1).and_then(|i| content.turns.get(i)).copied().unwrap_or(content.durable_len);
    // A file grows as its blocks are written, and is cut in one step.
    from + luck.rng.below(to.saturating_sub(from))
}

/// The seed's choices. How kind it is on the whole is a choice too: else a crash that loses one page of a hundred, or
/// saves one, would hardly ever come up.
struct Luck {
    rng: Rng,
    eighths: u64,
}

impl Luck {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let eighths = 1 + rng.below(7);
        Self { rng, eighths }
    }

    /// Whether something survives.
    fn smiles(&mut self) -> bool {
        self.rng.chance(self.eighths)
    }

    /// Whether a page is torn inside.
    fn tears(&mut self) -> bool {
        self.rng.chance(2)
    }
}
