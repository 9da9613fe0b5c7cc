//! A checked fetch, from its request to its pack.

use bstr::{BStr, BString};
use gix::{ObjectId, hashtable::HashSet};

use super::{
    Pack, Response,
    fetch::{FetchRequest, RequestEnd},
    negotiation::{self, Negotiation},
    reachable,
    shallow::{self, ShallowUpdate},
    sparse,
};
use crate::{
    Error, Options, ProtocolError, References, Repository, Version,
    enumerate::{Demand, filtered::ObjectFilter},
    filter::Filter,
    frames::Frames,
    history::History,
    pack_writer::Style,
    pktline::Packets,
    reader::Reader,
};

/// A fetch whose objects may be sent.
pub(super) struct PreparedFetch<'s> {
    request: FetchRequest,
    capabilities: Vec<String>,
    references: &'s References,
    options: &'s Options,
    reader: Reader,
    history: History,
    object_filter: Option<ObjectFilter>,
    /// The lines of the section `wanted-refs`.
    wanted_refs: Vec<String>,
}

impl<'s> PreparedFetch<'s> {
    /// Checks a request; fails if it is for an object that the client may not have.
    pub(super) fn new(
        repository: &Repository,
        references: &'s References,
        mut request: FetchRequest,
        capabilities: Vec<String>,
        options: &'s Options,
    ) -> Result<Self, ProtocolError> {
        request.filter.as_ref().map_or(Ok(()), |filter| options.filters.check(filter))?;
        let mut reader = repository.reader();
        let mut history = History::default();
        for id in &references.shallow {
            let node = history.node(id);
            history.cut(node);
        }
        let wanted_refs = resolve_wanted_refs(references, &mut request)?;
        reachable::check(&mut reader, &mut history, references, &request, options)?;
        let object_filter =
            request.filter.as_ref().map(|filter| object_filter(&mut reader, references, filter)).transpose()?;
        Ok(Self { request, capabilities, references, options, reader, history, object_filter, wanted_refs })
    }

    /// Responds to a stateless request: with a round of the negotiation, or with the pack.
    pub(super) fn respond(mut self) -> Result<Response, ProtocolError> {
        let mut out = Packets::new(self.request.sideband_all);
        if self.request.version == Version::V2 {
            return self.respond_v2(out);
        }
        let update = self.update_shallow(&mut out)?;
        let mut negotiation = self.negotiation();
        for have in std::mem::take(&mut self.request.haves) {
            self.have(&mut negotiation, &have, &mut out)?;
        }
        let pack_follows = match self.request.end {
            RequestEnd::Done => {
                negotiation.done(&mut out);
                true
            }
            RequestEnd::Flush => self.end_round(&mut negotiation, &mut out)?,
            RequestEnd::Missing => false,
        };
        Ok(self.into_response(pack_follows.then(|| negotiation.into_common()), update, out))
    }

    fn respond_v2(mut self, mut out: Packets) -> Result<Response, ProtocolError> {
        let common = negotiation::acknowledge(&mut self.reader, &mut self.history, &self.request, &mut out)?;
        let mut update = ShallowUpdate::default();
        if common.is_some() {
            update = shallow::apply(&mut self.reader, &mut self.history, self.references, &self.request)?;
            if update.is_sent {
                out.line("shallow-info\n");
                out.lines(&update.lines);
                out.delimiter();
            }
            // Git's server sends these two sections in the other order, which Git's client rejects.
            if !self.wanted_refs.is_empty() {
                out.line("wanted-refs\n");
                out.lines(&self.wanted_refs);
                out.delimiter();
            }
            out.line("packfile\n");
        }
        Ok(self.into_response(common, update, out))
    }

    /// Applies the requested depth; version 0 sends the result before the negotiation.
    pub(super) fn update_shallow(&mut self, out: &mut Packets) -> Result<ShallowUpdate, ProtocolError> {
        let update = shallow::apply(&mut self.reader, &mut self.history, self.references, &self.request)?;
        if update.is_sent {
            out.lines(&update.lines);
            out.flush();
        }
        Ok(update)
    }

    /// Starts a negotiation of version 0 or 1.
    pub(super) fn negotiation(&self) -> Negotiation {
        Negotiation::new(&self.request.wants, &self.capabilities, self.options.offers.modern)
    }

    /// Processes a `have` of version 0 or 1.
    pub(super) fn have(
        &mut self,
        negotiation: &mut Negotiation,
        id: &ObjectId,
        out: &mut Packets,
    ) -> Result<(), Error> {
        negotiation.have(&mut self.reader, &mut self.history, id, out)
    }

    /// Processes the flush that ends a round of version 0 or 1; returns whether the pack follows without a `done`.
    pub(super) fn end_round(&mut self, negotiation: &mut Negotiation, out: &mut Packets) -> Result<bool, Error> {
        negotiation.end_round(&mut self.reader, &mut self.history, out)
    }

    /// Completes the response: with the pack if the negotiation has ended with `common` objects.
    pub(super) fn into_response(self, common: Option<Vec<ObjectId>>, update: ShallowUpdate, out: Packets) -> Response {
        let is_shallow = self.request.deepen.is_requested() || !self.request.shallow.is_empty();
        let capabilities = self.capabilities.clone();
        let pack = common.map(|common| self.into_pack(common, update));
        Response { capabilities, is_fetch: true, preamble: out.into_bytes(), pack, is_shallow }
    }

    fn into_pack(self, common: Vec<ObjectId>, update: ShallowUpdate) -> Pack {
        let Self { request, capabilities, references, options, reader, history, object_filter, .. } = self;
        let requests = |name: &str| capabilities.iter().any(|capability| capability == name);
        let modern = options.offers.modern;
        let is_v2 = request.version == Version::V2;
        let thin = requests("thin-pack") && request.filter.is_none_or(|filter| filter == Filter::NoBlobs);
        Pack {
            reader,
            history,
            object_filter,
            cache: options.cache.clone(),
            permits: options.pack_permits.clone(),
            frames: if is_v2 { Frames::Large } else { Frames::requested_by(&capabilities) },
            style: Style {
                thin,
                offsets: modern && requests("ofs-delta"),
                search: true,
                index: false,
                threads: options.threads,
            },
            progress: !(modern && requests("no-progress")),
            demand: Demand {
                wants: distinct(request.wants.iter().copied().chain(update.wants)),
                haves: distinct(common.into_iter().chain(update.haves)),
                tags: if modern && requests("include-tag") { annotated_tags(references) } else { Vec::new() },
            },
        }
    }
}

/// Adds the targets of references requested by name to the wants; returns the lines of the section `wanted-refs`.
fn resolve_wanted_refs(references: &References, request: &mut FetchRequest) -> Result<Vec<String>, ProtocolError> {
    let mut names = std::mem::take(&mut request.wanted_refs);
    names.sort();
    let resolve = |name: &BString| {
        let unknown = || ProtocolError::new(format!("unknown ref {name}"));
        let id = references.target(name).ok_or_else(unknown)?;
        request.wants.push(id);
        Ok(format!("{id} {name}\n"))
    };
    names.iter().map(resolve).collect()
}

fn object_filter(reader: &mut Reader, references: &References, filter: &Filter) -> Result<ObjectFilter, ProtocolError> {
    ObjectFilter::new(filter, &mut |name: &BStr| sparse::patterns(reader, references, name))
}

fn distinct(ids: impl Iterator<Item = ObjectId>) -> Vec<ObjectId> {
    let mut seen = HashSet::default();
    ids.filter(|id| seen.insert(*id)).collect()
}

/// Lists the annotated tags with their peeled values.
fn annotated_tags(references: &References) -> Vec<(ObjectId, ObjectId)> {
    references.references.iter().filter_map(|reference| Some((reference.target, reference.peeled?))).collect()
}
