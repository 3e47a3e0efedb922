//! The operations, how often each is chosen, and how each can be made simpler. Each carries all that it needs, so that a
//! list means the same when parts of it are left out.

use logkv::disk::sim::CrashPolicy;

use super::support::Rng;

pub const KEYS: [&[u8]; 12] = [
    b"",
    b"a",
    b"b",
    b"key",
    b"another key",
    b"\x00\xff",
    b"z",
    b"user:1",
    b"user:2",
    b"user:10",
    b"a key that is longer than most of the values are",
    b"\xff",
];

/// One thing that a person, a program or bad luck does to a store.
#[derive(Clone, Debug)]
pub enum Op {
    Put(Put),
    Delete {
        key: usize,
        when: When,
    },
    Batch(Vec<Step>),
    Many(Vec<Step>),
    /// All keys that begin with the first bytes of this one.
    DeletePrefix {
        key: usize,
        len: usize,
    },
    Tick {
        seconds: u64,
    },
    Sync,
    Merge(Merge),
    /// A copy of the store beside it; `again`: what an earlier one has is shared with it.
    Snapshot {
        copy: bool,
        again: bool,
    },
    Reopen(Reopen),
    /// The power is cut at the `at`th disk operation from now, and again at the `again`th of opening, if that is not 0.
    PowerCut {
        at: u64,
        again: u64,
        policy: CrashPolicy,
        seed: u64,
    },
    Attach,
    Refresh,
}

#[derive(Clone, Copy, Debug)]
pub struct Put {
    pub key: usize,
    pub fill: u8,
    pub len: usize,
    /// Seconds to live.
    pub ttl: Option<u64>,
    pub when: When,
}

/// The condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    Absent,
    /// The version that is there.
    Seen,
    /// One that was there before.
    Stale,
}

/// An operation of a list.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Put(Put),
    Delete { key: usize, when: When },
}

#[derive(Clone, Copy, Debug)]
pub enum Merge {
    All,
    Policy {
        fragmentation: u8,
        dead_bytes: u64,
        small_bytes: u64,
    },
    /// The sealed segments whose bit is set.
    Segments {
        mask: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct Reopen {
    pub how: How,
    pub lose: Lose,
    /// Seconds by which the clock is set back meanwhile.
    pub set_back: u64,
}

#[derive(Clone, Copy, Debug)]
pub enum How {
    Closed,
    Killed,
    Cut { policy: CrashPolicy, seed: u64 },
}

/// Files that only make things faster.
#[derive(Clone, Copy, Debug)]
pub enum Lose {
    Nothing,
    AllHints,
    Hint(usize),
    Checkpoint,
    /// The one of an earlier close lies there again.
    NewerCheckpoint,
}

impl Op {
    pub fn random(random: &mut Rng, keys: usize) -> Self {
        let key = random.below(keys as u64) as usize;
        match random.below(100) {
            0..32 => Self::Put(put(random, key)),
            32..48 => Self::Delete { key, when: when(random) },
            48..56 => Self::Batch(steps(random, keys)),
            56..59 => Self::Many(steps(random, keys)),
            59 => Self::DeletePrefix { key, len: random.below(6) as usize },
            60..66 => Self::Tick { seconds: if random.below(8) == 0 { 400 } else { random.below(12) } },
            66..70 => Self::Sync,
            70..80 => Self::Merge(merge(random)),
            80..82 => Self::Snapshot { copy: random.below(4) == 0, again: random.below(2) == 0 },
            82..90 => Self::Reopen(reopen(random)),
            90..92 => Self::PowerCut {
                // A merge takes some 40 operations, and the last of them matter most.
                at: 1 + if random.below(2) == 0 { random.below(12) } else { random.below(45) },
                again: random.below(8),
                policy: policy(random),
                seed: random.below(1000),
            },
            92..94 => Self::Attach,
            _ => Self::Refresh,
        }
    }

    /// Simpler operations that might show the same.
    pub fn simpler(&self) -> Vec<Self> {
        match self {
            Self::Put(put) => put.simpler().into_iter().map(Self::Put).collect(),
            Self::Delete { key, when } if *when != When::Always => vec![Self::Delete { key: *key, when: When::Always }],
            Self::Batch(steps) => shorter(steps).chain(simpler_steps(steps)).map(Self::Batch).collect(),
            Self::Many(steps) => shorter(steps).chain(simpler_steps(steps)).map(Self::Many).collect(),
            Self::Snapshot { copy, again } if *copy || *again => vec![Self::Snapshot { copy: false, again: false }],
            Self::Merge(Merge::Segments { .. } | Merge::Policy { .. }) => vec![Self::Merge(Merge::All)],
            Self::Reopen(reopen) => reopen.simpler().into_iter().map(Self::Reopen).collect(),
            Self::PowerCut { at, again, policy, seed } if *again > 0 => {
                vec![Self::PowerCut { at: *at, again: 0, policy: *policy, seed: *seed }]
            }
            _ => vec![],
        }
    }
}

impl Put {
    fn simpler(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        if self.ttl.is_some() {
            simpler.push(Self { ttl: None, ..*self });
        }
        if self.when != When::Always {
            simpler.push(Self { when: When::Always, ..*self });
        }
        if self.len > 1 {
            simpler.push(Self { len: 1, ..*self });
        }
        simpler
    }
}

impl Reopen {
    fn simpler(&self) -> Vec<Self> {
        let plain = Self { how: How::Closed, lose: Lose::Nothing, set_back: 0 };
        vec![
            plain,
            Self { how: self.how, ..plain },
            Self { lose: self.lose, ..plain },
            Self { set_back: self.set_back, ..plain },
        ]
        .into_iter()
        .filter(|simpler| format!("{simpler:?}") != format!("{self:?}"))
        .collect()
    }
}

fn shorter(steps: &[Step]) -> impl Iterator<Item = Vec<Step>> {
    (0..steps.len()).map(|i| steps.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, step)| *step).collect())
}

fn simpler_steps(steps: &[Step]) -> impl Iterator<Item = Vec<Step>> {
    let simpler = |step: &Step| match step {
        Step::Put(put) => put.simpler().into_iter().map(Step::Put).collect(),
        Step::Delete { .. } => vec![],
    };
    let replaced = move |i: usize| {
        simpler(&steps[i]).into_iter().map(move |step| {
            let mut steps = steps.to_vec();
            steps[i] = step;
            steps
        })
    };
    (0..steps.len()).flat_map(replaced)
}

fn put(random: &mut Rng, key: usize) -> Put {
    let len = if random.below(30) == 0 { 500 } else { random.below(60) as usize };
    let ttl = (random.below(5) == 0).then(|| random.below(30));
    Put { key, fill: random.below(256) as u8, len, ttl, when: when(random) }
}

fn when(random: &mut Rng) -> When {
    match random.below(12) {
        0 | 1 => When::Absent,
        2 => When::Seen,
        3 => When::Stale,
        _ => When::Always,
    }
}

fn steps(random: &mut Rng, keys: usize) -> Vec<Step> {
    let plain = random.below(4) > 0;
    let count = random.below(6);
    (0..count)
        .map(|_| {
            let key = random.below(keys as u64) as usize;
            let step = if random.below(3) == 0 {
                Step::Delete { key, when: when(random) }
            } else {
                Step::Put(put(random, key))
            };
            match step {
                Step::Put(put) if plain => Step::Put(Put { when: When::Always, ..put }),
                Step::Delete { key, .. } if plain => Step::Delete { key, when: When::Always },
                step => step,
            }
        })
        .collect()
}

fn merge(random: &mut Rng) -> Merge {
    match random.below(6) {
        0 => Merge::All,
        1 | 2 => Merge::Policy {
            fragmentation: random.below(90) as u8,
            dead_bytes: 50 + random.below(400),
            small_bytes: random.below(2) * random.below(400),
        },
        _ => Merge::Segments { mask: random.next() & random.next() },
    }
}

fn reopen(random: &mut Rng) -> Reopen {
    let how = match random.below(4) {
        0 => How::Killed,
        1 => How::Cut { policy: policy(random), seed: random.below(1000) },
        _ => How::Closed,
    };
    let lose = match random.below(7) {
        0 => Lose::AllHints,
        1 => Lose::Hint(random.below(8) as usize),
        2 => Lose::Checkpoint,
        3 => Lose::NewerCheckpoint,
        _ => Lose::Nothing,
    };
    let set_back = if random.below(6) == 0 { random.below(20) } else { 0 };
    Reopen { how, lose, set_back }
}

fn policy(random: &mut Rng) -> CrashPolicy {
    match random.below(4) {
        0 => CrashPolicy::Drop,
        1 => CrashPolicy::Keep,
        _ => CrashPolicy::Torn,
    }
}
