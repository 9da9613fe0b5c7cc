//! The request of a fetch.

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::leading_id;
use crate::{ProtocolError, Version, filter::Filter};

/// A fetch, as far as the client has sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FetchRequest {
    pub(super) version: Version,
    /// The requested objects.
    pub(super) wants: Vec<ObjectId>,
    /// The references requested by name: `want-ref`.
    pub(super) wanted_refs: Vec<BString>,
    /// The objects that the client has, in its order.
    pub(super) haves: Vec<ObjectId>,
    /// The commits whose parents the client does not have.
    pub(super) shallow: Vec<ObjectId>,
    pub(super) deepen: Deepen,
    pub(super) filter: Option<Filter>,
    pub(super) end: RequestEnd,
    /// Whether the client wants no pack before its `done`: `wait-for-done`.
    pub(super) wait_for_done: bool,
    /// Whether the whole response uses side bands: `sideband-all`.
    pub(super) sideband_all: bool,
}

/// The end of a stateless request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum RequestEnd {
    /// A flush: the client waits for acknowledgements.
    #[default]
    Flush,
    /// `done`: the client waits for the pack.
    Done,
    /// Version 0: no end, after the wants or among the haves. The first request of a client that deepens is so; the client
    /// expects no acknowledgement.
    Missing,
}

/// The limits of the history that a client requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Deepen {
    /// The number of generations.
    pub(super) generations: Option<u32>,
    /// Whether generations are counted from the current shallow commits of the client.
    pub(super) relative: bool,
    /// The time of the oldest commit, in seconds since 1970.
    pub(super) since: Option<i64>,
    /// References whose history is excluded; short names are allowed.
    pub(super) not: Vec<BString>,
}

/// The depth that requests the whole history.
pub(super) const INFINITE: u32 = 0x7fff_ffff;

impl Deepen {
    /// Returns whether the client requests a limit, or a change of its limit.
    pub(super) fn is_requested(&self) -> bool {
        self.generations.is_some() || self.since.is_some() || !self.not.is_empty()
    }
}

impl FetchRequest {
    /// Parses a line that all versions share; returns `false` for any other line.
    pub(super) fn parse_line(&mut self, line: &[u8], modern: bool) -> Result<bool, ProtocolError> {
        let malformed = |reason: &str| ProtocolError::new(format!("{reason}: {}", line.as_bstr()));
        if let Some(id) = line.strip_prefix(b"shallow ") {
            self.shallow.push(leading_id(id).ok_or_else(|| malformed("invalid shallow line"))?);
        } else if let Some(depth) = line.strip_prefix(b"deepen ") {
            let depth = number(depth).filter(|depth| *depth > 0).ok_or_else(|| malformed("Invalid deepen"))?;
            self.deepen.generations = Some(u32::try_from(depth).unwrap_or(INFINITE).min(INFINITE));
        } else if let Some(since) = line.strip_prefix(b"deepen-since ").filter(|_| modern) {
            let since = number(since).filter(|since| *since >= 0).ok_or_else(|| malformed("Invalid deepen-since"))?;
            self.deepen.since = Some(since);
        } else if let Some(name) = line.strip_prefix(b"deepen-not ").filter(|_| modern) {
            self.deepen.not.push(name.into());
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Sets the filter; a second one is an error.
    pub(super) fn set_filter(&mut self, spec: &[u8]) -> Result<(), ProtocolError> {
        if self.filter.is_some() {
            return Err(ProtocolError::new("multiple filter-specs cannot be combined"));
        }
        self.filter = Some(Filter::parse(spec.as_bstr())?);
        Ok(())
    }
}

/// Parses the id of a `have` line.
pub(super) fn have_id(id: &[u8]) -> Result<ObjectId, ProtocolError> {
    let malformed = || ProtocolError::new(format!("git upload-pack: expected SHA1 object, got '{}'", id.as_bstr()));
    leading_id(id).ok_or_else(malformed)
}

fn number(text: &[u8]) -> Option<i64> {
    text.to_str().ok()?.parse().ok()
}
