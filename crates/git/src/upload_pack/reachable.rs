//! Checks whether the requested objects may be sent.
//!
//! As with Git, version 2 hides nothing: every object is sent to a client that knows its id. In versions 0 and 1, a commit
//! must be reachable from the references. Git does not check trees and blobs in these versions, because that is expensive;
//! with the offers of AWS, which promise it, this server does.

use std::collections::BinaryHeap;

use gix::{ObjectId, hashtable::HashSet};

use super::fetch::FetchRequest;
use crate::{
    Error, Kind, Offers, Options, ProtocolError, References, Version,
    history::{History, Node},
    object_links::{self, TreeEntries},
    reader::Reader,
    tree_comparison::TreeComparer,
};

/// Fails if a requested object does not exist, or if the client may not have it.
pub(super) fn check(
    reader: &mut Reader,
    history: &mut History,
    references: &References,
    request: &FetchRequest,
    options: &Options,
) -> Result<(), ProtocolError> {
    let offers = &options.offers;
    if request.version == Version::V2 || offers.any_ids {
        let missing = request.wants.iter().find(|want| reader.locate(want).is_none());
        return missing.map_or(Ok(()), |id| Err(not_our_ref(id)));
    }
    let tips = tips(references, offers);
    let mut doubtful: Vec<_> = request.wants.iter().copied().filter(|want| !tips.contains(want)).collect();
    if !doubtful.is_empty() && references.shallow.is_empty() {
        remove_reachable(reader, &tips, &mut doubtful)?;
    }
    let (mut commits, mut others) = (Vec::new(), Vec::new());
    for want in &doubtful {
        match reader.kind(want)?.ok_or_else(|| not_our_ref(want))? {
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
    // A walk through the whole history costs as much as making a pack.
    let _permit = options.pack_permits.acquire();
    if !commits.is_empty() {
        let nodes: Vec<_> = commits.iter().map(|(_, node)| *node).collect();
        let unreachable = unreachable(reader, history, &tips, &nodes)?;
        if let Some((id, _)) = commits.iter().find(|(_, node)| unreachable.contains(node)) {
            return Err(not_our_ref(id));
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let missing = missing(reader, history, &tips, &others)?;
    others.iter().find(|id| missing.contains(*id)).map_or(Ok(()), |id| Err(not_our_ref(id)))
}

/// Removes the objects that the graph of a pack, if there is one, shows to be reachable from `tips`.
fn remove_reachable(reader: &mut Reader, tips: &HashSet<ObjectId>, doubtful: &mut Vec<ObjectId>) -> Result<(), Error> {
    let Some(graphed_pack) = reader.graphed_pack().cloned() else { return Ok(()) };
    let numbers: Vec<_> = tips.iter().filter_map(|tip| graphed_pack.number(tip)).collect();
    let found = graphed_pack.reach(reader, &mut TreeComparer::default(), &numbers)?;
    doubtful.retain(|id| graphed_pack.pack.rank(id).is_none_or(|rank| !found.get(rank)));
    Ok(())
}

/// Returns the targets of the references, including hidden ones if clients may request them.
pub(super) fn tips(references: &References, offers: &Offers) -> HashSet<ObjectId> {
    let hidden = if offers.tip_ids || offers.reachable_ids { references.hidden.as_slice() } else { &[] };
    let named =
        references.references.iter().flat_map(|reference| std::iter::once(reference.target).chain(reference.peeled));
    named.chain(references.detached).chain(hidden.iter().copied()).collect()
}

/// Returns the commits that no tip reaches; does not depend on the times of commits.
pub(super) fn unreachable(
    reader: &mut Reader,
    history: &mut History,
    tips: &HashSet<ObjectId>,
    commits: &[Node],
) -> Result<std::collections::HashSet<Node>, Error> {
    let mut missing: std::collections::HashSet<Node> = commits.iter().copied().collect();
    let mut queue = NewestFirst::default();
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

/// A queue of commits, each visited once, the newest first.
#[derive(Default)]
struct NewestFirst {
    queue: BinaryHeap<(i64, Node)>,
    seen: std::collections::HashSet<Node>,
}

impl NewestFirst {
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

/// Returns the trees, blobs and tags among `others` that no tip reaches.
fn missing(
    reader: &mut Reader,
    history: &mut History,
    tips: &HashSet<ObjectId>,
    others: &[ObjectId],
) -> Result<HashSet<ObjectId>, Error> {
    let mut search =
        ObjectSearch { missing: others.iter().copied().collect(), seen: HashSet::default(), data: Vec::new() };
    let mut queue = NewestFirst::default();
    for tip in tips {
        let mut id = *tip;
        let kind = loop {
            search.missing.remove(&id);
            match reader.kind(&id)?.ok_or_else(|| reader.missing(&id))? {
                Kind::Tag => {
                    reader.expect(&id, Kind::Tag, &mut search.data)?;
                    let target =
                        object_links::tag_target(&search.data).map_err(|reason| Error::Malformed { id, reason })?;
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
            Kind::Tree => search.visit_tree(reader, id)?,
            _ => {}
        }
    }
    while !search.missing.is_empty()
        && let Some(node) = queue.pop()
    {
        search.visit_tree(reader, history.tree(node))?;
        for at in 0..history.parents(node).len() {
            let parent = history.parents(node)[at];
            queue.push(reader, history, parent)?;
        }
    }
    Ok(search.missing)
}

/// A search for trees and blobs.
struct ObjectSearch {
    missing: HashSet<ObjectId>,
    seen: HashSet<ObjectId>,
    data: Vec<u8>,
}

impl ObjectSearch {
    /// Removes the objects that a tree reaches from the missing ones.
    fn visit_tree(&mut self, reader: &mut Reader, tree: ObjectId) -> Result<(), Error> {
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

fn not_our_ref(id: &ObjectId) -> ProtocolError {
    ProtocolError::new(format!("upload-pack: not our ref {id}"))
}
