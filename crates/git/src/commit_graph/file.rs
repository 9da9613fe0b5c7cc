//! Graphs in files, beside their packs.
//!
//! All numbers are little-endian. A head of [`MAGIC`], the pack's checksum and five counts of 32 bits: objects,
//! commits, parents, landmarks, words. Then for each object the rank of its base; for each commit its rank, its
//! tree's rank, where its parents begin (32 bits each) and its time (64 bits); the parents; for each landmark, and
//! last for all commits together, the commit's number and how many words its runs have; the words, of 64 bits; and
//! the CRC-32 of it all.
//!
//! **Invariant:** all numbers of a loaded graph are within bounds, even if the file is damaged.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use flate2::Crc;
use gix::ObjectId;

use super::{Graph, GraphCommit, bitmap::Runs};
use crate::pack::Pack;

/// The signature of the file, and the version of its layout.
const MAGIC: &[u8; 8] = b"ccgraph\x01";

/// Returns the path of a pack's graph.
fn path_of(pack: &Pack) -> PathBuf {
    pack.data.path().with_extension("graph")
}

/// Loads the graph beside a pack; `None` if there is none or it is damaged.
pub(super) fn load(pack: &Pack) -> Option<Graph> {
    let graph = decode(&fs::read(path_of(pack)).ok()?, pack.index.num_objects())?;
    (graph.checksum == pack.index.pack_checksum()).then_some(graph)
}

impl Graph {
    /// Saves the graph beside its pack and replaces an older one. Only one thread may save at a time.
    pub(crate) fn save(&self, pack: &Pack) -> io::Result<()> {
        let path = path_of(pack);
        // The file is not flushed to the disk: a power failure costs at most the graph, as a damaged one is not loaded.
        let new = path.with_extension("graph-new");
        let mut output = Summing { output: BufWriter::new(File::create(&new)?), crc: Crc::new() };
        self.encode(&mut output)?;
        let sum = output.crc.sum();
        output.write_all(&sum.to_le_bytes())?;
        output.flush()?;
        drop(output);
        fs::rename(new, path)
    }

    fn encode(&self, output: &mut dyn Write) -> io::Result<()> {
        let mut landmarks: Vec<_> = self.landmarks.iter().map(|(number, runs)| (*number, runs.words())).collect();
        landmarks.push((u32::MAX, self.all.as_ref().map_or(&[], Runs::words)));
        let words = landmarks.iter().map(|(_, words)| words.len()).sum();
        output.write_all(MAGIC)?;
        output.write_all(self.checksum.as_slice())?;
        for count in [self.bases.len(), self.commits.len(), self.parents.len(), landmarks.len(), words] {
            put(output, u32::try_from(count).map_err(io::Error::other)?)?;
        }
        self.bases.iter().try_for_each(|base| put(output, *base))?;
        for GraphCommit { rank, tree, parents, seconds } in &self.commits {
            [rank, tree, parents].into_iter().try_for_each(|number| put(output, *number))?;
            output.write_all(&seconds.to_le_bytes())?;
        }
        self.parents.iter().try_for_each(|parent| put(output, *parent))?;
        for (number, words) in &landmarks {
            put(output, *number)?;
            put(output, u32::try_from(words.len()).map_err(io::Error::other)?)?;
        }
        let mut words = landmarks.iter().flat_map(|(_, words)| words.iter());
        words.try_for_each(|word| output.write_all(&word.to_le_bytes()))
    }
}

fn put(output: &mut dyn Write, number: u32) -> io::Result<()> {
    output.write_all(&number.to_le_bytes())
}

fn decode(bytes: &[u8], objects: u32) -> Option<Graph> {
    let (body, sum) = bytes.split_last_chunk::<4>()?;
    let mut crc = Crc::new();
    crc.update(body);
    if crc.sum() != u32::from_le_bytes(*sum) {
        return None;
    }
    let mut input = Input(body);
    if input.take::<8>()? != *MAGIC {
        return None;
    }
    let checksum = ObjectId::from_bytes_or_panic(&input.take::<20>()?);
    let counts = input.numbers(5)?;
    if counts[0] != objects {
        return None;
    }
    let bases = input.numbers(objects)?;
    let commits = input.list(counts[1], |record: &[u8; 20]| {
        let number = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().expect("the slice has four bytes"));
        let seconds = i64::from_le_bytes(record[12..].try_into().expect("the slice has eight bytes"));
        GraphCommit { rank: number(0), tree: number(4), parents: number(8), seconds }
    })?;
    let parents = input.numbers(counts[2])?;
    let heads = input.list(counts[3], |record: &[u8; 8]| {
        let number = u64::from_le_bytes(*record);
        (number & u64::from(u32::MAX), number >> 32)
    })?;
    let words = input.list(counts[4], |word| u64::from_le_bytes(*word))?;
    if !input.0.is_empty() || !are_sound(&bases, &commits, &parents) {
        return None;
    }
    let mut words = words.as_slice();
    let mut landmarks = Vec::with_capacity(heads.len());
    for (number, count) in heads {
        let (own, rest) = words.split_at_checked(usize::try_from(count).ok()?)?;
        let runs = Runs::of_words(own.to_vec(), bases.len())?;
        landmarks.push((u32::try_from(number).ok()?, runs));
        words = rest;
    }
    let (_, all) = landmarks.pop()?;
    if !words.is_empty() || !landmarks.is_sorted_by_key(|(number, _)| *number) {
        return None;
    }
    let mut graph = Graph { commits, parents, landmarks, all: Some(all), ..Graph::new(checksum, bases.into()) };
    graph.arrange();
    Some(graph)
}

/// Returns whether all numbers are within bounds, and parents come before their children.
fn are_sound(bases: &[u32], commits: &[GraphCommit], parents: &[u32]) -> bool {
    let within = |rank: u32| (rank as usize) < bases.len();
    let starts = commits.iter().map(|commit| commit.parents as usize).chain([parents.len()]);
    bases.iter().all(|base| *base == Graph::WHOLE || within(*base))
        && commits.iter().all(|commit| within(commit.rank) && within(commit.tree))
        && commits.first().is_none_or(|commit| commit.parents == 0)
        && starts.clone().is_sorted()
        && starts
            .clone()
            .zip(starts.skip(1))
            .enumerate()
            .all(|(number, (start, end))| parents[start..end].iter().all(|parent| (*parent as usize) < number))
}

/// The rest of a file.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn list<const N: usize, T>(&mut self, count: u32, record: impl Fn(&[u8; N]) -> T) -> Option<Vec<T>> {
        let (taken, rest) = self.0.split_at_checked((count as usize).checked_mul(N)?)?;
        self.0 = rest;
        Some(taken.as_chunks::<N>().0.iter().map(record).collect())
    }

    fn numbers(&mut self, count: u32) -> Option<Vec<u32>> {
        self.list(count, |number| u32::from_le_bytes(*number))
    }
}

struct Summing<W> {
    output: W,
    crc: Crc,
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.crc.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
