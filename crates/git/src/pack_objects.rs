//! Sending the objects that a client lacks as a pack.
//!
//! A cached pack is copied. Otherwise the objects are selected and written, under a permit.

use std::io::{self, Write};

use gix::{ObjectId, hash::hasher};

use crate::{
    Error,
    enumerate::{
        self, Demand,
        filtered::{self, ObjectFilter},
    },
    history::History,
    pack_cache::{Cache, Filling},
    pack_permits::{PackPermit, PackPermits},
    pack_writer::{self, Style},
    reader::Reader,
    sideband::SideBand,
};

/// A request for a pack.
pub(crate) struct Order<'a> {
    pub(crate) demand: &'a Demand,
    /// The filter of the client.
    pub(crate) object_filter: Option<ObjectFilter>,
    pub(crate) style: Style,
    /// Whether the client receives progress messages.
    pub(crate) progress: bool,
    pub(crate) cache: Option<&'a Cache>,
    pub(crate) permits: &'a PackPermits,
}

/// The least number of objects of a cached pack: smaller packs are written faster than cached.
const KEPT_MIN: usize = 100;

/// Sends the requested pack.
pub(crate) fn send(
    reader: &mut Reader,
    history: &mut History,
    mut order: Order<'_>,
    band: &mut SideBand<'_>,
) -> io::Result<()> {
    let object_filter = order.object_filter.take();
    let order = &order;
    let place = order.cache.filter(|_| object_filter.is_none());
    let place = place.map(|cache| Ok::<_, Error>((cache, key(history, order)?))).transpose()?;
    if send_kept(place, order, band)? {
        return Ok(());
    }
    let permit = order.permits.acquire();
    // The request that held the permit may have cached exactly this pack.
    if send_kept(place, order, band)? {
        return Ok(());
    }
    let selection = match object_filter {
        Some(object_filter) => filtered::select(reader, history, order.demand, object_filter)?,
        None => enumerate::select(reader, history, order.demand)?,
    };
    let count = selection.count();
    // The file of a pack that is sent unchanged is read as the client receives it.
    if let Some((pack, file)) = pack_writer::whole_pack(&selection, order.style)? {
        drop(permit);
        report(count, order, band)?;
        return band.part(&file, 0..pack.data.data_len() as u64);
    }
    let worthy = count >= KEPT_MIN && !selection.is_whole_pack();
    // A pack that cannot be cached is served all the same.
    let filling = place.filter(|_| worthy).and_then(|(cache, key)| cache.fill(key, count).ok());
    let mut outlet = Outlet { output: band, filling, first: Some((permit, count, order)) };
    pack_writer::write(reader, &selection, order.style, &mut outlet)?;
    outlet.flush()?;
    if let Some(filling) = outlet.filling {
        filling.keep();
    }
    Ok(())
}

fn send_kept(place: Option<(&Cache, ObjectId)>, order: &Order<'_>, band: &mut SideBand<'_>) -> io::Result<bool> {
    let Some(kept) = place.and_then(|(cache, key)| cache.find(&key)) else { return Ok(false) };
    report(kept.objects, order, band)?;
    kept.send(band)?;
    Ok(true)
}

fn report(objects: usize, order: &Order<'_>, band: &mut SideBand<'_>) -> io::Result<()> {
    if order.progress { band.progress(&format!("Counting objects: {objects}, done.\n")) } else { Ok(()) }
}

/// Hashes everything that determines the content and the form of the pack.
fn key(history: &History, order: &Order<'_>) -> Result<ObjectId, Error> {
    let Demand { wants, haves, tags } = order.demand;
    let tags = tags.iter().flat_map(|(tag, peeled)| [*tag, *peeled]).collect();
    let mut hasher = hasher(gix::hash::Kind::Sha1);
    hasher.update(format!("{:?}", order.style).as_bytes());
    for mut ids in [wants.clone(), haves.clone(), tags, history.cuts().collect()] {
        ids.sort_unstable();
        hasher.update(&(ids.len() as u64).to_le_bytes());
        for id in &ids {
            hasher.update(id.as_slice());
        }
    }
    hasher.try_finalize().map_err(|error| Error::decode(&error))
}

/// The output of a pack: the client and the cache.
struct Outlet<'o, 'w> {
    output: &'o mut SideBand<'w>,
    filling: Option<Filling>,
    /// The work at the first bytes: the permit is released, so that a slow client keeps no other request
    /// waiting, and the number of objects is reported.
    first: Option<(PackPermit, usize, &'o Order<'o>)>,
}

impl Write for Outlet<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((permit, count, order)) = self.first.take() {
            drop(permit);
            report(count, order, self.output)?;
        }
        self.output.write_all(bytes)?;
        self.filling = self.filling.take().and_then(|filling| filling.put(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
