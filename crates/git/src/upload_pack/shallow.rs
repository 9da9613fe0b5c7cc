//! Clones of limited depth.

use std::collections::VecDeque;

use gix::{ObjectId, hashtable::HashSet};

use super::Request;
use crate::{
    Error, Kind,
    history::{History, Node},
    pktline,
    reader::Reader,
};

/// The depth by which clients ask for everything.
const INFINITE: u32 = 0x7fff_ffff;

/// What a change of depth adds to a request.
#[derive(Default)]
pub(super) struct Extra {
    /// The parents of commits that are no longer to be shallow.
    pub(super) wants: Vec<ObjectId>,
    /// Commits that the client has, although not what lies below them.
    pub(super) haves: Vec<ObjectId>,
}

/// Cuts the history as the client wants it, and tells the client where that changes something.
pub(super) fn apply(
    reader: &mut Reader,
    history: &mut History,
    request: &Request,
    preamble: &mut Vec<u8>,
) -> Result<Extra, Error> {
    let mut cut = Vec::new();
    for id in &request.shallow {
        // A client may be shallow at commits of another server.
        if reader.kind(id)? == Some(Kind::Commit) {
            let node = history.node(id);
            history.load(node, reader)?;
            cut.push(node);
        }
    }
    let mut extra = Extra::default();
    if let Some(depth) = request.depth {
        let (inside, boundary) = measure(reader, history, &request.wants, depth)?;
        let known: HashSet<_> = cut.iter().map(|node| history.id(*node)).collect();
        for node in boundary {
            let id = history.id(node);
            if !known.contains(&id) {
                pktline::write(preamble, format!("shallow {id}").as_bytes());
            }
            history.cut(node);
        }
        for node in &cut {
            if inside.get(*node as usize).copied().unwrap_or(depth == INFINITE) {
                let id = history.id(*node);
                pktline::write(preamble, format!("unshallow {id}").as_bytes());
                let parents: Vec<_> = history.named_parents(*node).to_vec();
                extra.wants.extend(parents.into_iter().map(|parent| history.id(parent)));
                extra.haves.push(id);
            }
        }
        preamble.extend_from_slice(pktline::FLUSH);
    }
    for node in cut {
        history.cut(node);
    }
    Ok(extra)
}

/// Counts generations from the wanted commits; tells which commits lie inside, and which on the boundary.
fn measure(
    reader: &mut Reader,
    history: &mut History,
    wants: &[ObjectId],
    depth: u32,
) -> Result<(Vec<bool>, Vec<Node>), Error> {
    if depth == INFINITE {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut inside = Vec::new();
    let mut boundary = Vec::new();
    let mut seen = HashSet::default();
    let mut queue = VecDeque::new();
    for want in wants {
        if let (id, Kind::Commit) = reader.peel(want)?
            && seen.insert(id)
        {
            queue.push_back((history.node(&id), 1));
        }
    }
    while let Some((node, generation)) = queue.pop_front() {
        if generation == depth {
            boundary.push(node);
            continue;
        }
        history.load(node, reader)?;
        if inside.len() <= node as usize {
            inside.resize(node as usize + 1, false);
        }
        inside[node as usize] = true;
        for at in 0..history.named_parents(node).len() {
            let parent = history.named_parents(node)[at];
            if seen.insert(history.id(parent)) {
                queue.push_back((parent, generation + 1));
            }
        }
    }
    Ok((inside, boundary))
}
