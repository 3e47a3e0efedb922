//! One running machine: a disk, the operations it has done, and the locks that its programs hold.
//!
//! Every mutating call asks the plan first and touches the tree only if that lets it. A machine that has stopped
//! answers nothing any more, not even reads: its programs are gone.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Geometry;
use super::content::Content;
use super::faults::{Plan, Verdict, no_space, stopped};
use super::names::{Dir, NodeId, Place};
use super::tree::{Node, Tree};
use crate::disk::{EntryKind, not_regular};

/// The write that the machine stopped in; how much of it happened is the crash's to decide.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) file: NodeId,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// One running machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) tree: Tree,
    pub(super) plan: Plan,
    pub(super) locks: BTreeSet<NodeId>,
    pub(super) capacity: Option<u64>,
    /// Whether two names, or two files, can mean the same bytes.
    pub(super) can_share: bool,
    /// Whether what is final in a file is lent.
    pub(super) lends: bool,
    pub(super) geometry: Geometry,
    pub(super) in_flight: Option<InFlight>,
}

impl Machine {
    /// A machine that starts with this disk: no locks, nothing planned, operations counted from 1.
    pub(super) fn start(tree: Tree, geometry: Geometry) -> Self {
        let (plan, locks) = (Plan::default(), BTreeSet::new());
        Self { tree, plan, locks, capacity: None, can_share: true, lends: false, geometry, in_flight: None }
    }

    /// A machine that starts with this disk, of the same make as this one.
    pub(super) fn successor(&self, tree: Tree) -> Self {
        let (capacity, can_share, lends) = (self.capacity, self.can_share, self.lends);
        Self { capacity, can_share, lends, ..Self::start(tree, self.geometry) }
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<NodeId> {
        self.plan.admit(&format!("create {}", path.display()))?;
        let empty = Content::durable(Vec::new(), self.geometry.page);
        self.add(path, Node::File(Arc::new(empty)))
    }

    pub(super) fn create_dir(&mut self, path: &Path) -> io::Result<()> {
        self.plan.admit(&format!("create_dir {}", path.display()))?;
        self.add(path, Node::Dir(Dir::default())).map(|_| ())
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<NodeId> {
        let place = self.free_place(path)?;
        let id = self.tree.add(node);
        self.tree.change(vec![(place, Some(id))]);
        Ok(id)
    }

    /// A place where nothing is yet.
    fn free_place(&self, path: &Path) -> io::Result<Place> {
        let place = self.tree.place(path)?;
        match self.tree.at(&place)? {
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => Ok(place),
        }
    }

    /// The file that `path` names.
    pub(super) fn open(&self, path: &Path) -> io::Result<NodeId> {
        self.plan.check_running()?;
        let id = self.tree.find(path)?;
        self.tree.file(id).map(|_| id)
    }

    /// A copy of the first `len` bytes of a file, if it may be lent.
    pub(super) fn lent(&self, file: NodeId, len: u64) -> Option<Arc<[u8]>> {
        let bytes = &self.tree.file(file).ok().filter(|_| self.lends)?.live;
        Some(bytes.get(..usize::try_from(len).ok()?).unwrap_or(bytes).into())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.plan.admit(&format!("rename {} to {}", from.display(), to.display()))?;
        let id = self.tree.find(from)?;
        let is_dir = self.tree.dir(id).is_ok();
        if !is_dir {
            self.tree.file(id)?;
        } else if to != from && to.starts_with(from) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let (from, to) = (self.tree.place(from)?, self.tree.place(to)?);
        match self.tree.at(&to)? {
            Some(target) if is_dir && target != id => self.refuse_names(target)?,
            Some(target) if !is_dir => self.refuse_dir(target)?,
            _ => {}
        }
        self.tree.change(vec![(from, None), (to, Some(id))]);
        Ok(())
    }

    pub(super) fn hard_link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.plan.admit(&format!("hard_link {} to {}", from.display(), to.display()))?;
        let id = self.tree.find(from)?;
        self.tree.file(id)?;
        let to = self.free_place(to)?;
        if !self.can_share {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        self.tree.change(vec![(to, Some(id))]);
        Ok(())
    }

    /// Takes the room that a copy would.
    pub(super) fn clone_file(&mut self, from: &Path, to: &Path) -> io::Result<NodeId> {
        self.plan.admit(&format!("clone_file {} to {}", from.display(), to.display()))?;
        let bytes = self.tree.file(self.tree.find(from)?)?.live.clone();
        let to = self.free_place(to)?;
        if !self.can_share {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if bytes.len() as u64 > self.free() {
            return Err(no_space());
        }
        let mut content = Content::durable(Vec::new(), self.geometry.page);
        content.write(&bytes, 0)?;
        let id = self.tree.add(Node::File(Arc::new(content)));
        self.tree.change(vec![(to, Some(id))]);
        Ok(id)
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.plan.admit(&format!("remove {}", path.display()))?;
        self.refuse_dir(self.tree.find(path)?)?;
        let place = self.tree.place(path)?;
        self.tree.change(vec![(place, None)]);
        Ok(())
    }

    pub(super) fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        self.plan.admit(&format!("remove_dir {}", path.display()))?;
        self.refuse_names(self.tree.find(path)?)?;
        let place = self.tree.place(path)?;
        self.tree.change(vec![(place, None)]);
        Ok(())
    }

    pub(super) fn free_space(&self, dir: &Path) -> Option<u64> {
        self.plan.check_running().ok()?;
        self.tree.dir(self.tree.find(dir).ok()?).ok()?;
        self.capacity.map(|_| self.free())
    }

    /// Refuses what is not an empty directory.
    fn refuse_names(&self, id: NodeId) -> io::Result<()> {
        match self.tree.dir(id)?.live.is_empty() {
            true => Ok(()),
            false => Err(io::ErrorKind::DirectoryNotEmpty.into()),
        }
    }

    fn refuse_dir(&self, id: NodeId) -> io::Result<()> {
        match self.tree.node(id)?.kind() {
            EntryKind::Dir => Err(not_regular(EntryKind::Dir)),
            EntryKind::File | EntryKind::Other => Ok(()),
        }
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let verdict = self.plan.next(&format!("sync_dir {}", path.display()))?;
        let dir = self.tree.find(path)?;
        self.tree.dir(dir)?;
        judge_sync(verdict, || self.tree.fail_sync_dir(dir))?;
        self.tree.sync_dir(dir);
        Ok(())
    }

    /// The lock file that `path` names, made if there is none; nothing if another holds it.
    pub(super) fn lock(&mut self, path: &Path) -> io::Result<Option<NodeId>> {
        self.plan.check_running()?;
        let id = match self.open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => self.create(path)?,
            result => result?,
        };
        Ok(self.locks.insert(id).then_some(id))
    }

    pub(super) fn read(&self, file: NodeId, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.plan.check_running()?;
        self.tree.file(file)?.read(buf, offset)
    }

    pub(super) fn write(&mut self, file: NodeId, path: &Path, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let end = offset.saturating_add(bytes.len() as u64);
        match self.plan.next(&format!("write {} {offset}..{end}", path.display()))? {
            Verdict::Go(most) => {
                let fits = self.room_for(file, offset, bytes.len())?;
                let taken = bytes.get(..most.min(fits)).unwrap_or(bytes);
                self.tree.file_mut(file)?.write(taken, offset)?;
                Ok(taken.len())
            }
            Verdict::Fail(e) => Err(e),
            Verdict::Stop => {
                let fits = self.room_for(file, offset, bytes.len()).unwrap_or(0);
                let bytes = bytes.get(..fits).unwrap_or_default().to_vec();
                self.in_flight = Some(InFlight { file, offset, bytes });
                Err(stopped())
            }
        }
    }

    pub(super) fn set_len(&mut self, file: NodeId, path: &Path, len: u64) -> io::Result<()> {
        self.plan.admit(&format!("set_len {} {len}", path.display()))?;
        let now = self.tree.file(file)?.len();
        if len.saturating_sub(now) > self.free() {
            return Err(no_space());
        }
        self.tree.file_mut(file)?.set_len(len)
    }

    pub(super) fn sync_data(&mut self, file: NodeId, path: &Path) -> io::Result<()> {
        let verdict = self.plan.next(&format!("sync_data {}", path.display()))?;
        let content = self.tree.file_mut(file)?;
        judge_sync(verdict, || content.fail_sync())?;
        content.sync();
        Ok(())
    }

    fn free(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.tree.used()))
    }

    /// How many of `count` bytes at `offset` there is room for. Overwriting needs none; a hole before them does.
    fn room_for(&self, file: NodeId, offset: u64, count: usize) -> io::Result<usize> {
        if self.capacity.is_none() {
            return Ok(count);
        }
        let most = self.tree.file(file)?.len().saturating_add(self.free());
        let fits = usize::try_from(most.saturating_sub(offset)).unwrap_or(usize::MAX).min(count);
        if fits == 0 && count > 0 { Err(no_space()) } else { Ok(fits) }
    }
}

/// What a sync does with its verdict; `forget` runs when it fails for good.
fn judge_sync(verdict: Verdict, forget: impl FnOnce()) -> io::Result<()> {
    match verdict {
        Verdict::Go(_) => Ok(()),
        Verdict::Fail(e) => {
            if e.kind() != io::ErrorKind::Interrupted {
                forget();
            }
            Err(e)
        }
        Verdict::Stop => Err(stopped()),
    }
}
