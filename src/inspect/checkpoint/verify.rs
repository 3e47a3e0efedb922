//! Whether a store's checkpoint holds, and says what hints and records say.
//!
//! A checkpoint whose checksums hold is believed by opening. One that is wrong all the same would make the store lie, and
//! only a comparison of every key shows it.

use std::path::Path;

use super::CheckpointFile;
use crate::error::Result;
use crate::format::HeaderFault;
use crate::store::{Finding, FindingKind, KeyParts, Mode, Severity, Store};

/// What there is to say against the checkpoint of a store. Reads all of it, opens the store anew from it, and compares that
/// with `plain`, which was opened without it. Where the store is written meanwhile, only checksums are looked at.
pub fn checkpoint_findings(store: &Store, plain: &Store) -> Result<Vec<Finding>> {
    let Some((path, file)) = store.checkpoint_file()? else { return Ok(Vec::new()) };
    if let Some(fault) = CheckpointFile::of(path.clone(), file)?.fault()? {
        return Ok(vec![broken(&path, &fault)]);
    }
    if store.mode() == Mode::ReadWrite {
        return Ok(Vec::new());
    }
    let with = store.opened_anew(true)?;
    if !with.is_from_checkpoint() {
        let message = "it is of another state of the store, and is not used".to_owned();
        return Ok(vec![about(&path, Severity::Note, FindingKind::StaleCheckpoint, message)]);
    }
    let is_of_one_moment = moment(&with) == moment(plain);
    Ok(is_of_one_moment.then(|| disagreement(&path, &with, plain)).flatten().into_iter().collect())
}

/// Equal for two that were opened with nothing written or merged in between.
fn moment(store: &Store) -> (u64, Vec<(u64, u64)>) {
    let segments = store.segments().into_iter().map(|segment| (segment.id, segment.bytes)).collect();
    (store.stats().last_tstamp, segments)
}

fn broken(path: &Path, fault: &HeaderFault) -> Finding {
    let damaged = |message| about(path, Severity::Warning, FindingKind::DamagedCheckpoint, message);
    match fault {
        HeaderFault::Incomplete => damaged("it ends before its head does".to_owned()),
        HeaderFault::Damaged(check) => damaged(format!("it does not hold: {check}")),
        HeaderFault::NeedsNewer(what) => {
            about(path, Severity::Note, FindingKind::StaleCheckpoint, format!("it is {what}, and is not used"))
        }
    }
}

fn disagreement(path: &Path, with: &Store, without: &Store) -> Option<Finding> {
    let (known, right) = (with.key_parts(), without.key_parts());
    let (mut first, mut wrong) = (None, 0u64);
    let mut differ = |key: &[u8]| {
        wrong += 1;
        first.get_or_insert_with(|| key.to_vec());
    };
    for part in 0..KeyParts::COUNT {
        known.visit(part, |key, entry| {
            if right.entry(key) != Some(*entry) && !with.has_expired(entry.expires_at) {
                differ(key);
            }
        });
        right.visit(part, |key, entry| {
            if known.entry(key).is_none() && !with.has_expired(entry.expires_at) {
                differ(key);
            }
        });
    }
    let message = format!("{wrong} keys are not in it as the records say, though its checksums hold");
    let finding = about(path, Severity::Damage, FindingKind::WrongCheckpoint, message);
    first.map(|key| Finding { key: Some(key), ..finding })
}

fn about(path: &Path, severity: Severity, kind: FindingKind, message: String) -> Finding {
    let path = path.to_owned();
    Finding { severity, kind, path, segment: None, offset: None, len: None, key: None, message }
}
