//! Clones of limited depth.

mod recent;

use std::collections::VecDeque;

use gix::{ObjectId, hashtable::HashSet};

use super::{
    fetch::{Fetch, INFINITE},
    reachable,
};
use crate::{
    Error, Kind, Offers, ProtocolError, References, Version,
    history::{History, Node},
    reader::Reader,
};

/// What a change of depth adds to a request.
#[derive(Default)]
pub(super) struct Change {
    /// Whether the client is told, even if nothing changes for it.
    pub(super) is_told: bool,
    /// Where the client's history ends now, and where no longer.
    pub(super) lines: Vec<String>,
    /// The parents of commits that are no longer to be shallow.
    pub(super) wants: Vec<ObjectId>,
    /// Commits that the client has, although not what lies below them.
    pub(super) haves: Vec<ObjectId>,
}

/// Which commits are sent, as far as the depth decides that.
struct Range {
    /// The commits that are sent with their parents, by node; none tells that all are.
    inside: Option<Vec<bool>>,
    /// The commits that are sent without their parents.
    boundary: Vec<Node>,
}

/// Cuts the history as the client wants it, and tells where that changes something.
pub(super) fn apply(
    reader: &mut Reader,
    history: &mut History,
    references: &References,
    fetch: &Fetch,
) -> Result<Change, ProtocolError> {
    let clients = clients(reader, history, fetch)?;
    let mut change = Change { is_told: fetch.deepen.is_asked(), ..Change::default() };
    let range = if fetch.deepen.is_asked() {
        Some(range(reader, history, references, fetch, &clients)?)
    } else if fetch.version == Version::V2 && !references.shallow.is_empty() {
        history.cut_all(&clients);
        let starts = starts(reader, history, &fetch.wants)?;
        Some(measure(reader, history, &starts, INFINITE)?)
    } else {
        None
    };
    change.is_told |= fetch.version == Version::V2 && !(clients.is_empty() && references.shallow.is_empty());
    if let Some(range) = range {
        change.note(history, &range, &clients);
        history.cut_all(&range.boundary);
    }
    history.cut_all(&clients);
    Ok(change)
}

impl Change {
    fn note(&mut self, history: &History, range: &Range, clients: &[Node]) {
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

/// Reads the commits where the client's history ends, as far as we have them.
fn clients(reader: &mut Reader, history: &mut History, fetch: &Fetch) -> Result<Vec<Node>, ProtocolError> {
    let mut clients = Vec::new();
    let mut seen = HashSet::default();
    for id in &fetch.shallow {
        // A client may be shallow at commits of another server.
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

/// Finds out what the client's limit lets pass.
fn range(
    reader: &mut Reader,
    history: &mut History,
    references: &References,
    fetch: &Fetch,
    clients: &[Node],
) -> Result<Range, ProtocolError> {
    let deepen = &fetch.deepen;
    let by_commits = deepen.since.is_some() || !deepen.not.is_empty();
    match deepen.generations {
        Some(_) if by_commits => {
            Err(ProtocolError::new("git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together"))
        }
        Some(INFINITE) if references.shallow.is_empty() => Ok(Range { inside: None, boundary: Vec::new() }),
        Some(generations) if deepen.relative => {
            let tips = reachable::tips(references, &Offers { tip_ids: true, ..Offers::FULL });
            let unreachable = reachable::unreachable(reader, history, &tips, clients)?;
            let starts: Vec<_> = clients.iter().copied().filter(|node| !unreachable.contains(node)).collect();
            Ok(measure(reader, history, &starts, generations.saturating_add(1).min(INFINITE))?)
        }
        Some(generations) => {
            let starts = starts(reader, history, &fetch.wants)?;
            Ok(measure(reader, history, &starts, generations)?)
        }
        None => {
            let not = starts(reader, history, &excluded(references, fetch)?)?;
            let starts = starts(reader, history, &fetch.wants)?;
            recent::range(reader, history, &starts, &not, deepen.since)
        }
    }
}

/// Finds what `deepen-not` names.
fn excluded(references: &References, fetch: &Fetch) -> Result<Vec<ObjectId>, ProtocolError> {
    let find = |name: &bstr::BString| {
        let mut meanings = references.meanings(name.as_ref());
        let ambiguous = || ProtocolError::new(format!("git upload-pack: ambiguous deepen-not: deepen-not {name}"));
        let id = meanings.next().ok_or_else(ambiguous)?;
        meanings.next().is_none().then_some(id).ok_or_else(ambiguous)
    };
    fetch.deepen.not.iter().map(find).collect()
}

/// Gives the commits among what some objects finally name.
fn starts(reader: &mut Reader, history: &mut History, ids: &[ObjectId]) -> Result<Vec<Node>, Error> {
    let mut starts = Vec::new();
    for id in ids {
        if let (id, Kind::Commit) = reader.peel(id)? {
            starts.push(history.node(&id));
        }
    }
    Ok(starts)
}

/// Counts generations; the first is that of `starts`.
fn measure(reader: &mut Reader, history: &mut History, starts: &[Node], depth: u32) -> Result<Range, Error> {
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
    Ok(Range { inside: Some(inside), boundary })
}

fn set(marks: &mut Vec<bool>, node: Node) {
    if marks.len() <= node as usize {
        marks.resize(node as usize + 1, false);
    }
    marks[node as usize] = true;
}
