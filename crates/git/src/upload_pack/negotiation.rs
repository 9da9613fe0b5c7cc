//! The negotiation: finds the objects that both sides have.

use gix::ObjectId;

use super::{
    common_objects::CommonObjects,
    fetch::{FetchRequest, RequestEnd},
};
use crate::{Error, history::History, pktline::Packets, reader::Reader};

/// The form of acknowledgements in versions 0 and 1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AckMode {
    /// Only the first common object is acknowledged.
    Single,
    /// `multi_ack`: each one, with `continue`.
    Multiple,
    /// `multi_ack_detailed`: each one, with `common`, and with `ready` once enough is common.
    Detailed,
}

/// A negotiation of version 0 or 1, over one or more rounds.
///
/// A stateless client repeats the common objects of earlier rounds in each request, so that its requests are negotiations
/// of one round, which lead to the same common objects.
pub(super) struct Negotiation {
    mode: AckMode,
    /// Whether the pack follows a `ready` without waiting for `done`: `no-done`.
    no_done: bool,
    common: CommonObjects,
    /// The last common object that the client has named.
    last: Option<ObjectId>,
    round: Round,
    /// Whether `ready` was sent.
    is_ready: bool,
}

/// The haves of the current round.
#[derive(Default)]
struct Round {
    /// Whether the client has named common objects.
    got_common: bool,
    /// Whether the client has named other objects.
    got_other: bool,
}

impl Negotiation {
    /// Starts a negotiation about `wants`; `modern` servers offer `no-done`.
    pub(super) fn new(wants: &[ObjectId], capabilities: &[String], modern: bool) -> Self {
        let requests = |name: &str| capabilities.iter().any(|capability| capability == name);
        let mode = if requests("multi_ack_detailed") {
            AckMode::Detailed
        } else if requests("multi_ack") {
            AckMode::Multiple
        } else {
            AckMode::Single
        };
        Self {
            mode,
            no_done: modern && requests("no-done"),
            common: CommonObjects::new(wants),
            last: None,
            round: Round::default(),
            is_ready: false,
        }
    }

    /// Processes an object that the client has.
    pub(super) fn have(
        &mut self,
        reader: &mut Reader,
        history: &mut History,
        id: &ObjectId,
        out: &mut Packets,
    ) -> Result<(), Error> {
        if self.common.insert(reader, history, id)? {
            match self.mode {
                AckMode::Detailed => out.line(format!("ACK {id} common\n")),
                AckMode::Multiple => out.line(format!("ACK {id} continue\n")),
                // Git repeats it as long as the first object implies the others, which confuses such clients.
                AckMode::Single if self.last.is_none() => out.line(format!("ACK {id}\n")),
                AckMode::Single => {}
            }
            self.last = Some(*id);
            self.round.got_common = true;
            return Ok(());
        }
        self.round.got_other = true;
        if self.mode != AckMode::Single && self.common.is_enough(reader, history)? {
            self.is_ready |= self.mode == AckMode::Detailed;
            let word = if self.mode == AckMode::Detailed { "ready" } else { "continue" };
            out.line(format!("ACK {id} {word}\n"));
        }
        Ok(())
    }

    /// Processes the flush that ends a round; returns whether the pack follows without a `done`.
    pub(super) fn end_round(
        &mut self,
        reader: &mut Reader,
        history: &mut History,
        out: &mut Packets,
    ) -> Result<bool, Error> {
        let round = std::mem::take(&mut self.round);
        if let Some(last) = self.last
            && self.mode == AckMode::Detailed
            && round.got_common
            && !round.got_other
            && self.common.is_enough(reader, history)?
        {
            self.is_ready = true;
            out.line(format!("ACK {last} ready\n"));
        }
        if self.last.is_none() || self.mode != AckMode::Single {
            out.line("NAK\n");
        }
        let Some(last) = self.last.filter(|_| self.is_ready && self.no_done) else { return Ok(false) };
        out.line(format!("ACK {last}\n"));
        Ok(true)
    }

    /// Processes `done`: the pack follows.
    pub(super) fn done(&self, out: &mut Packets) {
        match self.last {
            Some(last) if self.mode != AckMode::Single => out.line(format!("ACK {last}\n")),
            Some(_) => {}
            None => out.line("NAK\n"),
        }
    }

    /// Returns the number of common objects so far.
    pub(super) fn common_count(&self) -> usize {
        self.common.ids.len()
    }

    /// Returns the common objects, in the client's order.
    pub(super) fn into_common(self) -> Vec<ObjectId> {
        self.common.ids
    }
}

/// Acknowledges the haves of version 2; returns the common objects if the pack follows now.
pub(super) fn acknowledge(
    reader: &mut Reader,
    history: &mut History,
    request: &FetchRequest,
    out: &mut Packets,
) -> Result<Option<Vec<ObjectId>>, Error> {
    let mut common = CommonObjects::new(&request.wants);
    for have in &request.haves {
        common.insert(reader, history, have)?;
    }
    if request.end == RequestEnd::Done || request.haves.is_empty() {
        return Ok(Some(common.ids));
    }
    out.line("acknowledgments\n");
    if common.ids.is_empty() {
        out.line("NAK\n");
    }
    for id in &common.ids {
        out.line(format!("ACK {id}\n"));
    }
    if !request.wait_for_done && common.is_enough(reader, history)? {
        out.line("ready\n");
        out.delimiter();
        return Ok(Some(common.ids));
    }
    out.flush();
    Ok(None)
}

#[cfg(test)]
mod tests;
