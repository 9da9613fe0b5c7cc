//! Inflating the entries of an incoming pack without holding them.

use gix::zlib::{Decompress, FlushDecompress, Status};

use super::{Refusal, source::Source};

/// Inflates one zlib stream after the other.
pub(super) struct Inflater {
    state: Decompress,
    output: Box<[u8]>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self { state: Decompress::new(), output: vec![0; 64 << 10].into() }
    }

    /// Consumes a stream of exactly `size` inflated bytes and hands them to `sink` in parts.
    pub(super) fn run(
        &mut self,
        source: &mut Source<'_>,
        size: u64,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Refusal> {
        self.state.reset();
        let mut done = 0;
        loop {
            let input = source.peek()?;
            let (consumed, produced) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(input, &mut self.output, FlushDecompress::None)
                .map_err(|_| Refusal::new("the pack is corrupt: an entry cannot be inflated"))?;
            let consumed = usize::try_from(self.state.total_in() - consumed).expect("part of a buffer");
            let produced = usize::try_from(self.state.total_out() - produced).expect("part of a buffer");
            source.advance(consumed);
            done += produced as u64;
            if done > size {
                return Err(Refusal::new("the pack is corrupt: an entry is larger than it declares"));
            }
            sink(&self.output[..produced]);
            match status {
                Status::StreamEnd if done == size => return Ok(()),
                Status::StreamEnd => {
                    return Err(Refusal::new("the pack is corrupt: an entry is smaller than it declares"));
                }
                Status::Ok | Status::BufError if consumed == 0 && produced == 0 => {
                    return Err(Refusal::new("the pack is corrupt: an entry cannot be inflated"));
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }
}
