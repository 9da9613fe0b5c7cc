//! Changes of files between a parent commit and a new one.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_codecommit::types::FileMetadata;
use git::{BStr, Differences, Entry, Mode, Object, ObjectId, Reader};

use crate::path::Path;
use crate::{Exception, mode};

/// Maximum size of a file, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 6_291_456;

/// Name of the file that keeps an otherwise empty folder.
pub(crate) const KEEP: &str = ".gitkeep";

/// Mode and content of a file.
type File = (Mode, ObjectId);

/// Files that a commit adds, changes and removes.
pub(crate) struct FileChanges {
    reader: Reader,
    tree: Option<ObjectId>,
    /// Removed files, with their versions in the parent.
    removed: BTreeMap<Path, File>,
    /// New versions of files, with their versions in the parent.
    put: BTreeMap<Path, (File, Option<File>)>,
    blobs: Vec<Object>,
}

impl FileChanges {
    pub(super) fn new(reader: Reader, tree: Option<ObjectId>) -> Self {
        Self { reader, tree, removed: BTreeMap::new(), put: BTreeMap::new(), blobs: Vec::new() }
    }

    /// Returns a file of the parent.
    pub(crate) fn file(&mut self, path: &Path) -> Result<File, Exception> {
        let entry = match &self.tree {
            Some(tree) => self.reader.entry(tree, path.as_bytes())?,
            None => None,
        };
        let file = entry.filter(|entry| entry.mode.is_blob()).map(|entry| (entry.mode, entry.id));
        file.ok_or_else(|| Exception::FileDoesNotExist { path: path.to_string() })
    }

    /// Removes a file; returns its version in the parent.
    pub(crate) fn remove(&mut self, path: Path) -> Result<File, Exception> {
        let file = self.file(&path)?;
        self.removed.insert(path, file);
        Ok(file)
    }

    /// Puts new content at a path; returns the id of the blob.
    pub(crate) fn put_content(&mut self, path: Path, mode: Mode, content: Vec<u8>) -> Result<ObjectId, Exception> {
        let blob = Object::blob(content);
        let id = blob.id()?;
        self.blobs.push(blob);
        self.put(path, (mode, id))?;
        Ok(id)
    }

    /// Puts a file at a path; its content is in the repository.
    pub(crate) fn put(&mut self, path: Path, file: File) -> Result<(), Exception> {
        let old = match self.file(&path) {
            Ok(old) => Some(old),
            Err(Exception::FileDoesNotExist { .. }) => None,
            Err(error) => return Err(error),
        };
        self.put.insert(path, (file, old));
        Ok(())
    }

    /// Adds a `.gitkeep` to each folder that would lose its last file. Removing the `.gitkeep` itself removes the folder.
    pub(crate) fn keep_folders(&mut self) -> Result<(), Exception> {
        let emptied = self.removed.keys().filter(|path| path.file_name() != KEEP);
        let folders: BTreeSet<String> = emptied.filter_map(|path| path.parents().last()).map(str::to_owned).collect();
        // Inner folders come first: the file that keeps one keeps the folders around it, too.
        for folder in folders.iter().rev() {
            let path = Path::within(folder, KEEP);
            let is_used = |put: &Path| put.is_below(folder) || path.is_below(put.as_str());
            if !self.put.keys().any(is_used) && self.is_emptied(folder)? {
                self.put_content(path, Mode::File, Vec::new())?;
            }
        }
        Ok(())
    }

    /// Returns whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.put.values().all(|(new, old)| Some(*new) == *old)
    }

    /// Checks that no new file takes the place of a folder, a submodule or the parent folder of another file.
    pub(crate) fn check(&mut self) -> Result<(), Exception> {
        let Some(tree) = self.tree else { return Ok(()) };
        let paths: Vec<_> = self.put.keys().cloned().collect();
        for path in paths {
            let entries = self.reader.entries_along(&tree, path.as_bytes())?;
            let prefixes = path.parents().chain([path.as_str()]);
            for (Entry { mode, .. }, prefix) in entries.iter().zip(prefixes) {
                let is_end = prefix == path.as_str();
                let prefix = prefix.to_owned();
                match mode {
                    Mode::Submodule => return Err(Exception::FilePathConflictsWithSubmodulePath { path: prefix }),
                    Mode::Tree if is_end && !self.is_emptied(&prefix)? => {
                        return Err(Exception::FileNameConflictsWithDirectoryName { path: prefix });
                    }
                    Mode::File | Mode::Executable | Mode::Symlink
                        if !is_end && !self.removed.keys().any(|removed| removed.as_str() == prefix) =>
                    {
                        return Err(Exception::DirectoryNameConflictsWithFileName { path: prefix });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Returns whether all files of a folder are removed.
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

    /// Returns the message of a commit for which the caller gives none.
    pub(super) fn default_message(&self) -> String {
        let put = self.put.iter().map(|(path, (_, old))| (if old.is_some() { "Edited" } else { "Added" }, path));
        let all: Vec<_> = put.chain(self.removed.keys().map(|path| ("Deleted", path))).collect();
        match all.as_slice() {
            [(verb, path)] => format!("{verb} {path}"),
            all => format!("Changed {} files", all.len()),
        }
    }

    /// Returns the added, updated and deleted files.
    pub(crate) fn lists(&self) -> [Vec<FileMetadata>; 3] {
        let (added, existing): (Vec<_>, Vec<_>) = self.put.iter().partition(|(_, (_, old))| old.is_none());
        let updated = existing.into_iter().filter(|(_, (new, old))| Some(*new) != *old);
        let put = |(path, (new, _)): (&Path, &(File, Option<File>))| metadata(path, *new);
        let removed = self.removed.iter().map(|(path, file)| metadata(path, *file));
        [added.into_iter().map(put).collect(), updated.map(put).collect(), removed.collect()]
    }

    /// Returns the id of the resulting tree, and the objects to add.
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
