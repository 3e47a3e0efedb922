//! Files mapped into memory, to be read without a call and without a copy, and one kind that is written to ([`Shared`]).
//! The one place with unsafe code.
//!
//! What makes reading sound is that the bytes under a slice that was lent neither change nor go while it is borrowed:
//!
//! 1. Only bytes below `end` are lent, and `end` is never lowered. A file that is *sealed* has `end` at the length that
//!    the open file had when it was mapped, and whoever maps it promises that nobody writes to it or cuts it any more
//!    ([`crate::disk::Disk::open_sealed`]). Of a file that still *grows* [`Growth`] keeps the promise by itself: it
//!    refuses to write or cut below `end`, and moves `end` only over bytes that a write has returned for, all of it
//!    under one lock.
//! 2. Only the writer of a store maps, and it holds the store's lock, so that no other process of ours writes. To remove
//!    or rename a mapped file is harmless: its bytes stay until they are unmapped.
//! 3. A slice borrows the [`Map`], which unmaps when it is dropped and not before.
//! 4. The map may be longer than the file. Touching it behind the file's last page would be a signal; by 1 nobody does.
//! 5. A write is seen through the map once it has returned, where the system keeps one cache for both: Linux and Apple's.
//!    Elsewhere no file that grows is mapped. `end` is raised with release and read with acquire, so that whoever sees
//!    the new `end` sees the bytes.
//!
//! What it cannot keep out is a program that is none of ours and changes sealed segments behind the store's back, and a
//! disk that does not give back a page: the one changes bytes under a slice, both may end the process with a signal.
//! [`crate::store::Options::mapped_reads`] is for those who must live with such.

#![expect(unsafe_code, reason = "a map is a pointer; the proof is above, and nothing outside of this file needs one")]

use std::fs::File;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::disk::SharedBytes;
use crate::primitives::{AtomicU64, Mutex};

/// A mapped file.
#[derive(Debug)]
pub(super) struct Map {
    at: NonNull<u8>,
    /// Bytes that are mapped.
    extent: u64,
    growth: Arc<Growth>,
}

// SAFETY: the pages belong to the process, not to a thread; they are only read (1), and unmapped once, by `drop`.
unsafe impl Send for Map {}
// SAFETY: as above; what is shared is read only.
unsafe impl Sync for Map {}

impl Map {
    /// Maps all of a file that nobody writes to or cuts any more. `None` if the system will not, or it is empty.
    pub(super) fn sealed(file: &File) -> Option<Self> {
        let growth = Growth::default();
        growth.begin(file, u64::MAX).ok()?;
        let len = growth.end.load(Ordering::Relaxed);
        Self::of(file, len, Arc::new(growth))
    }

    /// Maps the first `extent` bytes of a file that grows, whether it has them already or not.
    pub(super) fn growing(file: &File, extent: u64, growth: &Arc<Growth>) -> Option<Self> {
        let is_coherent = cfg!(any(target_os = "linux", target_os = "android", target_vendor = "apple"));
        if is_coherent { Self::of(file, extent, Arc::clone(growth)) } else { None }
    }

    fn of(file: &File, extent: u64, growth: Arc<Growth>) -> Option<Self> {
        let len = usize::try_from(extent).ok().filter(|len| (1..=isize::MAX.unsigned_abs()).contains(len))?;
        // SAFETY: the system chooses a place where nothing else is.
        let at = unsafe { mmap(ptr::null_mut(), len, ProtFlags::READ, MapFlags::SHARED, file, 0) }.ok()?;
        NonNull::new(at.cast()).map(|at| Self { at, extent, growth })
    }

    /// The bytes of a stretch, if they are mapped and final.
    #[inline]
    pub(super) fn lend(&self, offset: u64, len: u64) -> Option<&[u8]> {
        let to = offset.checked_add(len)?;
        if to > self.extent || to > self.growth.end.load(Ordering::Acquire) {
            return None;
        }
        // Both are at most `extent`, which fits.
        let (offset, len) = (usize::try_from(offset).ok()?, usize::try_from(len).ok()?);
        // SAFETY: the stretch is mapped, the file has it, and it is final (1); the map outlives the slice (3).
        Some(unsafe { std::slice::from_raw_parts(self.at.as_ptr().add(offset), len) })
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // It fitted when it was mapped.
        let len = usize::try_from(self.extent).unwrap_or(0);
        // SAFETY: mapped by `of` at this place and length, and no slice of it is borrowed any more (3).
        let _ = unsafe { munmap(self.at.as_ptr().cast(), len) };
    }
}

/// A file that is written to through memory.
///
/// What makes that sound: nothing is ever read through it and no reference into it is made; bytes are copied in by whoever
/// holds it alone (`&mut`), within its length. It was made when all its blocks were spoken for, on a file system that
/// writes in place, and nobody of ours cuts it, so that touching it is no signal; of other programs, and of a disk that
/// fails, the same is true as above.
#[derive(Debug)]
pub(super) struct Shared {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: the pages belong to the process, not to a thread.
unsafe impl Send for Shared {}
// SAFETY: a shared reference to it can do nothing.
unsafe impl Sync for Shared {}

impl Shared {
    /// Maps the first `len` bytes of a file, which has them.
    pub(super) fn over(file: &File, len: usize) -> Option<Self> {
        let is_whole = file.metadata().is_ok_and(|file| file.len() >= len as u64);
        let is_coherent = cfg!(any(target_os = "linux", target_os = "android"));
        if !is_whole || !is_coherent || len == 0 || isize::try_from(len).is_err() {
            return None;
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses a place where nothing else is.
        let at = unsafe { mmap(ptr::null_mut(), len, access, MapFlags::SHARED, file, 0) }.ok()?;
        NonNull::new(at.cast()).map(|at| Self { at, len })
    }
}

impl SharedBytes for Shared {
    fn put(&mut self, bytes: &[u8], at: usize) -> io::Result<()> {
        if at.checked_add(bytes.len()).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the stretch is mapped for writing, nobody else uses it, and `bytes` lies elsewhere: no reference into the
        // map exists.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.as_ptr().add(at), bytes.len()) };
        Ok(())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: mapped by `over` at this place and length, and nothing else refers to it.
        let _ = unsafe { munmap(self.at.as_ptr().cast(), self.len) };
    }
}

/// How much of a file there is, and how much of that is final: neither written again nor cut.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// Bytes that are surely in the file. Locked while it is written to or cut.
    written: Mutex<u64>,
    end: AtomicU64,
}

impl Growth {
    /// From now on the first `len` bytes are final, as far as the file has them.
    pub(super) fn begin(&self, file: &File, len: u64) -> io::Result<()> {
        let mut written = self.written.lock();
        *written = file.metadata()?.len();
        self.end.fetch_max(len.min(*written), Ordering::Release);
        Ok(())
    }

    /// What was written below `len` is final from now on.
    pub(super) fn publish(&self, len: u64) {
        let written = self.written.lock();
        self.end.fetch_max(len.min(*written), Ordering::Release);
    }

    /// Writes at `offset`, by a call that says how many bytes it wrote.
    pub(super) fn write(&self, offset: u64, write: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
        self.write_final(offset, usize::MAX, write)
    }

    /// The same of `len` bytes, which are final if the call wrote all of them.
    pub(super) fn write_final(
        &self,
        offset: u64,
        len: usize,
        write: impl FnOnce() -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut written = self.written.lock();
        self.refuse_below_end(offset)?;
        let n = write()?;
        let to = offset.saturating_add(n as u64);
        *written = (*written).max(to);
        if n == len {
            self.end.fetch_max(to, Ordering::Release);
        }
        Ok(n)
    }

    /// Sets the length, by a call that may fail.
    pub(super) fn set_len(&self, len: u64, set: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut written = self.written.lock();
        self.refuse_below_end(len)?;
        // Before the call: after one that failed nobody knows.
        *written = (*written).min(len);
        set()
    }

    fn refuse_below_end(&self, offset: u64) -> io::Result<()> {
        if offset < self.end.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "these bytes are final: they may be in use"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_sealed_file_is_lent_to_its_end_and_no_further() {
        let map = Map::sealed(&file(b"0123456789")).unwrap();
        assert_eq!(map.lend(0, 10), Some(&b"0123456789"[..]));
        assert_eq!(map.lend(3, 2), Some(&b"34"[..]));
        assert_eq!(map.lend(10, 0), Some(&b""[..]));
        for (offset, len) in [(0, 11), (10, 1), (11, 0), (u64::MAX, 1), (1, u64::MAX)] {
            assert_eq!(map.lend(offset, len), None, "{offset} {len}");
        }
        assert!(Map::sealed(&file(b"")).is_none());
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn what_is_put_is_in_the_file_and_nothing_is_put_outside() {
        let file = file(&[0; 10]);
        let mut shared = Shared::over(&file, 10).unwrap();
        shared.put(b"abc", 2).unwrap();
        shared.put(b"de", 8).unwrap();
        let mut bytes = [9; 10];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"\0\0abc\0\0\0de");
        for (bytes, at) in [(&b"x"[..], 10), (b"xy", 9), (b"", 11), (b"x", usize::MAX)] {
            assert_eq!(shared.put(bytes, at).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{at}");
        }
        assert!(Shared::over(&file, 11).is_none() && Shared::over(&file, 0).is_none());
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn what_grows_is_lent_as_far_as_it_was_published_and_written() {
        let (file, growth) = (file(b"head"), Arc::new(Growth::default()));
        growth.begin(&file, 4).unwrap();
        let map = Map::growing(&file, 100, &growth).unwrap();
        assert_eq!((map.lend(0, 4), map.lend(0, 5)), (Some(&b"head"[..]), None));
        let write = |bytes: &[u8], at| growth.write(at, || file.write_at(bytes, at));
        assert_eq!(write(b"body", 4).unwrap(), 4);
        assert_eq!(map.lend(4, 4), None, "it may still be cut");
        growth.publish(100);
        assert_eq!((map.lend(4, 4), map.lend(4, 5)), (Some(&b"body"[..]), None));
        write(&[b'x'; 200], 8).unwrap();
        growth.publish(208);
        assert_eq!(map.lend(8, 92), Some(&[b'x'; 92][..]));
        assert_eq!(map.lend(8, 93), None, "no more than this is mapped");
    }

    #[test]
    fn what_is_final_is_neither_written_nor_cut_and_what_was_cut_is_not_lent() {
        let (file, growth) = (file(b"head"), Growth::default());
        growth.begin(&file, 4).unwrap();
        let write = |at| growth.write(at, || file.write_at(b"x", at));
        let cut = |len| growth.set_len(len, || file.set_len(len));
        assert_eq!(write(3).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(cut(3).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        (4..10).for_each(|at| assert_eq!(write(at).unwrap(), 1));
        cut(5).unwrap();
        growth.publish(10);
        assert_eq!(growth.end.load(Ordering::Relaxed), 5);
        let failed = growth.set_len(5, || Err(io::ErrorKind::Other.into()));
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::Other);
    }
}
