//! The simulated disk as the store uses it: [`ReadDisk`] and [`Disk`].

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::SimDisk;
use super::handle::{SimFile, SimShared};
use super::names::NodeId;
use super::tree::{Node, Tree};
use crate::disk::{DirEntry, Disk, ReadDisk, ReadFile, SharedBytes, WriteFile};

impl SimDisk {
    fn handle(&self, node: NodeId, path: &Path) -> SimFile {
        SimFile::new(&self.machine, node, path)
    }
}

impl ReadDisk for SimDisk {
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let machine = self.machine.lock();
        machine.plan.check_running()?;
        let names = &machine.tree.dir(machine.tree.find(dir)?)?.live;
        names.iter().map(|(name, &id)| describe(&machine.tree, name.clone(), id)).collect()
    }

    fn entry(&self, path: &Path) -> io::Result<DirEntry> {
        let machine = self.machine.lock();
        machine.plan.check_running()?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        describe(&machine.tree, name.to_owned(), machine.tree.find(path)?)
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        let node = self.machine.lock().open(path)?;
        Ok(Arc::new(self.handle(node, path)))
    }
}

impl Disk for SimDisk {
    fn reader(&self) -> Arc<dyn ReadDisk> {
        Arc::new(self.clone())
    }

    fn create_shared(&self, path: &Path, len: usize) -> io::Result<Option<Box<dyn SharedBytes>>> {
        let file = self.create(path)?;
        if file.write_at(&vec![0; len], 0)? < len {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(Some(Box::new(SimShared(file))))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.machine.lock().create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn WriteFile>> {
        let node = self.machine.lock().create(path)?;
        Ok(Arc::new(self.handle(node, path)))
    }

    fn open_sealed(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        let node = self.machine.lock().open(path)?;
        Ok(Arc::new(self.handle(node, path).lending(u64::MAX)))
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn WriteFile>> {
        let node = self.machine.lock().open(path)?;
        Ok(Arc::new(self.handle(node, path)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.machine.lock().rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.machine.lock().hard_link(from, to)
    }

    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<Arc<dyn WriteFile>> {
        let node = self.machine.lock().clone_file(from, to)?;
        Ok(Arc::new(self.handle(node, to)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.machine.lock().remove(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.machine.lock().remove_dir(path)
    }

    fn free_space(&self, dir: &Path) -> Option<u64> {
        self.machine.lock().free_space(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.machine.lock().sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Arc<dyn WriteFile>>> {
        let Some(node) = self.machine.lock().lock(path)? else { return Ok(None) };
        Ok(Some(Arc::new(self.handle(node, path).holding_lock())))
    }
}

fn describe(tree: &Tree, name: OsString, id: NodeId) -> io::Result<DirEntry> {
    let node = tree.node(id)?;
    let (len, mode) = match node {
        Node::File(content) => (content.len(), 0o600),
        Node::Dir(_) => (0, 0o700),
        Node::Other => (0, 0o777),
    };
    Ok(DirEntry { name, kind: node.kind(), len, mode })
}
