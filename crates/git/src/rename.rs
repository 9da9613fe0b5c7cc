//! What a file was called before it was renamed.

use std::cmp::Reverse;
use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use crate::{Difference, Differences, Error, Kind, reader::Reader};

/// So many files at most are compared with the one that may be one of them renamed; Git stops there too.
const CANDIDATES_MAX: usize = 1_000;

/// The pieces that contents are compared by are lines, but no longer ones than this.
const PIECE_BYTES_MAX: usize = 64;

impl Reader {
    /// Finds the file that was renamed to `path` between two trees: of those that are gone, the one that is most alike.
    ///
    /// As in Git, at least half of the larger content has to be in both.
    pub(crate) fn renamed_from(
        &mut self,
        before: ObjectId,
        after: ObjectId,
        path: &BStr,
        blob: ObjectId,
    ) -> Result<Option<BString>, Error> {
        let mut gone = Vec::new();
        let mut differences = Differences::new(self, Some(before), Some(after), b"".into())?;
        while let Some(Difference { path, before, after }) = differences.next(self)? {
            if let (Some((mode, id)), None) = (before, after)
                && mode.is_blob()
            {
                gone.push((path, id));
            }
        }
        // Of those that are alike, one of the same name goes first.
        gone.sort_by_key(|(other, _)| file_name(other.as_ref()) != file_name(path));
        if let Some((path, _)) = gone.iter().find(|(_, id)| *id == blob) {
            return Ok(Some(path.clone()));
        }
        if gone.len() > CANDIDATES_MAX {
            return Ok(None);
        }
        let Some((Kind::Blob, bytes)) = self.header(&blob)? else { return Ok(None) };
        let content = self.find(&blob)?.map(|blob| blob.data).unwrap_or_default();
        let pieces = pieces(&content);
        let mut best = None;
        for (path, id) in gone {
            let Some((Kind::Blob, other_bytes)) = self.header(&id)? else { continue };
            let larger = bytes.max(other_bytes);
            if bytes.min(other_bytes) * 2 < larger || larger == 0 {
                continue;
            }
            let other = self.find(&id)?.map(|blob| blob.data).unwrap_or_default();
            let shared = shared_bytes(&pieces, &other) as u64;
            let alike = Reverse(shared * 1_000 / larger);
            if shared * 2 >= larger && best.as_ref().is_none_or(|(least, _)| alike < *least) {
                best = Some((alike, path));
            }
        }
        Ok(best.map(|(_, path)| path))
    }
}

fn file_name(path: &BStr) -> &[u8] {
    path.rsplit_once_str(b"/").map_or(path.as_bytes(), |(_, name)| name)
}

/// Counts the bytes of each piece of a content.
fn pieces(content: &[u8]) -> HashMap<&[u8], usize> {
    let mut pieces = HashMap::new();
    for piece in cut(content) {
        *pieces.entry(piece).or_default() += piece.len();
    }
    pieces
}

/// Counts the bytes of the pieces that a content shares with another one.
fn shared_bytes(pieces: &HashMap<&[u8], usize>, content: &[u8]) -> usize {
    let other = self::pieces(content);
    other.iter().map(|(piece, bytes)| pieces.get(piece).copied().unwrap_or_default().min(*bytes)).sum()
}

fn cut(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split_inclusive(|byte| *byte == b'\n').flat_map(|line| line.chunks(PIECE_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_counted_once() {
        assert_eq!(shared_bytes(&pieces(b"a\nb\nb\n"), b"b\nb\nb\nc\n"), 4);
        assert_eq!(shared_bytes(&pieces(&[b'x'; 200]), &[b'x'; 100]), 64);
        assert_eq!(shared_bytes(&pieces(b""), b"a"), 0);
        assert_eq!(file_name(b"a/b/c".into()), b"c");
        assert_eq!(file_name(b"c".into()), b"c");
    }
}
