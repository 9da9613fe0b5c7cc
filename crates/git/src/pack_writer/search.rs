//! The search for deltas of objects without a delta that can be copied.
//!
//! Objects are sorted by kind, name and descending size, and each is compared with the few
//! before it. Objects that the client has serve as bases.
//!
//! Two objects of one pack are not compared if the second is stored whole there: the writer of that pack compared them, and
//! found no delta. So the search covers deltas whose bases are not sent, objects of different packs, and bases of the client.
//!
//! **Invariant:** the base of a new delta comes before it in the order of the search, and objects with deltas that are
//! copied do not take part, so no chain of deltas leads back to itself.

mod window;

use std::{
    cmp::Reverse,
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use gix::ObjectId;
use parking_lot::Mutex;

use super::{
    Style,
    output::Compressor,
    plan::{Form, NONE, Plan, Ready},
    reuse::Reuse,
};
use crate::{
    Error, Kind,
    reader::Reader,
    selection::{SelectedObject, Selection},
};
use window::Window;

/// The length of a chain of deltas, copied ones included. Git reads longer ones, but not fast.
const DEPTH_MAX: u8 = 50;

/// The size of the objects that take part, in bytes. Below, a delta gains nothing; beyond, the objects in comparison
/// and the index of a base would take more memory than a request may.
const SIZE_MIN: u64 = 50;
const SIZE_MAX: u64 = 8 << 20;

/// The number of objects that one thread takes at once: the least, and the most if their names are equal.
const PART_MIN: usize = 256;
const PART_MAX: usize = 1024;

/// The total size of the objects from which further threads are started, in bytes.
const THREADS_FROM: u64 = 256 << 10;

/// The most compressed bytes that are kept until they are written; the rest is encoded again then.
const KEPT_MAX: usize = 32 << 20;

/// The source of an object in the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// The selection's bases.
    Known(u32),
    /// The plan, where it is to be compressed anew.
    Encoded(u32),
    /// The plan, where it is to be copied whole.
    Whole(u32),
}

/// An object in the search.
struct Item {
    name: u32,
    kind: Kind,
    size: u32,
    /// The number of the pack that holds it.
    pack: u32,
    source: Source,
}

/// The result for the object at a place of the plan.
struct Found {
    place: u32,
    form: Form,
    ready: Ready,
}

/// Searches for deltas and enters them into the plan.
pub(super) fn run(
    reader: &mut Reader,
    selection: &Selection,
    reuse: Option<&Reuse<'_>>,
    style: Style,
    plan: &mut Plan,
) -> io::Result<()> {
    if !is_worth_it(selection, plan, style) {
        return Ok(());
    }
    let mut items = packed(reader, selection, plan)?;
    if style.thin {
        known(reader, selection, reuse, &mut items)?;
    }
    items.sort_unstable_by_key(|item| {
        let sent = !matches!(item.source, Source::Known(_));
        (item.kind, item.name, sent, Reverse(item.size), item.source)
    });
    let heights = plan.heights();
    let parts = parts(&items);
    let targets = items.iter().filter(|item| !matches!(item.source, Source::Known(_)));
    let bytes: u64 = targets.map(|item| u64::from(item.size)).sum();
    let threads = if bytes < THREADS_FROM { 1 } else { style.threads.clamp(1, parts.len().max(1)) };
    let search = Search { selection, plan, heights, parts, next: AtomicUsize::new(0), kept: AtomicUsize::new(0) };
    let found = Mutex::new(Vec::new());
    let work = |reader: &mut Reader| -> io::Result<()> {
        let part = search.work(reader)?;
        found.lock().extend(part);
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let mut reader = reader.fork();
                let work = &work;
                scope.spawn(move || work(&mut reader))
            })
            .collect();
        let mine = work(reader);
        others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|_| Err(io::Error::other("a search died"))))
            .fold(mine, Result::and)
    })?;
    for Found { place, form, ready } in found.into_inner() {
        plan.entries[place as usize].form = form;
        plan.ready.insert(place, ready);
    }
    Ok(())
}

/// Returns whether there are two objects to compare.
fn is_worth_it(selection: &Selection, plan: &Plan, style: Style) -> bool {
    let mut packs = plan.entries.iter().filter(|planned| planned.form == Form::Whole).map(|planned| planned.pack);
    let first = packs.next();
    style.thin && !selection.bases.is_empty()
        || plan.entries.iter().any(|planned| planned.form == Form::Encoded)
        || packs.any(|pack| Some(pack) != first)
}

/// Lists the objects of the plan that are not copied as deltas.
fn packed(reader: &mut Reader, selection: &Selection, plan: &Plan) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    for (place, planned) in (0..).zip(&plan.entries) {
        let object = plan.object(selection, place);
        let (source, size) = match planned.form {
            Form::Whole => {
                let pack = &reader.packs()[planned.pack as usize];
                (Source::Whole(place), pack.entry(planned.offset)?.decompressed_size)
            }
            Form::Encoded => {
                let (_, size) = reader.header(&object.id)?.ok_or_else(|| reader.missing(&object.id))?;
                (Source::Encoded(place), size)
            }
            _ => continue,
        };
        items.extend(item(object, planned.pack, source, size));
    }
    Ok(items)
}

/// Adds the objects that the client has to the list.
fn known(
    reader: &mut Reader,
    selection: &Selection,
    reuse: Option<&Reuse<'_>>,
    items: &mut Vec<Item>,
) -> Result<(), Error> {
    for (place, object) in (0..).zip(&selection.bases) {
        let id = &object.id;
        let is_known = selection.places.get(id) == Some(&Selection::KNOWN);
        if is_known && reuse.is_none_or(|reuse| reuse.find(id).is_none()) {
            let (_, size) = reader.header(id)?.ok_or_else(|| reader.missing(id))?;
            items.extend(item(object, NONE, Source::Known(place), size));
        }
    }
    Ok(())
}

fn item(object: &SelectedObject, pack: u32, source: Source, size: u64) -> Option<Item> {
    let size = u32::try_from(size).ok().filter(|_| (SIZE_MIN..=SIZE_MAX).contains(&size))?;
    Some(Item { name: object.name, kind: object.kind, size, pack, source })
}

/// Splits the list between objects of different names where possible, always in the same way.
fn parts(items: &[Item]) -> Vec<&[Item]> {
    let mut parts = Vec::new();
    let mut rest = items;
    while rest.len() > PART_MIN {
        let like = |pair: &[Item]| pair[0].kind == pair[1].kind && pair[0].name == pair[1].name;
        let end = rest.windows(2).take(PART_MAX).skip(PART_MIN - 1).take_while(|pair| like(pair)).count() + PART_MIN;
        let (part, tail) = rest.split_at(end);
        parts.push(part);
        rest = tail;
    }
    parts.push(rest);
    parts
}

/// A search shared by threads.
struct Search<'s> {
    selection: &'s Selection,
    plan: &'s Plan,
    /// The longest chain of copied deltas on each place.
    heights: Vec<u8>,
    parts: Vec<&'s [Item]>,
    /// The index of the next part.
    next: AtomicUsize,
    /// The number of kept bytes.
    kept: AtomicUsize,
}

impl Search<'_> {
    /// Searches part after part until none is left.
    fn work(&self, reader: &mut Reader) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut compressor = Compressor::new();
        while let Some(part) = self.parts.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let mut window = Window::new(self, reader);
            for item in *part {
                found.extend(window.next(item, &mut compressor)?);
            }
        }
        Ok(found)
    }

    fn id(&self, source: Source) -> &ObjectId {
        match source {
            Source::Known(place) => &self.selection.bases[place as usize].id,
            Source::Encoded(place) | Source::Whole(place) => &self.plan.object(self.selection, place).id,
        }
    }

    /// Returns the size of the stored entry of the object at a place, in bytes.
    fn stored_bytes(&self, place: u32) -> u64 {
        let planned = self.plan.entries[place as usize];
        planned.end - planned.offset
    }

    fn has_room(&self) -> bool {
        self.kept.load(Ordering::Relaxed) < KEPT_MAX
    }

    /// Keeps compressed bytes if there is room.
    fn keep(&self, body: Vec<u8>) -> Option<Box<[u8]>> {
        let before = self.kept.fetch_add(body.len(), Ordering::Relaxed);
        (before + body.len() <= KEPT_MAX).then(|| body.into())
    }
}
