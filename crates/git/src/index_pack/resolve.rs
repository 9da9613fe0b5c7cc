//! Resolves the deltas of an incoming pack.
//!
//! Every whole object with deltas is the root of a tree of deltas. Threads take the roots one by one and walk their trees
//! depth first, so that each base is inflated once. The bases of the remaining deltas are read from the repository.

mod walk;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use gix::{ObjectId, hashtable::HashMap};
use parking_lot::Mutex;

use super::{
    PackEntry, PackError,
    parse::{Deltas, ParsedPack},
    rules::{ParsedLinks, Rules},
    stored::Stored,
};
use crate::{Kind, reader::Reader};
use walk::{DeltaWalk, Root};

/// A base that is missing from the pack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base {
    pub(super) id: ObjectId,
    pub(super) kind: Kind,
}

/// The trees of deltas, shared by all threads.
struct DeltaForest<'a> {
    stored: &'a Stored,
    /// The size of the received pack, in bytes.
    bytes: u64,
    entries: &'a [PackEntry],
    deltas: &'a Deltas,
    /// For each entry, whether a thread has taken its delta.
    taken: Vec<AtomicBool>,
    rules: &'a Rules<'a>,
    threads: usize,
}

/// The lock for large objects: one thread of all pushes at a time may have them in memory.
static LARGE: Mutex<()> = Mutex::new(());

/// The number of deltas for which another thread is worth its cost.
const DELTAS_PER_THREAD: usize = 200;

/// Resolves all deltas of the pack at `path`; returns the bases that are missing from the pack.
pub(super) fn resolve(
    path: &Path,
    parsed: &mut ParsedPack,
    reader: &mut Reader,
    rules: &Rules<'_>,
) -> Result<Vec<Base>, PackError> {
    let deltas = parsed.deltas.by_entry.len() + parsed.deltas.by_id.len();
    let forest = DeltaForest {
        stored: &Stored::open(path)?,
        bytes: parsed.bytes,
        entries: &parsed.entries,
        deltas: &parsed.deltas,
        taken: parsed.entries.iter().map(|_| AtomicBool::new(false)).collect(),
        rules,
        threads: rules.options.threads.min(deltas / DELTAS_PER_THREAD).max(1),
    };
    let mut resolved = forest.resolve_inside()?;
    let bases = forest.resolve_outside(reader, &mut resolved)?;
    let left = forest.untaken().count();
    if left > 0 {
        return Err(PackError::new(format!("the pack has {left} unresolved deltas")));
    }
    let Resolved { entries, links } = resolved;
    parsed.links.merge(links)?;
    for (number, id, kind) in entries {
        let entry = &mut parsed.entries[number as usize];
        (entry.id, entry.kind) = (id, Some(kind));
    }
    without_cycles(&parsed.entries, &parsed.deltas, bases)
}

/// The deltas that a thread has resolved, with their ids and kinds, and the links of these objects.
#[derive(Default)]
struct Resolved {
    entries: Vec<(u32, ObjectId, Kind)>,
    links: ParsedLinks,
}

impl DeltaForest<'_> {
    fn resolve_inside(&self) -> Result<Resolved, PackError> {
        let roots: Vec<u32> = (0..)
            .zip(self.entries)
            .filter(|(number, entry)| entry.kind.is_some() && self.has_deltas(*number, &entry.id))
            .map(|(number, _)| number)
            .collect();
        let threads = self.threads.min(roots.len()).max(1);
        let next = AtomicUsize::new(0);
        let run = || {
            let mut walk = DeltaWalk::new(self);
            while let Some(&root) = roots.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = walk.run(&Root::Entry(root)) {
                    next.store(roots.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
            Ok(walk.resolved)
        };
        let parts: Vec<_> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
            let own = run();
            let joined = others.into_iter().map(|other| other.join().expect("walks do not panic"));
            std::iter::once(own).chain(joined).collect()
        });
        let mut all = Resolved::default();
        for part in parts {
            let part = part?;
            all.entries.extend(part.entries);
            all.links.merge(part.links)?;
        }
        Ok(all)
    }

    /// Resolves the deltas whose bases are in the repository; returns these bases.
    fn resolve_outside(&self, reader: &mut Reader, resolved: &mut Resolved) -> Result<Vec<Base>, PackError> {
        let mut missing: Vec<_> = self.untaken().map(|(base, _)| *base).collect();
        missing.dedup();
        let mut walk = DeltaWalk::new(self);
        let mut bases = Vec::new();
        let mut data = Vec::new();
        for id in missing {
            let Some((kind, size)) = reader.header(&id)? else { continue };
            if size > self.rules.options.limits.delta_bytes {
                return Err(PackError::new(format!("an object of {size} bytes is too large")));
            }
            self.rules.count_expansion(size, self.bytes)?;
            reader.expect(&id, kind, &mut data)?;
            walk.run(&Root::Outside { id, kind, data: &data })?;
            bases.push(Base { id, kind });
        }
        resolved.entries.extend(walk.resolved.entries);
        resolved.links.merge(walk.resolved.links)?;
        Ok(bases)
    }

    /// Lists the deltas by id that no thread has taken.
    fn untaken(&self) -> impl Iterator<Item = &(ObjectId, u32)> {
        self.deltas.by_id.iter().filter(|(_, delta)| !self.taken[*delta as usize].load(Ordering::Relaxed))
    }

    fn has_deltas(&self, number: u32, id: &ObjectId) -> bool {
        !self.by_entry(number).is_empty() || !self.by_id(id).is_empty()
    }

    fn by_entry(&self, number: u32) -> &[(u32, u32)] {
        let all = &self.deltas.by_entry;
        let start = all.partition_point(|(base, _)| *base < number);
        let end = start + all[start..].partition_point(|(base, _)| *base == number);
        &all[start..end]
    }

    fn by_id(&self, id: &ObjectId) -> &[(ObjectId, u32)] {
        let all = &self.deltas.by_id;
        let start = all.partition_point(|(base, _)| base < id);
        let end = start + all[start..].partition_point(|(base, _)| base == id);
        &all[start..end]
    }
}

/// Removes the bases that are in the pack after all, and fails if a delta then is its own base.
fn without_cycles(entries: &[PackEntry], deltas: &Deltas, bases: Vec<Base>) -> Result<Vec<Base>, PackError> {
    if bases.is_empty() {
        return Ok(bases);
    }
    let numbers: HashMap<ObjectId, u32> = entries.iter().map(|entry| entry.id).zip(0..).collect();
    let mut base_of: Vec<Option<u32>> = vec![None; entries.len()];
    for (base, delta) in &deltas.by_entry {
        base_of[*delta as usize] = Some(*base);
    }
    for (base, delta) in &deltas.by_id {
        base_of[*delta as usize] = numbers.get(base).copied();
    }
    let (inside, outside): (Vec<_>, Vec<_>) = bases.into_iter().partition(|base| numbers.contains_key(&base.id));
    for base in inside {
        let mut steps = 0;
        let mut number = numbers.get(&base.id).copied();
        while let Some(at) = number {
            number = base_of[at as usize];
            steps += 1;
            if steps > entries.len() {
                return Err(PackError::new("the pack is corrupt: a delta is its own base"));
            }
        }
    }
    Ok(outside)
}
