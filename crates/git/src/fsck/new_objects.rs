//! Checks of objects that an API call adds.

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use super::{FILE_BYTES_MAX, Findings, Fsck, NamedFile};
use crate::{Error, Kind, Object, Reader};

/// The reason not to add objects.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// An object has a fault for which a push would be refused; the message names both.
    #[error("{0}")]
    Fault(String),
    /// A file that the objects refer to cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Error),
}

impl From<String> for FsckError {
    fn from(message: String) -> Self {
        Self::Fault(message)
    }
}

impl Fsck {
    /// Checks objects in the same way as those of a push; special files of their trees can be in the repository already.
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

/// Returns the kind of a file and, unless it is too large, its content.
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
    fn new_objects_are_checked_with_the_special_files_in_their_trees() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let blob = Object::blob("[submodule \"a\"]\n\tpath = a\n\turl = -u./payload\n");
        let id = blob.id().expect("a hash");
        let modules = tree("100644", ".gitmodules", &id);
        let fault = |objects: &[Object]| {
            Fsck::default().check_new(objects, &mut repository.reader()).map_err(|error| error.to_string())
        };
        let refusal = Err(format!("object {id}: gitmodulesUrl: disallowed submodule url: -u./payload"));
        assert_eq!(fault(&[modules.clone(), blob.clone()]), refusal);
        assert_eq!(fault(&[blob.clone(), tree("100644", "modules", &id)]), Ok(()), "under another name");
        assert!(fault(std::slice::from_ref(&modules)).expect_err("it is missing").contains("gitmodulesMissing"));
        repository
            .add(std::slice::from_ref(&blob), &repository.use_objects(), false)
            .expect("a blob refers to nothing");
        assert_eq!(fault(std::slice::from_ref(&modules)), refusal, "in the repository already");
        let link = tree("120000", ".gitmodules", &id);
        assert!(fault(&[link]).expect_err("it is a link").contains("gitmodulesSymlink"));
        assert!(Fsck::off().check_new(&[modules], &mut repository.reader()).is_ok());
    }
}
