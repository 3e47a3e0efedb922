//! Random operations against a `BTreeMap`, on a simulated disk with small segments and few keys.
//!
//! After every step the store is compared whole: every key's answer, the listing, every figure of the ledger with what a
//! walk over the files counts, and what a reader beside it shows. The operations are weighted as in Basho's model of
//! Bitcask, which found its bugs: deletes and merges are frequent, the store is taken down and opened again all the time,
//! by a close, a kill or a power cut, at any disk operation, also while it recovers.
//!
//! ```text
//! LOGKV_MODEL_STEPS=10000000 cargo test --test model -- --nocapture
//! LOGKV_MODEL_SEED=4711 LOGKV_MODEL_STEPS=250 cargo test --test model
//! ```
//!
//! A failure prints its seed and the shortest list of operations that still fails, as code for [`replay`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub
)]

#[path = "model/check.rs"]
mod check;
#[path = "model/expected.rs"]
mod expected;
#[path = "model/op.rs"]
mod op;
#[path = "model/round.rs"]
mod round;
#[path = "model/shrink.rs"]
mod shrink;
mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use logkv::store::SyncPolicy;
use op::{Merge, Op};
use round::Round;
use support::{KEPT, Rng};

/// Operations on one store; then another round begins, with the next policy.
const ROUND: u64 = 250;
const POLICIES: [SyncPolicy; 4] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_secs(3600)), KEPT, SyncPolicy::Buffered];

/// What one round does.
#[derive(Clone, Debug)]
pub struct Case {
    /// Under which policy.
    pub sync: SyncPolicy,
    /// The map forgets deletes of the empty key: a lie, to see whether it is found.
    pub lie: bool,
    /// What is done, in this order.
    pub ops: Vec<Op>,
}

impl Case {
    fn random(seed: u64, steps: u64) -> Self {
        let mut random = Rng::new(seed);
        let keys = 5 + random.below(8) as usize;
        let mut ops = Vec::new();
        while (ops.len() as u64) < steps {
            let op = Op::random(&mut random, keys);
            // Left to chance alone, few merges would meet a power cut.
            let is_for_merge = matches!(op, Op::PowerCut { at, .. } if at > 12);
            ops.push(op);
            ops.extend(is_for_merge.then_some(Op::Merge(Merge::All)));
        }
        Self { sync: POLICIES[(seed % 4) as usize], lie: false, ops }
    }
}

/// Runs operations; panics where store and map differ. What a failure prints can be pasted as its argument.
fn replay(case: &Case) {
    let mut round = Round::new(case);
    for op in &case.ops {
        round.step(op);
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn a_store_is_a_map_that_survives() {
    let steps = number("LOGKV_MODEL_STEPS").unwrap_or(100_000);
    let first = number("LOGKV_MODEL_SEED").unwrap_or(1);
    let rounds = steps.div_ceil(ROUND);
    let next = AtomicU64::new(0);
    let failed = Mutex::new(None);
    let work = || {
        while let Some(round) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|round| *round < rounds) {
            let case = Case::random(first + round, ROUND.min(steps - round * ROUND));
            if let Some(why) = shrink::failure(&case) {
                next.store(rounds, Ordering::Relaxed);
                *failed.lock().unwrap() = Some((first + round, case, why));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    if let Some((seed, case, why)) = failed.into_inner().unwrap() {
        let (shrunk, why) = shrink::shrink(case, why);
        panic!("LOGKV_MODEL_SEED={seed} LOGKV_MODEL_STEPS={ROUND}: {why}\n{}", shrink::code(&shrunk));
    }
    println!("{steps} steps in {rounds} rounds");
}

/// A check that finds nothing and a shrinker that keeps everything look just like success.
#[test]
fn a_lie_is_found_and_shrunk_to_what_it_takes() {
    let found = (1..30).find_map(|seed| {
        let case = Case { lie: true, ..Case::random(seed, ROUND) };
        shrink::failure(&case).map(|failure| shrink::shrink(case, failure))
    });
    let (shrunk, why) = found.expect("a lie that is found");
    assert!(shrunk.ops.len() <= 2, "a put and a delete are enough: {why}\n{}", shrink::code(&shrunk));
}
