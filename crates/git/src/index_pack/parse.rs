//! The single pass over an incoming pack.

use std::{fs::File, io::Read};

use gix::ObjectId;

use super::{
    PackEntry, PackError,
    inflate::Inflater,
    rules::{ParsedLinks, Rules},
    source::PackSource,
};
use crate::Kind;

/// The result of the pass.
pub(super) struct ParsedPack {
    pub(super) entries: Vec<PackEntry>,
    pub(super) deltas: Deltas,
    pub(super) links: ParsedLinks,
    /// The size of the received pack, in bytes.
    pub(super) bytes: u64,
    pub(super) checksum: ObjectId,
}

/// The deltas of a pack by their bases; entries are given by their numbers.
#[derive(Default)]
pub(super) struct Deltas {
    /// Base and delta, for deltas that name the base by its offset.
    pub(super) by_entry: Vec<(u32, u32)>,
    /// Base and delta, for deltas that name the base by its id.
    pub(super) by_id: Vec<(ObjectId, u32)>,
}

impl Deltas {
    pub(super) fn is_empty(&self) -> bool {
        self.by_entry.is_empty() && self.by_id.is_empty()
    }
}

/// The type numbers of pack entries.
const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

/// Reads a pack from `input` and stores it in `output`.
pub(super) fn parse(output: File, input: &mut dyn Read, rules: &Rules<'_>) -> Result<ParsedPack, PackError> {
    let limits = &rules.options.limits;
    let mut source = PackSource::new(input, output, limits.pack_bytes);
    let count = pack_header(&mut source)?;
    if count > limits.pack_objects {
        return Err(PackError::new(format!("a pack of {count} objects is too large")));
    }
    let mut parser = Parser {
        source,
        rules,
        inflater: Inflater::new(),
        structure: Vec::new(),
        entries: Vec::new(),
        deltas: Deltas::default(),
        links: ParsedLinks::default(),
    };
    for _ in 0..count {
        parser.entry()?;
    }
    parser.deltas.by_entry.sort_unstable();
    parser.deltas.by_id.sort_unstable();
    let bytes = parser.source.offset();
    let checksum = parser.source.finish()?;
    let Parser { entries, deltas, links, .. } = parser;
    Ok(ParsedPack { entries, deltas, links, bytes, checksum })
}

/// Reads the header of a pack; returns its number of objects.
fn pack_header(source: &mut PackSource<'_>) -> Result<u32, PackError> {
    let mut header = [0; 12];
    source.exact(&mut header).map_err(|_| PackError::new("eof before pack header was fully read"))?;
    let number = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().expect("four bytes"));
    if &header[..4] != b"PACK" {
        return Err(PackError::new("protocol error (pack signature mismatch detected)"));
    }
    if !matches!(number(4), 2 | 3) {
        return Err(PackError::new("protocol error (pack version unsupported)"));
    }
    Ok(number(8))
}

struct Parser<'a> {
    source: PackSource<'a>,
    rules: &'a Rules<'a>,
    inflater: Inflater,
    /// The commit, tree or tag that is being read.
    structure: Vec<u8>,
    entries: Vec<PackEntry>,
    deltas: Deltas,
    links: ParsedLinks,
}

impl Parser<'_> {
    fn entry(&mut self) -> Result<(), PackError> {
        let number = u32::try_from(self.entries.len()).expect("a pack counts its objects in 32 bits");
        let offset = self.source.offset();
        self.source.start_entry();
        let (number_of_type, size) = self.entry_header()?;
        let limits = &self.rules.options.limits;
        if size > limits.object_bytes || number_of_type >= OFS_DELTA && size > limits.delta_bytes {
            return Err(PackError::new(format!("an object of {size} bytes is too large")));
        }
        self.rules.count_expansion(size, self.source.offset())?;
        let kind = match number_of_type {
            1 => Some(Kind::Commit),
            2 => Some(Kind::Tree),
            3 => Some(Kind::Blob),
            4 => Some(Kind::Tag),
            OFS_DELTA => {
                let base = self.base_before(offset)?;
                self.deltas.by_entry.push((base, number));
                None
            }
            REF_DELTA => {
                let mut base = [0; 20];
                self.source.exact(&mut base)?;
                self.deltas.by_id.push((ObjectId::from(base), number));
                None
            }
            other => return Err(PackError::new(format!("the pack is corrupt: no entry is of type {other}"))),
        };
        let head_bytes = u8::try_from(self.source.offset() - offset).expect("an entry header has at most 30 bytes");
        let id = if let Some(kind) = kind {
            self.object(kind, size)?
        } else {
            self.inflater.run(&mut self.source, size, &mut |_| {})?;
            ObjectId::null(gix::hash::Kind::Sha1)
        };
        let crc = self.source.end_entry();
        self.entries.push(PackEntry { offset, size, id, crc, head_bytes, kind });
        Ok(())
    }

    /// Reads the type and the inflated size of an entry.
    fn entry_header(&mut self) -> Result<(u8, u64), PackError> {
        let mut byte = self.source.byte()?;
        let number_of_type = byte >> 4 & 7;
        let mut size = u64::from(byte & 15);
        let mut shift = 4;
        while byte & 0x80 != 0 {
            if shift > 53 {
                return Err(PackError::new("the pack is corrupt: an entry declares an endless size"));
            }
            byte = self.source.byte()?;
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        Ok((number_of_type, size))
    }

    /// Reads the distance from the entry at `offset` back to its base, and finds the base.
    fn base_before(&mut self, offset: u64) -> Result<u32, PackError> {
        if !self.rules.options.offers.modern {
            return Err(PackError::new("protocol error (offset deltas are not supported)"));
        }
        let mut byte = self.source.byte()?;
        let mut distance = u64::from(byte & 0x7f);
        for _ in 0..8 {
            if byte & 0x80 == 0 {
                break;
            }
            byte = self.source.byte()?;
            distance = (distance + 1) << 7 | u64::from(byte & 0x7f);
        }
        offset
            .checked_sub(distance)
            .and_then(|base| self.entries.binary_search_by_key(&base, |entry| entry.offset).ok())
            .and_then(|base| u32::try_from(base).ok())
            .filter(|_| byte & 0x80 == 0)
            .ok_or_else(|| PackError::new("the pack is corrupt: a delta without its base"))
    }

    /// Hashes an object, and collects its links.
    fn object(&mut self, kind: Kind, size: u64) -> Result<ObjectId, PackError> {
        let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
        hasher.update(&gix::objs::encode::loose_header(kind, size));
        if kind == Kind::Blob {
            self.inflater.run(&mut self.source, size, &mut |part| hasher.update(part))?;
        } else {
            if size > self.rules.options.limits.structure_bytes {
                return Err(PackError::new(format!("a {kind} of {size} bytes is too large")));
            }
            self.structure.clear();
            self.inflater.run(&mut self.source, size, &mut |part| self.structure.extend_from_slice(part))?;
            hasher.update(&self.structure);
        }
        let id = hasher.try_finalize().map_err(|error| PackError::new(error.to_string()))?;
        if kind != Kind::Blob {
            self.links.add(self.rules, &id, kind, &self.structure)?;
        }
        Ok(id)
    }
}
