//! Sending objects: the service behind clone and fetch.
//!
//! One request holds all that a client has said so far, as HTTP wants it; nothing is kept between requests.
//!
//! In version 0 and 1 a request is always a fetch. Version 2 has commands: `ls-refs`, `fetch` and `object-info`.

mod fetch;
mod haves;
mod list;
mod negotiation;
mod reachable;
mod shallow;
mod sizes;
mod sparse;
mod v0;
mod v2;

use std::io::{self, Read, Write};

use gix::ObjectId;

use crate::{
    Builds, Cache, Options, ProtocolError, References, Repository, Version,
    enumerate::{Demand, filtered::Sieve},
    frames::Frames,
    history::History,
    output::{Copying, Output},
    pack_objects,
    pack_writer::Style,
    reader::Reader,
    sideband::SideBand,
};
use fetch::Fetch;
use list::List;
use sizes::Sizes;

/// All that a client has said so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The capabilities that the client asks for, as it sent them and in its order; in version 2 with the features
    /// of a fetch.
    capabilities: Vec<String>,
    command: Command,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    Fetch(Box<Fetch>),
    List(List),
    Sizes(Sizes),
}

impl Request {
    /// Reads a request; nothing if it is empty or asks for nothing.
    pub fn read(input: &mut dyn Read, version: Version, options: &Options) -> Result<Option<Self>, ProtocolError> {
        match version {
            Version::V0 | Version::V1 => v0::read(input, options),
            Version::V2 => v2::read(input, options),
        }
    }

    /// Gives the capabilities that the client asks for, as it sent them and in its order; in version 2 with the
    /// features of a fetch.
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    /// Tells whether the client asks for objects, and not only about references or objects.
    pub fn is_fetch(&self) -> bool {
        matches!(self.command, Command::Fetch(_))
    }
}

/// The answer to one request; [`Answer::write`] sends it.
pub struct Answer {
    /// What comes before the pack.
    preamble: Vec<u8>,
    pack: Option<Pack>,
    shallow: bool,
}

struct Pack {
    reader: Reader,
    history: History,
    demand: Demand,
    sieve: Option<Sieve>,
    style: Style,
    frames: Frames,
    progress: bool,
    cache: Option<Cache>,
    builds: Builds,
}

/// Decides what a request gets.
///
/// Fails if it asks for an object that it may not have.
pub fn answer(
    repository: &Repository,
    references: &References,
    request: Request,
    options: &Options,
) -> Result<Answer, ProtocolError> {
    let text = |preamble| Answer { preamble, pack: None, shallow: false };
    match request.command {
        Command::Fetch(fetch) => {
            let banded = fetch.sideband_all;
            let answer = fetch::answer(repository, references, *fetch, &request.capabilities, options);
            answer.map_err(|error| error.in_band(banded))
        }
        Command::List(list) => Ok(text(list.answer(references))),
        Command::Sizes(sizes) => sizes.answer(&mut repository.reader()).map(text),
    }
}

impl Answer {
    /// Tells whether a pack is sent, and not only a step of the negotiation or a list.
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
    pub fn write(self, output: &mut dyn Write) -> io::Result<()> {
        self.send(&mut Copying(output))
    }

    /// As [`Answer::write`], to what takes parts of files as they are.
    pub fn send(self, output: &mut dyn Output) -> io::Result<()> {
        output.write_all(&self.preamble)?;
        let Some(mut pack) = self.pack else { return output.flush() };
        let mut band = SideBand::new(output, pack.frames);
        let Pack { reader, history, demand, style, progress, sieve, cache, builds, .. } = &mut pack;
        let (style, progress, cache) = (*style, *progress, cache.as_ref());
        let order = pack_objects::Order { demand, sieve: sieve.take(), style, progress, cache, builds };
        let sent = pack_objects::send(reader, history, order, &mut band);
        if sent.is_err() {
            band.error("internal server error\n")?;
            return sent;
        }
        band.finish()
    }
}

/// Reads the id at the start of a text.
fn leading_id(text: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(text.get(..40)?).ok()
}
