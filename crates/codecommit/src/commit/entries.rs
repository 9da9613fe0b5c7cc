//! The lists of files that a caller gives for one commit.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_codecommit::types::{DeleteFileEntry, PutFileEntry, SetFileModeEntry};
use git::Mode;

use super::FILE_BYTES_MAX;
use super::changes::KEEP;
use crate::path::Path;
use crate::{Exception, mode};

/// How many files one commit can change.
const ENTRIES_MAX: usize = 100;

/// What is to happen to which files; none is named twice.
pub(super) struct Entries {
    pub(super) puts: Vec<Put>,
    pub(super) deletes: Vec<Path>,
    pub(super) modes: Vec<(Path, Mode)>,
}

/// A file that is to be put.
pub(super) struct Put {
    pub(super) path: Path,
    pub(super) mode: Option<Mode>,
    pub(super) source: Source,
}

/// Where the content of a file comes from.
pub(super) enum Source {
    Content(Vec<u8>),
    File { path: Path, is_move: bool },
}

impl Entries {
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
        let puts = puts.into_iter().map(Put::parse).collect::<Result<Vec<_>, _>>()?;
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

    /// Checks that one thing at most happens to each file, and that no file is put as a folder too.
    fn check_paths(&self) -> Result<(), Exception> {
        let mut put = BTreeSet::new();
        for Put { path, .. } in &self.puts {
            if !put.insert(path.as_str()) {
                return Err(Exception::PutFileEntryConflict { path: path.to_string() });
            }
        }
        for Put { path, .. } in &self.puts {
            if let Some(folder) = path.parents().find(|folder| put.contains(folder)) {
                return Err(Exception::PutFileEntryConflict { path: folder.to_owned() });
            }
        }
        let moved = self.puts.iter().filter_map(|put| match &put.source {
            Source::File { path, is_move: true } => Some(path),
            _ => None,
        });
        let mut others = moved.chain(&self.deletes).chain(self.modes.iter().map(|(path, _)| path));
        match others.find(|path| !put.insert(path.as_str())) {
            Some(path) => Err(Exception::SamePathRequest { path: path.to_string() }),
            None => Ok(()),
        }
    }

    /// Checks how much is sent for each folder.
    fn check_folders(&self) -> Result<(), Exception> {
        let mut folders = BTreeMap::<_, u64>::new();
        for Put { path, source, .. } in &self.puts {
            if let Source::Content(content) = source {
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

impl Put {
    fn parse(entry: PutFileEntry) -> Result<Self, Exception> {
        let path = Path::of_new_file(Some(entry.file_path))?;
        let mode = mode::parse(entry.file_mode)?;
        let source = match (entry.file_content, entry.source_file) {
            (None, None) => return Err(Exception::SourceFileOrContentRequired { path: path.to_string() }),
            (Some(_), Some(_)) => return Err(Exception::FileContentAndSourceFileSpecified { path: path.to_string() }),
            (Some(content), None) if content.as_ref().len() as u64 > FILE_BYTES_MAX => {
                return Err(Exception::FileContentSizeLimitExceeded { limit: FILE_BYTES_MAX });
            }
            (Some(content), None) => Source::Content(content.into_inner()),
            (None, Some(source)) => {
                let path = Path::parse(Some(source.file_path))?;
                if path.file_name() == KEEP {
                    return Err(Exception::RestrictedSourceFile { path: path.to_string() });
                }
                Source::File { path, is_move: source.is_move }
            }
        };
        Ok(Self { path, mode, source })
    }
}
