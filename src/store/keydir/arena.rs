//! Memory for rows: chunks that are filled one after the other, so that growing never copies and never doubles.
//!
//! A row is named by the chunk and its place in it, 32 bits together, and stays where it is until [`Arena::rebuild`].
//! Must not know what a row means. Keeps: a row never spans chunks.

/// Bytes of a full-grown chunk; a place in it takes 16 bits.
const CHUNK: usize = 1 << 16;
/// The first chunks are this small, later ones a quarter of what is there: a store of three keys should not take
/// megabytes, and no store much more than it uses.
const FIRST_CHUNK: usize = 1 << 8;

/// Where a row starts.
pub(super) type Ref = u32;

/// Chunks of rows.
#[derive(Debug, Default)]
pub(super) struct Arena {
    chunks: Vec<Vec<u8>>,
    /// The chunk that is being filled; long rows have chunks of their own behind it.
    filling: usize,
    bytes: usize,
    garbage: usize,
}

impl Arena {
    /// Puts a row away. `None` when the arena is full: 65,536 chunks.
    pub(super) fn push(&mut self, row: &[u8]) -> Option<Ref> {
        let has_room = |chunk: &Vec<u8>| chunk.capacity() - chunk.len() >= row.len() && chunk.len() < CHUNK;
        if !self.chunks.get(self.filling).is_some_and(has_room) {
            let capacity = (self.bytes / 4).clamp(FIRST_CHUNK, CHUNK).max(row.len());
            self.chunks.push(Vec::with_capacity(capacity));
            self.bytes += capacity;
            self.filling = self.chunks.len() - 1;
        }
        let index = u16::try_from(self.filling).ok()?;
        let chunk = self.chunks.get_mut(self.filling)?;
        let at = u16::try_from(chunk.len()).ok()?;
        chunk.extend_from_slice(row);
        Some(Ref::from(index) << 16 | Ref::from(at))
    }

    /// The bytes from the start of a row to the end of its chunk; the row itself knows where it ends.
    pub(super) fn get(&self, at: Ref) -> &[u8] {
        self.chunks.get((at >> 16) as usize).and_then(|chunk| chunk.get((at & 0xffff) as usize..)).unwrap_or_default()
    }

    /// The same, to be overwritten by a row of the same length.
    pub(super) fn get_mut(&mut self, at: Ref) -> &mut [u8] {
        let chunk = self.chunks.get_mut((at >> 16) as usize);
        chunk.and_then(|chunk| chunk.get_mut((at & 0xffff) as usize..)).unwrap_or_default()
    }

    /// Says that a row of this length is no longer used.
    pub(super) fn free(&mut self, len: usize) {
        self.garbage += len;
    }

    /// Whether so much is unused that copying the rest pays.
    pub(super) fn is_wasteful(&self) -> bool {
        self.garbage > CHUNK && self.garbage > self.bytes / 2
    }

    /// Bytes of rows that are no longer used.
    pub(super) fn garbage(&self) -> usize {
        self.garbage
    }

    /// Bytes that were allocated.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.chunks.capacity() * size_of::<Vec<u8>>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_of_any_length_come_back_and_nothing_doubles() {
        let mut arena = Arena::default();
        let lens = [1, 70_000, 255, 30_000, 65_535, 40_000, 3].into_iter().cycle();
        let rows: Vec<Vec<u8>> = (0..300u32).zip(lens).map(|(i, len)| vec![i as u8; len]).collect();
        let refs: Vec<_> = rows.iter().map(|row| arena.push(row).unwrap()).collect();
        for (row, at) in rows.iter().zip(refs) {
            assert_eq!(arena.get(at).get(..row.len()), Some(&row[..]));
        }
        let used: usize = rows.iter().map(Vec::len).sum();
        assert!(arena.bytes() < used * 3 / 2, "{} for {used}", arena.bytes());
    }

    #[test]
    fn three_short_rows_take_less_than_a_kilobyte() {
        let mut arena = Arena::default();
        assert!((0..3).all(|_| arena.push(&[1; 40]).is_some()));
        assert!(arena.bytes() < 1024, "{}", arena.bytes());
    }
}
