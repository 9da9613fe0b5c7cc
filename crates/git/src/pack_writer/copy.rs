//! Copying parts of packs.

use std::{io, ops::Range, sync::Arc};

use super::output::Output;
use crate::pack::Pack;

/// The size of the first read after a jump, in bytes; each read that continues the last one is twice as large.
const READ_MIN: u64 = 16 << 10;
/// The largest read, in bytes.
const READ_MAX: u64 = 512 << 10;

/// A part of a pack in memory.
///
/// Packs are read here, not mapped, so that serving a large one does not fill the memory of the process.
#[derive(Default)]
pub(super) struct Buffer {
    pack: Option<Arc<Pack>>,
    start: u64,
    bytes: Vec<u8>,
}

impl Buffer {
    /// Copies a range of bytes of a pack.
    pub(super) fn copy(&mut self, pack: &Arc<Pack>, mut range: Range<u64>, output: &mut Output<'_>) -> io::Result<()> {
        while range.start < range.end {
            let bytes = self.get(pack, &range)?;
            output.put(bytes)?;
            range.start += bytes.len() as u64;
        }
        Ok(())
    }

    /// Returns at least one byte of a pack from the start of a range on, and none beyond the range.
    pub(super) fn get(&mut self, pack: &Arc<Pack>, range: &Range<u64>) -> io::Result<&[u8]> {
        self.ensure(pack, range, 1)?;
        let from = usize::try_from(range.start - self.start).map_err(io::Error::other)?;
        let to = usize::try_from(range.end - self.start).map_err(io::Error::other)?;
        Ok(&self.bytes[from..to.min(self.bytes.len())])
    }

    /// Returns the first bytes of a range: as many as the longest header of an entry, or all of the range.
    pub(super) fn head(&mut self, pack: &Arc<Pack>, range: &Range<u64>) -> io::Result<&[u8]> {
        const HEAD_BYTES_MAX: u64 = 32;
        self.ensure(pack, range, HEAD_BYTES_MAX.min(range.end - range.start))?;
        self.get(pack, range)
    }

    /// Reads until the first `least` bytes of a range are in the buffer.
    fn ensure(&mut self, pack: &Arc<Pack>, range: &Range<u64>, least: u64) -> io::Result<()> {
        let same = self.pack.as_ref().is_some_and(|known| Arc::ptr_eq(known, pack));
        let end = self.start + self.bytes.len() as u64;
        if same && self.start <= range.start && range.start + least <= end {
            return Ok(());
        }
        let goes_on = same && (self.start..=end + READ_MIN).contains(&range.start);
        let bytes = if goes_on { 2 * self.bytes.len() as u64 } else { range.end - range.start };
        let bytes = bytes.clamp(READ_MIN, READ_MAX).min(pack.data.pack_end() as u64 - range.start);
        self.bytes.resize(usize::try_from(bytes).map_err(io::Error::other)?, 0);
        // Nothing is held if the read fails.
        self.pack = None;
        pack.read_at(&mut self.bytes, range.start)?;
        (self.pack, self.start) = (Some(Arc::clone(pack)), range.start);
        Ok(())
    }
}
