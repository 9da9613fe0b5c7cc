//! Deciding for each object how it is written.

use gix::{
    ObjectId,
    odb::pack::data::{Entry, entry::Header},
};

use super::Style;
use crate::{
    Error,
    enumerate::Selection,
    pack::Pack,
    reader::{Location, Reader},
};

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Compressed anew.
    Encoded,
    /// Copied, as a whole object.
    Whole,
    /// Copied, as a delta on an object that the client has.
    OnKnown,
    /// Copied, as a delta on the object at that place of the selection.
    OnSent(u32),
}

/// How, and from where, one object is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) offset: u64,
    /// The number of the pack; of no meaning for objects that are compressed anew.
    pub(super) pack: u32,
    pub(super) form: Form,
}

/// How the objects of a selection are written.
pub(super) struct Plan {
    /// By the places of the selection.
    pub(super) entries: Vec<Planned>,
    /// The places in the order of writing: pack by pack, from the front to the back, but bases before the deltas
    /// on them.
    pub(super) order: Vec<u32>,
}

/// The number of no pack.
const NONE: u32 = u32::MAX;

impl Plan {
    /// Decides for all objects of a selection.
    pub(super) fn make(reader: &mut Reader, selection: &Selection, style: Style) -> Result<Self, Error> {
        let mut entries = Vec::with_capacity(selection.objects.len());
        for crate::enumerate::Chosen { id, .. } in &selection.objects {
            entries.push(match reader.locate(id).ok_or(Error::Missing(*id))? {
                Location::Loose => Planned { offset: 0, pack: NONE, form: Form::Encoded },
                Location::Packed { pack, position } => Planned {
                    offset: reader.packs()[pack].index.pack_offset_at_index(position),
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
        for place in &order {
            let planned = &mut entries[*place as usize];
            if planned.pack != NONE {
                let pack = &reader.packs()[planned.pack as usize];
                planned.form = form(pack, planned.offset, selection, style)?;
            }
        }
        let mut plan = Self { entries, order };
        plan.break_cycles();
        plan.put_bases_first();
        Ok(plan)
    }

    /// Moves bases before the deltas on them.
    ///
    /// Git completes a thin pack in the order of its entries. If it found a delta before its base, and happened to
    /// have that base, it would take the base for one that the pack lacks, and then refuse the pack.
    fn put_bases_first(&mut self) {
        let mut placed = vec![false; self.entries.len()];
        let mut way = Vec::new();
        let mut order = Vec::with_capacity(self.order.len());
        for first in &self.order {
            let mut at = *first;
            while !placed[at as usize] {
                placed[at as usize] = true;
                way.push(at);
                if let Form::OnSent(base) = self.entries[at as usize].form {
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

fn form(pack: &Pack, offset: u64, selection: &Selection, style: Style) -> Result<Form, Error> {
    let entry = pack.entry(offset)?;
    if !entry.header.is_delta() {
        return Ok(Form::Whole);
    }
    Ok(match selection.places.get(&base_id(pack, &entry)?) {
        Some(&Selection::KNOWN) if style.thin => Form::OnKnown,
        Some(&Selection::KNOWN) | None => Form::Encoded,
        Some(&place) => Form::OnSent(place),
    })
}

/// Gives the id of a delta's base.
pub(super) fn base_id(pack: &Pack, entry: &Entry) -> Result<ObjectId, Error> {
    match entry.header {
        Header::RefDelta { base_id } => Ok(base_id),
        Header::OfsDelta { base_distance } => {
            let base = entry
                .checked_base_pack_offset(base_distance)
                .ok_or_else(|| Error::Decode("a delta with its base before the pack".into()))?;
            let (position, _) = pack.span(base)?;
            Ok(pack.index.oid_at_index(position).to_owned())
        }
        _ => Err(Error::Decode("a whole object where a delta was".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(bases: &[Option<u32>]) -> Plan {
        let entries = bases
            .iter()
            .map(|base| Planned { offset: 0, pack: 0, form: base.map_or(Form::Whole, Form::OnSent) })
            .collect();
        Plan { entries, order: (0..).take(bases.len()).collect() }
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
