//! Walking one tree of deltas.

use std::sync::atomic::Ordering;

use gix::ObjectId;
use parking_lot::MutexGuard;

use super::{
    super::{Refusal, stored::EntryReader},
    Done, Forest, LARGE,
};
use crate::{Kind, delta};

/// The memory that the bases on the ways down may take in all threads, in bytes; beyond it they are made again when
/// needed.
const HELD_BYTES_MAX: usize = 96 << 20;

/// From this size on, in bytes, an object is held by one thread at a time.
const LARGE_BYTES: u64 = 16 << 20;

/// Where a tree of deltas starts.
pub(super) enum Root<'d> {
    /// At an entry of the pack.
    Entry(u32),
    /// At an object of the repository.
    Outside { id: ObjectId, kind: Kind, data: &'d [u8] },
}

/// A base on the way down, and its deltas that are still to be resolved.
struct Step {
    entry: Option<u32>,
    data: Option<Vec<u8>>,
    deltas: Vec<u32>,
}

/// Walks trees of deltas, one after the other.
pub(super) struct Walk<'f> {
    forest: &'f Forest<'f>,
    entries: EntryReader<'f>,
    large: Option<MutexGuard<'f, ()>>,
    instructions: Vec<u8>,
    held_bytes: usize,
    pub(super) done: Done,
}

impl<'f> Walk<'f> {
    pub(super) fn new(forest: &'f Forest<'f>) -> Self {
        Self {
            forest,
            entries: EntryReader::new(forest.stored),
            large: None,
            instructions: Vec::new(),
            held_bytes: 0,
            done: Done::default(),
        }
    }

    /// Resolves all deltas that rest on `root`.
    pub(super) fn run(&mut self, root: &Root<'_>) -> Result<(), Refusal> {
        let (first, kind, outside) = match *root {
            Root::Entry(number) => {
                let entry = self.forest.entries[number as usize];
                let kind = entry.kind.expect("roots are whole objects");
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
        let mut way = vec![first];
        while let Some(step) = way.last_mut() {
            let Some(number) = step.deltas.pop() else {
                let step = way.pop().expect("there is a last step");
                self.held_bytes -= step.data.map_or(0, |data| data.len());
                continue;
            };
            let result = self.resolve(number, &mut way, outside)?;
            let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, &result)
                .map_err(|error| Refusal::new(error.to_string()))?;
            self.check_size(kind, result.len())?;
            self.done.learnt.add(self.forest.rules, &id, kind, &result)?;
            self.done.resolved.push((number, id, kind));
            let deltas = self.take(Some(number), &id);
            if !deltas.is_empty() {
                if way.len() > self.forest.rules.options.limits.delta_chain {
                    return Err(Refusal::new("a chain of deltas is too long"));
                }
                self.held_bytes += result.len();
                way.push(Step { entry: Some(number), data: Some(result), deltas });
                self.let_go(&mut way);
            }
        }
        self.large = None;
        Ok(())
    }

    /// Takes the deltas of an object, so that no other thread does.
    fn take(&self, number: Option<u32>, id: &ObjectId) -> Vec<u32> {
        let by_entry = number.map_or(&[][..], |number| self.forest.by_entry(number));
        let by_entry = by_entry.iter().map(|(_, delta)| *delta);
        let by_id = self.forest.by_id(id).iter().map(|(_, delta)| *delta);
        by_entry
            .chain(by_id)
            .filter(|delta| !self.forest.taken[*delta as usize].swap(true, Ordering::Relaxed))
            .collect()
    }

    /// Makes the object of the delta `number`, whose base is the last step.
    fn resolve(&mut self, number: u32, way: &mut [Step], outside: Option<&[u8]>) -> Result<Vec<u8>, Refusal> {
        let last = way.len() - 1;
        let known = (0..=last).rev().find(|rank| way[*rank].data.is_some()).unwrap_or(0);
        if known == 0 && way[0].data.is_none() && outside.is_none() {
            let mut data = Vec::new();
            let number = way[0].entry.expect("a root inside of the pack");
            let size = self.forest.entries[number as usize].size;
            if size > self.forest.rules.options.limits.delta_bytes {
                return Err(Refusal::new(format!("an object of {size} bytes is too large")));
            }
            self.make(size)?;
            self.inflate(number, &mut data)?;
            self.held_bytes += data.len();
            way[0].data = Some(data);
        }
        for rank in known + 1..=last {
            let base = way[rank - 1].data.as_deref().or(outside).expect("the step before was made");
            let data = self.apply(way[rank].entry.expect("only roots are outside of the pack"), base)?;
            self.held_bytes += data.len();
            way[rank].data = Some(data);
        }
        let base = way[last].data.as_deref().or(outside).expect("the step was made");
        self.apply(number, base)
    }

    fn apply(&mut self, number: u32, base: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut instructions = std::mem::take(&mut self.instructions);
        self.inflate(number, &mut instructions)?;
        let unsound = |reason| Refusal::new(format!("the pack is corrupt: {reason}"));
        let (_, size) = delta::sizes(&instructions).map_err(unsound)?;
        let limits = &self.forest.rules.options.limits;
        if size > limits.object_bytes.min(limits.delta_bytes) {
            return Err(Refusal::new(format!("an object of {size} bytes is too large")));
        }
        self.make(size)?;
        let result = delta::apply(base, &instructions).map_err(unsound);
        self.instructions = instructions;
        result
    }

    /// Counts bytes that are about to be made; waits for other threads if these are many.
    fn make(&mut self, bytes: u64) -> Result<(), Refusal> {
        if bytes >= LARGE_BYTES && self.large.is_none() {
            self.large = Some(LARGE.lock());
        }
        self.forest.rules.make(bytes, self.forest.bytes)
    }

    /// Refuses a commit, tree or tag that is too large.
    fn check_size(&self, kind: Kind, bytes: usize) -> Result<(), Refusal> {
        if kind != Kind::Blob && bytes as u64 > self.forest.rules.options.limits.structure_bytes {
            return Err(Refusal::new(format!("a {kind} of {bytes} bytes is too large")));
        }
        Ok(())
    }

    fn inflate(&mut self, number: u32, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let entries = self.forest.entries;
        let end = entries.get(number as usize + 1).map_or(self.forest.bytes, |next| next.offset);
        self.entries.inflate(&entries[number as usize], end, out)
    }

    /// Forgets the base that has no more deltas, and the oldest ones when too much is held; the last stays.
    fn let_go(&mut self, way: &mut [Step]) {
        let most = HELD_BYTES_MAX / self.forest.threads;
        let last = way.len() - 1;
        let from = if self.held_bytes > most { 0 } else { last - 1 };
        for step in &mut way[from..last] {
            if step.deltas.is_empty() || self.held_bytes > most {
                self.held_bytes -= step.data.take().map_or(0, |data| data.len());
            }
        }
    }
}
