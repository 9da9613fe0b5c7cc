//! Copying parts of packs.

use std::{io, ops::Range, sync::Arc};

use super::output::Output;
use crate::pack::Pack;

/// What is read at once after a jump, in bytes; each read that goes on where the last one ended takes twice as much.
const READ_MIN: u64 = 16 << 10;
/// What is read at once at most, in bytes.
const READ_MAX: u64 = 512 << 10;

/// A part of a pack in memory.
///
/// Packs are read and not mapped here, so that serving a large one does not fill the process with it.
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

    /// Gives bytes of a pack from the start of a range on: at least one, none from beyond the range.
    pub(super) fn get(&mut self, pack: &Arc<Pack>, range: &Range<u64>) -> io::Result<&[u8]> {
        self.ensure(pack, range, 1)?;
        let from = usize::try_from(range.start - self.start).map_err(io::Error::other)?;
        let to = usize::try_from(range.end - self.start).map_err(io::Error::other)?;
        Ok(&self.bytes[from..to.min(self.bytes.len())])
    }

    /// Gives the first bytes of a range: all that an entry's head may take, or all that there are.
    pub(super) fn head(&mut self, pack: &Arc<Pack>, range: &Range<u64>) -> io::Result<&[u8]> {
        const HEAD_BYTES_MAX: u64 = 32;
        self.ensure(pack, range, HEAD_BYTES_MAX.min(range.end - range.start))?;
        self.get(pack, range)
    }

    /// Sees to it that the first `least` bytes of a range are there.
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
