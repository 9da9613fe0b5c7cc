//! The walk over a tree of deltas.

use std::sync::atomic::Ordering;

use gix::ObjectId;
use parking_lot::MutexGuard;

use super::{
    super::{PackError, stored::EntryReader},
    DeltaForest, LARGE, Resolved,
};
use crate::{Kind, delta};

/// The memory for the bases on the paths of all threads, in bytes; further bases are made again when needed.
const HELD_BYTES_MAX: usize = 96 << 20;

/// The size of objects that only one thread at a time has in memory, in bytes.
const LARGE_BYTES: u64 = 16 << 20;

/// The root of a tree of deltas.
pub(super) enum Root<'d> {
    /// An entry of the pack.
    Entry(u32),
    /// An object of the repository.
    Outside { id: ObjectId, kind: Kind, data: &'d [u8] },
}

/// A base on the path, with its unresolved deltas.
struct Step {
    entry: Option<u32>,
    data: Option<Vec<u8>>,
    deltas: Vec<u32>,
}

/// Walks over trees of deltas, one after the other.
pub(super) struct DeltaWalk<'f> {
    forest: &'f DeltaForest<'f>,
    entries: EntryReader<'f>,
    large: Option<MutexGuard<'f, ()>>,
    instructions: Vec<u8>,
    held_bytes: usize,
    pub(super) resolved: Resolved,
}

impl<'f> DeltaWalk<'f> {
    pub(super) fn new(forest: &'f DeltaForest<'f>) -> Self {
        Self {
            forest,
            entries: EntryReader::new(forest.stored),
            large: None,
            instructions: Vec::new(),
            held_bytes: 0,
            resolved: Resolved::default(),
        }
    }

    /// Resolves all deltas of the tree below `root`.
    pub(super) fn run(&mut self, root: &Root<'_>) -> Result<(), PackError> {
        let (first, kind, outside) = match *root {
            Root::Entry(number) => {
                let entry = self.forest.entries[number as usize];
                let kind = entry.kind.expect("a root is a whole object");
                let deltas = self.take(Some(number), &entry.id);
                (Step { entry: Some(number), data: None, deltas }, kind, None)
            }
            Root::Outside { id, kind, data } => {
                (Step { entry: None, data: None, deltas: self.take(None, &id) }, kind, Some(data))
            }
        };
        if first.deltas.is_empty() {
            return Ok(());
        }
        let mut path = vec![first];
        while let Some(step) = path.last_mut() {
            let Some(number) = step.deltas.pop() else {
                let step = path.pop().expect("the path is not empty");
                self.held_bytes -= step.data.map_or(0, |data| data.len());
                continue;
            };
            let result = self.resolve(number, &mut path, outside)?;
            let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, &result)
                .map_err(|error| PackError::new(error.to_string()))?;
            self.check_size(kind, result.len())?;
            self.resolved.links.add(self.forest.rules, &id, kind, &result)?;
            self.resolved.entries.push((number, id, kind));
            let deltas = self.take(Some(number), &id);
            if !deltas.is_empty() {
                if path.len() > self.forest.rules.options.limits.delta_chain {
                    return Err(PackError::new("a chain of deltas is too long"));
                }
                self.held_bytes += result.len();
                path.push(Step { entry: Some(number), data: Some(result), deltas });
                self.release(&mut path);
            }
        }
        self.large = None;
        Ok(())
    }

    /// Takes the deltas of an object that no other thread has taken.
    fn take(&self, number: Option<u32>, id: &ObjectId) -> Vec<u32> {
        let by_entry = number.map_or(&[][..], |number| self.forest.by_entry(number));
        let by_entry = by_entry.iter().map(|(_, delta)| *delta);
        let by_id = self.forest.by_id(id).iter().map(|(_, delta)| *delta);
        by_entry
            .chain(by_id)
            .filter(|delta| !self.forest.taken[*delta as usize].swap(true, Ordering::Relaxed))
            .collect()
    }

    /// Makes the object of the delta `number`, whose base is the last of the path.
    fn resolve(&mut self, number: u32, path: &mut [Step], outside: Option<&[u8]>) -> Result<Vec<u8>, PackError> {
        let last = path.len() - 1;
        let known = (0..=last).rev().find(|rank| path[*rank].data.is_some()).unwrap_or(0);
        if known == 0 && path[0].data.is_none() && outside.is_none() {
            let mut data = Vec::new();
            let number = path[0].entry.expect("a root without data is in the pack");
            let size = self.forest.entries[number as usize].size;
            if size > self.forest.rules.options.limits.delta_bytes {
                return Err(PackError::new(format!("an object of {size} bytes is too large")));
            }
            self.count_expansion(size)?;
            self.inflate(number, &mut data)?;
            self.held_bytes += data.len();
            path[0].data = Some(data);
        }
        for rank in known + 1..=last {
            let base = path[rank - 1].data.as_deref().or(outside).expect("the base was made in the round before");
            let data = self.apply(path[rank].entry.expect("only a root is outside of the pack"), base)?;
            self.held_bytes += data.len();
            path[rank].data = Some(data);
        }
        let base = path[last].data.as_deref().or(outside).expect("the base was made above");
        self.apply(number, base)
    }

    fn apply(&mut self, number: u32, base: &[u8]) -> Result<Vec<u8>, PackError> {
        let mut instructions = std::mem::take(&mut self.instructions);
        self.inflate(number, &mut instructions)?;
        let corrupt = |reason| PackError::new(format!("the pack is corrupt: {reason}"));
        let (_, size) = delta::sizes(&instructions).map_err(corrupt)?;
        let limits = &self.forest.rules.options.limits;
        if size > limits.object_bytes.min(limits.delta_bytes) {
            return Err(PackError::new(format!("an object of {size} bytes is too large")));
        }
        self.count_expansion(size)?;
        let result = delta::apply(base, &instructions).map_err(corrupt);
        self.instructions = instructions;
        result
    }

    /// Counts the bytes of an object that will be made; a large one waits for other threads.
    fn count_expansion(&mut self, bytes: u64) -> Result<(), PackError> {
        if bytes >= LARGE_BYTES && self.large.is_none() {
            self.large = Some(LARGE.lock());
        }
        self.forest.rules.count_expansion(bytes, self.forest.bytes)
    }

    /// Fails if a commit, tree or tag is too large.
    fn check_size(&self, kind: Kind, bytes: usize) -> Result<(), PackError> {
        if kind != Kind::Blob && bytes as u64 > self.forest.rules.options.limits.structure_bytes {
            return Err(PackError::new(format!("a {kind} of {bytes} bytes is too large")));
        }
        Ok(())
    }

    fn inflate(&mut self, number: u32, out: &mut Vec<u8>) -> Result<(), PackError> {
        let entries = self.forest.entries;
        let end = entries.get(number as usize + 1).map_or(self.forest.bytes, |next| next.offset);
        self.entries.inflate(&entries[number as usize], end, out)
    }

    /// Releases the base before the last if it has no more deltas, and the oldest ones if the bases take too much memory.
    fn release(&mut self, path: &mut [Step]) {
        let bytes_max = HELD_BYTES_MAX / self.forest.threads;
        let last = path.len() - 1;
        let from = if self.held_bytes > bytes_max { 0 } else { last - 1 };
        for step in &mut path[from..last] {
            if step.deltas.is_empty() || self.held_bytes > bytes_max {
                self.held_bytes -= step.data.take().map_or(0, |data| data.len());
            }
        }
    }
}
