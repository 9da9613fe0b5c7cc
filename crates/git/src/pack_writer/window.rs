//! Reading packs from the front to the back through one buffer.

use std::{io, sync::Arc};

use crate::pack::Pack;

const BUFFER_BYTES: u64 = 512 << 10;

/// A part of a pack in memory.
///
/// Packs are read and not mapped here, so that serving a large one does not fill the process with it.
#[derive(Default)]
pub(super) struct Window {
    pack: Option<Arc<Pack>>,
    start: u64,
    buffer: Vec<u8>,
}

impl Window {
    /// Gives bytes of a pack from `start` on: at least one, none at or after `end`.
    pub(super) fn get(&mut self, pack: &Arc<Pack>, start: u64, end: u64) -> io::Result<&[u8]> {
        let same = self.pack.as_ref().is_some_and(|known| Arc::ptr_eq(known, pack));
        let held = self.start..self.start + self.buffer.len() as u64;
        if !same || !held.contains(&start) {
            let bytes = BUFFER_BYTES.min(pack.data.pack_end() as u64 - start);
            self.buffer.resize(usize::try_from(bytes).map_err(io::Error::other)?, 0);
            // Nothing is held if the read fails.
            self.pack = None;
            pack.read_at(&mut self.buffer, start)?;
            (self.pack, self.start) = (Some(Arc::clone(pack)), start);
        }
        let from = usize::try_from(start - self.start).map_err(io::Error::other)?;
        let to = usize::try_from(end - self.start).map_err(io::Error::other)?;
        Ok(&self.buffer[from..to.min(self.buffer.len())])
    }
}
