//! Requests of version 2: a command with capabilities and, after a delimiter, its arguments.

use std::io::Read;

use bstr::{BStr, BString, ByteSlice};

use super::{
    Command, Request,
    fetch::{FetchRequest, RequestEnd, have_id},
    leading_id,
    ls_refs::LsRefs,
    object_info::ObjectInfoRequest,
};
use crate::{
    Offers, Options, ProtocolError, Version,
    pktline::{self, Lines, Packet},
};

/// Reads a request; `None` at the end of the input or at a flush, with which a client ends the session.
pub(super) fn read(input: &mut dyn Read, options: &Options) -> Result<Option<Request>, ProtocolError> {
    let mut lines = Lines::new(input, options.limits.request_bytes).with_sections();
    let Some(head) = Head::read(&mut lines, &options.offers)? else { return Ok(None) };
    let Head { command, mut capabilities, has_arguments } = head;
    let mut arguments = Arguments { lines, name: command.name(), open: has_arguments };
    let command = match command {
        CommandName::LsRefs => Command::LsRefs(ls_refs(&mut arguments, &options.offers)?),
        CommandName::ObjectInfo => Command::ObjectInfo(object_info(&mut arguments)?),
        CommandName::Fetch => {
            let mut fetch = FetchRequest { version: Version::V2, ..FetchRequest::default() };
            let parsed = parse_fetch(&mut arguments, &mut fetch, &mut capabilities, &options.offers);
            parsed.map_err(|error| error.in_band(fetch.sideband_all))?;
            // A client that waits for done may negotiate without wants.
            if fetch.wants.is_empty() && fetch.wanted_refs.is_empty() && !fetch.wait_for_done {
                Command::FetchNothing
            } else {
                Command::Fetch(Box::new(fetch))
            }
        }
    };
    Ok(Some(Request { capabilities, command }))
}

#[derive(Clone, Copy)]
enum CommandName {
    LsRefs,
    Fetch,
    ObjectInfo,
}

impl CommandName {
    fn parse(name: &[u8], offers: &Offers) -> Option<Self> {
        match name {
            b"ls-refs" => Some(Self::LsRefs),
            b"fetch" => Some(Self::Fetch),
            b"object-info" if offers.object_info => Some(Self::ObjectInfo),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::LsRefs => "ls-refs",
            Self::Fetch => "fetch",
            Self::ObjectInfo => "object-info",
        }
    }
}

/// The part of a request before the delimiter.
struct Head {
    command: CommandName,
    capabilities: Vec<String>,
    has_arguments: bool,
}

impl Head {
    fn read(lines: &mut Lines<'_>, offers: &Offers) -> Result<Option<Self>, ProtocolError> {
        let mut command: Option<CommandName> = None;
        let mut capabilities = Vec::new();
        let has_arguments = loop {
            match lines.next()? {
                Packet::Line(line) => {
                    let Some(name) = line.strip_prefix(b"command=") else {
                        check_capability(line.as_bstr(), offers)?;
                        push_capability(line, &mut capabilities)?;
                        continue;
                    };
                    let name = name.as_bstr();
                    if let Some(first) = command {
                        let first = first.name();
                        let text = format!("command '{name}' requested after already requesting command '{first}'");
                        return Err(ProtocolError::new(text));
                    }
                    let unknown = || ProtocolError::new(format!("invalid command '{name}'"));
                    command = Some(CommandName::parse(name, offers).ok_or_else(unknown)?);
                }
                Packet::End | Packet::Flush if command.is_none() && capabilities.is_empty() => return Ok(None),
                Packet::End => return Err(hung_up()),
                Packet::Flush => break false,
                Packet::Delimiter => break true,
            }
        };
        let command = command.ok_or_else(|| ProtocolError::new("no command requested"))?;
        Ok(Some(Self { command, capabilities, has_arguments }))
    }
}

/// Adds a requested capability; fails if there are too many.
fn push_capability(line: &[u8], capabilities: &mut Vec<String>) -> Result<(), ProtocolError> {
    let bytes: usize = capabilities.iter().map(String::len).sum();
    if capabilities.len() == pktline::WORDS_MAX || bytes + line.len() > pktline::WORDS_BYTES_MAX {
        return Err(ProtocolError::new("protocol error: too many capabilities"));
    }
    capabilities.push(line.to_str_lossy().into_owned());
    Ok(())
}

/// Checks a capability that a client requests.
fn check_capability(line: &BStr, offers: &Offers) -> Result<(), ProtocolError> {
    let (key, value) = match line.split_once_str(b"=") {
        Some((key, value)) => (key, Some(value)),
        None => (line.as_bytes(), None),
    };
    match (key, value) {
        (b"agent" | b"server-option", _) | (b"object-format", Some(b"sha1")) => Ok(()),
        (b"session-id", _) if offers.session_id => Ok(()),
        (b"object-format", None) => Err(ProtocolError::new("object-format capability requires an argument")),
        (b"object-format", Some(b"sha256")) => {
            Err(ProtocolError::new("mismatched object format: server sha1; client sha256"))
        }
        (b"object-format", Some(format)) => {
            Err(ProtocolError::new(format!("unknown object format '{}'", format.as_bstr())))
        }
        _ => Err(ProtocolError::new(format!("unknown capability '{line}'"))),
    }
}

/// The part of a request after the delimiter.
struct Arguments<'l> {
    lines: Lines<'l>,
    /// The command's name.
    name: &'static str,
    open: bool,
}

impl Arguments<'_> {
    /// Returns the next line; `None` at the end.
    fn next(&mut self) -> Result<Option<&[u8]>, ProtocolError> {
        if !self.open {
            return Ok(None);
        }
        match self.lines.next()? {
            Packet::Line(line) => Ok(Some(line)),
            Packet::Flush => {
                self.open = false;
                Ok(None)
            }
            Packet::End => Err(hung_up()),
            Packet::Delimiter if self.name == "object-info" => {
                Err(ProtocolError::new("object-info: expected flush after arguments"))
            }
            Packet::Delimiter => Err(ProtocolError::new(format!("expected flush after {} arguments", self.name))),
        }
    }
}

fn hung_up() -> ProtocolError {
    ProtocolError::new("the remote end hung up unexpectedly")
}

fn unexpected(line: &[u8]) -> ProtocolError {
    ProtocolError::new(format!("unexpected line: '{}'", line.as_bstr()))
}

/// The maximum number of prefixes; with more, all references are listed.
const PREFIXES_MAX: usize = 65536;

fn ls_refs(arguments: &mut Arguments<'_>, offers: &Offers) -> Result<LsRefs, ProtocolError> {
    let mut list = LsRefs::default();
    while let Some(line) = arguments.next()? {
        match line {
            b"peel" => list.peel = true,
            b"symrefs" => list.symrefs = true,
            b"unborn" => list.unborn = offers.unborn,
            _ => {
                let prefix = line.strip_prefix(b"ref-prefix ").ok_or_else(|| unexpected(line))?;
                if list.prefixes.len() < PREFIXES_MAX {
                    list.prefixes.push(prefix.into());
                }
            }
        }
    }
    if list.prefixes.len() == PREFIXES_MAX {
        list.prefixes.clear();
    }
    Ok(list)
}

fn object_info(arguments: &mut Arguments<'_>) -> Result<ObjectInfoRequest, ProtocolError> {
    let mut request = ObjectInfoRequest::default();
    while let Some(line) = arguments.next()? {
        if line == b"size" {
            request.wants_size = true;
        } else if let Some(id) = line.strip_prefix(b"oid ") {
            let malformed = || {
                let id = id.as_bstr();
                ProtocolError::new(format!("object-info: protocol error, expected to get oid, not '{id}'"))
            };
            request.ids.push(leading_id(id).filter(|_| id.len() == 40).ok_or_else(malformed)?);
        } else {
            return Err(ProtocolError::new(format!("object-info: unexpected line: '{}'", line.as_bstr())));
        }
    }
    Ok(request)
}

fn parse_fetch(
    arguments: &mut Arguments<'_>,
    fetch: &mut FetchRequest,
    capabilities: &mut Vec<String>,
    offers: &Offers,
) -> Result<(), ProtocolError> {
    let mut names = std::collections::HashSet::<BString>::new();
    while let Some(line) = arguments.next()? {
        if let Some(id) = line.strip_prefix(b"want ") {
            let malformed = || {
                let line = line.as_bstr();
                ProtocolError::new(format!("git upload-pack: protocol error, expected to get oid, not '{line}'"))
            };
            fetch.wants.push(leading_id(id).ok_or_else(malformed)?);
        } else if let Some(name) = line.strip_prefix(b"want-ref ").filter(|_| offers.ref_in_want) {
            if !names.insert(name.into()) {
                return Err(ProtocolError::new(format!("duplicate want-ref {}", name.as_bstr())));
            }
            fetch.wanted_refs.push(name.into());
        } else if let Some(id) = line.strip_prefix(b"have ") {
            fetch.haves.push(have_id(id)?);
        } else if let Some(spec) = line.strip_prefix(b"filter ").filter(|_| offers.filter) {
            fetch.set_filter(spec)?;
        } else if !fetch.parse_line(line, true)? {
            match line {
                b"done" => fetch.end = RequestEnd::Done,
                b"wait-for-done" => fetch.wait_for_done = true,
                b"deepen-relative" => fetch.deepen.relative = true,
                b"sideband-all" if offers.sideband_all => fetch.sideband_all = true,
                b"thin-pack" | b"ofs-delta" | b"no-progress" | b"include-tag" => {}
                _ => return Err(unexpected(line)),
            }
            if line != b"done" {
                push_capability(line, capabilities)?;
            }
        }
    }
    Ok(())
}
