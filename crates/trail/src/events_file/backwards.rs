//! Reads the lines of a file from the last to the first.
//!
//! **Invariant:** every byte is read once and copied at most twice, for lines of any length.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are read at a time.
const STEP_BYTES: u64 = 64 * 1024;

/// The lines before an offset in a file, last line first, without their line ends.
pub(super) struct Backwards<F> {
    file: F,
    /// The offset of the part of the file that was read.
    start: u64,
    /// The bytes of that part that are in no returned line.
    unread: Vec<u8>,
    /// The rest of the line that begins before or in `unread`, in pieces, the last piece first.
    rest: Vec<Vec<u8>>,
}

impl<F: Read + Seek> Backwards<F> {
    /// Starts at the offset `end`: 0, or after a line end.
    pub(super) const fn new(file: F, end: u64) -> Self {
        Self { file, start: end, unread: Vec::new(), rest: Vec::new() }
    }

    /// Returns the next line; `None` at the beginning of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            // The last unread byte is the end of the line itself, so the search starts before it.
            let before = self.unread.len().saturating_sub(usize::from(self.rest.is_empty()));
            if let Some(at) = self.unread[..before].iter().rposition(|byte| *byte == b'\n') {
                let line = self.unread.split_off(at + 1);
                return Ok(Some(self.join(line)));
            }
            if self.start == 0 {
                let line = std::mem::take(&mut self.unread);
                return Ok((!line.is_empty() || !self.rest.is_empty()).then(|| self.join(line)));
            }
            let read = self.read_before()?;
            let unread = std::mem::replace(&mut self.unread, read);
            if !unread.is_empty() {
                self.rest.push(unread);
            }
        }
    }

    /// Reads the piece of the file before the part that was read.
    fn read_before(&mut self) -> io::Result<Vec<u8>> {
        let step = STEP_BYTES.min(self.start);
        self.start -= step;
        let mut bytes = vec![0; usize::try_from(step).expect("a step fits into memory")];
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Joins the beginning of a line with its rest, and removes the line end.
    fn join(&mut self, mut line: Vec<u8>) -> Vec<u8> {
        for piece in self.rest.drain(..).rev() {
            line.extend_from_slice(&piece);
        }
        line.pop_if(|last| *last == b'\n');
        line
    }
}

/// Returns the offset after the last line end of a file; 0 if there is none.
pub(super) fn end_of_lines(file: &mut (impl Read + Seek)) -> io::Result<u64> {
    let mut start = file.seek(SeekFrom::End(0))?;
    while start > 0 {
        let step = STEP_BYTES.min(start);
        start -= step;
        let mut bytes = vec![0; usize::try_from(step).expect("a step fits into memory")];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn lines(content: &[u8]) -> Vec<Vec<u8>> {
        let mut file = Cursor::new(content);
        let end = end_of_lines(&mut file).expect("memory can be read");
        let mut lines = Backwards::new(file, end);
        std::iter::from_fn(|| lines.next().expect("memory can be read")).collect()
    }

    fn expected(content: &[u8]) -> Vec<Vec<u8>> {
        let end = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        content[..end]
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| line[..line.len() - 1].to_vec())
            .rev()
            .collect()
    }

    #[test]
    fn lines_of_any_length_are_read_whole() {
        let long = |length: usize| vec![b'a'; length];
        let step = usize::try_from(STEP_BYTES).expect("a step fits into memory");
        for content in [
            vec![],
            b"torn".to_vec(),
            b"\n".to_vec(),
            b"\n\n\n".to_vec(),
            b"a\nb\ntorn".to_vec(),
            [long(step - 1), b"\n".to_vec(), long(step), b"\n".to_vec(), long(step + 1), b"\n".to_vec()].concat(),
            [b"a\n".to_vec(), long(5 * step), b"\nb\n".to_vec(), long(3 * step)].concat(),
        ] {
            assert!(lines(&content) == expected(&content), "{} bytes", content.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_lines_are_those_of_a_split(lengths in prop::collection::vec(0_usize..150_000, 0..6), torn in 0_usize..70_000) {
            let mut content = Vec::new();
            for length in lengths {
                content.extend(std::iter::repeat_n(b'a', length));
                content.push(b'\n');
            }
            content.extend(std::iter::repeat_n(b't', torn));
            prop_assert!(lines(&content) == expected(&content));
        }
    }
}
