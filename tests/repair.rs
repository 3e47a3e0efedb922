//! What findings mean, what salvage still reads, and what repair leaves: each against a store that chance has damaged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "repair/chance.rs"]
mod chance;
#[path = "repair/crashes.rs"]
mod crashes;
#[path = "repair/findings.rs"]
mod findings;
#[path = "repair/losses.rs"]
mod losses;
#[path = "repair/salvage.rs"]
mod salvage;
mod support;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use logkv::disk::Disk;
use logkv::disk::sim::SimDisk;
use logkv::inspect::{Report, verify};
use logkv::store::repair::{plan_repair_on, repair_on};
use logkv::store::{Repair, Severity};
use logkv::{Options, Store};
use support::broken::DIR;

fn read(disk: &SimDisk, options: Options) -> logkv::Result<Store> {
    Store::open_read_only_on(Disk::reader(disk), Path::new(DIR), options)
}

fn write(disk: &SimDisk, options: Options) -> logkv::Result<Store> {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options)
}

fn plan(disk: &SimDisk, options: Options) -> logkv::Result<Repair> {
    plan_repair_on(Disk::reader(disk), Path::new(DIR), options)
}

fn repair(disk: &SimDisk, options: Options) -> logkv::Result<Repair> {
    repair_on(Arc::new(disk.clone()), Path::new(DIR), options)
}

fn verified(store: &Store) -> Report {
    verify(store, &mut |_, _| ControlFlow::Continue(())).unwrap()
}

/// Nothing but notes, and a second repair has nothing to do.
fn is_in_order(disk: &SimDisk, options: &Options, what: &str) {
    let report = verified(&read(disk, options.clone()).unwrap());
    let worst = report.findings.iter().map(|finding| finding.severity).max();
    assert!(worst.is_none_or(|worst| worst == Severity::Note), "{what}: {:#?}", report.findings);
    let again = repair(disk, options.clone()).unwrap();
    assert!(again.is_empty(), "{what}: {again:#?}");
}
