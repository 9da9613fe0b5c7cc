//! Where entries of a pack end, and which objects their deltas are on.
//!
//! An index has the offset at which an entry begins, but not its end, nor the object at an offset. For many entries, the
//! order of all entries is computed and cached. For a few entries, all offsets of the index are searched: right after
//! the start, a small fetch would take longer for the order than for everything else.

use gix::{
    ObjectId,
    odb::pack::data::{Entry, entry::Header},
};

use crate::{Error, pack::Pack};

/// The end and the delta base of an entry.
pub(crate) struct StoredEntry {
    /// The offset at which the entry ends.
    pub(crate) end: u64,
    /// The base, if the entry is a delta.
    pub(crate) base: Option<ObjectId>,
}

/// The order of all entries is computed if more than one in this many entries is requested.
const PART: usize = 64;

/// Finds the ends and bases of the entries at some offsets, which are in ascending order.
pub(crate) fn read(pack: &Pack, offsets: &[u64]) -> Result<Vec<StoredEntry>, Error> {
    let many = offsets.len() * PART > pack.index.num_objects() as usize;
    if many || pack.has_entry_order() {
        // The cached order is not evicted while this holds it.
        let _entry_order = pack.entry_order();
        return offsets
            .iter()
            .map(|offset| Ok(StoredEntry { end: pack.span(*offset)?.1, base: base_of(pack, &pack.entry(*offset)?)? }))
            .collect();
    }
    let mut ends = vec![pack.data.pack_end() as u64; offsets.len()];
    for offset in all_offsets(pack) {
        let next = offsets.partition_point(|start| *start < offset);
        if let Some(end) = next.checked_sub(1).map(|before| &mut ends[before]) {
            *end = offset.min(*end);
        }
    }
    let headers = offsets.iter().map(|offset| pack.entry(*offset)).collect::<Result<Vec<_>, _>>()?;
    let mut near = Vec::new();
    for entry in &headers {
        if let Header::OfsDelta { base_distance } = entry.header {
            near.push(base_offset(entry, base_distance)?);
        }
    }
    near.sort_unstable();
    near.dedup();
    let mut ids = vec![None; near.len()];
    if !near.is_empty() {
        for (position, offset) in (0..).zip(all_offsets(pack)) {
            if let Ok(at) = near.binary_search(&offset) {
                ids[at] = Some(pack.index.oid_at_index(position).to_owned());
            }
        }
    }
    let base = |entry: &Entry| match entry.header {
        Header::RefDelta { base_id } => Ok(Some(base_id)),
        Header::OfsDelta { base_distance } => {
            let offset = base_offset(entry, base_distance)?;
            let id = near.binary_search(&offset).ok().and_then(|at| ids[at]);
            id.map(Some).ok_or_else(|| Error::Decode(format!("no entry of the pack starts at {offset}")))
        }
        _ => Ok(None),
    };
    headers.iter().zip(ends).map(|(entry, end)| Ok(StoredEntry { end, base: base(entry)? })).collect()
}

/// Returns the id of the base, if the entry is a delta.
pub(crate) fn base_of(pack: &Pack, entry: &Entry) -> Result<Option<ObjectId>, Error> {
    match entry.header {
        Header::RefDelta { base_id } => Ok(Some(base_id)),
        Header::OfsDelta { base_distance } => {
            let (position, _) = pack.span(base_offset(entry, base_distance)?)?;
            Ok(Some(pack.index.oid_at_index(position).to_owned()))
        }
        _ => Ok(None),
    }
}

fn base_offset(entry: &Entry, distance: u64) -> Result<u64, Error> {
    let base = entry.checked_base_pack_offset(distance);
    base.ok_or_else(|| Error::Decode("a delta with its base before the pack".into()))
}

/// Lists the offsets of all entries, by their positions in the index.
fn all_offsets(pack: &Pack) -> impl Iterator<Item = u64> {
    (0..pack.index.num_objects()).map(|position| pack.index.pack_offset_at_index(position))
}
