//! Requests of versions 0 and 1: the wants, then the haves.

use std::io::Read;

use bstr::{BStr, ByteSlice};
use gix::ObjectId;

use super::{
    Command, Request,
    fetch::{FetchRequest, RequestEnd, have_id},
    leading_id,
};
use crate::{
    Options, ProtocolError,
    pktline::{self, Lines, Packet},
};

/// Reads a stateless request; `None` if it requests nothing.
pub(super) fn read(input: &mut dyn Read, options: &Options) -> Result<Option<Request>, ProtocolError> {
    let mut lines = Lines::new(input, options.limits.request_bytes);
    let Some((capabilities, mut fetch)) = read_wants(&mut lines, options)? else { return Ok(None) };
    fetch.end = loop {
        match read_step(&mut lines)? {
            Step::Have(id) => fetch.haves.push(id),
            Step::Done => break RequestEnd::Done,
            Step::Flush => break RequestEnd::Flush,
            Step::End => break RequestEnd::Missing,
        }
    };
    Ok(Some(Request { capabilities, command: Command::Fetch(Box::new(fetch)) }))
}

/// Reads the wants, with the capabilities, up to the flush; `None` if there are none.
pub(super) fn read_wants(
    lines: &mut Lines<'_>,
    options: &Options,
) -> Result<Option<(Vec<String>, FetchRequest)>, ProtocolError> {
    let mut capabilities = Vec::new();
    let mut fetch = FetchRequest::default();
    while let Packet::Line(line) = lines.next()? {
        parse_want(line, &mut fetch, &mut capabilities, options)?;
    }
    fetch.deepen.relative = options.offers.modern && requests(&capabilities, "deepen-relative");
    Ok((!fetch.wants.is_empty()).then_some((capabilities, fetch)))
}

/// One step of a client in the negotiation.
pub(super) enum Step {
    /// The client has an object.
    Have(ObjectId),
    /// The client has sent all its haves and waits for the pack.
    Done,
    /// The client waits for acknowledgements.
    Flush,
    /// The end of the input.
    End,
}

/// Reads the next step of the negotiation.
pub(super) fn read_step(lines: &mut Lines<'_>) -> Result<Step, ProtocolError> {
    match lines.next()? {
        Packet::Line(b"done") => Ok(Step::Done),
        Packet::Line(line) => match line.strip_prefix(b"have ") {
            Some(id) => have_id(id).map(Step::Have),
            None => Err(unexpected("expected SHA1 list, got", line.as_bstr())),
        },
        Packet::Flush | Packet::Delimiter => Ok(Step::Flush),
        Packet::End => Ok(Step::End),
    }
}

/// Parses a line of the first list.
fn parse_want(
    line: &[u8],
    fetch: &mut FetchRequest,
    capabilities: &mut Vec<String>,
    options: &Options,
) -> Result<(), ProtocolError> {
    if fetch.parse_line(line, options.offers.modern)? {
        return Ok(());
    }
    if let Some(spec) = line.strip_prefix(b"filter ").filter(|_| options.offers.modern) {
        if !options.offers.filter || !requests(capabilities, "filter") {
            return Err(ProtocolError::new("git upload-pack: filtering capability not negotiated"));
        }
        return fetch.set_filter(spec);
    }
    let rest = line.strip_prefix(b"want ");
    let Some((rest, id)) = rest.and_then(|rest| Some((rest, leading_id(rest)?))) else {
        return Err(unexpected("protocol error, expected to get object ID, not", line.as_bstr()));
    };
    // As in Git, only the first line has capabilities.
    if fetch.wants.is_empty() {
        *capabilities = pktline::words(&rest[40..])?;
    }
    fetch.wants.push(id);
    Ok(())
}

fn requests(capabilities: &[String], name: &str) -> bool {
    capabilities.iter().any(|capability| capability == name)
}

fn unexpected(reason: &str, line: &BStr) -> ProtocolError {
    ProtocolError::new(format!("git upload-pack: {reason} '{line}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Offers;

    fn read(lines: &[&str], offers: Offers) -> Result<Option<(Vec<String>, FetchRequest)>, ProtocolError> {
        let mut bytes = Vec::new();
        for line in lines {
            match *line {
                "" => bytes.extend_from_slice(pktline::FLUSH),
                line => pktline::write(&mut bytes, line.as_bytes()),
            }
        }
        let request = super::read(&mut bytes.as_slice(), &Options { offers, ..Options::default() })?;
        Ok(request.map(|request| match request.command {
            Command::Fetch(fetch) => (request.capabilities, *fetch),
            other => panic!("{other:?}"),
        }))
    }

    #[test]
    fn a_request_with_all_parts_is_parsed() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let request = read(
            &[
                &format!("want {a} multi_ack_detailed side-band-64k agent=git/2\n"),
                &format!("want {b}\n"),
                &format!("shallow {c}"),
                "deepen 3",
                "",
                &format!("have {c}\n"),
                "done\n",
            ],
            Offers::AWS,
        );
        let (capabilities, fetch) = request.expect("a well-formed request").expect("a request");
        assert_eq!(fetch.wants.len(), 2);
        assert_eq!(capabilities, ["multi_ack_detailed", "side-band-64k", "agent=git/2"]);
        assert_eq!((fetch.shallow.len(), fetch.deepen.generations, fetch.haves.len()), (1, Some(3), 1));
        assert_eq!(fetch.end, RequestEnd::Done);
    }

    #[test]
    fn empty_requests_are_no_fetch() {
        assert_eq!(read(&[], Offers::AWS).expect("a well-formed request"), None);
        assert_eq!(read(&[""], Offers::AWS).expect("a well-formed request"), None);
    }

    #[test]
    fn malformed_requests_are_rejected() {
        let want = format!("want {}", "a".repeat(40));
        for offers in [Offers::AWS, Offers::FULL] {
            for lines in [
                &["want abc"][..],
                &["what"],
                &[&want, "deepen 0"],
                &[&want, "deepen -1"],
                &[&want, "shallow x"],
                &[&want, "filter blob:none"],
                &[&want, "deepen-since x"],
                &[&want, "", "have x"],
                &[&want, "", "what"],
            ] {
                assert!(read(lines, offers).is_err(), "{lines:?}");
            }
        }
        assert!(read(&[&want, "deepen-since 1", ""], Offers::AWS).is_err());
        assert!(read(&[&want, "deepen-since 1", ""], Offers::FULL).is_ok());
    }
}
