//! Requests of version 2: a command, capabilities, and after a delimiter what the command is told.

use std::io::Read;

use bstr::{BStr, BString, ByteSlice};

use super::{
    Command, Request,
    fetch::{End, Fetch},
    leading_id,
    list::List,
    sizes::Sizes,
};
use crate::{
    Offers, Options, ProtocolError, Version,
    pktline::{self, Lines, Packet},
};

/// Reads a request; nothing if it is empty or asks for nothing.
pub(super) fn read(input: &mut dyn Read, options: &Options) -> Result<Option<Request>, ProtocolError> {
    let mut lines = Lines::new(input, options.limits.request_bytes).with_sections();
    let Some(head) = Head::read(&mut lines, &options.offers)? else { return Ok(None) };
    let Head { command, mut capabilities, has_arguments } = head;
    let mut arguments = Arguments { lines, name: command.name(), open: has_arguments };
    let command = match command {
        Name::List => Command::List(list(&mut arguments, &options.offers)?),
        Name::Sizes => Command::Sizes(sizes(&mut arguments)?),
        Name::Fetch => {
            let mut fetch = Fetch { version: Version::V2, ..Fetch::default() };
            let read = fetch_lines(&mut arguments, &mut fetch, &mut capabilities, &options.offers);
            read.map_err(|error| error.in_band(fetch.sideband_all))?;
            // Who waits may only want to find out what is common.
            if fetch.wants.is_empty() && fetch.wanted_references.is_empty() && !fetch.wait_for_done {
                return Ok(None);
            }
            Command::Fetch(Box::new(fetch))
        }
    };
    Ok(Some(Request { capabilities, command }))
}

#[derive(Clone, Copy)]
enum Name {
    List,
    Fetch,
    Sizes,
}

impl Name {
    fn of(name: &[u8], offers: &Offers) -> Option<Self> {
        match name {
            b"ls-refs" => Some(Self::List),
            b"fetch" => Some(Self::Fetch),
            b"object-info" if offers.object_info => Some(Self::Sizes),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::List => "ls-refs",
            Self::Fetch => "fetch",
            Self::Sizes => "object-info",
        }
    }
}

/// What comes before the delimiter.
struct Head {
    command: Name,
    capabilities: Vec<String>,
    has_arguments: bool,
}

impl Head {
    fn read(lines: &mut Lines<'_>, offers: &Offers) -> Result<Option<Self>, ProtocolError> {
        let mut command: Option<Name> = None;
        let mut capabilities = Vec::new();
        let has_arguments = loop {
            match lines.next()? {
                Packet::Line(line) => {
                    let Some(name) = line.strip_prefix(b"command=") else {
                        capability(line.as_bstr(), offers)?;
                        note(line, &mut capabilities)?;
                        continue;
                    };
                    let name = name.as_bstr();
                    if let Some(first) = command {
                        let first = first.name();
                        let text = format!("command '{name}' requested after already requesting command '{first}'");
                        return Err(ProtocolError::new(text));
                    }
                    let unknown = || ProtocolError::new(format!("invalid command '{name}'"));
                    command = Some(Name::of(name, offers).ok_or_else(unknown)?);
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

/// Notes what a client asks for, as long as it is not too much.
fn note(line: &[u8], capabilities: &mut Vec<String>) -> Result<(), ProtocolError> {
    let bytes: usize = capabilities.iter().map(String::len).sum();
    if capabilities.len() == pktline::WORDS_MAX || bytes + line.len() > pktline::WORDS_BYTES_MAX {
        return Err(ProtocolError::new("protocol error: too many capabilities"));
    }
    capabilities.push(line.to_str_lossy().into_owned());
    Ok(())
}

/// Checks a capability that a client sends.
fn capability(line: &BStr, offers: &Offers) -> Result<(), ProtocolError> {
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

/// What comes after the delimiter.
struct Arguments<'l> {
    lines: Lines<'l>,
    /// The command's name.
    name: &'static str,
    open: bool,
}

impl Arguments<'_> {
    /// Gives the next line; nothing at the end.
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

/// With more prefixes than this, everything is listed.
const PREFIXES_MAX: usize = 65536;

fn list(arguments: &mut Arguments<'_>, offers: &Offers) -> Result<List, ProtocolError> {
    let mut list = List::default();
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

fn sizes(arguments: &mut Arguments<'_>) -> Result<Sizes, ProtocolError> {
    let mut sizes = Sizes::default();
    while let Some(line) = arguments.next()? {
        if line == b"size" {
            sizes.wants_size = true;
        } else if let Some(id) = line.strip_prefix(b"oid ") {
            let unsound = || {
                let id = id.as_bstr();
                ProtocolError::new(format!("object-info: protocol error, expected to get oid, not '{id}'"))
            };
            sizes.ids.push(leading_id(id).filter(|_| id.len() == 40).ok_or_else(unsound)?);
        } else {
            return Err(ProtocolError::new(format!("object-info: unexpected line: '{}'", line.as_bstr())));
        }
    }
    Ok(sizes)
}

fn fetch_lines(
    arguments: &mut Arguments<'_>,
    fetch: &mut Fetch,
    capabilities: &mut Vec<String>,
    offers: &Offers,
) -> Result<(), ProtocolError> {
    let mut names = std::collections::HashSet::<BString>::new();
    while let Some(line) = arguments.next()? {
        if let Some(id) = line.strip_prefix(b"want ") {
            let unsound = || {
                let line = line.as_bstr();
                ProtocolError::new(format!("git upload-pack: protocol error, expected to get oid, not '{line}'"))
            };
            fetch.wants.push(leading_id(id).ok_or_else(unsound)?);
        } else if let Some(name) = line.strip_prefix(b"want-ref ").filter(|_| offers.ref_in_want) {
            if !names.insert(name.into()) {
                return Err(ProtocolError::new(format!("duplicate want-ref {}", name.as_bstr())));
            }
            fetch.wanted_references.push(name.into());
        } else if let Some(id) = line.strip_prefix(b"have ") {
            fetch.have(id)?;
        } else if let Some(spec) = line.strip_prefix(b"filter ").filter(|_| offers.filter) {
            fetch.filtered_by(spec)?;
        } else if !fetch.line(line, true)? {
            match line {
                b"done" => fetch.end = End::Done,
                b"wait-for-done" => fetch.wait_for_done = true,
                b"deepen-relative" => fetch.deepen.relative = true,
                b"sideband-all" if offers.sideband_all => fetch.sideband_all = true,
                b"thin-pack" | b"ofs-delta" | b"no-progress" | b"include-tag" => {}
                _ => return Err(unexpected(line)),
            }
            if line != b"done" {
                note(line, capabilities)?;
            }
        }
    }
    Ok(())
}
