//! Copying the objects of a repository as one pack, without a client.

use std::{
    fs::{self, File},
    io::{self, Write},
};

use gix::ObjectId;

use crate::{
    Error, Repository,
    enumerate::{self, Demand},
    history::History,
    pack_writer::{self, Style},
};

impl Repository {
    /// Opens the file of the pack that holds all objects of the repository; `None` if there are other packs, loose objects or
    /// alternates.
    pub fn only_pack(&self) -> io::Result<Option<File>> {
        let state = self.state();
        let [pack] = &*state.packs else { return Ok(None) };
        if state.loose.len() > 1 || !state.unusable.is_empty() || self.has_loose_objects()? {
            return Ok(None);
        }
        File::open(pack.data.path()).map(Some)
    }

    /// Writes a pack of the `tips` and of all objects that they lead to; entries are copied as they are stored.
    ///
    /// Fails with [`Error::Missing`] if one of them does not exist.
    pub fn write_pack(&self, tips: &[ObjectId], output: &mut dyn Write) -> Result<(), Error> {
        let mut reader = self.reader();
        let demand = Demand { wants: tips.to_vec(), ..Demand::default() };
        let selection = enumerate::select(&mut reader, &mut History::default(), &demand)?;
        let style = Style { offsets: true, ..Style::default() };
        pack_writer::write(&mut reader, &selection, style, output)?;
        Ok(())
    }

    fn has_loose_objects(&self) -> io::Result<bool> {
        for entry in fs::read_dir(self.objects())? {
            let entry = entry?;
            let name = entry.file_name();
            let is_fan_out = name.len() == 2 && name.to_str().is_some_and(|name| u8::from_str_radix(name, 16).is_ok());
            if is_fan_out && fs::read_dir(entry.path())?.next().is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Commit, Kind, Object, Signature};

    #[test]
    fn a_copy_has_what_the_tips_lead_to_and_one_pack_is_copied_as_it_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        assert!(repository.only_pack().expect("a readable folder").is_none());
        let in_use = repository.use_objects();
        let tree = Object { kind: Kind::Tree, data: Vec::new() };
        let signature = Signature { name: "A".into(), email: "a@b".into(), date: "0 +0000".into() };
        let commit = Commit {
            tree: tree.id().expect("a hash"),
            parents: Vec::new(),
            author: signature.clone(),
            committer: signature,
            extra_headers: "".into(),
            message: "one\n".into(),
        };
        let ids = repository.add(&[tree, commit.to_object()], &in_use, false).expect("a connected set");
        assert!(repository.only_pack().expect("a readable folder").is_some());
        repository.add(&[Object::blob("alone")], &in_use, false).expect("a blob");
        assert!(repository.only_pack().expect("a readable folder").is_none());
        let mut pack = Vec::new();
        repository.write_pack(&ids[1..], &mut pack).expect("all objects exist");
        assert_eq!(pack[..12], *b"PACK\0\0\0\x02\0\0\0\x02");
        let missing = ObjectId::from_bytes_or_panic(&[7; 20]);
        assert!(repository.write_pack(&[missing], &mut pack).is_err());
    }
}
