//! Listing a folder's objects: in the order of their keys' bytes, from any key on, a page at a time.
//!
//! **Invariant:** only those folders are read that lie between the page's first key and its last.

use std::fs;
use std::io;
use std::path::Path;

use super::FolderBucket;
use super::folder::{OBJECT, Object, is_absence, is_named_as_object};

/// Which objects are listed, as `ListObjects` of S3 has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing<'a> {
    /// What all keys begin with.
    pub prefix: &'a str,
    /// Keys that contain this after the prefix are listed as one, up to its end; an empty text is none.
    pub delimiter: &'a str,
    /// Only what comes after this key, or after all that it stands for if it ends in the delimiter.
    pub after: &'a str,
    /// How many keys and prefixes a page has at most.
    pub max: usize,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects by key.
    pub objects: Vec<Object>,
    /// Prefixes that stand for the objects below them.
    pub prefixes: Vec<String>,
    /// The key or prefix after which the next page begins, if there is more.
    pub next: Option<String>,
}

impl FolderBucket {
    /// Lists a page of objects; a bucket whose folder is missing has none.
    pub fn list(&self, listing: Listing<'_>) -> io::Result<Page> {
        let mut page = Page::default();
        let mut last = listing.after.to_owned();
        let mut walk = Walk::new(self.folder(), listing)?;
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
    /// Returns the prefix as which a key is listed, if it is not listed itself.
    fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        let rest = key.get(self.prefix.len()..)?;
        let found = if self.delimiter.is_empty() { None } else { rest.find(self.delimiter) };
        found.map(|at| &key[..self.prefix.len() + at + self.delimiter.len()])
    }
}

/// What a folder holds; the key of a folder ends in a slash, as the keys of all that it holds go on from there.
struct Entry {
    key: String,
    is_folder: bool,
}

/// A walk over a bucket's objects.
struct Walk<'a> {
    root: &'a Path,
    listing: Listing<'a>,
    /// What begins with this is passed over.
    skip: Option<String>,
    /// What is still to be seen of the folders on the way down, last first.
    waiting: Vec<Vec<Entry>>,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path, listing: Listing<'a>) -> io::Result<Self> {
        let skip = listing.group(listing.after).filter(|group| *group == listing.after && !group.is_empty());
        let skip = skip.filter(|_| listing.after.starts_with(listing.prefix)).map(str::to_owned);
        let mut walk = Self { root, listing, skip, waiting: Vec::new() };
        walk.descend("")?;
        Ok(walk)
    }

    fn next(&mut self) -> io::Result<Option<Object>> {
        while let Some(entries) = self.waiting.last_mut() {
            let Some(entry) = entries.pop() else {
                self.waiting.pop();
                continue;
            };
            if !self.leads_on(&entry) {
                continue;
            }
            if entry.is_folder {
                self.descend(&entry.key)?;
                continue;
            }
            match file_of(&self.root.join(&entry.key)) {
                Ok(file) => {
                    if let Some(object) = Object::of(entry.key, &file) {
                        return Ok(Some(object));
                    }
                }
                // It was removed meanwhile.
                Err(error) if is_absence(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Tells whether an entry is listed, or a folder holds what may be.
    fn leads_on(&self, entry: &Entry) -> bool {
        let Entry { key, is_folder } = entry;
        let Listing { prefix, after, .. } = self.listing;
        let skipped = self.skip.as_ref().is_some_and(|skip| key.starts_with(skip.as_str()));
        let prefixed = key.starts_with(prefix) || *is_folder && prefix.starts_with(key.as_str());
        let later = key.as_str() > after || *is_folder && after.starts_with(key.as_str());
        prefixed && later && !skipped
    }

    /// Goes on with what a folder holds; `key` is empty or ends in a slash.
    fn descend(&mut self, key: &str) -> io::Result<()> {
        let mut entries = Vec::new();
        let folder = match fs::read_dir(self.root.join(key)) {
            Ok(folder) => folder,
            Err(error) if is_absence(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in folder {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            // A name that is no text is no key.
            let Some(name) = name.to_str().filter(|name| is_named_as_object(name, key.is_empty())) else { continue };
            if kind.is_dir() {
                let is_object = fs::symlink_metadata(entry.path().join(OBJECT)).is_ok_and(|file| file.is_file());
                if is_object {
                    entries.push(Entry { key: format!("{key}{name}"), is_folder: false });
                }
                entries.push(Entry { key: format!("{key}{name}/"), is_folder: true });
            } else if kind.is_file() {
                entries.push(Entry { key: format!("{key}{name}"), is_folder: false });
            }
        }
        entries.sort_unstable_by(|one, other| other.key.cmp(&one.key));
        self.waiting.push(entries);
        Ok(())
    }
}

/// Returns what the file system tells of the file of an object.
fn file_of(path: &Path) -> io::Result<fs::Metadata> {
    let file = fs::symlink_metadata(path)?;
    if file.is_dir() { fs::symlink_metadata(path.join(OBJECT)) } else { Ok(file) }
}

#[cfg(test)]
mod tests;
