//! The tree of directories and files, live and durable, and the one way from a path to what it names.
//!
//! Knows no handles, locks, faults or numbers: those belong to the machine, this to the medium. Paths are taken from
//! the root whether they begin with `/` or not.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Component, Path};
use std::sync::Arc;

use super::content::Content;
use super::names::{Dir, NameOp, Names, NodeId, Pending, Place};
use crate::disk::{EntryKind, not_regular};

pub(super) const ROOT: NodeId = NodeId(1);

/// What a name can mean.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Shared between branches of a test until one of them writes.
    File(Arc<Content>),
    Dir(Dir),
    /// What is never opened: stands for links, pipes and devices.
    Other,
}

impl Node {
    pub(super) fn kind(&self) -> EntryKind {
        match self {
            Self::File(_) => EntryKind::File,
            Self::Dir(_) => EntryKind::Dir,
            Self::Other => EntryKind::Other,
        }
    }
}

/// The whole disk.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: BTreeMap<NodeId, Node>,
    pending: Pending,
    next: u64,
}

impl Tree {
    pub(super) fn new() -> Self {
        let nodes = BTreeMap::from([(ROOT, Node::Dir(Dir::default()))]);
        Self { nodes, pending: Pending::default(), next: ROOT.0 + 1 }
    }

    pub(super) fn node(&self, id: NodeId) -> io::Result<&Node> {
        self.nodes.get(&id).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.nodes.values_mut()
    }

    pub(super) fn dir(&self, id: NodeId) -> io::Result<&Dir> {
        match self.node(id)? {
            Node::Dir(dir) => Ok(dir),
            Node::File(_) | Node::Other => Err(ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn file(&self, id: NodeId) -> io::Result<&Content> {
        match self.node(id)? {
            Node::File(content) => Ok(content),
            node @ (Node::Dir(_) | Node::Other) => Err(not_regular(node.kind())),
        }
    }

    pub(super) fn file_mut(&mut self, id: NodeId) -> io::Result<&mut Content> {
        match self.nodes.get_mut(&id) {
            Some(Node::File(content)) => Ok(Arc::make_mut(content)),
            Some(node) => Err(not_regular(node.kind())),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    /// What `path` names.
    pub(super) fn find(&self, path: &Path) -> io::Result<NodeId> {
        walk(path).into_iter().try_fold(ROOT, |dir, name| {
            self.dir(dir)?.live.get(&name).copied().ok_or_else(|| ErrorKind::NotFound.into())
        })
    }

    /// The directory that `path` lies in, which must exist, and its name there.
    pub(super) fn place(&self, path: &Path) -> io::Result<Place> {
        let mut names = walk(path);
        let name = names.pop().ok_or(ErrorKind::InvalidInput)?;
        let dir = self.find(&names.into_iter().collect::<std::path::PathBuf>())?;
        self.dir(dir)?;
        Ok(Place { dir, name })
    }

    /// What a place means, if anything.
    pub(super) fn at(&self, place: &Place) -> io::Result<Option<NodeId>> {
        Ok(self.dir(place.dir)?.live.get(&place.name).copied())
    }

    /// Adds a node that has no name yet.
    pub(super) fn add(&mut self, node: Node) -> NodeId {
        let id = NodeId(self.next);
        self.next += 1;
        self.nodes.insert(id, node);
        id
    }

    /// Does an operation on names; it is durable once its directories are synced.
    pub(super) fn change(&mut self, changes: Vec<(Place, Option<NodeId>)>) {
        self.apply(&changes, |dir| &mut dir.live);
        self.pending.push(NameOp::new(changes));
    }

    /// Does an operation on names in memory and on the medium alike.
    pub(super) fn change_durably(&mut self, changes: &[(Place, Option<NodeId>)]) {
        self.apply(changes, |dir| &mut dir.live);
        self.apply(changes, |dir| &mut dir.durable);
    }

    pub(super) fn sync_dir(&mut self, dir: NodeId) {
        for op in self.pending.sync(dir) {
            self.apply(&op.changes, |dir| &mut dir.durable);
        }
    }

    pub(super) fn fail_sync_dir(&mut self, dir: NodeId) {
        self.pending.fail_sync(dir);
    }

    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Makes the durable names with `survivors` the only ones: names are then as a machine finds them that starts.
    pub(super) fn settle_names(&mut self, survivors: Vec<NameOp>) {
        for op in survivors {
            self.apply(&op.changes, |dir| &mut dir.durable);
        }
        self.pending = Pending::default();
        for node in self.nodes.values_mut() {
            if let Node::Dir(dir) = node {
                dir.live = dir.durable.clone();
            }
        }
        let reached = self.reachable();
        self.nodes.retain(|id, _| reached.contains(id));
    }

    /// Bytes of all files that have a name.
    pub(super) fn used(&self) -> u64 {
        let files = self.reachable().into_iter().filter_map(|id| self.file(id).ok().map(Content::len));
        files.fold(0, u64::saturating_add)
    }

    /// What has a live name, by way of directories that have one.
    fn reachable(&self) -> BTreeSet<NodeId> {
        let mut reached = BTreeSet::from([ROOT]);
        let mut todo = vec![ROOT];
        while let Some(id) = todo.pop() {
            let Ok(dir) = self.dir(id) else { continue };
            todo.extend(dir.live.values().copied().filter(|id| reached.insert(*id)));
        }
        reached
    }

    fn apply(&mut self, changes: &[(Place, Option<NodeId>)], side: impl Fn(&mut Dir) -> &mut Names) {
        for (place, meaning) in changes {
            let Some(Node::Dir(dir)) = self.nodes.get_mut(&place.dir) else { continue };
            match meaning {
                Some(id) => side(dir).insert(place.name.clone(), *id),
                None => side(dir).remove(&place.name),
            };
        }
    }
}

/// The names along a path from the root.
fn walk(path: &Path) -> Vec<OsString> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_owned()),
            Component::ParentDir => drop(names.pop()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    names
}
