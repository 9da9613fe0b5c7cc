//! The window of a search: the objects that the next one is compared with.

use std::{collections::VecDeque, io};

use super::{DEPTH_MAX, Found, Item, Search, Source};
use crate::{
    delta,
    pack_writer::{
        output::Compressor,
        plan::{Form, Ready},
    },
    reader::Reader,
};

/// The search for a base ends with a delta that takes at most this part of its object: a better one would hardly pay
/// for reading the other objects.
const GOOD_ENOUGH_PART: usize = 64;

/// The objects in a window.
const SEATS: usize = 10;

/// The memory that a window may hold besides its last object, in bytes.
const BYTES_MAX: usize = 16 << 20;

/// The latest objects of a search.
pub(super) struct Window<'w> {
    search: &'w Search<'w>,
    reader: &'w mut Reader,
    seats: VecDeque<Seat<'w>>,
}

struct Seat<'w> {
    item: &'w Item,
    /// The length of the chain of deltas that the object was given.
    depth: u8,
    /// The content, read on first use.
    data: Option<Vec<u8>>,
    index: Option<delta::Index>,
}

/// The best delta so far, and the seat of its base.
struct Best {
    seat: usize,
    depth: u8,
    delta: Vec<u8>,
}

impl<'w> Window<'w> {
    pub(super) fn new(search: &'w Search<'w>, reader: &'w mut Reader) -> Self {
        Self { search, reader, seats: VecDeque::with_capacity(SEATS + 1) }
    }

    /// Compares an object with those in the window, and adds it to the window.
    pub(super) fn next(&mut self, item: &'w Item, compressor: &mut Compressor) -> io::Result<Option<Found>> {
        let mut seat = Seat { item, depth: 0, data: None, index: None };
        let place = match item.source {
            Source::Known(_) => {
                self.let_in(seat);
                return Ok(None);
            }
            Source::Encoded(place) | Source::Whole(place) => place,
        };
        let best = self.best(&mut seat, DEPTH_MAX.saturating_sub(self.search.heights[place as usize]))?;
        let Some(Best { seat: base, depth, delta }) = best else {
            let ready = self.whole(&mut seat, compressor)?;
            self.let_in(seat);
            return Ok(ready.map(|ready| Found { place, form: Form::Encoded, ready }));
        };
        let form = match self.seats[base].item.source {
            Source::Known(base) => Form::NewOnKnown(base),
            Source::Encoded(base) | Source::Whole(base) => Form::NewOnSent(base),
        };
        let size = delta.len() as u64;
        let body = compressor.run(&delta)?;
        if matches!(item.source, Source::Whole(_)) && self.search.stored_bytes(place) <= body.len() as u64 {
            self.let_in(seat);
            return Ok(None);
        }
        seat.depth = depth;
        // A base that was used once is likely to be used again: it stays longest.
        let base = self.seats.remove(base).expect("the base has a seat");
        self.let_in(seat);
        self.seats.push_back(base);
        Ok(Some(Found { place, form, ready: Ready { size, body: self.search.keep(body) } }))
    }

    /// Compresses an object that has no delta and is not copied, if there is room to keep it.
    fn whole(&mut self, seat: &mut Seat<'_>, compressor: &mut Compressor) -> io::Result<Option<Ready>> {
        if !matches!(seat.item.source, Source::Encoded(_)) || !self.search.has_room() {
            return Ok(None);
        }
        let data = seat.data(self.search, self.reader)?;
        let body = compressor.run(data)?;
        Ok(self.search.keep(body).map(|body| Ready { size: data.len() as u64, body: Some(body) }))
    }

    /// Finds the smallest delta for an object whose chain of deltas may have a length of at most `depth_max`.
    fn best(&mut self, target: &mut Seat<'_>, depth_max: u8) -> io::Result<Option<Best>> {
        let size = target.item.size as usize;
        let mut best: Option<Best> = None;
        for at in (0..self.seats.len()).rev() {
            let base = &mut self.seats[at];
            if base.item.kind != target.item.kind {
                break;
            }
            if base.depth >= depth_max || were_compared(base.item, target.item) {
                continue;
            }
            // A delta may take half of the object's size at most, and the longer its chain, the less.
            let (limit, depth) = match &best {
                Some(best) => (best.delta.len() - 1, best.depth),
                None => ((size / 2).saturating_sub(20), 1),
            };
            let limit = limit * usize::from(depth_max - base.depth) / (usize::from(depth_max - depth) + 1);
            let base_size = base.item.size as usize;
            if size.saturating_sub(base_size) >= limit || size < base_size / 32 {
                continue;
            }
            let to = target.data(self.search, self.reader)?;
            base.data(self.search, self.reader)?;
            let from = base.data.as_deref().expect("just read");
            let index = base.index.get_or_insert_with(|| delta::Index::new(from));
            if !index.resembles(from, to) {
                continue;
            }
            if let Some(delta) = index.encode(from, to, limit) {
                let is_good_enough = delta.len() <= size / GOOD_ENOUGH_PART;
                best = Some(Best { seat: at, depth: base.depth + 1, delta });
                if is_good_enough {
                    break;
                }
            }
        }
        Ok(best)
    }

    /// Adds an object, and removes the oldest ones beyond the limits.
    fn let_in(&mut self, seat: Seat<'w>) {
        self.seats.push_back(seat);
        let mut bytes: usize = self.seats.iter().map(Seat::bytes).sum();
        while self.seats.len() > SEATS || bytes > BYTES_MAX && self.seats.len() > 1 {
            bytes -= self.seats.pop_front().map_or(0, |seat| seat.bytes());
        }
    }
}

/// Returns whether the writer of the stored pack compared the two objects already and found no delta.
fn were_compared(base: &Item, target: &Item) -> bool {
    matches!(target.source, Source::Whole(_)) && base.pack == target.pack
}

impl Seat<'_> {
    fn data(&mut self, search: &Search<'_>, reader: &mut Reader) -> io::Result<&[u8]> {
        if self.data.is_none() {
            let mut data = Vec::new();
            reader.expect(search.id(self.item.source), self.item.kind, &mut data)?;
            self.data = Some(data);
        }
        Ok(self.data.as_deref().expect("just read"))
    }

    /// The memory that the object takes, in bytes.
    fn bytes(&self) -> usize {
        self.data.as_ref().map_or(0, Vec::capacity) + self.index.as_ref().map_or(0, delta::Index::bytes)
    }
}
