//! Attributes of objects: what a client gave with the content, and what was computed from it.
//!
//! They are in the file of the object's metadata, a JSON object of texts, with a sign before names that are no metadata: `:` and `=` are
//! in no name of a header, so nothing else begins with them.

use std::collections::BTreeMap;
use std::io;
use std::time::SystemTime;

use super::{FolderBucket, METADATA, Object, at, file};

/// The sign before the name of a setting.
const SETTING: char = ':';

/// The sign before the name of an attribute of the content.
const CONTENT: char = '=';

/// The attribute that tells which file the attributes of the content belong to.
const FILE: &str = "file";

/// Attributes of an object beside its content, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Metadata of the object's owner.
    pub metadata: BTreeMap<String, String>,
    /// What else belongs to the object, such as its content type.
    pub settings: BTreeMap<String, String>,
    /// What was computed from the content, such as its entity tag; lost when another program writes to the file.
    pub of_content: BTreeMap<String, String>,
}

impl Attributes {
    /// Converts the texts of a file of metadata.
    pub(super) fn from_texts(texts: BTreeMap<String, String>) -> Self {
        let mut attributes = Self::default();
        for (name, value) in texts {
            if let Some(name) = name.strip_prefix(SETTING) {
                attributes.settings.insert(name.to_owned(), value);
            } else if let Some(name) = name.strip_prefix(CONTENT) {
                attributes.of_content.insert(name.to_owned(), value);
            } else {
                attributes.metadata.insert(name, value);
            }
        }
        attributes
    }

    /// Converts to the texts of a file of metadata.
    pub(super) fn to_texts(&self) -> BTreeMap<String, String> {
        let signed = |sign: char| move |(name, value): (&String, &String)| (format!("{sign}{name}"), value.clone());
        let metadata = self.metadata.iter().map(|(name, value)| (name.clone(), value.clone()));
        let settings = self.settings.iter().map(signed(SETTING));
        metadata.chain(settings).chain(self.of_content.iter().map(signed(CONTENT))).collect()
    }

    /// Drops the attributes of the content unless they belong to this file.
    pub(super) fn for_file(mut self, bytes: u64, modified: SystemTime) -> Self {
        if self.of_content.remove(FILE) != Some(stamp(bytes, modified)) {
            self.of_content.clear();
        }
        self
    }

    /// Notes the file that the attributes of the content belong to.
    pub(super) fn of_file(mut self, bytes: u64, modified: SystemTime) -> Self {
        self.of_content.insert(FILE.to_owned(), stamp(bytes, modified));
        self
    }
}

impl FolderBucket {
    /// Reads the attributes of an object; one that another program wrote has none.
    pub fn attributes(&self, object: &Object) -> io::Result<Attributes> {
        let texts = self.metadata_texts(&object.key)?;
        Ok(Attributes::from_texts(texts).for_file(object.bytes, object.modified))
    }

    /// Replaces the attributes of an object, whose content stays as it is.
    pub fn set_attributes(&self, object: &Object, attributes: &Attributes) -> io::Result<()> {
        self.write_attributes(&object.key, &attributes.clone().of_file(object.bytes, object.modified))
    }

    pub(super) fn write_attributes(&self, key: &str, attributes: &Attributes) -> io::Result<()> {
        let text = serde_json::to_vec(&attributes.to_texts())?;
        let (root, name) = (self.folder.join(METADATA), format!("{key}.json"));
        file::write_object(&root, &name, self.options, || Ok(&text[..])).map_err(|error| at(&root.join(name), &error))
    }
}

/// Tells a file from what another program makes of it.
fn stamp(bytes: u64, modified: SystemTime) -> String {
    let modified = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{bytes}/{}", modified.as_nanos())
}
