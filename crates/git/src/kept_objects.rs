//! Whether what new tips lead to is still there, after another node has removed unreachable objects.

use gix::{ObjectId, hash::oid};

use crate::{
    Error, Repository,
    enumerate::{self, Demand},
    history::History,
};

impl Repository {
    /// Returns whether packs with these checksums have all objects that `tips` lead to and `kept` do not.
    ///
    /// Tips of `kept` that are not here yet lead to nothing. No pack is fetched: one that is not here counts as if it had none of the objects.
    pub fn are_in_packs(&self, tips: &[ObjectId], kept: &[ObjectId], checksums: &[ObjectId]) -> Result<bool, Error> {
        let mut reader = self.reader();
        let packs = reader.packs().clone();
        let is_here = |id: &oid| packs.iter().any(|pack| pack.position(id).is_some());
        let haves = kept.iter().filter(|id| is_here(id)).copied().collect();
        let demand = Demand { wants: tips.to_vec(), haves, ..Demand::default() };
        let selection = enumerate::select(&mut reader, &mut History::default(), &demand)?;
        let is_listed = |checksum: ObjectId| checksums.contains(&checksum);
        let listed: Vec<_> = packs.iter().filter(|pack| is_listed(pack.data.checksum())).collect();
        let is_kept = |id: &oid| listed.iter().any(|pack| pack.position(id).is_some());
        Ok(selection.reused.is_none_or(|reused| is_listed(reused.pack.data.checksum()))
            && selection.objects.iter().all(|object| is_kept(&object.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Commit, Kind, Object, Signature};

    #[test]
    fn tips_are_kept_if_the_packs_have_what_others_do_not_lead_to() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let in_use = repository.use_objects();
        let pack_of = |objects: &[Object]| {
            let before = checksums(&repository);
            let ids = repository.add(objects, &in_use, false).expect("a connected set");
            let pack = checksums(&repository).into_iter().find(|checksum| !before.contains(checksum));
            (*ids.last().expect("there are objects"), pack.expect("a new pack"))
        };
        let tree = Object { kind: Kind::Tree, data: Vec::new() };
        let signature = Signature { name: "A".into(), email: "a@b".into(), date: "0 +0000".into() };
        let commit = |message: &str, parents: &[ObjectId]| {
            let commit = Commit {
                tree: tree.id().expect("a hash"),
                parents: parents.to_vec(),
                author: signature.clone(),
                committer: signature.clone(),
                extra_headers: "".into(),
                message: message.into(),
            };
            commit.to_object()
        };
        let (first, first_pack) = pack_of(&[tree.clone(), commit("first\n", &[])]);
        let (second, second_pack) = pack_of(&[commit("second\n", &[first])]);
        let are_in = |tips: &[ObjectId], kept: &[ObjectId], packs: &[ObjectId]| {
            repository.are_in_packs(tips, kept, packs).expect("all objects are here")
        };
        assert!(are_in(&[second], &[], &[first_pack, second_pack]));
        assert!(!are_in(&[second], &[], &[second_pack]), "its parent was removed");
        assert!(are_in(&[second], &[first], &[second_pack]), "something else keeps its parent");
        assert!(!are_in(&[second], &[first], &[first_pack]));
        assert!(are_in(&[first], &[first], &[]));
        assert!(!are_in(&[second], &[ObjectId::null(gix::hash::Kind::Sha1)], &[second_pack]), "it is not here");
    }

    fn checksums(repository: &Repository) -> Vec<ObjectId> {
        repository.reader().packs().iter().map(|pack| pack.data.checksum()).collect()
    }
}
