//! What a commit changes in the files of its parent.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_codecommit::types::FileMetadata;
use git::{BStr, Differences, Entry, Mode, Object, ObjectId, Reader};

use crate::path::Path;
use crate::{Exception, mode};

/// The size of a file, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 6_291_456;

/// The file that keeps a folder that has no other.
pub(crate) const KEEP: &str = ".gitkeep";

/// A file: its mode and content.
type File = (Mode, ObjectId);

/// The files that a commit puts and removes.
pub(crate) struct Changes {
    reader: Reader,
    tree: Option<ObjectId>,
    /// The files that go, as they are.
    removed: BTreeMap<Path, File>,
    /// The files that come, and what is there now.
    put: BTreeMap<Path, (File, Option<File>)>,
    blobs: Vec<Object>,
}

impl Changes {
    pub(super) fn new(reader: Reader, tree: Option<ObjectId>) -> Self {
        Self { reader, tree, removed: BTreeMap::new(), put: BTreeMap::new(), blobs: Vec::new() }
    }

    /// Finds a file of the parent.
    pub(crate) fn file(&mut self, path: &Path) -> Result<File, Exception> {
        let entry = match &self.tree {
            Some(tree) => self.reader.entry(tree, path.as_bytes())?,
            None => None,
        };
        let file = entry.filter(|entry| entry.mode.is_blob()).map(|entry| (entry.mode, entry.id));
        file.ok_or_else(|| Exception::FileDoesNotExist { path: path.to_string() })
    }

    /// Removes a file; gives what it was.
    pub(crate) fn remove(&mut self, path: Path) -> Result<File, Exception> {
        let file = self.file(&path)?;
        self.removed.insert(path, file);
        Ok(file)
    }

    /// Puts new content at a path; gives its id.
    pub(crate) fn put_content(&mut self, path: Path, mode: Mode, content: Vec<u8>) -> Result<ObjectId, Exception> {
        let blob = Object::blob(content);
        let id = blob.id()?;
        self.blobs.push(blob);
        self.put(path, (mode, id))?;
        Ok(id)
    }

    /// Puts a file at a path whose content is in the repository.
    pub(crate) fn put(&mut self, path: Path, file: File) -> Result<(), Exception> {
        let now = match self.file(&path) {
            Ok(now) => Some(now),
            Err(Exception::FileDoesNotExist { .. }) => None,
            Err(error) => return Err(error),
        };
        self.put.insert(path, (file, now));
        Ok(())
    }

    /// Puts a file into each folder that would go with its last one. Who removes such a file wants the folder to go.
    pub(crate) fn keep_folders(&mut self) -> Result<(), Exception> {
        let emptied = self.removed.keys().filter(|path| path.file_name() != KEEP);
        let folders: BTreeSet<String> = emptied.filter_map(|path| path.parents().last()).map(str::to_owned).collect();
        // Those inside go first: what keeps them keeps those around them, too.
        for folder in folders.iter().rev() {
            let path = Path::within(folder, KEEP);
            let is_used = |put: &Path| put.is_below(folder) || path.is_below(put.as_str());
            if !self.put.keys().any(is_used) && self.is_emptied(folder)? {
                self.put_content(path, Mode::File, Vec::new())?;
            }
        }
        Ok(())
    }

    /// Tells whether all stays as it is.
    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.put.values().all(|(new, now)| Some(*new) == *now)
    }

    /// Checks that there is room for each file that is put.
    pub(crate) fn check(&mut self) -> Result<(), Exception> {
        let Some(tree) = self.tree else { return Ok(()) };
        let paths: Vec<_> = self.put.keys().cloned().collect();
        for path in paths {
            let entries = self.reader.entries_along(&tree, path.as_bytes())?;
            let places = path.parents().chain([path.as_str()]);
            for (Entry { mode, .. }, place) in entries.iter().zip(places) {
                let is_end = place == path.as_str();
                let place = place.to_owned();
                match mode {
                    Mode::Submodule => return Err(Exception::FilePathConflictsWithSubmodulePath { path: place }),
                    Mode::Tree if is_end && !self.is_emptied(&place)? => {
                        return Err(Exception::FileNameConflictsWithDirectoryName { path: place });
                    }
                    Mode::File | Mode::Executable | Mode::Symlink
                        if !is_end && !self.removed.keys().any(|removed| removed.as_str() == place) =>
                    {
                        return Err(Exception::DirectoryNameConflictsWithFileName { path: place });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Tells whether all files of a folder go.
    fn is_emptied(&mut self, folder: &str) -> Result<bool, Exception> {
        let Some(tree) = self.tree else { return Ok(true) };
        let Some(entry) = self.reader.entry(&tree, folder.as_bytes().into())? else { return Ok(true) };
        let mut files = Differences::new(&mut self.reader, None, Some(entry.id), BStr::new(b""))?;
        while let Some(file) = files.next(&mut self.reader)? {
            let path = [folder.as_bytes(), b"/", &file.path].concat();
            if !self.removed.keys().any(|removed| removed.as_bytes() == path) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives the message of a commit for which none was given.
    pub(super) fn default_message(&self) -> String {
        let put = self.put.iter().map(|(path, (_, now))| (if now.is_some() { "Edited" } else { "Added" }, path));
        let all: Vec<_> = put.chain(self.removed.keys().map(|path| ("Deleted", path))).collect();
        match all.as_slice() {
            [(verb, path)] => format!("{verb} {path}"),
            all => format!("Changed {} files", all.len()),
        }
    }

    /// Lists the files that are added, those that become others, and those that go.
    pub(crate) fn lists(&self) -> [Vec<FileMetadata>; 3] {
        let (added, there): (Vec<_>, Vec<_>) = self.put.iter().partition(|(_, (_, now))| now.is_none());
        let updated = there.into_iter().filter(|(_, (new, now))| Some(*new) != *now);
        let put = |(path, (new, _)): (&Path, &(File, Option<File>))| metadata(path, *new);
        let removed = self.removed.iter().map(|(path, file)| metadata(path, *file));
        [added.into_iter().map(put).collect(), updated.map(put).collect(), removed.collect()]
    }

    /// Gives the id of the tree that the changes lead to, and the objects to add.
    pub(super) fn into_objects(mut self) -> Result<(ObjectId, Vec<Object>), Exception> {
        let removed = self.removed.keys().map(|path| (path.as_bytes().to_owned(), None));
        let put = self.put.iter().map(|(path, (new, _))| (path.as_bytes().to_owned(), Some(*new)));
        let edits = removed.chain(put).collect();
        let (tree, trees) = self.reader.edit(self.tree.as_deref(), &edits)?;
        self.blobs.extend(trees);
        Ok((tree, self.blobs))
    }
}

fn metadata(path: &Path, (mode, id): File) -> FileMetadata {
    let file = FileMetadata::builder().absolute_path(path.as_str()).blob_id(id.to_string());
    file.set_file_mode(mode::name(mode)).build()
}
