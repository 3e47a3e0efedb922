//! The works: their names, units and goals. One table, which the run, the output and `--only` share.

/// What a figure is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Operations a second: more is better.
    PerSecond,
    /// Bytes a second: more is better.
    Bandwidth,
    /// Seconds: less is better.
    Seconds,
    /// Bytes a key: less is better.
    BytesPerKey,
    /// A share of something: more is better.
    Share,
}

impl Unit {
    pub fn more_is_better(self) -> bool {
        matches!(self, Self::PerSecond | Self::Bandwidth | Self::Share)
    }
}

/// What must hold for ours.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At least this many times as good as the best peer.
    Best(f64),
    /// At least this much of the limit.
    Limit(f64),
    /// At least (or, where less is better, at most) this figure, at a million keys.
    Figure(f64),
    /// At most this figure for each million keys.
    FigurePerMillion(f64),
}

pub struct Work {
    pub name: &'static str,
    pub title: &'static str,
    pub unit: Unit,
    pub goals: &'static [Goal],
}

use Goal::{Best, Figure, FigurePerMillion, Limit};
use Unit::{Bandwidth, BytesPerKey, PerSecond, Seconds, Share};

const fn work(name: &'static str, title: &'static str, unit: Unit, goals: &'static [Goal]) -> Work {
    Work { name, title, unit, goals }
}

/// In the order of the table. A name ends in its class of durability where it has one.
pub const WORKS: &[Work] = &[
    work("put-k", "put random, one a call, K", PerSecond, &[Best(1.3), Limit(0.78)]),
    work("put-u", "put random, one a call, U", PerSecond, &[Best(2.5)]),
    work("batch-k", "put random, 1,000 a batch, K", PerSecond, &[Best(1.4)]),
    work("put-d1", "put durable, 1 writer", PerSecond, &[Limit(0.95)]),
    work("put-d8", "put durable, 8 writers", PerSecond, &[Limit(0.8)]),
    work("get-hit", "get hit, 1 thread", PerSecond, &[Best(1.15), Limit(0.78)]),
    work("get-hit2", "get hit, 2 threads", PerSecond, &[]),
    work("get-scale", "get hit, 2 threads over 1", Share, &[Figure(1.9)]),
    work("get-miss", "get miss", PerSecond, &[Limit(0.5), Best(1.25)]),
    work("overwrite-k", "overwrite, K", PerSecond, &[Best(1.8)]),
    work("delete-k", "delete, K", PerSecond, &[Best(1.3)]),
    work("mixed-k", "half get, half put, K", PerSecond, &[Best(1.8)]),
    work("put-4k", "put of 4 KiB, K", Bandwidth, &[Limit(0.85)]),
    work("put-64k", "put of 64 KiB, K", Bandwidth, &[Limit(0.85)]),
    work("put-1m", "put of 1 MiB, K", Bandwidth, &[Limit(0.85)]),
    work("get-4k", "get of 4 KiB", Bandwidth, &[Best(0.9)]),
    work("get-64k", "get of 64 KiB", Bandwidth, &[Best(0.9)]),
    work("get-1m", "get of 1 MiB", Bandwidth, &[Best(0.9)]),
    work("memory", "anonymous memory a key, open", BytesPerKey, &[Figure(16.0 + 24.0)]),
    work("open-clean", "first get after a clean close", Seconds, &[FigurePerMillion(0.030)]),
    work("open-crash", "first get after a crash, from hints", Seconds, &[FigurePerMillion(0.080)]),
    work("open-scan", "first get, by scanning the data", Seconds, &[FigurePerMillion(0.300)]),
    work("merge", "merge, 1 live of 2.5 records a key", Seconds, &[FigurePerMillion(0.45)]),
    work("merge-puts", "puts during a merge, of those without", Share, &[Figure(0.667)]),
    work("list", "all keys listed, in no order", PerSecond, &[Figure(12e6)]),
    work("list-order", "all keys listed, in order", PerSecond, &[Figure(12e6)]),
    work("order-build", "order of the keys made, of those open", Seconds, &[FigurePerMillion(0.25)]),
    work("prefix", "prefix of 1,000, in order", Seconds, &[Figure(100e-6)]),
    work("disk-load", "disk after load, all files", BytesPerKey, &[Figure(230.0)]),
    work("disk-data", "disk after load, data files", BytesPerKey, &[Figure(142.0)]),
    work("disk-merged", "disk after overwrite and merge, all files", BytesPerKey, &[Figure(230.0)]),
];

/// Limits that belong to no one work: what they are made of.
pub const PARTS: &[Work] = &[
    work("append-write", "one `write` a record", PerSecond, &[]),
    work("append-buffer", "append to a buffer of 1 MiB", PerSecond, &[]),
    work("append-map", "record copied into a mapped tail", PerSecond, &[]),
    work("read-pread", "random `pread` with check", PerSecond, &[]),
    work("read-map", "random mapped read with check", PerSecond, &[]),
    work("table-insert", "hash table: insert", PerSecond, &[]),
    work("table-hit", "hash table: hit", PerSecond, &[]),
    work("table-miss", "hash table: miss", PerSecond, &[]),
    work("fdatasync-1", "write and fdatasync, preallocated, 1 writer", PerSecond, &[]),
    work("fdatasync-8", "the same shared by 8 writers", PerSecond, &[]),
    work("sequential", "sequential read, cached", Bandwidth, &[]),
    work("crc", "CRC-32", Bandwidth, &[]),
    work("copy", "copy in memory", Bandwidth, &[]),
    work("image", "image of 38 bytes a key, read and checked", Seconds, &[]),
];
