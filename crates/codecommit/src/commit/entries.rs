//! Lists of files in the input of `CreateCommit`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_codecommit::types::{DeleteFileEntry, PutFileEntry, SetFileModeEntry};
use git::Mode;

use super::FILE_BYTES_MAX;
use super::changes::KEEP;
use crate::path::Path;
use crate::{Exception, mode};

/// Maximum number of files that one commit can change.
const ENTRIES_MAX: usize = 100;

/// Checked lists; no path occurs twice.
pub(super) struct FileEntries {
    pub(super) puts: Vec<PutEntry>,
    pub(super) deletes: Vec<Path>,
    pub(super) modes: Vec<(Path, Mode)>,
}

/// File to put.
pub(super) struct PutEntry {
    pub(super) path: Path,
    pub(super) mode: Option<Mode>,
    pub(super) source: ContentSource,
}

/// Source of a file's content.
pub(super) enum ContentSource {
    Content(Vec<u8>),
    File { path: Path, is_move: bool },
}

impl FileEntries {
    pub(super) fn parse(
        puts: Vec<PutFileEntry>,
        deletes: Vec<DeleteFileEntry>,
        modes: Vec<SetFileModeEntry>,
    ) -> Result<Self, Exception> {
        match puts.len() + deletes.len() + modes.len() {
            0 => return Err(Exception::FileEntryRequired),
            count if count > ENTRIES_MAX => return Err(Exception::MaximumFileEntriesExceeded { limit: ENTRIES_MAX }),
            _ => {}
        }
        let puts = puts.into_iter().map(PutEntry::parse).collect::<Result<Vec<_>, _>>()?;
        let deletes = deletes.into_iter().map(|entry| Path::parse(Some(entry.file_path)));
        let deletes = deletes.collect::<Result<Vec<_>, _>>()?;
        let mut entries = Self { puts, deletes, modes: Vec::new() };
        for entry in modes {
            let path = Path::parse(Some(entry.file_path))?;
            let mode = mode::parse(Some(entry.file_mode))?.ok_or(Exception::FileModeRequired)?;
            entries.modes.push((path, mode));
        }
        entries.check_paths()?;
        entries.check_folders()?;
        Ok(entries)
    }

    /// Checks that each file occurs once, and that no file is also a folder of another.
    fn check_paths(&self) -> Result<(), Exception> {
        let mut put = BTreeSet::new();
        for PutEntry { path, .. } in &self.puts {
            if !put.insert(path.as_str()) {
                return Err(Exception::PutFileEntryConflict { path: path.to_string() });
            }
        }
        for PutEntry { path, .. } in &self.puts {
            if let Some(folder) = path.parents().find(|folder| put.contains(folder)) {
                return Err(Exception::PutFileEntryConflict { path: folder.to_owned() });
            }
        }
        let moved = self.puts.iter().filter_map(|put| match &put.source {
            ContentSource::File { path, is_move: true } => Some(path),
            _ => None,
        });
        let mut others = moved.chain(&self.deletes).chain(self.modes.iter().map(|(path, _)| path));
        match others.find(|path| !put.insert(path.as_str())) {
            Some(path) => Err(Exception::SamePathRequest { path: path.to_string() }),
            None => Ok(()),
        }
    }

    /// Checks the size of the new content of each folder.
    fn check_folders(&self) -> Result<(), Exception> {
        let mut folders = BTreeMap::<_, u64>::new();
        for PutEntry { path, source, .. } in &self.puts {
            if let ContentSource::Content(content) = source {
                let bytes = folders.entry(path.parents().last()).or_default();
                *bytes += content.len() as u64;
                if *bytes > FILE_BYTES_MAX {
                    return Err(Exception::FolderContentSizeLimitExceeded { limit: FILE_BYTES_MAX });
                }
            }
        }
        Ok(())
    }
}

impl PutEntry {
    fn parse(entry: PutFileEntry) -> Result<Self, Exception> {
        let path = Path::of_new_file(Some(entry.file_path))?;
        let mode = mode::parse(entry.file_mode)?;
        let source = match (entry.file_content, entry.source_file) {
            (None, None) => return Err(Exception::SourceFileOrContentRequired { path: path.to_string() }),
            (Some(_), Some(_)) => return Err(Exception::FileContentAndSourceFileSpecified { path: path.to_string() }),
            (Some(content), None) if content.as_ref().len() as u64 > FILE_BYTES_MAX => {
                return Err(Exception::FileContentSizeLimitExceeded { limit: FILE_BYTES_MAX });
            }
            (Some(content), None) => ContentSource::Content(content.into_inner()),
            (None, Some(source)) => {
                let path = Path::parse(Some(source.file_path))?;
                if path.file_name() == KEEP {
                    return Err(Exception::RestrictedSourceFile { path: path.to_string() });
                }
                ContentSource::File { path, is_move: source.is_move }
            }
        };
        Ok(Self { path, mode, source })
    }
}
