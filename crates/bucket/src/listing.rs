//! Lists a folder's objects in the order of the bytes of their keys, from any key on, in pages.
//!
//! **Invariant:** a page reads only the folders between its first and its last key.

use std::fs;
use std::io;
use std::path::Path;

use crate::folder::{FolderBucket, OBJECT, Object, PREFIX_OBJECT, is_absence};

/// Selection of the objects to list, as `ListObjects` of S3 defines it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing<'a> {
    /// The beginning of all listed keys.
    pub prefix: &'a str,
    /// Keys that contain this after the prefix are grouped under the part up to its end; an empty text groups none.
    pub delimiter: &'a str,
    /// Only keys after this one are listed, and only after the whole group if it ends in the delimiter.
    pub after: &'a str,
    /// Maximum of keys and groups of a page.
    pub max: usize,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects, sorted by key.
    pub objects: Vec<Object>,
    /// Common prefixes of grouped objects.
    pub prefixes: Vec<String>,
    /// The key or prefix after which the next page begins; `None` on the last page.
    pub next: Option<String>,
}

impl FolderBucket {
    /// Lists a page of objects; a bucket without a folder is empty.
    pub fn list(&self, listing: Listing<'_>) -> io::Result<Page> {
        let mut page = Page::default();
        let mut last = listing.after.to_owned();
        let mut walk = ObjectWalk::new(self, listing)?;
        let mut room = listing.max;
        while room > 0 {
            let Some(object) = walk.next()? else { return Ok(page) };
            match listing.group(&object.key) {
                None => {
                    last.clone_from(&object.key);
                    page.objects.push(object);
                }
                Some(group) => {
                    group.clone_into(&mut last);
                    walk.skip = Some(last.clone());
                    page.prefixes.push(last.clone());
                }
            }
            room -= 1;
        }
        if listing.max > 0 && walk.next()?.is_some() {
            page.next = Some(last);
        }
        Ok(page)
    }
}

impl Listing<'_> {
    /// Returns the common prefix that a key is grouped under, if it is grouped.
    fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        let rest = key.get(self.prefix.len()..)?;
        let position = if self.delimiter.is_empty() { None } else { rest.find(self.delimiter) };
        position.map(|at| &key[..self.prefix.len() + at + self.delimiter.len()])
    }
}

/// An entry of a folder; the key of a folder ends in a slash and is the beginning of all keys below it.
struct FolderEntry {
    key: String,
    is_folder: bool,
}

/// A depth-first walk over a bucket's objects, in the order of their keys.
struct ObjectWalk<'a> {
    bucket: &'a FolderBucket,
    listing: Listing<'a>,
    /// Keys with this beginning are skipped.
    skip: Option<String>,
    /// For each folder on the way down, its remaining entries, last first.
    remaining: Vec<Vec<FolderEntry>>,
}

impl<'a> ObjectWalk<'a> {
    fn new(bucket: &'a FolderBucket, listing: Listing<'a>) -> io::Result<Self> {
        let skip = listing.group(listing.after).filter(|group| *group == listing.after && !group.is_empty());
        let skip = skip.filter(|_| listing.after.starts_with(listing.prefix)).map(str::to_owned);
        let mut walk = Self { bucket, listing, skip, remaining: Vec::new() };
        walk.descend("")?;
        Ok(walk)
    }

    fn next(&mut self) -> io::Result<Option<Object>> {
        while let Some(entries) = self.remaining.last_mut() {
            let Some(entry) = entries.pop() else {
                self.remaining.pop();
                continue;
            };
            if !self.may_list(&entry) {
                continue;
            }
            if entry.is_folder {
                self.descend(&entry.key)?;
                continue;
            }
            match object_metadata(self.bucket.folder(), &entry.key) {
                Ok(file) => {
                    if let Some(object) = Object::of(entry.key, &file) {
                        return Ok(Some(object));
                    }
                }
                // The file was removed meanwhile.
                Err(error) if is_absence(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Tells whether an entry is listed, or is a folder that may hold listed entries.
    fn may_list(&self, entry: &FolderEntry) -> bool {
        let FolderEntry { key, is_folder } = entry;
        let Listing { prefix, after, .. } = self.listing;
        let skipped = self.skip.as_ref().is_some_and(|skip| key.starts_with(skip.as_str()));
        let prefixed = key.starts_with(prefix) || *is_folder && prefix.starts_with(key.as_str());
        let later = key.as_str() > after || *is_folder && after.starts_with(key.as_str());
        prefixed && later && !skipped
    }

    /// Descends into a folder; `key` is empty or ends in a slash.
    fn descend(&mut self, key: &str) -> io::Result<()> {
        let mut entries = Vec::new();
        let folder = match fs::read_dir(self.bucket.folder().join(key)) {
            Ok(folder) => folder,
            Err(error) if is_absence(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in folder {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            if name == PREFIX_OBJECT && kind.is_file() && !key.is_empty() {
                entries.push(FolderEntry { key: key.to_owned(), is_folder: false });
                continue;
            }
            // A name that is not UTF-8 is no key.
            let name = name.to_str().filter(|name| self.bucket.is_object_name(name, key.is_empty()));
            let Some(name) = name else { continue };
            if kind.is_dir() {
                let is_object = fs::symlink_metadata(entry.path().join(OBJECT)).is_ok_and(|file| file.is_file());
                if is_object {
                    entries.push(FolderEntry { key: format!("{key}{name}"), is_folder: false });
                }
                entries.push(FolderEntry { key: format!("{key}{name}/"), is_folder: true });
            } else if kind.is_file() {
                entries.push(FolderEntry { key: format!("{key}{name}"), is_folder: false });
            }
        }
        entries.sort_unstable_by(|one, other| other.key.cmp(&one.key));
        self.remaining.push(entries);
        Ok(())
    }
}

/// Returns the file system metadata of the file of an object.
fn object_metadata(folder: &Path, key: &str) -> io::Result<fs::Metadata> {
    let path = folder.join(key);
    if key.ends_with('/') {
        return fs::symlink_metadata(path.join(PREFIX_OBJECT));
    }
    let file = fs::symlink_metadata(&path)?;
    if file.is_dir() { fs::symlink_metadata(path.join(OBJECT)) } else { Ok(file) }
}

#[cfg(test)]
mod tests;
