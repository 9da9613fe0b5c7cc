//! Crafted requests and packs, some of which git would never send.

use std::{io::Write, path::Path};

use flate2::{Compression, write::ZlibEncoder};
use git::{
    ObjectId, Options, ProtocolError, Reference, References, Repository, Version,
    receive_pack::{self, Received},
    upload_pack::{self, Request},
};

use crate::bench::{run, try_git};

/// Writes pkt-lines; an empty line is a flush packet.
pub fn lines(lines: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        if line.is_empty() {
            bytes.extend_from_slice(b"0000");
        } else {
            bytes.extend_from_slice(format!("{:04x}{line}", line.len() + 4).as_bytes());
        }
    }
    bytes
}

/// The null id in hexadecimal.
pub fn null() -> String {
    "0".repeat(40)
}

/// A push of one new reference.
pub fn push_request(name: &str, new: &str, capabilities: &str, pack: &[u8]) -> Vec<u8> {
    let mut bytes = lines(&[format!("{} {new} {name}\0{capabilities}", null()), String::new()]);
    bytes.extend_from_slice(pack);
    bytes
}

/// Serves a push whose update hook accepts everything; returns the answer, and how often the hook ran.
pub fn push(repository: &Repository, request: &[u8], options: &Options) -> (Vec<u8>, usize) {
    let mut answer = Vec::new();
    let mut calls = 0;
    let mut update_hook = |received: &Received<'_>| {
        calls += 1;
        received.commands.iter().map(|_| Ok(())).collect()
    };
    receive_pack::serve(repository, &mut &*request, &mut answer, options, &mut update_hook).expect("a sound request");
    (answer, calls)
}

/// Serves a fetch; returns the answer, or the message for the client.
pub fn fetch(repository: &Repository, tips: &[&str], request: &[u8], options: &Options) -> Result<Vec<u8>, String> {
    let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).expect("forty digits");
    let references = (0..)
        .zip(tips)
        .map(|(number, tip)| Reference {
            name: format!("refs/heads/b{number:03}").into(),
            target: id(tip),
            peeled: None,
        })
        .collect();
    let references = References { references, ..References::default() };
    answer(repository, &references, request, Version::V0, options).map_err(|error| error.to_string())
}

/// Reads the references of a repository of git.
pub fn snapshot(path: &Path, repository: &Repository) -> References {
    let head = try_git(path, &["symbolic-ref", "--quiet", "HEAD"], b"");
    let head = head.status.success().then(|| String::from_utf8_lossy(&head.stdout).trim().into());
    let detached = match &head {
        None => ObjectId::from_hex(run(path, &["rev-parse", "HEAD"]).as_bytes()).ok(),
        Some(_) => None,
    };
    let mut all = References { head, detached, ..References::default() };
    for line in run(path, &["for-each-ref", "--format=%(refname) %(objectname) %(symref)"]).lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (name, id, symbolic) = (word(), word(), word());
        let target = ObjectId::from_hex(id.as_bytes()).expect("forty digits");
        let peeled = repository.peel(&target).expect("a sound tag");
        all.references.push(Reference { name: name.into(), target, peeled: (peeled != target).then_some(peeled) });
        if !symbolic.is_empty() {
            all.symbolic.push((name.into(), symbolic.into()));
        }
    }
    let shallow = std::fs::read_to_string(path.join("shallow")).unwrap_or_default();
    all.shallow.extend(shallow.lines().map(|id| ObjectId::from_hex(id.as_bytes()).expect("forty digits")));
    all
}

/// Serves a request for objects or references.
pub fn answer(
    repository: &Repository,
    references: &References,
    request: &[u8],
    version: Version,
    options: &Options,
) -> Result<Vec<u8>, ProtocolError> {
    let mut bytes = Vec::new();
    if let Some(request) = Request::read(&mut &*request, version, options)? {
        let answer = upload_pack::respond(repository, references, request, options)?;
        answer.write(&mut bytes).expect("a vector takes all");
    }
    Ok(bytes)
}

/// The type of an entry of a pack.
#[derive(Clone, Copy)]
pub enum PackEntry<'a> {
    Commit,
    Tree,
    Blob,
    Tag,
    /// A delta on the base with this id.
    Delta(&'a str),
    /// A delta on the base this many bytes before.
    OffsetDelta(u8),
}

/// A builder of packs, which need not be sound.
pub struct PackBuilder {
    bytes: Vec<u8>,
    count: u32,
}

impl PackBuilder {
    pub fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), count: 0 }
    }

    /// Returns the offset of the next entry.
    pub fn offset(&self) -> usize {
        self.bytes.len()
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: PackEntry<'_>, data: &[u8]) {
        self.add_declaring(entry, data.len(), data);
    }

    /// Adds an entry with a size in its header that may be wrong.
    pub fn add_declaring(&mut self, entry: PackEntry<'_>, size: usize, data: &[u8]) {
        let number = match entry {
            PackEntry::Commit => 1,
            PackEntry::Tree => 2,
            PackEntry::Blob => 3,
            PackEntry::Tag => 4,
            PackEntry::OffsetDelta(_) => 6,
            PackEntry::Delta(_) => 7,
        };
        let byte = |value: usize| u8::try_from(value).expect("a byte");
        let mut rest = size >> 4;
        self.bytes.push(number << 4 | byte(size & 15) | if rest > 0 { 0x80 } else { 0 });
        while rest > 0 {
            self.bytes.push(byte(rest & 0x7f) | if rest > 0x7f { 0x80 } else { 0 });
            rest >>= 7;
        }
        match entry {
            PackEntry::Delta(base) => {
                let base = ObjectId::from_hex(base.as_bytes()).expect("forty digits");
                self.bytes.extend_from_slice(base.as_slice());
            }
            PackEntry::OffsetDelta(distance) => self.bytes.push(distance),
            _ => {}
        }
        let mut encoder = ZlibEncoder::new(&mut self.bytes, Compression::fast());
        encoder.write_all(data).expect("a vector takes all");
        encoder.finish().expect("a vector takes all");
        self.count += 1;
    }

    /// Adds the raw bytes of an entry.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.count += 1;
    }

    /// Completes the pack.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes[8..12].copy_from_slice(&self.count.to_be_bytes());
        seal(self.bytes)
    }
}

/// Appends the checksum of a pack.
pub fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(&bytes);
    bytes.extend_from_slice(hasher.try_finalize().expect("no collision").as_slice());
    bytes
}

/// Hashes an object as Git does.
pub fn id(kind: git::Kind, data: &[u8]) -> String {
    gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, data).expect("no collision").to_string()
}

/// Creates a delta that appends `tail` to `base`; both must be short.
pub fn append(base: &[u8], tail: &[u8]) -> Vec<u8> {
    let byte = |value: usize| u8::try_from(value).expect("a short text");
    let mut delta = vec![byte(base.len()), byte(base.len() + tail.len()), 0x90, byte(base.len()), byte(tail.len())];
    delta.extend_from_slice(tail);
    delta
}

/// Encodes a size for a delta.
pub fn size(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).expect("seven bits"));
    bytes
}

/// Creates a delta that uses no part of its base.
pub fn replace(base: &[u8], data: &[u8]) -> Vec<u8> {
    let mut delta = [size(base.len()), size(data.len())].concat();
    for part in data.chunks(100) {
        delta.push(u8::try_from(part.len()).expect("a short part"));
        delta.extend_from_slice(part);
    }
    delta
}

/// Creates a tree with one file.
pub fn tree(file: &str) -> Vec<u8> {
    let mut data = b"100644 file\0".to_vec();
    data.extend_from_slice(ObjectId::from_hex(file.as_bytes()).expect("forty digits").as_slice());
    data
}

/// Creates a commit without parents.
pub fn commit(tree: &str) -> Vec<u8> {
    format!("tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nmessage\n").into_bytes()
}
