//! Requests of versions 0 and 1: what is wanted, then what the client has.

use std::io::Read;

use bstr::{BStr, ByteSlice};

use super::{
    Command, Request,
    fetch::{End, Fetch},
    leading_id,
};
use crate::{
    Options, ProtocolError,
    pktline::{self, Lines, Packet},
};

/// Reads a request; nothing if it is empty or asks for nothing.
pub(super) fn read(input: &mut dyn Read, options: &Options) -> Result<Option<Request>, ProtocolError> {
    let mut lines = Lines::new(input, options.limits.request_bytes);
    let mut capabilities = Vec::new();
    let mut fetch = Fetch::default();
    while let Packet::Line(line) = lines.next()? {
        demand(line, &mut fetch, &mut capabilities, options)?;
    }
    if fetch.wants.is_empty() {
        return Ok(None);
    }
    loop {
        match lines.next()? {
            Packet::Line(b"done") => {
                fetch.end = End::Done;
                break;
            }
            Packet::Line(line) => match line.strip_prefix(b"have ") {
                Some(id) => fetch.have(id)?,
                None => return Err(refusal("expected SHA1 list, got", line.as_bstr())),
            },
            Packet::Flush | Packet::Delimiter => break,
            Packet::End => {
                fetch.end = End::Missing;
                break;
            }
        }
    }
    fetch.deepen.relative = options.offers.modern && asks(&capabilities, "deepen-relative");
    Ok(Some(Request { capabilities, command: Command::Fetch(Box::new(fetch)) }))
}

/// Reads a line of the first list.
fn demand(
    line: &[u8],
    fetch: &mut Fetch,
    capabilities: &mut Vec<String>,
    options: &Options,
) -> Result<(), ProtocolError> {
    if fetch.line(line, options.offers.modern)? {
        return Ok(());
    }
    if let Some(spec) = line.strip_prefix(b"filter ").filter(|_| options.offers.modern) {
        if !options.offers.filter || !asks(capabilities, "filter") {
            return Err(ProtocolError::new("git upload-pack: filtering capability not negotiated"));
        }
        return fetch.filtered_by(spec);
    }
    let rest = line.strip_prefix(b"want ");
    let Some((rest, id)) = rest.and_then(|rest| Some((rest, leading_id(rest)?))) else {
        return Err(refusal("protocol error, expected to get object ID, not", line.as_bstr()));
    };
    // As Git has it, what comes with the first line counts.
    if fetch.wants.is_empty() {
        *capabilities = pktline::words(&rest[40..])?;
    }
    fetch.wants.push(id);
    Ok(())
}

fn asks(capabilities: &[String], name: &str) -> bool {
    capabilities.iter().any(|capability| capability == name)
}

fn refusal(what: &str, line: &BStr) -> ProtocolError {
    ProtocolError::new(format!("git upload-pack: {what} '{line}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Offers;

    fn read(lines: &[&str], offers: Offers) -> Result<Option<(Vec<String>, Fetch)>, ProtocolError> {
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
    fn a_whole_request_is_read() {
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
        let (capabilities, fetch) = request.expect("a sound request").expect("a request");
        assert_eq!(fetch.wants.len(), 2);
        assert_eq!(capabilities, ["multi_ack_detailed", "side-band-64k", "agent=git/2"]);
        assert_eq!((fetch.shallow.len(), fetch.deepen.generations, fetch.haves.len()), (1, Some(3), 1));
        assert_eq!(fetch.end, End::Done);
    }

    #[test]
    fn empty_requests_ask_for_nothing() {
        assert_eq!(read(&[], Offers::AWS).expect("a sound request"), None);
        assert_eq!(read(&[""], Offers::AWS).expect("a sound request"), None);
    }

    #[test]
    fn unsound_requests_are_refused() {
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
