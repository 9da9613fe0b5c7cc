//! Sending objects: the service behind clone and fetch.
//!
//! One request holds all that a client has said so far, as HTTP wants it; nothing is kept between requests.

mod negotiation;
mod reachable;
mod request;
mod shallow;

use std::io::{self, Write};

use gix::{ObjectId, hashtable::HashSet};

use crate::{
    Options, ProtocolError, References, Repository,
    enumerate::Demand,
    history::History,
    pack_objects,
    pack_writer::Style,
    reader::Reader,
    sideband::{Frames, SideBand},
};
pub use request::Request;

/// The answer to one request; [`Answer::write`] sends it.
pub struct Answer {
    reader: Reader,
    history: History,
    /// What comes before the pack: shallow commits and acknowledgements.
    preamble: Vec<u8>,
    pack: Option<Pack>,
    shallow: bool,
}

struct Pack {
    demand: Demand,
    style: Style,
    frames: Frames,
    progress: bool,
}

/// Decides what a request gets.
///
/// Fails if it asks for an object that no reference leads to.
pub fn answer(
    repository: &Repository,
    references: &References,
    request: Request,
    options: &Options,
) -> Result<Answer, ProtocolError> {
    let mut reader = repository.reader();
    let mut history = History::default();
    reachable::check(&mut reader, &mut history, references, &request.wants)?;
    let mut preamble = Vec::new();
    let extra = shallow::apply(&mut reader, &mut history, &request, &mut preamble)?;
    let full = options.offers.modern;
    let verdict = negotiation::negotiate(&mut reader, &mut history, &request, full, &mut preamble)?;
    let shallow = request.depth.is_some() || !request.shallow.is_empty();
    let Request { wants, capabilities, .. } = request;
    let asked = |name: &str| capabilities.iter().any(|capability| capability == name);
    let pack = verdict.map(|common| Pack {
        frames: Frames::of(&capabilities),
        style: Style {
            thin: asked("thin-pack"),
            offsets: full && asked("ofs-delta"),
            search: true,
            index: false,
            threads: options.threads,
        },
        progress: !(full && asked("no-progress")),
        demand: Demand {
            wants: distinct(wants.into_iter().chain(extra.wants)),
            haves: distinct(common.into_iter().chain(extra.haves)),
            tags: if full && asked("include-tag") { tags(references) } else { Vec::new() },
        },
    });
    Ok(Answer { reader, history, preamble, pack, shallow })
}

fn distinct(ids: impl Iterator<Item = ObjectId>) -> Vec<ObjectId> {
    let mut seen = HashSet::default();
    ids.filter(|id| seen.insert(*id)).collect()
}

fn tags(references: &References) -> Vec<(ObjectId, ObjectId)> {
    references.references.iter().filter_map(|reference| Some((reference.target, reference.peeled?))).collect()
}

impl Answer {
    /// Tells whether a pack is sent, and not only a step of the negotiation.
    pub fn sends_pack(&self) -> bool {
        self.pack.is_some()
    }

    /// Tells whether the client has or wants a shallow clone.
    pub fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// Sends the answer.
    ///
    /// An error after the pack has begun is told to clients that take side bands, and given back.
    pub fn write(mut self, output: &mut dyn Write) -> io::Result<()> {
        output.write_all(&self.preamble)?;
        let Some(pack) = &self.pack else { return output.flush() };
        let mut band = SideBand::new(output, pack.frames);
        let order = pack_objects::Order { demand: &pack.demand, style: pack.style, progress: pack.progress };
        let sent = pack_objects::send(&mut self.reader, &mut self.history, &order, &mut band);
        if sent.is_err() {
            band.error("internal server error\n")?;
            return sent;
        }
        band.finish()
    }
}
