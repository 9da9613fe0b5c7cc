//! Whether what a client asks for may be sent.
//!
//! As with Git, version 2 hides nothing: whatever is there is sent to those who know its id. In the versions
//! before, a commit has to be one that the references lead to. Git does not look for trees and blobs there, since
//! that is dear; with the offers of AWS, which promise it, we do.

use std::collections::BinaryHeap;

use gix::{ObjectId, hashtable::HashSet};

use super::fetch::Fetch;
use crate::{
    Error, Kind, Offers, Options, ProtocolError, References, Version,
    history::{History, Node},
    object_links::{self, TreeEntries},
    reader::Reader,
    trees::Trees,
};

/// Refuses a request for an object that is not there, or that the client may not have.
pub(super) fn check(
    reader: &mut Reader,
    history: &mut History,
    references: &References,
    fetch: &Fetch,
    options: &Options,
) -> Result<(), ProtocolError> {
    let offers = &options.offers;
    if fetch.version == Version::V2 || offers.any_ids {
        let missing = fetch.wants.iter().find(|want| reader.locate(want).is_none());
        return missing.map_or(Ok(()), |id| Err(not_ours(id)));
    }
    let tips = tips(references, offers);
    let mut doubtful: Vec<_> = fetch.wants.iter().copied().filter(|want| !tips.contains(want)).collect();
    if !doubtful.is_empty() && references.shallow.is_empty() {
        strike(reader, &tips, &mut doubtful)?;
    }
    let (mut commits, mut others) = (Vec::new(), Vec::new());
    for want in &doubtful {
        match reader.kind(want)?.ok_or_else(|| not_ours(want))? {
            Kind::Commit => commits.push((*want, history.node(want))),
            Kind::Tag if offers.modern => {
                if let (id, Kind::Commit) = reader.peel(want)? {
                    commits.push((*want, history.node(&id)));
                }
            }
            _ if offers.modern => {}
            _ => others.push(*want),
        }
    }
    if commits.is_empty() && others.is_empty() {
        return Ok(());
    }
    // A walk through all there is takes as much as making a pack.
    let _build = options.builds.begin();
    if !commits.is_empty() {
        let nodes: Vec<_> = commits.iter().map(|(_, node)| *node).collect();
        let unreachable = unreachable(reader, history, &tips, &nodes)?;
        if let Some((id, _)) = commits.iter().find(|(_, node)| unreachable.contains(node)) {
            return Err(not_ours(id));
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let missing = missing(reader, history, &tips, &others)?;
    others.iter().find(|id| missing.contains(*id)).map_or(Ok(()), |id| Err(not_ours(id)))
}

/// Strikes out what tips surely lead to by the graph of a pack, if there is one.
fn strike(reader: &mut Reader, tips: &HashSet<ObjectId>, doubtful: &mut Vec<ObjectId>) -> Result<(), Error> {
    let Some(charted) = reader.charted().cloned() else { return Ok(()) };
    let numbers: Vec<_> = tips.iter().filter_map(|tip| charted.number(tip)).collect();
    let found = charted.reach(reader, &mut Trees::default(), &numbers)?;
    doubtful.retain(|id| charted.pack.rank(id).is_none_or(|rank| !found.get(rank)));
    Ok(())
}

/// Gives what the references point at, hidden ones too if clients may ask for that.
pub(super) fn tips(references: &References, offers: &Offers) -> HashSet<ObjectId> {
    let hidden = if offers.tip_ids || offers.reachable_ids { references.hidden.as_slice() } else { &[] };
    let named = references.references.iter().flat_map(|it| std::iter::once(it.target).chain(it.peeled));
    named.chain(references.detached).chain(hidden.iter().copied()).collect()
}

/// Gives those of `commits` that no tip leads to; without trust in the times of commits.
pub(super) fn unreachable(
    reader: &mut Reader,
    history: &mut History,
    tips: &HashSet<ObjectId>,
    commits: &[Node],
) -> Result<std::collections::HashSet<Node>, Error> {
    let mut missing: std::collections::HashSet<Node> = commits.iter().copied().collect();
    let mut queue = Newest::default();
    for tip in tips {
        if let (id, Kind::Commit) = reader.peel(tip)? {
            let node = history.node(&id);
            queue.push(reader, history, node)?;
        }
    }
    while !missing.is_empty()
        && let Some(node) = queue.pop()
    {
        missing.remove(&node);
        for at in 0..history.parents(node).len() {
            let parent = history.parents(node)[at];
            queue.push(reader, history, parent)?;
        }
    }
    Ok(missing)
}

/// Commits to be looked at, each once, the newest first.
#[derive(Default)]
struct Newest {
    queue: BinaryHeap<(i64, Node)>,
    seen: std::collections::HashSet<Node>,
}

impl Newest {
    fn push(&mut self, reader: &mut Reader, history: &mut History, node: Node) -> Result<(), Error> {
        if self.seen.insert(node) {
            history.load(node, reader)?;
            self.queue.push((history.seconds(node), node));
        }
        Ok(())
    }

    fn pop(&mut self) -> Option<Node> {
        self.queue.pop().map(|(_, node)| node)
    }
}

/// Gives those of some trees, blobs and tags that no tip leads to.
fn missing(
    reader: &mut Reader,
    history: &mut History,
    tips: &HashSet<ObjectId>,
    others: &[ObjectId],
) -> Result<HashSet<ObjectId>, Error> {
    let mut hunt = Hunt { missing: others.iter().copied().collect(), seen: HashSet::default(), data: Vec::new() };
    let mut queue = Newest::default();
    for tip in tips {
        let mut id = *tip;
        let kind = loop {
            hunt.missing.remove(&id);
            match reader.kind(&id)?.ok_or_else(|| reader.missing(&id))? {
                Kind::Tag => {
                    reader.expect(&id, Kind::Tag, &mut hunt.data)?;
                    let target =
                        object_links::tag_target(&hunt.data).map_err(|reason| Error::Malformed { id, reason })?;
                    id = target.0;
                }
                kind => break kind,
            }
        };
        match kind {
            Kind::Commit => {
                let node = history.node(&id);
                queue.push(reader, history, node)?;
            }
            Kind::Tree => hunt.tree(reader, id)?,
            _ => {}
        }
    }
    while !hunt.missing.is_empty()
        && let Some(node) = queue.pop()
    {
        hunt.tree(reader, history.tree(node))?;
        for at in 0..history.parents(node).len() {
            let parent = history.parents(node)[at];
            queue.push(reader, history, parent)?;
        }
    }
    Ok(hunt.missing)
}

/// A search for trees and blobs.
struct Hunt {
    missing: HashSet<ObjectId>,
    seen: HashSet<ObjectId>,
    data: Vec<u8>,
}

impl Hunt {
    /// Strikes out what a tree leads to.
    fn tree(&mut self, reader: &mut Reader, tree: ObjectId) -> Result<(), Error> {
        let mut trees = vec![tree];
        while !self.missing.is_empty()
            && let Some(id) = trees.pop()
        {
            if !self.seen.insert(id) {
                continue;
            }
            self.missing.remove(&id);
            reader.expect(&id, Kind::Tree, &mut self.data)?;
            for entry in TreeEntries::new(&self.data) {
                let entry = entry.map_err(|reason| Error::Malformed { id, reason })?;
                match entry.kind {
                    Some(Kind::Tree) => trees.push(entry.id.to_owned()),
                    Some(_) => {
                        self.missing.remove(entry.id);
                    }
                    None => {}
                }
            }
        }
        Ok(())
    }
}

fn not_ours(id: &ObjectId) -> ProtocolError {
    ProtocolError::new(format!("upload-pack: not our ref {id}"))
}
