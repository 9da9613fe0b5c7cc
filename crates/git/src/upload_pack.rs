//! The service behind clone and fetch: sends objects.
//!
//! There are two drivers. [`respond`] is stateless, as HTTP requires: a request holds everything that the client has sent
//! so far, and nothing is kept between requests. [`Dialogue`] serves a client over one pair of streams, as SSH requires.
//! Both parse, check and negotiate with the same code.
//!
//! In versions 0 and 1 a request is always a fetch. Version 2 has commands: `ls-refs`, `fetch` and `object-info`.

mod common_objects;
mod dialogue;
mod fetch;
mod ls_refs;
mod negotiation;
mod object_info;
mod prepared;
mod reachable;
mod shallow;
mod sparse;
mod v0;
mod v2;

use std::io::{self, Read, Write};

use gix::ObjectId;

use crate::{
    Cache, Options, PackPermits, ProtocolError, References, Repository, Version,
    enumerate::{Demand, filtered::ObjectFilter},
    frames::Frames,
    history::History,
    output::{CopyOutput, Output},
    pack_objects,
    pack_writer::Style,
    reader::Reader,
    sideband::SideBand,
};
pub use dialogue::{BeforeResponse, Dialogue};
use fetch::FetchRequest;
use ls_refs::LsRefs;
use object_info::ObjectInfoRequest;
use prepared::PreparedFetch;

/// A request of a stateless client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The capabilities that the client requests, as it sent them and in its order; in version 2 with the features of a
    /// fetch.
    capabilities: Vec<String>,
    command: Command,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    Fetch(Box<FetchRequest>),
    /// Version 2: a fetch of nothing, which has no response.
    FetchNothing,
    LsRefs(LsRefs),
    ObjectInfo(ObjectInfoRequest),
}

impl Request {
    /// Reads a request; `None` if it is empty or a fetch of nothing.
    pub fn read(input: &mut dyn Read, version: Version, options: &Options) -> Result<Option<Self>, ProtocolError> {
        let request = match version {
            Version::V0 | Version::V1 => v0::read(input, options),
            Version::V2 => v2::read(input, options),
        };
        Ok(request?.filter(|request| request.command != Command::FetchNothing))
    }
}

/// The response to one request; [`Response::write`] sends it.
pub struct Response {
    capabilities: Vec<String>,
    is_fetch: bool,
    /// The part before the pack.
    preamble: Vec<u8>,
    pack: Option<Pack>,
    is_shallow: bool,
}

/// A pack that is written while it is sent.
struct Pack {
    reader: Reader,
    history: History,
    demand: Demand,
    object_filter: Option<ObjectFilter>,
    style: Style,
    frames: Frames,
    progress: bool,
    cache: Option<Cache>,
    permits: PackPermits,
}

/// Prepares the response to a request.
///
/// Fails if the request is for an object that the client may not have.
pub fn respond(
    repository: &Repository,
    references: &References,
    request: Request,
    options: &Options,
) -> Result<Response, ProtocolError> {
    let Request { capabilities, command } = request;
    let (preamble, capabilities) = match command {
        Command::Fetch(fetch) => {
            let banded = fetch.sideband_all;
            let fetch = PreparedFetch::new(repository, references, *fetch, capabilities, options);
            return fetch.and_then(PreparedFetch::respond).map_err(|error| error.in_band(banded));
        }
        Command::FetchNothing => (Vec::new(), capabilities),
        Command::LsRefs(list) => (list.respond(references), capabilities),
        Command::ObjectInfo(request) => (request.respond(&mut repository.reader())?, capabilities),
    };
    Ok(Response { capabilities, is_fetch: false, preamble, pack: None, is_shallow: false })
}

impl Response {
    /// Returns the capabilities that the client requests, as it sent them and in its order; in version 2 with the
    /// features of a fetch.
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    /// Returns whether the request is a fetch; other requests only query references or objects.
    pub fn is_fetch(&self) -> bool {
        self.is_fetch
    }

    /// Returns whether the response has a pack; otherwise it is a round of the negotiation or a list.
    pub fn sends_pack(&self) -> bool {
        self.pack.is_some()
    }

    /// Returns whether the client has or requests a shallow clone.
    pub fn is_shallow(&self) -> bool {
        self.is_shallow
    }

    /// Sends the response.
    ///
    /// If the pack fails half-way, clients with side bands receive the error, and it is returned.
    pub fn write(self, output: &mut dyn Write) -> io::Result<()> {
        self.send(&mut CopyOutput(output))
    }

    /// As [`Response::write`], to an output that takes parts of files without copying them.
    pub fn send(self, output: &mut dyn Output) -> io::Result<()> {
        output.write_all(&self.preamble)?;
        let Some(mut pack) = self.pack else { return output.flush() };
        let mut band = SideBand::new(output, pack.frames);
        let Pack { reader, history, demand, style, progress, object_filter, cache, permits, .. } = &mut pack;
        let (style, progress, cache) = (*style, *progress, cache.as_ref());
        let order =
            pack_objects::Order { demand, object_filter: object_filter.take(), style, progress, cache, permits };
        let sent = pack_objects::send(reader, history, order, &mut band);
        if sent.is_err() {
            band.error("internal server error\n")?;
            return sent;
        }
        band.finish()
    }
}

/// Parses the object id at the start of a text.
fn leading_id(text: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(text.get(..40)?).ok()
}
