//! What a client asks for.

use std::io::Read;

use bstr::ByteSlice;
use gix::ObjectId;

use crate::{
    Options, ProtocolError,
    pktline::{Lines, Packet},
};

/// All that a client has said so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The objects asked for, at least one.
    pub wants: Vec<ObjectId>,
    /// The objects that the client has, in its order.
    pub haves: Vec<ObjectId>,
    /// The capabilities that the client asks for, as it sent them and in its order.
    pub capabilities: Vec<String>,
    /// The commits whose parents the client does not have.
    pub shallow: Vec<ObjectId>,
    /// The number of generations that the client wants, if it wants a limit.
    pub depth: Option<u32>,
    /// Whether the client has said all and waits for the pack.
    pub done: bool,
    /// Whether the request stops after the wants, or among the haves. The first step of a client that asks
    /// for a depth does so, and waits for no acknowledgement.
    pub(super) breaks_off: bool,
}

impl Request {
    /// Reads a request; nothing if it is empty or asks for nothing.
    pub fn read(input: &mut dyn Read, options: &Options) -> Result<Option<Self>, ProtocolError> {
        let mut lines = Lines::new(input, options.limits.request_bytes);
        let mut request = Self::default();
        while let Packet::Line(line) = lines.next()? {
            request.demand(line)?;
        }
        if request.wants.is_empty() {
            return Ok(None);
        }
        loop {
            match lines.next()? {
                Packet::Line(b"done") => {
                    request.done = true;
                    break;
                }
                Packet::Line(line) => {
                    let have = line.strip_prefix(b"have ").and_then(|id| ObjectId::from_hex(id).ok());
                    request.haves.push(have.ok_or_else(|| unexpected(line, "SHA1 list"))?);
                }
                Packet::Flush => break,
                Packet::End => {
                    request.breaks_off = true;
                    break;
                }
            }
        }
        Ok(Some(request))
    }

    /// Reads a line of the first list.
    fn demand(&mut self, line: &[u8]) -> Result<(), ProtocolError> {
        if let Some(rest) = line.strip_prefix(b"want ") {
            let (id, capabilities) = rest.split_at_checked(40).ok_or_else(|| unexpected(line, "want"))?;
            self.wants.push(ObjectId::from_hex(id).map_err(|_| unexpected(line, "want"))?);
            if self.wants.len() == 1 {
                let capabilities = capabilities.fields().map(|capability| capability.to_str_lossy().into_owned());
                self.capabilities = capabilities.collect();
            }
        } else if let Some(id) = line.strip_prefix(b"shallow ") {
            let id = ObjectId::from_hex(id)
                .map_err(|_| ProtocolError::new(format!("invalid shallow line: {}", line.as_bstr())))?;
            self.shallow.push(id);
        } else if let Some(depth) = line.strip_prefix(b"deepen ") {
            let depth = depth.to_str().ok().and_then(|depth| depth.parse().ok()).filter(|depth| *depth > 0);
            self.depth = Some(depth.ok_or_else(|| ProtocolError::new(format!("Invalid deepen: {}", line.as_bstr())))?);
        } else {
            return Err(unexpected(line, "want"));
        }
        Ok(())
    }
}

fn unexpected(line: &[u8], expected: &str) -> ProtocolError {
    let shown = line[..line.len().min(100)].as_bstr();
    ProtocolError::new(format!("upload-pack: protocol error, expected {expected}, got '{shown}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pktline;

    fn read(lines: &[&str]) -> Result<Option<Request>, ProtocolError> {
        let mut bytes = Vec::new();
        for line in lines {
            match *line {
                "" => bytes.extend_from_slice(pktline::FLUSH),
                line => pktline::write(&mut bytes, line.as_bytes()),
            }
        }
        Request::read(&mut bytes.as_slice(), &Options::default())
    }

    #[test]
    fn a_whole_request_is_read() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let request = read(&[
            &format!("want {a} multi_ack_detailed side-band-64k agent=git/2\n"),
            &format!("want {b}\n"),
            &format!("shallow {c}"),
            "deepen 3",
            "",
            &format!("have {c}\n"),
            "done\n",
        ]);
        let request = request.expect("a sound request").expect("a request");
        assert_eq!(request.wants.len(), 2);
        assert_eq!(request.capabilities, ["multi_ack_detailed", "side-band-64k", "agent=git/2"]);
        assert_eq!((request.shallow.len(), request.depth, request.haves.len()), (1, Some(3), 1));
        assert!(request.done);
    }

    #[test]
    fn empty_requests_ask_for_nothing() {
        assert_eq!(read(&[]).expect("a sound request"), None);
        assert_eq!(read(&[""]).expect("a sound request"), None);
    }

    #[test]
    fn unsound_requests_are_refused() {
        let want = format!("want {}", "a".repeat(40));
        for lines in [
            &["want abc"][..],
            &["what"],
            &[&want, "deepen 0"],
            &[&want, "deepen -1"],
            &[&want, "shallow x"],
            &[&want, "filter blob:none"],
            &[&want, "", "have x"],
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
    }
}
