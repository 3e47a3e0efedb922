//! What the store is made to do while the kernel fails it: a list of operations that a seed repeats, and what a store holds
//! after each.
//!
//! The process that runs them and the one that judges what is left make the same list. Must not know how a run ends.

use std::collections::BTreeMap;
use std::time::Duration;

use logkv::Options;
use logkv::format::SegmentId;
use logkv::store::{MergeChoice, SegmentInfo, SyncPolicy};

use super::support::Rng;

/// What a key has: its value, and whether that will expire.
pub type State = BTreeMap<Vec<u8>, (Vec<u8>, bool)>;

/// One call of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Put(Vec<u8>, Vec<u8>),
    /// With a time to live: an hour, or nothing at all, which hides the key at once.
    PutFor(Vec<u8>, Vec<u8>, Duration),
    Delete(Vec<u8>),
    /// Puts and deletes as one step.
    Batch(Vec<Op>),
    Sync,
    /// Closes the store and opens it again.
    Reopen,
    Merge(Which),
    /// Into a directory of its own beside the store; whether nothing is linked.
    Snapshot(bool),
}

/// What is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// About half of the sealed segments, here and there: older ones stay, and may hold what a tombstone hides.
    Half(u64),
}

impl Which {
    fn has(self, segment: SegmentId) -> bool {
        match self {
            Self::All => true,
            Self::Half(bits) => bits >> (segment % 64) & 1 == 1,
        }
    }

    /// As the library is told, for a store of these segments.
    pub fn choice(self, segments: &[SegmentInfo]) -> MergeChoice {
        let chosen = segments.iter().filter(|segment| !segment.active && self.has(segment.id));
        match self {
            Self::All => MergeChoice::All,
            Self::Half(_) => MergeChoice::Segments(chosen.map(|segment| segment.id).collect()),
        }
    }
}

/// How large things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Segments of a few records, so that every few calls of the kernel something rotates.
    Small,
    /// Records of up to several pages, so that the kernel has pages to lose one by one.
    Large,
}

/// All that decides a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub seed: u64,
    pub len: usize,
    pub shape: Shape,
    pub sync: SyncPolicy,
}

pub const HOUR: Duration = Duration::from_secs(3600);

impl Workload {
    pub fn ops(&self) -> Vec<Op> {
        let mut rng = Rng::new(self.seed);
        (0..self.len).map(|i| self.op(i, &mut rng)).collect()
    }

    fn op(&self, i: usize, rng: &mut Rng) -> Op {
        match rng.below(100) {
            0..70 => self.write(i, rng),
            70..81 => Op::Batch((0..1 + rng.below(5)).map(|_| self.write(i, rng)).collect()),
            81..87 => Op::Sync,
            87..90 => Op::Reopen,
            90..93 => Op::Merge(Which::All),
            93..97 => Op::Merge(Which::Half(rng.next())),
            _ => Op::Snapshot(rng.below(2) == 0),
        }
    }

    fn write(&self, i: usize, rng: &mut Rng) -> Op {
        match rng.below(80) {
            0..50 => Op::Put(self.key(rng), self.value(i, rng)),
            50..57 => Op::PutFor(self.key(rng), self.value(i, rng), HOUR),
            57..61 => Op::PutFor(self.key(rng), self.value(i, rng), Duration::ZERO),
            _ => Op::Delete(self.key(rng)),
        }
    }

    fn key(&self, rng: &mut Rng) -> Vec<u8> {
        let keys = match self.shape {
            Shape::Small => 6,
            Shape::Large => 40,
        };
        match rng.below(keys) {
            0 => vec![],
            n => format!("key-{n}").into_bytes(),
        }
    }

    /// Says which operation wrote it, so that an old version is never taken for a new one.
    fn value(&self, i: usize, rng: &mut Rng) -> Vec<u8> {
        let most = match self.shape {
            Shape::Small => 60,
            Shape::Large => 9000,
        };
        let len = rng.below(most) as usize;
        let mut value = format!("{:x}-{i}:", self.seed).into_bytes();
        value.extend((0..len).map(|_| rng.next() as u8));
        value
    }

    pub fn options(&self) -> Options {
        let (max_segment_bytes, buffer_bytes) = match self.shape {
            Shape::Small => (400, 150),
            Shape::Large => (64 << 10, 20 << 10),
        };
        let is_plain = self.sync == SyncPolicy::Interval(Duration::from_secs(3600));
        Options {
            sync: self.sync,
            create: true,
            max_segment_bytes,
            buffer_bytes,
            // One thread loads: calls are counted by thread.
            threads: 1,
            tail_file_after: Some(1).filter(|_| !is_plain),
            reserve_after: Some(1),
            ..Options::default()
        }
    }
}

impl Op {
    /// The states that it leads through, one after the other, the last one last. None if it changes nothing.
    pub fn states_after(&self, state: &State) -> Vec<State> {
        let mut after = state.clone();
        match self {
            Self::Put(key, value) => drop(after.insert(key.clone(), (value.clone(), false))),
            Self::PutFor(key, _, ttl) if ttl.is_zero() => drop(after.remove(key)),
            Self::PutFor(key, value, _) => drop(after.insert(key.clone(), (value.clone(), true))),
            Self::Delete(key) => drop(after.remove(key)),
            Self::Batch(ops) => {
                for op in ops {
                    after = op.states_after(&after).pop().unwrap();
                }
            }
            Self::Sync | Self::Reopen | Self::Merge(_) | Self::Snapshot(_) => return vec![],
        }
        vec![after]
    }

    /// Whether everything before it is durable once it is done.
    pub fn makes_durable(&self) -> bool {
        matches!(self, Self::Sync | Self::Reopen)
    }
}
