//! Contents of small blobs, for those who look for files of a certain form, such as the pointers of Git LFS.

use gix::{ObjectId, odb::loose};

use crate::{
    Error, Kind, Repository,
    enumerate::{self, Demand},
    history::History,
    reader::Reader,
};

impl Repository {
    /// Calls `visit` with the content of each blob of at most `bytes_max` bytes, reachable or not; with some of them more than once.
    pub fn small_blobs(&self, bytes_max: u64, visit: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let mut reader = self.reader();
        let mut buffer = Vec::new();
        for pack in reader.packs().clone().iter() {
            for position in 0..pack.index.num_objects() {
                let id = pack.index.oid_at_index(position).to_owned();
                reader.visit_small(&id, bytes_max, &mut buffer, visit)?;
            }
        }
        for id in loose::Store::at(self.objects(), gix::hash::Kind::Sha1).iter() {
            let id = id.map_err(|error| Error::Io(std::io::Error::other(error)))?;
            reader.visit_small(&id, bytes_max, &mut buffer, visit)?;
        }
        Ok(())
    }

    /// Does the same for the blobs that `wants` lead to and `haves` do not; it may visit a few others, too.
    pub fn new_small_blobs(
        &self,
        wants: Vec<ObjectId>,
        haves: Vec<ObjectId>,
        bytes_max: u64,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Error> {
        let mut reader = self.reader();
        let demand = Demand { wants, haves, ..Demand::default() };
        let selection = enumerate::select(&mut reader, &mut History::default(), &demand)?;
        let mut buffer = Vec::new();
        selection.ids().try_for_each(|id| reader.visit_small(&id, bytes_max, &mut buffer, visit))
    }
}

impl Reader {
    fn visit_small(
        &mut self,
        id: &ObjectId,
        bytes_max: u64,
        buffer: &mut Vec<u8>,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Error> {
        // An object that was removed meanwhile is not visited.
        if self.header(id)?.is_some_and(|(kind, bytes)| kind == Kind::Blob && bytes <= bytes_max)
            && self.read(id, buffer)?.is_some()
        {
            visit(buffer);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Object;

    #[test]
    fn small_blobs_are_visited_and_no_other_objects() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let in_use = repository.use_objects();
        let tree = Object { kind: Kind::Tree, data: Vec::new() };
        for objects in [vec![Object::blob("one"), Object::blob("four")], vec![Object::blob("two"), tree]] {
            repository.add(&objects, &in_use, false).expect("a connected set");
        }
        let loose = loose::Store::at(repository.objects(), gix::hash::Kind::Sha1);
        gix::objs::Write::write_buf(&loose, Kind::Blob, b"six").expect("a writable folder");
        let mut found = Vec::new();
        repository
            .small_blobs(3, &mut |content| found.push(String::from_utf8_lossy(content).into_owned()))
            .expect("sound packs");
        found.sort();
        assert_eq!(found, ["one", "six", "two"]);
    }
}
