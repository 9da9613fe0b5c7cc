//! A fetch over one pair of streams, as SSH and pipes have it.
//!
//! In versions 0 and 1 the client negotiates in rounds: it sends each object that it has once. In version 2 it sends
//! commands until it closes the connection.
//!
//! **Invariant:** a client that disconnects ends the dialogue without an error. Memory is limited as for a stateless
//! request: by [`Limits::request_bytes`](crate::Limits::request_bytes) for the wants, for each round and for the common
//! objects.

use std::io::{BufReader, Read};

use super::{Command, PreparedFetch, Response, respond, v0, v2};
use crate::{
    Error, Options, ProtocolError, References, Repository, Version, advertisement,
    output::Output,
    pktline::{LINE_BYTES_COUNTED_MIN, Lines, Packets},
    stream::{Stream, send},
};

/// The size of acknowledgements that are collected before they are sent, in bytes; a flush sends them, too.
const ACKS_BYTES: usize = 32 << 10;

/// Decides before a response is sent whether to send it; an error is sent in its place and ends the dialogue.
pub type BeforeResponse<'b> = dyn FnMut(&Response) -> Result<(), ProtocolError> + 'b;

/// A client that is served over one pair of streams.
pub struct Dialogue<'d> {
    /// The objects.
    pub repository: &'d Repository,
    /// The references, which stay the same during the dialogue.
    pub references: &'d References,
    /// The version of the protocol.
    pub version: Version,
    /// The offers and limits of the server.
    pub options: &'d Options,
}

impl Dialogue<'_> {
    /// Serves the client: sends the advertisement, negotiates and sends packs until the client is done or disconnects.
    ///
    /// `advertisement` is the result of [`advertise`](crate::advertise) for the same references, version and options, or empty if
    /// the caller has sent it.
    /// `before_response` is called before each response with a pack, and in version 2 before each other response.
    ///
    /// An error was sent to the client already, if it is still connected. The repository's interrupt ends work on objects; a
    /// transport ends a blocked read by closing its stream.
    pub fn serve(
        &self,
        advertisement: &[u8],
        input: &mut dyn Read,
        output: &mut dyn Output,
        before_response: &mut BeforeResponse<'_>,
    ) -> Result<(), ProtocolError> {
        let mut input = BufReader::new(Stream::new(input));
        let mut output = Stream::new(output);
        if send(&mut output, advertisement::of_stream(advertisement)).is_err() {
            return Ok(());
        }
        loop {
            let response = self.next_response(&mut input, &mut output).and_then(|response| {
                response.as_ref().map_or(Ok(()), &mut *before_response)?;
                Ok(response)
            });
            let has_ended = |output: &Stream<_>| input.get_ref().has_ended() || output.has_ended();
            let response = match response {
                Ok(Some(response)) => response,
                Ok(None) => return Ok(()),
                Err(_) if has_ended(&output) => return Ok(()),
                Err(error) => {
                    // A client that disconnects now does not need the error.
                    drop(send(&mut output, &error.packet()));
                    return Err(error);
                }
            };
            match response.send(&mut output) {
                Ok(()) if self.version == Version::V2 => {}
                Err(error) if !output.has_ended() => return Err(Error::from(error).into()),
                _ => return Ok(()),
            }
        }
    }

    /// Returns the next response with a pack or, in version 2, to a command; `None` when the client is done.
    fn next_response(&self, input: &mut dyn Read, output: &mut dyn Output) -> Result<Option<Response>, ProtocolError> {
        if self.version != Version::V2 {
            return self.negotiate(input, output);
        }
        while let Some(request) = v2::read(input, self.options)? {
            if request.command != Command::FetchNothing {
                return respond(self.repository, self.references, request, self.options).map(Some);
            }
        }
        Ok(None)
    }

    /// Negotiates in version 0 or 1; `None` if the client requests nothing or disconnects.
    fn negotiate(&self, input: &mut dyn Read, output: &mut dyn Output) -> Result<Option<Response>, ProtocolError> {
        let bytes_max = self.options.limits.request_bytes;
        let mut lines = Lines::new(input, bytes_max);
        let Some((capabilities, request)) = v0::read_wants(&mut lines, self.options)? else { return Ok(None) };
        let mut fetch = PreparedFetch::new(self.repository, self.references, request, capabilities, self.options)?;
        let mut out = Packets::default();
        let update = fetch.update_shallow(&mut out)?;
        send(output, &out.take_bytes())?;
        let mut negotiation = fetch.negotiation();
        lines.reset_limit(bytes_max);
        loop {
            match v0::read_step(&mut lines)? {
                v0::Step::Have(id) => {
                    fetch.have(&mut negotiation, &id, &mut out)?;
                    if negotiation.common_count() as u64 > bytes_max / LINE_BYTES_COUNTED_MIN as u64 {
                        return Err(ProtocolError::new("protocol error: the request is too large"));
                    }
                    if out.len() >= ACKS_BYTES {
                        send(output, &out.take_bytes())?;
                    }
                }
                v0::Step::Done => {
                    negotiation.done(&mut out);
                    break;
                }
                v0::Step::Flush if fetch.end_round(&mut negotiation, &mut out)? => break,
                v0::Step::Flush => {
                    send(output, &out.take_bytes())?;
                    self.repository.interrupt().check()?;
                    lines.reset_limit(bytes_max);
                }
                v0::Step::End => return Ok(None),
            }
        }
        Ok(Some(fetch.into_response(Some(negotiation.into_common()), update, out)))
    }
}

#[cfg(test)]
mod tests;
