//! Looking at a simulated disk from outside, and damaging it.
//!
//! Nothing here is an operation of the machine: it takes no number, obeys no fault, works on a stopped machine too, and
//! what it changes is changed in memory and on the medium alike.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SimDisk;
use super::content::Content;
use super::crash::{CrashPolicy, after_crash};
use super::names::{Dir, NodeId};
use super::tree::{Node, ROOT, Tree};
use crate::disk::{EntryKind, ReadDisk, RealDisk};

/// The files of a disk: path from the root, without a leading `/`, and bytes.
pub type Image = BTreeMap<PathBuf, Vec<u8>>;

impl SimDisk {
    /// A disk with these files, all durable, and the directories that they need.
    pub fn from_files(files: impl IntoIterator<Item = (impl AsRef<Path>, impl Into<Vec<u8>>)>) -> io::Result<Self> {
        let disk = Self::new();
        for (path, bytes) in files {
            disk.insert(path, bytes)?;
        }
        Ok(disk)
    }

    /// A disk whose root is a copy of the real directory `dir`; what is neither file nor directory is left out.
    pub fn from_real_dir(dir: &Path) -> io::Result<Self> {
        let disk = Self::new();
        disk.copy_in(dir, Path::new(""))?;
        Ok(disk)
    }

    fn copy_in(&self, from: &Path, to: &Path) -> io::Result<()> {
        for entry in RealDisk.list(from)? {
            let (from, to) = (from.join(&entry.name), to.join(&entry.name));
            match entry.kind {
                EntryKind::File => {
                    let mut bytes = vec![0; usize::try_from(entry.len).map_err(io::Error::other)?];
                    let len = RealDisk.open_read(&from)?.read_full_at(&mut bytes, 0)?;
                    bytes.truncate(len);
                    self.insert(to, bytes)?;
                }
                EntryKind::Dir => {
                    self.insert_dir(&to)?;
                    self.copy_in(&from, &to)?;
                }
                EntryKind::Other => {}
            }
        }
        Ok(())
    }

    /// All files as programs see them.
    pub fn image(&self) -> Image {
        image(&self.machine.lock().tree)
    }

    /// All files as they would be after [`CrashPolicy::Drop`].
    pub fn durable_image(&self) -> Image {
        image(&after_crash(&self.machine.lock(), CrashPolicy::Drop, 0))
    }

    /// Overwrites bytes, which must exist.
    pub fn poke(&self, path: impl AsRef<Path>, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with_file(path.as_ref(), |content| content.poke(bytes, offset))
    }

    /// Flips one bit; bit 8 is the lowest of the second byte.
    pub fn flip_bit(&self, path: impl AsRef<Path>, bit: u64) -> io::Result<()> {
        self.with_file(path.as_ref(), |content| {
            let byte = content.live.get(usize::try_from(bit / 8).unwrap_or(usize::MAX)).copied().unwrap_or_default();
            content.poke(&[byte ^ (1 << (bit % 8))], bit / 8)
        })
    }

    /// Cuts or extends a file; the rest of it becomes durable as it is.
    pub fn truncate(&self, path: impl AsRef<Path>, len: u64) -> io::Result<()> {
        self.with_file(path.as_ref(), |content| content.poke_len(len))
    }

    /// Puts a file there, in place of what there was, with the directories that it needs.
    pub fn insert(&self, path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) -> io::Result<()> {
        let page = self.machine.lock().geometry.page;
        self.insert_node(path.as_ref(), Node::File(Arc::new(Content::durable(bytes.into(), page))))
    }

    /// Puts something there that is neither file nor directory, as a link or a pipe would be.
    pub fn insert_other(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.insert_node(path.as_ref(), Node::Other)
    }

    /// Puts a directory there, with those above it, if there is none.
    pub fn insert_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut machine = self.machine.lock();
        insert_dirs(&mut machine.tree, path.as_ref())
    }

    /// Takes a file's name away.
    pub fn delete(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let tree = &mut self.machine.lock().tree;
        tree.find(path.as_ref())?;
        let place = tree.place(path.as_ref())?;
        tree.change_durably(&[(place, None)]);
        Ok(())
    }

    /// Lets reads of these bytes fail, as an unreadable sector does; the bytes before them can still be read. Survives
    /// crashes and forks.
    pub fn fail_reads_at(&self, path: impl AsRef<Path>, range: Range<u64>) -> io::Result<()> {
        self.with_file(path.as_ref(), |content| {
            content.make_unreadable(range);
            Ok(())
        })
    }

    fn insert_node(&self, path: &Path, node: Node) -> io::Result<()> {
        let mut machine = self.machine.lock();
        let tree = &mut machine.tree;
        insert_dirs(tree, path.parent().ok_or(ErrorKind::InvalidInput)?)?;
        let place = tree.place(path)?;
        let id = tree.add(node);
        tree.change_durably(&[(place, Some(id))]);
        Ok(())
    }

    fn with_file<R>(&self, path: &Path, change: impl FnOnce(&mut Content) -> io::Result<R>) -> io::Result<R> {
        let mut machine = self.machine.lock();
        let id = machine.tree.find(path)?;
        change(machine.tree.file_mut(id)?)
    }
}

fn insert_dirs(tree: &mut Tree, path: &Path) -> io::Result<()> {
    match tree.find(path) {
        Ok(id) => return tree.dir(id).map(|_| ()),
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    insert_dirs(tree, path.parent().ok_or(ErrorKind::InvalidInput)?)?;
    let place = tree.place(path)?;
    let id = tree.add(Node::Dir(Dir::default()));
    tree.change_durably(&[(place, Some(id))]);
    Ok(())
}

fn image(tree: &Tree) -> Image {
    let mut files = Image::new();
    let mut todo: Vec<(PathBuf, NodeId)> = vec![(PathBuf::new(), ROOT)];
    while let Some((path, id)) = todo.pop() {
        match tree.node(id) {
            Ok(Node::File(content)) => drop(files.insert(path, content.live.clone())),
            Ok(Node::Dir(dir)) => todo.extend(dir.live.iter().map(|(name, &id)| (path.join(name), id))),
            Ok(Node::Other) | Err(_) => {}
        }
    }
    files
}
