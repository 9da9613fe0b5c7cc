//! Inflates the entries of an incoming pack part by part.

use gix::zlib::{Decompress, FlushDecompress, Status};

use super::{PackError, source::PackSource};

/// Inflates one zlib stream after the other.
pub(super) struct Inflater {
    state: Decompress,
    output: Box<[u8]>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self { state: Decompress::new(), output: vec![0; 64 << 10].into() }
    }

    /// Inflates a stream of exactly `size` inflated bytes, and passes them to `sink` in parts.
    pub(super) fn run(
        &mut self,
        source: &mut PackSource<'_>,
        size: u64,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PackError> {
        self.state.reset();
        let mut done = 0;
        loop {
            let input = source.peek()?;
            let (consumed, produced) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(input, &mut self.output, FlushDecompress::None)
                .map_err(|_| PackError::new("the pack is corrupt: an entry cannot be inflated"))?;
            let consumed = usize::try_from(self.state.total_in() - consumed).expect("at most the size of a buffer");
            let produced = usize::try_from(self.state.total_out() - produced).expect("at most the size of a buffer");
            source.advance(consumed);
            done += produced as u64;
            if done > size {
                return Err(PackError::new("the pack is corrupt: an entry is larger than it declares"));
            }
            sink(&self.output[..produced]);
            match status {
                Status::StreamEnd if done == size => return Ok(()),
                Status::StreamEnd => {
                    return Err(PackError::new("the pack is corrupt: an entry is smaller than it declares"));
                }
                Status::Ok | Status::BufError if consumed == 0 && produced == 0 => {
                    return Err(PackError::new("the pack is corrupt: an entry cannot be inflated"));
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }
}
