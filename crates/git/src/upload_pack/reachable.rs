//! Whether what a client asks for may be sent: only what the references lead to.

use std::collections::VecDeque;

use gix::{ObjectId, hashtable::HashSet};

use crate::{
    Error, Kind, ProtocolError, References,
    enumerate::{self, Demand},
    history::{History, Node},
    reader::Reader,
};

/// Refuses a request for an object that no reference leads to.
pub(super) fn check(
    reader: &mut Reader,
    history: &mut History,
    references: &References,
    wants: &[ObjectId],
) -> Result<(), ProtocolError> {
    let tips: HashSet<ObjectId> = references
        .references
        .iter()
        .flat_map(|reference| std::iter::once(reference.target).chain(reference.peeled))
        .collect();
    let hidden: Vec<_> = wants.iter().filter(|want| !tips.contains(*want)).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let mut commits = Vec::new();
    let mut others = Vec::new();
    for want in hidden {
        match reader.kind(want)? {
            Some(Kind::Commit) => commits.push(history.node(want)),
            Some(_) => others.push(*want),
            None => return Err(not_ours(want)),
        }
    }
    if let Some(node) = unreachable(reader, history, &tips, &commits)? {
        return Err(not_ours(&history.id(node)));
    }
    if !others.is_empty() {
        check_all(reader, tips, &others)?;
    }
    Ok(())
}

/// Looks for a commit that no tip leads to, without trust in the times of commits.
fn unreachable(
    reader: &mut Reader,
    history: &mut History,
    tips: &HashSet<ObjectId>,
    commits: &[Node],
) -> Result<Option<Node>, Error> {
    let mut missing: std::collections::HashSet<Node> = commits.iter().copied().collect();
    let mut seen = std::collections::HashSet::new();
    let mut queue = VecDeque::new();
    for tip in tips {
        if let (id, Kind::Commit) = reader.peel(tip)? {
            queue.push_back(history.node(&id));
        }
    }
    while let Some(node) = queue.pop_front() {
        if missing.is_empty() {
            break;
        }
        if seen.insert(node) {
            missing.remove(&node);
            history.load(node, reader)?;
            queue.extend(history.parents(node));
        }
    }
    Ok(commits.iter().copied().find(|node| missing.contains(node)))
}

/// Looks for trees, blobs and tags among all that the references lead to.
fn check_all(reader: &mut Reader, tips: HashSet<ObjectId>, others: &[ObjectId]) -> Result<(), ProtocolError> {
    let demand = Demand { wants: tips.into_iter().collect(), ..Demand::default() };
    let all = enumerate::select(reader, &mut History::default(), &demand)?;
    match others.iter().find(|id| !all.holds(id)) {
        Some(id) => Err(not_ours(id)),
        None => Ok(()),
    }
}

fn not_ours(id: &ObjectId) -> ProtocolError {
    ProtocolError::new(format!("upload-pack: not our ref {id}"))
}
