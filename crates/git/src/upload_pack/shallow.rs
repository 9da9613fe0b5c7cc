//! Shallow clones: limits the history that is sent.

mod recent;

use std::collections::VecDeque;

use gix::{ObjectId, hashtable::HashSet};

use super::{
    fetch::{FetchRequest, INFINITE},
    reachable,
};
use crate::{
    Error, Kind, Offers, ProtocolError, References, Version,
    history::{History, Node},
    reader::Reader,
};

/// The effect of the requested depth on a fetch.
#[derive(Default)]
pub(super) struct ShallowUpdate {
    /// Whether the client gets the lines, even if there are none.
    pub(super) is_sent: bool,
    /// The lines `shallow` and `unshallow`: the commits that become shallow, and those that no longer are.
    pub(super) lines: Vec<String>,
    /// The parents of commits that are no longer to be shallow.
    pub(super) wants: Vec<ObjectId>,
    /// Commits that the client has, although not their parents.
    pub(super) haves: Vec<ObjectId>,
}

/// The commits within the requested depth.
struct DepthRange {
    /// The commits that are sent with their parents, by node; `None` if all are.
    inside: Option<Vec<bool>>,
    /// The commits that are sent without their parents.
    boundary: Vec<Node>,
}

/// Limits the history to the requested depth, and returns the changes for the client.
pub(super) fn apply(
    reader: &mut Reader,
    history: &mut History,
    references: &References,
    request: &FetchRequest,
) -> Result<ShallowUpdate, ProtocolError> {
    let clients = client_shallow(reader, history, request)?;
    let mut update = ShallowUpdate { is_sent: request.deepen.is_requested(), ..ShallowUpdate::default() };
    let range = if request.deepen.is_requested() {
        Some(depth_range(reader, history, references, request, &clients)?)
    } else if request.version == Version::V2 && !references.shallow.is_empty() {
        history.cut_all(&clients);
        let starts = starts(reader, history, &request.wants)?;
        Some(count_generations(reader, history, &starts, INFINITE)?)
    } else {
        None
    };
    update.is_sent |= request.version == Version::V2 && !(clients.is_empty() && references.shallow.is_empty());
    if let Some(range) = range {
        update.add(history, &range, &clients);
        history.cut_all(&range.boundary);
    }
    history.cut_all(&clients);
    Ok(update)
}

impl ShallowUpdate {
    /// Adds the commits whose state changes.
    fn add(&mut self, history: &History, range: &DepthRange, clients: &[Node]) {
        let known: HashSet<_> = clients.iter().map(|node| history.id(*node)).collect();
        for id in range.boundary.iter().map(|node| history.id(*node)) {
            if !known.contains(&id) {
                self.lines.push(format!("shallow {id}"));
            }
        }
        for node in clients {
            let inside = |inside: &Vec<bool>| inside.get(*node as usize).copied().unwrap_or(false);
            if range.inside.as_ref().is_none_or(inside) {
                let id = history.id(*node);
                self.lines.push(format!("unshallow {id}"));
                self.wants.extend(history.named_parents(*node).iter().map(|parent| history.id(*parent)));
                self.haves.push(id);
            }
        }
    }
}

/// Loads the shallow commits of the client that the repository has.
fn client_shallow(
    reader: &mut Reader,
    history: &mut History,
    request: &FetchRequest,
) -> Result<Vec<Node>, ProtocolError> {
    let mut clients = Vec::new();
    let mut seen = HashSet::default();
    for id in &request.shallow {
        // A client may have shallow commits from another server.
        match reader.kind(id)? {
            Some(Kind::Commit) if seen.insert(*id) => {
                let node = history.node(id);
                history.load(node, reader)?;
                clients.push(node);
            }
            Some(Kind::Commit) | None => {}
            Some(_) => return Err(ProtocolError::new(format!("invalid shallow object {id}"))),
        }
    }
    Ok(clients)
}

/// Computes the commits within the requested depth.
fn depth_range(
    reader: &mut Reader,
    history: &mut History,
    references: &References,
    request: &FetchRequest,
    clients: &[Node],
) -> Result<DepthRange, ProtocolError> {
    let deepen = &request.deepen;
    let by_commits = deepen.since.is_some() || !deepen.not.is_empty();
    match deepen.generations {
        Some(_) if by_commits => {
            Err(ProtocolError::new("git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together"))
        }
        Some(INFINITE) if references.shallow.is_empty() => Ok(DepthRange { inside: None, boundary: Vec::new() }),
        Some(generations) if deepen.relative => {
            let tips = reachable::tips(references, &Offers { tip_ids: true, ..Offers::FULL });
            let unreachable = reachable::unreachable(reader, history, &tips, clients)?;
            let starts: Vec<_> = clients.iter().copied().filter(|node| !unreachable.contains(node)).collect();
            Ok(count_generations(reader, history, &starts, generations.saturating_add(1).min(INFINITE))?)
        }
        Some(generations) => {
            let starts = starts(reader, history, &request.wants)?;
            Ok(count_generations(reader, history, &starts, generations)?)
        }
        None => {
            let not = starts(reader, history, &excluded(references, request)?)?;
            let starts = starts(reader, history, &request.wants)?;
            recent::depth_range(reader, history, &starts, &not, deepen.since)
        }
    }
}

/// Resolves the names of `deepen-not`.
fn excluded(references: &References, request: &FetchRequest) -> Result<Vec<ObjectId>, ProtocolError> {
    let find = |name: &bstr::BString| {
        let mut meanings = references.meanings(name.as_ref());
        let ambiguous = || ProtocolError::new(format!("git upload-pack: ambiguous deepen-not: deepen-not {name}"));
        let id = meanings.next().ok_or_else(ambiguous)?;
        meanings.next().is_none().then_some(id).ok_or_else(ambiguous)
    };
    request.deepen.not.iter().map(find).collect()
}

/// Returns the commits among the peeled objects.
fn starts(reader: &mut Reader, history: &mut History, ids: &[ObjectId]) -> Result<Vec<Node>, Error> {
    let mut starts = Vec::new();
    for id in ids {
        if let (id, Kind::Commit) = reader.peel(id)? {
            starts.push(history.node(&id));
        }
    }
    Ok(starts)
}

/// Counts generations from `starts`, which are the first one.
fn count_generations(
    reader: &mut Reader,
    history: &mut History,
    starts: &[Node],
    depth: u32,
) -> Result<DepthRange, Error> {
    let mut inside = Vec::new();
    let mut boundary = Vec::new();
    let mut queue = VecDeque::new();
    let mut seen = std::collections::HashSet::new();
    queue.extend(starts.iter().filter(|node| seen.insert(**node)).map(|node| (*node, 1)));
    while let Some((node, generation)) = queue.pop_front() {
        if (depth != INFINITE && generation >= depth) || history.is_cut(node) {
            boundary.push(node);
            continue;
        }
        history.load(node, reader)?;
        set(&mut inside, node);
        for at in 0..history.parents(node).len() {
            let parent = history.parents(node)[at];
            if seen.insert(parent) {
                queue.push_back((parent, generation + 1));
            }
        }
    }
    Ok(DepthRange { inside: Some(inside), boundary })
}

fn set(marks: &mut Vec<bool>, node: Node) {
    if marks.len() <= node as usize {
        marks.resize(node as usize + 1, false);
    }
    marks[node as usize] = true;
}
