//! The pkt-line format: four hexadecimal digits of length, then the line.

use std::io::{self, Read};

use bstr::ByteSlice;

use crate::ProtocolError;

/// The largest line, its length digits included.
pub(crate) const LINE_BYTES_MAX: usize = 65520;

/// The maximum number of capabilities or push options of a client; Git's clients send about a dozen.
pub(crate) const WORDS_MAX: usize = 256;

/// The maximum length of the capabilities of a client, in bytes.
pub(crate) const WORDS_BYTES_MAX: usize = 16 << 10;

/// The minimum that a line counts of the size limit of a request, in bytes: about the memory that a short line takes.
pub(crate) const LINE_BYTES_COUNTED_MIN: usize = 64;

/// The packet without content that ends a list.
pub(crate) const FLUSH: &[u8] = b"0000";

/// The packet without content that separates the sections of a list.
const DELIMITER: &[u8] = b"0001";

/// Appends one line.
pub(crate) fn write(out: &mut Vec<u8>, line: &[u8]) {
    out.extend_from_slice(&length(line.len()));
    out.extend_from_slice(line);
}

/// Splits a client's list of capabilities into words.
pub(crate) fn words(list: &[u8]) -> Result<Vec<String>, ProtocolError> {
    let words: Vec<_> = list.fields().take(WORDS_MAX + 1).map(|word| word.to_str_lossy().into_owned()).collect();
    if words.len() > WORDS_MAX || list.len() > WORDS_BYTES_MAX {
        return Err(ProtocolError::new("protocol error: too many capabilities"));
    }
    Ok(words)
}

/// Returns the length digits of a line of `bytes` bytes.
pub(crate) fn length(bytes: usize) -> [u8; 4] {
    let total = bytes + 4;
    // The parts of a line are limited where they are read: names of references, words, pieces of a pack.
    assert!(total <= LINE_BYTES_MAX, "callers limit the length of their lines");
    let digit = |shift: usize| b"0123456789abcdef"[(total >> shift) & 15];
    [digit(12), digit(8), digit(4), digit(0)]
}

/// A list of packets that is being built.
#[derive(Default)]
pub(crate) struct Packets {
    bytes: Vec<u8>,
    /// Whether lines go to band 1.
    banded: bool,
}

impl Packets {
    /// Starts a list; `banded` sends all its lines to band 1.
    pub(crate) fn new(banded: bool) -> Self {
        Self { bytes: Vec::new(), banded }
    }

    /// Appends one line.
    pub(crate) fn line(&mut self, line: impl AsRef<[u8]>) {
        let line = line.as_ref();
        if self.banded {
            self.bytes.extend_from_slice(&length(line.len() + 1));
            self.bytes.push(1);
            self.bytes.extend_from_slice(line);
        } else {
            write(&mut self.bytes, line);
        }
    }

    /// Appends several lines.
    pub(crate) fn lines(&mut self, lines: &[String]) {
        for line in lines {
            self.line(line);
        }
    }

    /// Ends a section; another one follows.
    pub(crate) fn delimiter(&mut self) {
        self.bytes.extend_from_slice(DELIMITER);
    }

    /// Ends a list.
    pub(crate) fn flush(&mut self) {
        self.bytes.extend_from_slice(FLUSH);
    }

    /// Returns the bytes of all packets.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Removes and returns the bytes of the packets so far.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Returns the number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// One packet of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// A line, without its newline.
    Line(&'a [u8]),
    /// The end of a section.
    Delimiter,
    /// The end of a list.
    Flush,
    /// The end of the input.
    End,
}

/// Reads packets from an input, and not a byte more.
pub(crate) struct Lines<'a> {
    input: &'a mut dyn Read,
    bytes_left: u64,
    sections: bool,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Limits the input to `bytes_max` bytes; short lines count as longer ones.
    pub(crate) fn new(input: &'a mut dyn Read, bytes_max: u64) -> Self {
        Self { input, bytes_left: bytes_max, sections: false, line: Vec::new() }
    }

    /// Accepts lists with sections, as in version 2.
    pub(crate) fn with_sections(self) -> Self {
        Self { sections: true, ..self }
    }

    /// Limits the rest of the input to `bytes_max` bytes.
    pub(crate) fn reset_limit(&mut self, bytes_max: u64) {
        self.bytes_left = bytes_max;
    }

    /// Reads the next packet.
    pub(crate) fn next(&mut self) -> Result<Packet<'_>, ProtocolError> {
        let mut digits = [0; 4];
        if !read_full(self.input, &mut digits)? {
            return Ok(Packet::End);
        }
        let total = std::str::from_utf8(&digits)
            .ok()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .ok_or_else(|| ProtocolError::new("protocol error: bad line length character"))?;
        if total == 0 {
            return Ok(Packet::Flush);
        }
        if total == 1 && self.sections {
            return Ok(Packet::Delimiter);
        }
        if !(4..=LINE_BYTES_MAX).contains(&total) {
            return Err(ProtocolError::new(format!("protocol error: bad line length {total}")));
        }
        self.bytes_left = self
            .bytes_left
            .checked_sub(total.max(LINE_BYTES_COUNTED_MIN) as u64)
            .ok_or_else(|| ProtocolError::new("protocol error: the request is too large"))?;
        self.line.resize(total - 4, 0);
        self.input.read_exact(&mut self.line).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ProtocolError::new("protocol error: the request ends inside a line"),
            _ => error.into(),
        })?;
        Ok(Packet::Line(self.line.strip_suffix(b"\n").unwrap_or(&self.line)))
    }
}

/// Fills `buffer`; returns `false` at the end of the input.
fn read_full(input: &mut dyn Read, buffer: &mut [u8]) -> Result<bool, ProtocolError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(ProtocolError::new("protocol error: the request ends inside a line")),
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

/// The maximum length of an error message for a client, in bytes.
const TEXT_BYTES_MAX: usize = 1000;

impl ProtocolError {
    /// Renders the pkt-line for the client, usually an `ERR` line; no flush follows it.
    pub fn packet(&self) -> Vec<u8> {
        let mark = if self.banded { "\x03" } else { "ERR " };
        let mut out = Vec::new();
        // The message may repeat a long line of the client.
        let text = format!("{mark}{}", self.message).into_bytes();
        write(&mut out, &text[..text.len().min(TEXT_BYTES_MAX)]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_framed_and_read_back() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"want\n");
        write(&mut bytes, b"");
        bytes.extend_from_slice(FLUSH);
        assert_eq!(bytes, b"0009want\n00040000");
        let mut input = bytes.as_slice();
        let mut lines = Lines::new(&mut input, 1000);
        assert_eq!(lines.next().expect("a line"), Packet::Line(b"want"));
        assert_eq!(lines.next().expect("a line"), Packet::Line(b""));
        assert_eq!(lines.next().expect("a flush"), Packet::Flush);
        assert_eq!(lines.next().expect("the end"), Packet::End);
    }

    #[test]
    fn malformed_lengths_are_rejected() {
        for bytes in [&b"00"[..], b"0003", b"+00a", b"zzzz", b"fff5", b"0009wan"] {
            let mut input = bytes;
            assert!(Lines::new(&mut input, 1 << 20).next().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn delimiters_are_accepted_in_version_2_only() {
        let mut out = Packets::new(true);
        out.line("a");
        out.delimiter();
        out.flush();
        let bytes = out.into_bytes();
        assert_eq!(bytes, b"0006\x01a00010000");
        let mut input = bytes.as_slice();
        let mut lines = Lines::new(&mut input, 100).with_sections();
        assert_eq!(lines.next().expect("a line"), Packet::Line(b"\x01a"));
        assert_eq!(lines.next().expect("a delimiter"), Packet::Delimiter);
        let mut input = &bytes[6..];
        assert!(Lines::new(&mut input, 100).next().is_err());
    }

    #[test]
    fn the_size_limit_is_enforced() {
        let long = b"x".repeat(96);
        let mut bytes = Vec::new();
        for line in [b"a", &long[..], b"", b"b"] {
            write(&mut bytes, line);
        }
        let mut input = bytes.as_slice();
        let mut lines = Lines::new(&mut input, 64 + 100 + 64);
        for line in [b"a", &long[..], b""] {
            assert_eq!(lines.next().expect("the line fits into a packet"), Packet::Line(line));
        }
        assert!(lines.next().is_err());
    }
}
