//! The plan of a pack: the form of each entry.

use std::{collections::HashMap, sync::Arc};

use gix::ObjectId;

use super::{Style, reuse::Reuse};
use crate::{
    Error, Kind,
    reader::{Location, Reader},
    selection::{SelectedObject, Selection},
    stored_entry::{self, StoredEntry},
};

/// The form in which an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Compressed anew.
    Encoded,
    /// Copied, as a whole object.
    Whole,
    /// Copied, as a delta on an object that the client has.
    OnKnown,
    /// Copied, as a delta on the object at that place of the plan.
    OnSent(u32),
    /// Copied, as a delta on the entry of that rank among what is reused.
    OnReused(u32),
    /// As a new delta on the object at that place of the plan.
    NewOnSent(u32),
    /// As a new delta on the object at that place of the selection's bases.
    NewOnKnown(u32),
}

impl Form {
    /// Returns the place in the plan of the base of a delta.
    fn base(self) -> Option<u32> {
        match self {
            Self::OnSent(base) | Self::NewOnSent(base) => Some(base),
            _ => None,
        }
    }
}

/// The form of one entry, and the stored entry that it is copied from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) offset: u64,
    /// Where the entry ends in its pack.
    pub(super) end: u64,
    /// The number of the pack; [`NONE`] for objects that are in none.
    pub(super) pack: u32,
    pub(super) form: Form,
}

/// The result of the search for one object.
pub(super) struct Ready {
    /// The size of the object or delta, in bytes.
    pub(super) size: u64,
    /// The object or delta, compressed; `None` if there was no room to keep it.
    pub(super) body: Option<Box<[u8]>>,
}

/// The plan for the objects that are not reused.
pub(super) struct Plan {
    /// By the places of the selection, then by those of `moved`.
    pub(super) entries: Vec<Planned>,
    /// The places in the order of writing: bases before the deltas on them.
    pub(super) order: Vec<u32>,
    /// The results of the search, by place.
    pub(super) ready: HashMap<u32, Ready>,
    /// The bases of the entries that are [`Form::OnKnown`], by place.
    known_bases: HashMap<u32, ObjectId>,
    /// Objects selected for reuse whose entries cannot be copied.
    moved: Vec<SelectedObject>,
}

/// In place of a pack's number: the object is in no pack.
pub(super) const NONE: u32 = u32::MAX;

impl Plan {
    /// Plans all objects of a selection.
    ///
    /// They are written pack by pack, from the front to the back; for a pack that is kept, by kind and as selected.
    pub(super) fn make(
        reader: &mut Reader,
        selection: &Selection,
        reuse: Option<&Reuse<'_>>,
        style: Style,
    ) -> Result<Self, Error> {
        let mut moved = Vec::new();
        for id in reuse.iter().flat_map(|reuse| reuse.moved()) {
            let kind = reader.kind(&id)?.ok_or_else(|| reader.missing(&id))?;
            moved.push(SelectedObject { id, kind, name: 0 });
        }
        let mut entries = Vec::with_capacity(selection.objects.len() + moved.len());
        for SelectedObject { id, .. } in selection.objects.iter().chain(&moved) {
            entries.push(match reader.locate(id).ok_or_else(|| reader.missing(id))? {
                Location::Loose | Location::Innate => Planned { offset: 0, end: 0, pack: NONE, form: Form::Encoded },
                Location::Packed { pack, position } => Planned {
                    offset: reader.packs()[pack].index.pack_offset_at_index(position),
                    end: 0,
                    pack: u32::try_from(pack).expect("fewer packs than 32 bits count"),
                    form: Form::Whole,
                },
            });
        }
        let mut order: Vec<_> = (0..).take(entries.len()).collect();
        order.sort_unstable_by_key(|place| {
            let planned = &entries[*place as usize];
            (planned.pack, planned.offset)
        });
        let mut known_bases = HashMap::new();
        let pack_of = |place: &u32| entries[*place as usize].pack;
        let runs: Vec<_> = order.chunk_by(|one, other| pack_of(one) == pack_of(other)).collect();
        for places in runs {
            let number = entries[places[0] as usize].pack;
            if number == NONE {
                continue;
            }
            let pack = Arc::clone(&reader.packs()[number as usize]);
            let offsets: Vec<_> = places.iter().map(|place| entries[*place as usize].offset).collect();
            for (place, StoredEntry { end, base }) in places.iter().zip(stored_entry::read(&pack, &offsets)?) {
                let planned = &mut entries[*place as usize];
                planned.end = end;
                let Some(base) = base else { continue };
                planned.form = form(&base, selection, reuse, style);
                if planned.form == Form::OnKnown {
                    known_bases.insert(*place, base);
                }
            }
        }
        let mut plan = Self { entries, order, ready: HashMap::new(), known_bases, moved };
        if style.index {
            plan.put_in_order_of_kinds(selection);
        }
        plan.break_cycles();
        Ok(plan)
    }

    /// Returns the object at a place.
    pub(super) fn object<'a>(&'a self, selection: &'a Selection, place: u32) -> &'a SelectedObject {
        let place = place as usize;
        selection.objects.get(place).unwrap_or_else(|| &self.moved[place - selection.objects.len()])
    }

    /// Returns the id of the object that the delta copied to a place is on.
    pub(super) fn base_id(&self, selection: &Selection, place: u32) -> Option<ObjectId> {
        match self.entries[place as usize].form {
            Form::OnSent(base) => Some(self.object(selection, base).id),
            Form::OnReused(rank) => selection.reused.as_ref().map(|reused| reused.pack.id_at(rank)),
            Form::OnKnown => self.known_bases.get(&place).copied(),
            Form::Encoded | Form::Whole | Form::NewOnSent(_) | Form::NewOnKnown(_) => None,
        }
    }

    /// Returns for each place the length of the longest chain of deltas that ends there, at most 255.
    pub(super) fn heights(&mut self) -> Vec<u8> {
        self.put_bases_first();
        let mut heights = vec![0_u8; self.entries.len()];
        for place in self.order.iter().rev() {
            if let Some(base) = self.entries[*place as usize].form.base() {
                heights[base as usize] = heights[base as usize].max(heights[*place as usize].saturating_add(1));
            }
        }
        heights
    }

    fn put_in_order_of_kinds(&mut self, selection: &Selection) {
        let mut order = std::mem::take(&mut self.order);
        order.sort_unstable_by_key(|place| {
            let rank = match self.object(selection, *place).kind {
                Kind::Commit => 0,
                Kind::Tag => 1,
                Kind::Tree | Kind::Blob => 2,
            };
            (rank, *place)
        });
        self.order = order;
    }

    /// Moves bases before the deltas on them.
    ///
    /// Git completes a thin pack in the order of its entries. If it found a delta before its base, and happened to
    /// have that base, it would take the base for one that the pack lacks, and then refuse the pack.
    pub(super) fn put_bases_first(&mut self) {
        let mut placed = vec![false; self.entries.len()];
        let mut way = Vec::new();
        let mut order = Vec::with_capacity(self.order.len());
        for first in &self.order {
            let mut at = *first;
            while !placed[at as usize] {
                placed[at as usize] = true;
                way.push(at);
                if let Some(base) = self.entries[at as usize].form.base() {
                    at = base;
                }
            }
            order.extend(way.drain(..).rev());
        }
        self.order = order;
    }

    /// Encodes one object of each cycle of deltas anew; deltas from different packs can make cycles.
    fn break_cycles(&mut self) {
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut states = vec![0_u8; self.entries.len()];
        let mut way = Vec::new();
        for first in 0..self.entries.len() {
            let mut at = first;
            while states[at] == 0 {
                states[at] = OPEN;
                way.push(at);
                match self.entries[at].form {
                    Form::OnSent(base) if states[base as usize] == OPEN => {
                        self.entries[at].form = Form::Encoded;
                    }
                    Form::OnSent(base) => at = base as usize,
                    _ => {}
                }
            }
            for at in way.drain(..) {
                states[at] = DONE;
            }
        }
    }
}

/// Decides how an entry is written that is a delta on `base`.
fn form(base: &ObjectId, selection: &Selection, reuse: Option<&Reuse<'_>>, style: Style) -> Form {
    // A base that is sent is never taken as known, even if the client has it.
    match reuse.and_then(|reuse| reuse.find(base)) {
        Some(Ok(rank)) => return Form::OnReused(rank),
        Some(Err(moved)) => {
            let place = u32::try_from(selection.objects.len() + moved).expect("fewer objects than 32 bits count");
            return Form::OnSent(place);
        }
        None => {}
    }
    match selection.places.get(base) {
        Some(&Selection::KNOWN) if style.thin => Form::OnKnown,
        Some(&Selection::KNOWN) | None => Form::Encoded,
        Some(&place) => Form::OnSent(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(bases: &[Option<u32>]) -> Plan {
        let entries = bases
            .iter()
            .map(|base| Planned { offset: 0, end: 0, pack: 0, form: base.map_or(Form::Whole, Form::OnSent) })
            .collect();
        Plan {
            entries,
            order: (0..).take(bases.len()).collect(),
            ready: HashMap::new(),
            known_bases: HashMap::new(),
            moved: Vec::new(),
        }
    }

    fn forms(bases: &[Option<u32>]) -> Vec<Form> {
        let mut plan = plan(bases);
        plan.break_cycles();
        plan.entries.iter().map(|planned| planned.form).collect()
    }

    #[test]
    fn bases_come_first() {
        let mut plan = plan(&[Some(3), None, Some(3), Some(4), None, Some(1)]);
        plan.put_bases_first();
        assert_eq!(plan.order, [4, 3, 0, 1, 2, 5]);
    }

    #[test]
    fn chains_stay() {
        assert_eq!(forms(&[Some(1), Some(2), None]), [Form::OnSent(1), Form::OnSent(2), Form::Whole]);
    }

    #[test]
    fn each_cycle_loses_one_delta() {
        for bases in [&[Some(1), Some(0)][..], &[Some(1), Some(2), Some(3), Some(1)], &[Some(0)]] {
            let forms = forms(bases);
            assert_eq!(forms.iter().filter(|form| **form == Form::Encoded).count(), 1, "{bases:?}");
        }
    }
}
