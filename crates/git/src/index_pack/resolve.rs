//! Resolving the deltas of an incoming pack.
//!
//! Every whole object that has deltas is the root of a tree of them; threads take roots one by one and walk
//! their trees depth first, so that a base is inflated once. Deltas that are left over have bases outside of
//! the pack; these come from the repository.

mod walk;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use gix::{ObjectId, hashtable::HashMap};
use parking_lot::Mutex;

use super::{
    Entry, Refusal,
    parse::{Deltas, Parsed},
    rules::{Learnt, Rules},
    stored::Stored,
};
use crate::{Kind, reader::Reader};
use walk::{Root, Walk};

/// A base that the pack lacks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base {
    pub(super) id: ObjectId,
    pub(super) kind: Kind,
}

/// What all threads look at.
struct Forest<'a> {
    stored: &'a Stored,
    /// The size of the pack as it came, in bytes.
    bytes: u64,
    entries: &'a [Entry],
    deltas: &'a Deltas,
    /// Whether the delta of that entry was taken by a thread.
    taken: Vec<AtomicBool>,
    rules: &'a Rules<'a>,
    threads: usize,
}

/// Taken by the one thread of all pushes that may hold large objects.
static LARGE: Mutex<()> = Mutex::new(());

/// With fewer deltas than this a second thread costs more than it gives.
const DELTAS_PER_THREAD: usize = 200;

/// Resolves all deltas of the pack at `path`; gives the bases that the pack lacks.
pub(super) fn resolve(
    path: &Path,
    parsed: &mut Parsed,
    reader: &mut Reader,
    rules: &Rules<'_>,
) -> Result<Vec<Base>, Refusal> {
    let deltas = parsed.deltas.by_entry.len() + parsed.deltas.by_id.len();
    let forest = Forest {
        stored: &Stored::open(path)?,
        bytes: parsed.bytes,
        entries: &parsed.entries,
        deltas: &parsed.deltas,
        taken: parsed.entries.iter().map(|_| AtomicBool::new(false)).collect(),
        rules,
        threads: rules.options.threads.min(deltas / DELTAS_PER_THREAD).max(1),
    };
    let mut done = forest.resolve_inside()?;
    let bases = forest.resolve_outside(reader, &mut done)?;
    let left = forest.untaken().count();
    if left > 0 {
        return Err(Refusal::new(format!("the pack has {left} unresolved deltas")));
    }
    let Done { resolved, learnt } = done;
    parsed.learnt.merge(learnt)?;
    for (number, id, kind) in resolved {
        let entry = &mut parsed.entries[number as usize];
        (entry.id, entry.kind) = (id, Some(kind));
    }
    without_cycles(&parsed.entries, &parsed.deltas, bases)
}

/// What a thread found out: entries with their ids and kinds, and what these name.
#[derive(Default)]
struct Done {
    resolved: Vec<(u32, ObjectId, Kind)>,
    learnt: Learnt,
}

impl Forest<'_> {
    fn resolve_inside(&self) -> Result<Done, Refusal> {
        let roots: Vec<u32> = (0..)
            .zip(self.entries)
            .filter(|(number, entry)| entry.kind.is_some() && self.has_deltas(*number, &entry.id))
            .map(|(number, _)| number)
            .collect();
        let threads = self.threads.min(roots.len()).max(1);
        let next = AtomicUsize::new(0);
        let run = || {
            let mut walk = Walk::new(self);
            while let Some(&root) = roots.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(refusal) = walk.run(&Root::Entry(root)) {
                    next.store(roots.len(), Ordering::Relaxed);
                    return Err(refusal);
                }
            }
            Ok(walk.done)
        };
        let parts: Vec<_> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
            let own = run();
            let joined = others.into_iter().map(|other| other.join().expect("walks do not panic"));
            std::iter::once(own).chain(joined).collect()
        });
        let mut all = Done::default();
        for part in parts {
            let part = part?;
            all.resolved.extend(part.resolved);
            all.learnt.merge(part.learnt)?;
        }
        Ok(all)
    }

    /// Resolves what has its base in the repository; gives these bases.
    fn resolve_outside(&self, reader: &mut Reader, done: &mut Done) -> Result<Vec<Base>, Refusal> {
        let mut missing: Vec<_> = self.untaken().map(|(base, _)| *base).collect();
        missing.dedup();
        let mut walk = Walk::new(self);
        let mut bases = Vec::new();
        let mut data = Vec::new();
        for id in missing {
            let Some((kind, size)) = reader.header(&id)? else { continue };
            if size > self.rules.options.limits.delta_bytes {
                return Err(Refusal::new(format!("an object of {size} bytes is too large")));
            }
            self.rules.make(size, self.bytes)?;
            reader.expect(&id, kind, &mut data)?;
            walk.run(&Root::Outside { id, kind, data: &data })?;
            bases.push(Base { id, kind });
        }
        done.resolved.extend(walk.done.resolved);
        done.learnt.merge(walk.done.learnt)?;
        Ok(bases)
    }

    /// Gives the deltas by id that no thread took.
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

/// Drops the bases that turned out to be in the pack, and makes sure that no delta then is its own base.
fn without_cycles(entries: &[Entry], deltas: &Deltas, bases: Vec<Base>) -> Result<Vec<Base>, Refusal> {
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
                return Err(Refusal::new("the pack is corrupt: a delta is its own base"));
            }
        }
    }
    Ok(outside)
}
