//! From what a client lacks to the pack that it gets.

use std::io;

use crate::{
    enumerate::{
        self, Demand,
        filtered::{self, Sieve},
    },
    history::History,
    pack_writer::{self, Style},
    reader::Reader,
    sideband::SideBand,
};

/// A pack that was asked for.
pub(crate) struct Order<'a> {
    pub(crate) demand: &'a Demand,
    /// What is left out.
    pub(crate) sieve: Option<Sieve>,
    pub(crate) style: Style,
    /// Whether the client is told how far its pack is.
    pub(crate) progress: bool,
}

/// Sends the pack that a client asked for.
pub(crate) fn send(
    reader: &mut Reader,
    history: &mut History,
    order: Order<'_>,
    band: &mut SideBand<'_>,
) -> io::Result<()> {
    let selection = match order.sieve {
        Some(sieve) => filtered::select(reader, history, order.demand, sieve)?,
        None => enumerate::select(reader, history, order.demand)?,
    };
    if order.progress {
        band.progress(&format!("Counting objects: {}, done.\n", selection.count()))?;
    }
    pack_writer::write(reader, &selection, order.style, band)?;
    Ok(())
}
