//! The one pass over an incoming pack.

use std::{fs::File, io::Read};

use gix::ObjectId;

use super::{
    Entry, Refusal,
    inflate::Inflater,
    rules::{Learnt, Rules},
    source::Source,
};
use crate::Kind;

/// What one pass finds out.
pub(super) struct Parsed {
    pub(super) entries: Vec<Entry>,
    pub(super) deltas: Deltas,
    pub(super) learnt: Learnt,
    /// The size of the pack as it came, in bytes.
    pub(super) bytes: u64,
    pub(super) checksum: ObjectId,
}

/// The deltas of a pack by their bases; the numbers are those of entries.
#[derive(Default)]
pub(super) struct Deltas {
    /// Base and delta, for bases that are given by their place.
    pub(super) by_entry: Vec<(u32, u32)>,
    /// Base and delta, for bases that are given by their id.
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

/// Reads a whole pack from `input` and stores it in `output`.
pub(super) fn parse(output: File, input: &mut dyn Read, rules: &Rules<'_>) -> Result<Parsed, Refusal> {
    let limits = &rules.options.limits;
    let mut source = Source::new(input, output, limits.pack_bytes);
    let count = head(&mut source)?;
    if count > limits.pack_objects {
        return Err(Refusal::new(format!("a pack of {count} objects is too large")));
    }
    let mut parser = Parser {
        source,
        rules,
        inflater: Inflater::new(),
        structure: Vec::new(),
        entries: Vec::new(),
        deltas: Deltas::default(),
        learnt: Learnt::default(),
    };
    for _ in 0..count {
        parser.entry()?;
    }
    parser.deltas.by_entry.sort_unstable();
    parser.deltas.by_id.sort_unstable();
    let bytes = parser.source.offset();
    let checksum = parser.source.finish()?;
    let Parser { entries, deltas, learnt, .. } = parser;
    Ok(Parsed { entries, deltas, learnt, bytes, checksum })
}

/// Reads the head of a pack; gives the number of objects that it declares.
fn head(source: &mut Source<'_>) -> Result<u32, Refusal> {
    let mut head = [0; 12];
    source.exact(&mut head).map_err(|_| Refusal::new("eof before pack header was fully read"))?;
    let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().expect("four bytes"));
    if &head[..4] != b"PACK" {
        return Err(Refusal::new("protocol error (pack signature mismatch detected)"));
    }
    if !matches!(number(4), 2 | 3) {
        return Err(Refusal::new("protocol error (pack version unsupported)"));
    }
    Ok(number(8))
}

struct Parser<'a> {
    source: Source<'a>,
    rules: &'a Rules<'a>,
    inflater: Inflater,
    /// The commit, tree or tag that is being read.
    structure: Vec<u8>,
    entries: Vec<Entry>,
    deltas: Deltas,
    learnt: Learnt,
}

impl Parser<'_> {
    fn entry(&mut self) -> Result<(), Refusal> {
        let number = u32::try_from(self.entries.len()).expect("a pack counts its objects in 32 bits");
        let offset = self.source.offset();
        self.source.start_entry();
        let (number_of_type, size) = self.head()?;
        let limits = &self.rules.options.limits;
        if size > limits.object_bytes || number_of_type >= OFS_DELTA && size > limits.delta_bytes {
            return Err(Refusal::new(format!("an object of {size} bytes is too large")));
        }
        self.rules.make(size, self.source.offset())?;
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
            other => return Err(Refusal::new(format!("the pack is corrupt: no entry is of type {other}"))),
        };
        let head_bytes = u8::try_from(self.source.offset() - offset).expect("heads are short");
        let id = if let Some(kind) = kind {
            self.object(kind, size)?
        } else {
            self.inflater.run(&mut self.source, size, &mut |_| {})?;
            ObjectId::null(gix::hash::Kind::Sha1)
        };
        let crc = self.source.end_entry();
        self.entries.push(Entry { offset, size, id, crc, head_bytes, kind });
        Ok(())
    }

    /// Reads the type and the inflated size.
    fn head(&mut self) -> Result<(u8, u64), Refusal> {
        let mut byte = self.source.byte()?;
        let number_of_type = byte >> 4 & 7;
        let mut size = u64::from(byte & 15);
        let mut shift = 4;
        while byte & 0x80 != 0 {
            if shift > 53 {
                return Err(Refusal::new("the pack is corrupt: an entry declares an endless size"));
            }
            byte = self.source.byte()?;
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        Ok((number_of_type, size))
    }

    /// Reads the distance of a base that lies before the entry at `offset`, and finds the base.
    fn base_before(&mut self, offset: u64) -> Result<u32, Refusal> {
        if !self.rules.options.offers.modern {
            return Err(Refusal::new("protocol error (offset deltas are not supported)"));
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
            .ok_or_else(|| Refusal::new("the pack is corrupt: a delta without its base"))
    }

    /// Hashes an object, and notes what it names.
    fn object(&mut self, kind: Kind, size: u64) -> Result<ObjectId, Refusal> {
        let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
        hasher.update(&gix::objs::encode::loose_header(kind, size));
        if kind == Kind::Blob {
            self.inflater.run(&mut self.source, size, &mut |part| hasher.update(part))?;
        } else {
            if size > self.rules.options.limits.structure_bytes {
                return Err(Refusal::new(format!("a {kind} of {size} bytes is too large")));
            }
            self.structure.clear();
            self.inflater.run(&mut self.source, size, &mut |part| self.structure.extend_from_slice(part))?;
            hasher.update(&self.structure);
        }
        let id = hasher.try_finalize().map_err(|error| Refusal::new(error.to_string()))?;
        if kind != Kind::Blob {
            self.learnt.add(self.rules, &id, kind, &self.structure)?;
        }
        Ok(id)
    }
}
