//! The heads of a pack's entries.

use gix::hash::oid;

use crate::Kind;

const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

/// Encodes the head of an entry that holds a whole object of `size` bytes.
pub(crate) fn entry_head(kind: Kind, size: u64) -> Vec<u8> {
    let number = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    type_and_size(number, size)
}

/// Encodes the head of an entry that holds a delta of `size` bytes on the object `base`.
pub(super) fn ref_delta_head(base: &oid, size: u64) -> Vec<u8> {
    let mut head = type_and_size(REF_DELTA, size);
    head.extend_from_slice(base.as_bytes());
    head
}

/// Encodes the head of an entry that holds a delta of `size` bytes on the entry that starts `bytes` before it.
pub(super) fn offset_delta_head(bytes: u64, size: u64) -> Vec<u8> {
    let mut head = type_and_size(OFS_DELTA, size);
    head.extend(distance(bytes));
    head
}

fn type_and_size(number: u8, size: u64) -> Vec<u8> {
    let low = |bits: u64, mask: u8| bits.to_le_bytes()[0] & mask;
    let mut head = vec![number << 4 | low(size, 15)];
    let mut rest = size >> 4;
    while rest != 0 {
        *head.last_mut().expect("there is a first byte") |= 0x80;
        head.push(low(rest, 0x7f));
        rest >>= 7;
    }
    head
}

/// Encodes the distance to a base that lies before its delta.
fn distance(bytes: u64) -> Vec<u8> {
    let mut digits = vec![bytes.to_le_bytes()[0] & 0x7f];
    let mut rest = bytes >> 7;
    while rest != 0 {
        rest -= 1;
        digits.push(0x80 | rest.to_le_bytes()[0] & 0x7f);
        rest >>= 7;
    }
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix::odb::pack::data::entry::Header;

    #[test]
    fn heads_are_as_gitoxide_writes_them() {
        let expected = |header: Header, size| {
            let mut bytes = Vec::new();
            header.write_to(size, &mut bytes).expect("a vector takes all");
            bytes
        };
        let id = gix::ObjectId::empty_tree(gix::hash::Kind::Sha1);
        for size in [0, 1, 15, 16, 2047, 2048, 1 << 20, 1 << 40] {
            assert_eq!(entry_head(Kind::Tree, size), expected(Header::Tree, size), "{size}");
            assert_eq!(ref_delta_head(&id, size), expected(Header::RefDelta { base_id: id }, size), "{size}");
        }
        for base_distance in [1, 127, 128, 16_511, 16_512, 1 << 31, 1 << 40] {
            let head = expected(Header::OfsDelta { base_distance }, 9);
            assert_eq!(offset_delta_head(base_distance, 9), head, "{base_distance}");
        }
    }
}
