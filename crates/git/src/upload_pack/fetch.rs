//! What a client asks for when it fetches, and what it gets.

use bstr::{BStr, BString, ByteSlice};
use gix::{ObjectId, hashtable::HashSet};

use super::{Answer, Pack, leading_id, negotiation, reachable, shallow, sparse};
use crate::{
    Options, ProtocolError, References, Repository, Version,
    enumerate::{Demand, filtered::Sieve},
    filter::Filter,
    frames::Frames,
    history::History,
    pack_writer::Style,
    pktline::Packets,
    reader::Reader,
};

/// A fetch, as far as the client has told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fetch {
    pub(super) version: Version,
    /// The objects asked for.
    pub(super) wants: Vec<ObjectId>,
    /// The references asked for by name.
    pub(super) wanted_references: Vec<BString>,
    /// The objects that the client has, in its order.
    pub(super) haves: Vec<ObjectId>,
    /// The commits whose parents the client does not have.
    pub(super) shallow: Vec<ObjectId>,
    pub(super) deepen: Deepen,
    pub(super) filter: Option<Filter>,
    pub(super) end: End,
    /// Whether the client wants no pack before it has said all.
    pub(super) wait_for_done: bool,
    /// Whether the whole answer comes in a side band.
    pub(super) sideband_all: bool,
}

/// How a request ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum End {
    /// The client waits for an answer to its haves.
    #[default]
    Open,
    /// The client has said all and waits for the pack.
    Done,
    /// In version 0: after the wants, or among the haves. The first step of a client that asks for a depth does
    /// so, and waits for no acknowledgement.
    Missing,
}

/// How much of the history the client wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Deepen {
    /// The number of generations.
    pub(super) generations: Option<u32>,
    /// Whether generations are counted from where the client's history ends now.
    pub(super) relative: bool,
    /// Nothing older than this, in seconds since 1970.
    pub(super) since: Option<i64>,
    /// Nothing that these references lead to; parts of names will do.
    pub(super) not: Vec<BString>,
}

/// The depth by which clients ask for everything.
pub(super) const INFINITE: u32 = 0x7fff_ffff;

impl Deepen {
    /// Tells whether the client wants a limit, or another one than it has.
    pub(super) fn is_asked(&self) -> bool {
        self.generations.is_some() || self.since.is_some() || !self.not.is_empty()
    }
}

impl Fetch {
    /// Reads a line that is the same in all versions; answers `false` if it is another one.
    pub(super) fn line(&mut self, line: &[u8], modern: bool) -> Result<bool, ProtocolError> {
        let unsound = |what: &str| ProtocolError::new(format!("{what}: {}", line.as_bstr()));
        if let Some(id) = line.strip_prefix(b"shallow ") {
            self.shallow.push(leading_id(id).ok_or_else(|| unsound("invalid shallow line"))?);
        } else if let Some(depth) = line.strip_prefix(b"deepen ") {
            let depth = number(depth).filter(|depth| *depth > 0).ok_or_else(|| unsound("Invalid deepen"))?;
            self.deepen.generations = Some(u32::try_from(depth).unwrap_or(INFINITE).min(INFINITE));
        } else if let Some(since) = line.strip_prefix(b"deepen-since ").filter(|_| modern) {
            let since = number(since).filter(|since| *since >= 0).ok_or_else(|| unsound("Invalid deepen-since"))?;
            self.deepen.since = Some(since);
        } else if let Some(name) = line.strip_prefix(b"deepen-not ").filter(|_| modern) {
            self.deepen.not.push(name.into());
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Notes what the client wants left out.
    pub(super) fn filtered_by(&mut self, spec: &[u8]) -> Result<(), ProtocolError> {
        if self.filter.is_some() {
            return Err(ProtocolError::new("multiple filter-specs cannot be combined"));
        }
        self.filter = Some(Filter::parse(spec.as_bstr())?);
        Ok(())
    }

    /// Notes something that the client has.
    pub(super) fn have(&mut self, id: &[u8]) -> Result<(), ProtocolError> {
        let unsound = || ProtocolError::new(format!("git upload-pack: expected SHA1 object, got '{}'", id.as_bstr()));
        self.haves.push(leading_id(id).ok_or_else(unsound)?);
        Ok(())
    }
}

fn number(text: &[u8]) -> Option<i64> {
    text.to_str().ok()?.parse().ok()
}

/// Decides what a fetch gets.
pub(super) fn answer(
    repository: &Repository,
    references: &References,
    mut fetch: Fetch,
    capabilities: &[String],
    options: &Options,
) -> Result<Answer, ProtocolError> {
    let offers = &options.offers;
    fetch.filter.as_ref().map_or(Ok(()), |filter| options.filters.check(filter))?;
    let mut reader = repository.reader();
    let mut history = History::default();
    for id in &references.shallow {
        let node = history.node(id);
        history.cut(node);
    }
    let named = named(references, &mut fetch)?;
    reachable::check(&mut reader, &mut history, references, &fetch, options)?;
    let sieve = fetch.filter.as_ref().map(|filter| sieve(&mut reader, references, filter)).transpose()?;
    let asked = |name: &str| capabilities.iter().any(|capability| capability == name);
    let mut out = Packets::new(fetch.sideband_all);
    let (extra, common) = if fetch.version == Version::V2 {
        let common = negotiation::acknowledge(&mut reader, &mut history, &fetch, &mut out)?;
        let mut extra = shallow::Change::default();
        if common.is_some() {
            extra = shallow::apply(&mut reader, &mut history, references, &fetch)?;
            if extra.is_told {
                out.line("shallow-info\n");
                out.lines(&extra.lines);
                out.delimiter();
            }
            // Git's server sends these two in the other order, which Git's clients refuse.
            if !named.is_empty() {
                out.line("wanted-refs\n");
                out.lines(&named);
                out.delimiter();
            }
            out.line("packfile\n");
        }
        (extra, common)
    } else {
        let extra = shallow::apply(&mut reader, &mut history, references, &fetch)?;
        if extra.is_told {
            out.lines(&extra.lines);
            out.flush();
        }
        let talk = negotiation::Talk { capabilities, no_done: offers.modern };
        let common = negotiation::negotiate(&mut reader, &mut history, &fetch, &talk, &mut out)?;
        (extra, common)
    };
    let frames = if fetch.version == Version::V2 { Frames::Large } else { Frames::of(capabilities) };
    let thin = asked("thin-pack") && fetch.filter.as_ref().is_none_or(|filter| *filter == Filter::NoBlobs);
    let pack = common.map(|common| Pack {
        reader,
        history,
        sieve,
        cache: options.cache.clone(),
        builds: options.builds.clone(),
        frames,
        style: Style {
            thin,
            offsets: offers.modern && asked("ofs-delta"),
            search: true,
            index: false,
            threads: options.threads,
        },
        progress: !(offers.modern && asked("no-progress")),
        demand: Demand {
            wants: distinct(fetch.wants.iter().copied().chain(extra.wants)),
            haves: distinct(common.into_iter().chain(extra.haves)),
            tags: if offers.modern && asked("include-tag") { tags(references) } else { Vec::new() },
        },
    });
    let shallow = fetch.deepen.is_asked() || !fetch.shallow.is_empty();
    Ok(Answer { preamble: out.into_bytes(), pack, shallow })
}

/// Adds what is wanted by name to what is wanted; gives the lines that tell the client.
fn named(references: &References, fetch: &mut Fetch) -> Result<Vec<String>, ProtocolError> {
    let mut names = std::mem::take(&mut fetch.wanted_references);
    names.sort();
    let line = |name: &BString| {
        let unknown = || ProtocolError::new(format!("unknown ref {name}"));
        let id = references.target(name).ok_or_else(unknown)?;
        fetch.wants.push(id);
        Ok(format!("{id} {name}\n"))
    };
    names.iter().map(line).collect()
}

fn sieve(reader: &mut Reader, references: &References, filter: &Filter) -> Result<Sieve, ProtocolError> {
    Sieve::new(filter, &mut |name: &BStr| sparse::patterns(reader, references, name))
}

fn distinct(ids: impl Iterator<Item = ObjectId>) -> Vec<ObjectId> {
    let mut seen = HashSet::default();
    ids.filter(|id| seen.insert(*id)).collect()
}

fn tags(references: &References) -> Vec<(ObjectId, ObjectId)> {
    references.references.iter().filter_map(|reference| Some((reference.target, reference.peeled?))).collect()
}
