//! Checking objects that do not come from a push, before they are added.

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use super::{FILE_BYTES_MAX, Findings, Fsck, NamedFile};
use crate::{Error, Kind, Object, Reader};

/// Why objects should not be added.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// An object has a fault that a push is refused for; the sentence names both.
    #[error("{0}")]
    Fault(String),
    /// What the objects name cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Error),
}

impl From<String> for FsckError {
    fn from(sentence: String) -> Self {
        Self::Fault(sentence)
    }
}

impl Fsck {
    /// Checks objects as those of a push are checked; files that their trees name can be in the repository already.
    pub fn check_new(&self, objects: &[Object], reader: &mut Reader) -> Result<(), FsckError> {
        if !self.enabled {
            return Ok(());
        }
        let mut findings = Findings::default();
        let mut new = HashMap::<ObjectId, &Object>::default();
        for object in objects {
            let id = object.id()?;
            findings.check(self, &id, object.kind, &object.data, &mut |_, _| {})?;
            new.insert(id, object);
        }
        findings.check_files(self, &mut |id| file(id, &new, reader).map_err(FsckError::from))
    }
}

/// Gives the kind of a file and, if it is small enough to be looked into, its content.
fn file(id: &oid, new: &HashMap<ObjectId, &Object>, reader: &mut Reader) -> Result<Option<NamedFile>, Error> {
    if let Some(object) = new.get(id) {
        return Ok(Some((object.kind, Some(object.data.clone()))));
    }
    match reader.header(id)? {
        Some((Kind::Blob, bytes)) if bytes <= FILE_BYTES_MAX => {
            Ok(reader.find(id)?.map(|object| (object.kind, Some(object.data))))
        }
        found => Ok(found.map(|(kind, _)| (kind, None))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Repository;

    fn tree(mode: &str, name: &str, id: &ObjectId) -> Object {
        Object { kind: Kind::Tree, data: [format!("{mode} {name}\0").as_bytes(), id.as_slice()].concat() }
    }

    #[test]
    fn new_objects_are_checked_with_the_files_that_they_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let blob = Object::blob("[submodule \"a\"]\n\tpath = a\n\turl = -u./payload\n");
        let id = blob.id().expect("a hash");
        let modules = tree("100644", ".gitmodules", &id);
        let fault = |objects: &[Object]| {
            Fsck::default().check_new(objects, &mut repository.reader()).map_err(|error| error.to_string())
        };
        let sentence = Err(format!("object {id}: gitmodulesUrl: disallowed submodule url: -u./payload"));
        assert_eq!(fault(&[modules.clone(), blob.clone()]), sentence);
        assert_eq!(fault(&[blob.clone(), tree("100644", "modules", &id)]), Ok(()), "under another name");
        assert!(fault(std::slice::from_ref(&modules)).expect_err("it is missing").contains("gitmodulesMissing"));
        repository.add(std::slice::from_ref(&blob), &repository.use_objects(), false).expect("it names nothing");
        assert_eq!(fault(std::slice::from_ref(&modules)), sentence, "in the repository already");
        let link = tree("120000", ".gitmodules", &id);
        assert!(fault(&[link]).expect_err("it is a link").contains("gitmodulesSymlink"));
        assert!(Fsck::off().check_new(&[modules], &mut repository.reader()).is_ok());
    }
}
