//! Side bands: carry a pack, progress and errors in one response.

use std::{
    fs::File,
    io::{self, IoSlice, Write},
    ops::Range,
    sync::Arc,
};

use crate::{
    frames::Frames,
    output::{FilePart, Output},
    pktline,
};

/// Writes a response in frames; plain writes go to band 1.
pub(crate) struct SideBand<'w> {
    output: &'w mut dyn Output,
    frames: Frames,
    /// The frame that is being filled: space for its header, then the payload.
    frame: Vec<u8>,
}

const HEAD: [u8; 5] = [0; 5];

impl<'w> SideBand<'w> {
    /// Starts a response.
    pub(crate) fn new(output: &'w mut dyn Output, frames: Frames) -> Self {
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

    /// Sends a part of a file in band 1; the file must not change any more.
    pub(crate) fn part(&mut self, file: &Arc<File>, range: Range<u64>) -> io::Result<()> {
        self.send()?;
        self.output.part(FilePart::framed(Arc::clone(file), range, self.frames))
    }

    /// Sends the buffered bytes, and the flush that ends a response with side bands.
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

    /// Sends a payload that fills a frame, without copying it.
    fn send_whole(&mut self, payload: &[u8]) -> io::Result<()> {
        if self.frames == Frames::None {
            return self.output.write_all(payload);
        }
        let mut head = HEAD;
        head[..4].copy_from_slice(&pktline::length(payload.len() + 1));
        head[4] = 1;
        write_both(self.output, &head, payload)
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
        let payload = self.frames.payload_bytes();
        let is_empty = self.frame.len() == HEAD.len();
        if is_empty && bytes.len() >= payload {
            self.send_whole(&bytes[..payload])?;
            return Ok(payload);
        }
        let room = payload + HEAD.len() - self.frame.len();
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

/// Writes two slices, with one call if the output takes both at once.
fn write_both(output: &mut dyn Output, head: &[u8], body: &[u8]) -> io::Result<()> {
    let written = loop {
        match output.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            written => break written?,
        }
    };
    output.write_all(&head[written.min(head.len())..])?;
    output.write_all(&body[written.saturating_sub(head.len())..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::CopyOutput;

    #[test]
    fn frames_are_cut_to_size() {
        let mut out = Vec::new();
        let mut output = CopyOutput(&mut out);
        let mut band = SideBand::new(&mut output, Frames::Small);
        band.write_all(&[7; 1200]).expect("a vector takes all");
        band.progress("hm\n").expect("a vector takes all");
        band.finish().expect("a vector takes all");
        assert_eq!(&out[..5], b"03e8\x01");
        assert_eq!(&out[1000..1005], b"00d2\x01");
        assert!(out.ends_with(b"0008\x02hm\n0000"));
    }

    #[test]
    fn large_payloads_are_framed_without_a_copy() {
        /// Takes a few bytes at a time.
        struct Slow(Vec<u8>);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let taken = bytes.len().min(3);
                self.0.extend_from_slice(&bytes[..taken]);
                Ok(taken)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let mut slow = Slow(Vec::new());
        let mut output = CopyOutput(&mut slow);
        let mut band = SideBand::new(&mut output, Frames::Large);
        band.write_all(&bytes[..10]).expect("a vector takes all");
        band.write_all(&bytes[10..]).expect("a vector takes all");
        band.finish().expect("a vector takes all");
        let mut rest = slow.0.as_slice();
        let mut payload = Vec::new();
        while !rest.starts_with(b"0000") {
            let length = std::str::from_utf8(&rest[..4]).expect("digits");
            let length = usize::from_str_radix(length, 16).expect("digits");
            assert_eq!(rest[4], 1);
            payload.extend_from_slice(&rest[5..length]);
            rest = &rest[length..];
        }
        assert_eq!(payload, bytes);
    }

    #[test]
    fn without_bands_the_bytes_are_bare() {
        let mut out = Vec::new();
        let mut output = CopyOutput(&mut out);
        let mut band = SideBand::new(&mut output, Frames::None);
        band.write_all(b"PACK").expect("a vector takes all");
        band.progress("hm\n").expect("a vector takes all");
        band.finish().expect("a vector takes all");
        assert_eq!(out, b"PACK");
    }
}
