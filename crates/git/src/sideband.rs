//! The side bands that carry a pack, progress and errors in one answer.

use std::io::{self, Write};

use crate::pktline;

/// How much of an answer one frame may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frames {
    /// No bands: the bare bytes.
    None,
    /// `side-band`: lines of at most 1,000 bytes.
    Small,
    /// `side-band-64k`.
    Large,
}

impl Frames {
    /// Chooses what the client asked for.
    pub(crate) fn of(capabilities: &[String]) -> Self {
        let asked = |name: &str| capabilities.iter().any(|capability| capability == name);
        if asked("side-band-64k") {
            Self::Large
        } else if asked("side-band") {
            Self::Small
        } else {
            Self::None
        }
    }

    fn payload_bytes(self) -> usize {
        match self {
            Self::Small => 995,
            Self::None | Self::Large => pktline::LINE_BYTES_MAX - 5,
        }
    }
}

/// Writes an answer in frames; what is written to it goes to band 1.
pub(crate) struct SideBand<'w> {
    output: &'w mut dyn Write,
    frames: Frames,
    /// The frame that is being filled: room for its head, then the payload.
    frame: Vec<u8>,
}

const HEAD: [u8; 5] = [0; 5];

impl<'w> SideBand<'w> {
    /// Starts an answer.
    pub(crate) fn new(output: &'w mut dyn Write, frames: Frames) -> Self {
        let mut frame = Vec::with_capacity(frames.payload_bytes() + HEAD.len());
        frame.extend_from_slice(&HEAD);
        Self { output, frames, frame }
    }

    /// Sends a progress line, if there are bands.
    pub(crate) fn progress(&mut self, text: &str) -> io::Result<()> {
        self.message(2, text)
    }

    /// Sends a fatal error, if there are bands.
    pub(crate) fn error(&mut self, text: &str) -> io::Result<()> {
        self.message(3, text)
    }

    /// Sends what is held back, and the flush that ends banded answers.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.send()?;
        if self.frames != Frames::None {
            self.output.write_all(pktline::FLUSH)?;
        }
        self.output.flush()
    }

    fn message(&mut self, band: u8, text: &str) -> io::Result<()> {
        if self.frames == Frames::None {
            return Ok(());
        }
        self.send()?;
        for part in text.as_bytes().chunks(self.frames.payload_bytes()) {
            let mut line = pktline::length(part.len() + 1).to_vec();
            line.push(band);
            line.extend_from_slice(part);
            self.output.write_all(&line)?;
        }
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        let payload = self.frame.len() - HEAD.len();
        if payload == 0 {
            return Ok(());
        }
        if self.frames == Frames::None {
            self.output.write_all(&self.frame[HEAD.len()..])?;
        } else {
            self.frame[..4].copy_from_slice(&pktline::length(payload + 1));
            self.frame[4] = 1;
            self.output.write_all(&self.frame)?;
        }
        self.frame.truncate(HEAD.len());
        Ok(())
    }
}

impl Write for SideBand<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.frames.payload_bytes() + HEAD.len() - self.frame.len();
        let taken = room.min(bytes.len());
        self.frame.extend_from_slice(&bytes[..taken]);
        if taken == room {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_to_size() {
        let mut out = Vec::new();
        let mut band = SideBand::new(&mut out, Frames::Small);
        band.write_all(&[7; 1200]).expect("a vector takes all");
        band.progress("hm\n").expect("a vector takes all");
        band.finish().expect("a vector takes all");
        assert_eq!(&out[..5], b"03e8\x01");
        assert_eq!(&out[1000..1005], b"00d2\x01");
        assert!(out.ends_with(b"0008\x02hm\n0000"));
    }

    #[test]
    fn without_bands_the_bytes_are_bare() {
        let mut out = Vec::new();
        let mut band = SideBand::new(&mut out, Frames::None);
        band.write_all(b"PACK").expect("a vector takes all");
        band.progress("hm\n").expect("a vector takes all");
        band.finish().expect("a vector takes all");
        assert_eq!(out, b"PACK");
    }
}
