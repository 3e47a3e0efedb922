//! What a merge would do: which segments it takes and why, what it reads, writes and frees, which tombstones stay.
//!
//! Changes nothing. Keeps: figures are exact as of the moment of planning, since the same judge decides here and when
//! records are copied.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::format::{FormatKind, SegmentId, record};
use crate::store::inner::Inner;
use crate::store::report::SegmentInfo;

use super::MergeChoice;
use super::choice::MergePolicy;
use super::control::MergeControl;
use super::entries::Stop;
use super::fates::{self, Fates};
use super::judge::Judge;

/// What a merge would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergePlan {
    /// The segments that it takes; none if there is nothing to gain.
    pub inputs: Vec<MergeInput>,
    /// The segments that stay as they are.
    pub left_out: Vec<(SegmentId, LeftOut)>,
    /// Bytes that are read: hints, and the records that are copied.
    pub read_bytes: u64,
    /// Bytes of the segments that are written, hints apart.
    pub written_bytes: u64,
    /// Bytes of the hints beside them, at most.
    pub hint_bytes: u64,
    /// Bytes of segments that the directory has less afterwards.
    pub freed_bytes: u64,
    /// Segments that are written.
    pub outputs: u64,
    /// Live records that are copied.
    pub live_records: u64,
    /// Tombstones, and puts whose time ran out, that have nothing left to hide and go.
    pub tombstones_dropped: u64,
    /// Those that stay, by the segment that may hold something older of their key.
    pub tombstones_held_by: BTreeMap<SegmentId, u64>,
    /// Tombstones that go because a bloom filter says that an older segment does not hold their key: so many times the
    /// segment's records did not have to be looked through.
    pub let_go_by_filter: u64,
}

/// A segment that a merge takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergeInput {
    /// Which.
    pub segment: SegmentId,
    /// Bytes of its file.
    pub bytes: u64,
    /// Bytes of its records that are written again.
    pub kept_bytes: u64,
    /// Why it is taken.
    pub why: WhyMerged,
}

/// Why a segment is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyMerged {
    /// It was asked for.
    Chosen,
    /// Enough of its bytes are dead.
    Dead,
    /// It is small, as others are.
    Small,
}

impl WhyMerged {
    /// The words used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Dead => "dead bytes",
            Self::Small => "small",
        }
    }
}

/// Why a segment is not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// It is appended to.
    Active,
    /// Bytes of it do not hold: it is kept as it is until it is repaired.
    Damaged,
    /// Too little of it would be freed.
    LittleToGain,
    /// Nobody asked for it.
    NotChosen,
}

impl LeftOut {
    /// The words used in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Damaged => "damaged",
            Self::LittleToGain => "little to gain",
            Self::NotChosen => "not chosen",
        }
    }
}

/// A tombstone, or a put whose time ran out, that a merge does not let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptTombstone<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// The segment that it stands in.
    pub segment: SegmentId,
    /// Where.
    pub offset: u64,
    /// Its tstamp.
    pub tstamp: u64,
    /// It is a put whose time ran out; the output gets a tombstone in its place.
    pub is_expired: bool,
    /// The segment outside of the merge that may hold an older version of its key.
    pub held_by: SegmentId,
}

impl MergePlan {
    /// Tombstones that stay.
    pub fn tombstones_kept(&self) -> u64 {
        self.tombstones_held_by.values().sum()
    }

    /// Bytes of the inputs.
    pub fn input_bytes(&self) -> u64 {
        self.inputs.iter().map(|input| input.bytes).sum()
    }

    /// Bytes that the disk writes for each byte of new data that the freed space will take: 1 if all of the inputs is
    /// dead. `None` if nothing is freed.
    pub fn write_amplification(&self) -> Option<f64> {
        (self.freed_bytes > 0).then(|| (self.written_bytes + self.freed_bytes) as f64 / self.freed_bytes as f64)
    }

    /// The ids of the inputs.
    pub fn input_ids(&self) -> Vec<SegmentId> {
        self.inputs.iter().map(|input| input.segment).collect()
    }
}

/// Whether the answer is only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Somebody wants to know.
    Asked,
    /// It is going to be done; what has to be sealed is sealed.
    Begun,
}

/// What the merge that `choice` asks for would do now, and who judged so.
pub(super) fn plan<'a>(
    inner: &'a Inner,
    choice: &MergeChoice,
    when: When,
    control: &MergeControl,
) -> Result<(MergePlan, Judge<'a>)> {
    if inner.format.kind() != FormatKind::Native {
        let reason = format!("its format is {}, which logkv reads and never writes", inner.format.kind());
        return Err(Error::ReadOnly { dir: inner.dir.clone(), reason });
    }
    loop {
        let (mut candidates, mut left_out) = candidates(inner, choice, when)?;
        match weigh(inner, &mut candidates, &mut left_out, choice, control) {
            Ok((judge, fates)) => return Ok((sum_up(&candidates, left_out, fates), judge)),
            // The next round leaves it out.
            Err((segment, Stop::Damaged(damage))) => inner.note(super::finding(inner, segment, &damage)),
            Err((_, Stop::Failed(error))) => return Err(error),
        }
    }
}

/// A segment on its way into the plan.
#[derive(Clone, Debug)]
struct Candidate {
    info: SegmentInfo,
    why: WhyMerged,
}

type LeftOuts = Vec<(SegmentId, LeftOut)>;

/// What could be merged at all, as the ledger says.
fn candidates(inner: &Inner, choice: &MergeChoice, when: When) -> Result<(Vec<Candidate>, LeftOuts)> {
    let contents = inner.unexpired();
    let infos: Vec<SegmentInfo> = contents.segments.read().values().map(|segment| segment.info()).collect();
    if let MergeChoice::Segments(ids) = choice {
        check_chosen(inner, ids, &infos)?;
    }
    let (mut candidates, mut left_out) = (Vec::new(), Vec::new());
    for info in infos {
        let has_hole = contents.holes.iter().any(|hole| hole.segment == info.id);
        let verdict = match choice {
            _ if info.damaged_bytes > 0 || has_hole => Err(LeftOut::Damaged),
            // Asked what a merge of all would do, the active segment counts as sealed, which that merge begins with.
            MergeChoice::All if info.active && when == When::Asked && info.records > 0 => Ok(WhyMerged::Chosen),
            _ if info.active => Err(LeftOut::Active),
            MergeChoice::All => Ok(WhyMerged::Chosen),
            MergeChoice::Segments(ids) if ids.contains(&info.id) => Ok(WhyMerged::Chosen),
            MergeChoice::Segments(_) => Err(LeftOut::NotChosen),
            MergeChoice::Policy(policy) => by_ledger(inner, policy, &info),
        };
        match verdict {
            Ok(why) => candidates.push(Candidate { info, why }),
            Err(why) => left_out.push((info.id, why)),
        }
    }
    Ok((candidates, left_out))
}

fn by_ledger(inner: &Inner, policy: &MergePolicy, info: &SegmentInfo) -> Result<WhyMerged, LeftOut> {
    // Where nothing lives, the file header goes too.
    let freed = if info.live_records == 0 { info.bytes } else { info.dead_bytes };
    if policy.wants(info.bytes, freed) {
        return Ok(WhyMerged::Dead);
    }
    if is_small(inner, policy, info) { Ok(WhyMerged::Small) } else { Err(LeftOut::LittleToGain) }
}

/// Two that are not half full fit into one; were they fuller, merging small ones would never come to an end.
fn is_small(inner: &Inner, policy: &MergePolicy, info: &SegmentInfo) -> bool {
    policy.is_small(info.bytes) && info.bytes <= inner.options.max_segment_bytes / 2
}

fn ids(candidates: &[Candidate]) -> Vec<SegmentId> {
    candidates.iter().map(|candidate| candidate.info.id).collect()
}

fn check_chosen(inner: &Inner, ids: &[SegmentId], infos: &[SegmentInfo]) -> Result<()> {
    let refused = |reason: String| Error::BadOption { name: "segments", reason };
    for id in ids {
        let Some(info) = infos.iter().find(|info| info.id == *id) else {
            return Err(Error::NoSuchSegment { dir: inner.dir.clone(), segment: *id });
        };
        if info.active {
            return Err(refused(format!("segment {id} is the active one; --all seals it first")));
        }
        if info.damaged_bytes > 0 {
            return Err(refused(format!("segment {id} is damaged and is kept as it is; `logkv repair` comes first")));
        }
    }
    Ok(())
}

/// Takes those out again of which too little would really be freed, until what is left is worth it. Every segment that
/// stays out can hold tombstones of the others.
fn weigh<'a>(
    inner: &'a Inner,
    candidates: &mut Vec<Candidate>,
    left_out: &mut LeftOuts,
    choice: &MergeChoice,
    control: &MergeControl,
) -> Result<(Judge<'a>, Fates), (SegmentId, Stop)> {
    loop {
        let ids = ids(candidates);
        let judge = Judge::new(inner, &ids);
        let fates = fates::count(&judge, &ids, control)?;
        let MergeChoice::Policy(policy) = choice else { return Ok((judge, fates)) };
        let many = candidates.len() > 1;
        let before = candidates.len();
        candidates.retain_mut(|candidate| {
            let freed = candidate.info.bytes.saturating_sub(fates.kept(candidate.info.id));
            let by_itself = policy.wants(candidate.info.bytes, freed);
            let worth_it = by_itself || (many && is_small(inner, policy, &candidate.info));
            candidate.why = if by_itself { WhyMerged::Dead } else { WhyMerged::Small };
            if !worth_it {
                left_out.push((candidate.info.id, LeftOut::LittleToGain));
            }
            worth_it
        });
        if candidates.len() == before {
            return Ok((judge, fates));
        }
    }
}

fn sum_up(candidates: &[Candidate], left_out: LeftOuts, fates: Fates) -> MergePlan {
    let inputs: Vec<MergeInput> = candidates.iter().map(|candidate| input(candidate, &fates)).collect();
    let kept: u64 = inputs.iter().map(|input| input.kept_bytes).sum();
    let outputs = fates.outputs;
    let written_bytes = kept + outputs * record::FILE_HEADER_LEN as u64;
    let bytes: u64 = inputs.iter().map(|input| input.bytes).sum();
    let freed_bytes = bytes.saturating_sub(written_bytes);
    if freed_bytes == 0 && outputs >= inputs.len() as u64 {
        let idle = inputs.iter().map(|input| (input.segment, LeftOut::LittleToGain));
        let left_out = left_out.into_iter().chain(idle).collect();
        return MergePlan { left_out, tombstones_held_by: fates.held_by, ..MergePlan::default() };
    }
    MergePlan {
        inputs,
        left_out,
        read_bytes: fates.hint_bytes + fates.copied_bytes,
        written_bytes,
        hint_bytes: fates.hint_bytes,
        freed_bytes,
        outputs,
        live_records: fates.live_records,
        tombstones_dropped: fates.let_go,
        tombstones_held_by: fates.held_by,
        let_go_by_filter: fates.let_go_by_filter,
    }
}

fn input(candidate: &Candidate, fates: &Fates) -> MergeInput {
    let SegmentInfo { id, bytes, .. } = candidate.info;
    MergeInput { segment: id, bytes, kept_bytes: fates.kept(id), why: candidate.why }
}
