//! Walking one tree of deltas.

use std::sync::atomic::Ordering;

use gix::{
    ObjectId,
    odb::pack::data::{self, entry::Header},
    zlib::Inflate,
};

use super::{super::Refusal, Done, Forest};
use crate::{Kind, delta};

/// The memory that the bases on one way down may take, in bytes; beyond it they are made again when needed.
const HELD_BYTES_MAX: usize = 256 << 20;

/// The longest chain of deltas that Git lets a pack have.
const CHAIN_MAX: usize = 4095;

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
    inflate: Inflate,
    instructions: Vec<u8>,
    held_bytes: usize,
    pub(super) done: Done,
}

impl<'f> Walk<'f> {
    pub(super) fn new(forest: &'f Forest<'f>) -> Self {
        Self { forest, inflate: Inflate::default(), instructions: Vec::new(), held_bytes: 0, done: Done::default() }
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
            if kind != Kind::Blob {
                self.done.named.add(&id, kind, &result)?;
            }
            self.done.resolved.push((number, id, kind));
            let deltas = self.take(Some(number), &id);
            if !deltas.is_empty() {
                if way.len() > CHAIN_MAX {
                    return Err(Refusal::new("a chain of deltas is too long"));
                }
                self.held_bytes += result.len();
                way.push(Step { entry: Some(number), data: Some(result), deltas });
                self.let_go(&mut way);
            }
        }
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
            self.inflate(way[0].entry.expect("a root inside of the pack"), &mut data)?;
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
        if size > self.forest.options.limits.object_bytes {
            return Err(Refusal::new(format!("an object of {size} bytes is too large")));
        }
        let result = delta::apply(base, &instructions).map_err(unsound);
        self.instructions = instructions;
        result
    }

    fn inflate(&mut self, number: u32, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let entry = self.forest.entries[number as usize];
        out.resize(usize::try_from(entry.size).expect("sizes are limited"), 0);
        let entry = data::Entry {
            header: Header::Blob,
            decompressed_size: entry.size,
            data_offset: entry.offset + u64::from(entry.head_bytes),
            encoded_header_size: entry.head_bytes.into(),
        };
        self.forest
            .data
            .decompress_entry(&entry, &mut self.inflate, out)
            .map(drop)
            .map_err(|error| Refusal::new(error.to_string()))
    }

    /// Forgets the base that has no more deltas, and the oldest ones when too much is held; the last stays.
    fn let_go(&mut self, way: &mut [Step]) {
        let last = way.len() - 1;
        let from = if self.held_bytes > HELD_BYTES_MAX { 0 } else { last - 1 };
        for step in &mut way[from..last] {
            if step.deltas.is_empty() || self.held_bytes > HELD_BYTES_MAX {
                self.held_bytes -= step.data.take().map_or(0, |data| data.len());
            }
        }
    }
}
