//! Conflict resolutions by the caller, for each file.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_codecommit::types::{ConflictResolution, ReplaceContentEntry, ReplacementTypeEnum};
use git::{BString, Edits, FileVersion as Version, Mode, Object, Reader};

use super::conflicts::{BASE, ConflictedFile, DESTINATION, SOURCE, Sides};
use super::rules::ConflictStrategy;
use crate::Exception;
use crate::commit::FILE_BYTES_MAX;
use crate::mode;
use crate::path::Path;

/// Maximum number of conflicts that a caller can resolve at once; one commit can change as many files.
const ENTRIES_MAX: usize = 100;

/// The caller's resolutions, by path.
#[derive(Default)]
pub(super) struct ConflictResolutions(BTreeMap<Path, Resolution>);

/// An unchecked path with its resolution.
type ParsedEntry = Result<(String, Resolution), Exception>;

/// Resolution of one conflict.
enum Resolution {
    Keep { side: usize, mode: Option<Mode> },
    Put { content: Vec<u8>, mode: Option<Mode> },
    SetMode(Mode),
    Delete,
}

impl ConflictResolutions {
    /// Parses the resolutions; only the strategy `AUTOMERGE` allows any.
    pub(super) fn parse(resolution: Option<ConflictResolution>, strategy: ConflictStrategy) -> Result<Self, Exception> {
        let Some(ConflictResolution { replace_contents, delete_files, set_file_modes, .. }) = resolution else {
            return Ok(Self::default());
        };
        let (replaced, deleted, modes) = (
            replace_contents.unwrap_or_default(),
            delete_files.unwrap_or_default(),
            set_file_modes.unwrap_or_default(),
        );
        let count = replaced.len() + deleted.len() + modes.len();
        if count > ENTRIES_MAX {
            return Err(Exception::MaximumConflictResolutionEntriesExceeded { limit: ENTRIES_MAX });
        }
        if count > 0 && strategy != ConflictStrategy::Automerge {
            let reason = "it requires the strategy AUTOMERGE.".to_owned();
            return Err(Exception::InvalidConflictResolution { reason });
        }
        let replaced =
            replaced.into_iter().map(|entry| -> ParsedEntry { Ok((entry.file_path.clone(), replacement(entry)?)) });
        let deleted = deleted.into_iter().map(|entry| -> ParsedEntry { Ok((entry.file_path, Resolution::Delete)) });
        let modes = modes.into_iter().map(|entry| -> ParsedEntry {
            let mode = mode::parse(Some(entry.file_mode))?.ok_or(Exception::FileModeRequired)?;
            Ok((entry.file_path, Resolution::SetMode(mode)))
        });
        let mut resolutions = BTreeMap::new();
        for entry in replaced.chain(deleted).chain(modes) {
            let (path, resolution) = entry?;
            let path = Path::parse(Some(path))?;
            if resolutions.contains_key(&path) {
                return Err(Exception::MultipleConflictResolutionEntries { path: path.to_string() });
            }
            resolutions.insert(path, resolution);
        }
        check_folders(&resolutions)?;
        Ok(Self(resolutions))
    }

    /// Resolves all conflicts; returns the edits of the merged tree and the files to add.
    ///
    /// Fails with `ManualMergeRequired` if a conflict is left.
    pub(super) fn apply(
        &self,
        reader: &mut Reader,
        sides: &Sides,
        strategy: ConflictStrategy,
        merged: &git::Merged,
    ) -> Result<(Edits, Vec<Object>), Exception> {
        let conflicts = sides.conflicted(reader, merged)?;
        if let Some(path) = self.0.keys().find(|path| !conflicts.contains_key(path.as_bytes())) {
            let reason = format!("{path} has no conflict.");
            return Err(Exception::InvalidConflictResolution { reason });
        }
        let resolutions: HashMap<BString, &Resolution> =
            self.0.iter().map(|(path, resolution)| (path.as_bytes().to_owned(), resolution)).collect();
        let (mut edits, mut added) = (Edits::new(), Vec::new());
        for (path, file) in conflicts {
            let resolved = match (strategy, resolutions.get(&path)) {
                (ConflictStrategy::AcceptSource, _) => accepted(&file, SOURCE),
                (ConflictStrategy::AcceptDestination, _) => accepted(&file, DESTINATION),
                (_, Some(resolution)) => resolution.version(&file, &mut added)?,
                (_, None) => return Err(Exception::ManualMergeRequired),
            };
            edits.extend(file.merged_paths.into_iter().map(|merged_path| (merged_path, None)));
            edits.insert(path, resolved);
        }
        Ok((edits, added))
    }
}

impl Resolution {
    /// Returns the resolved version of a file; `None` deletes it.
    fn version(&self, file: &ConflictedFile, added: &mut Vec<Object>) -> Result<Option<Version>, Exception> {
        match self {
            Self::Delete => Ok(None),
            Self::Keep { side, mode } => Ok(file.versions[*side].map(|(current, id)| (mode.unwrap_or(current), id))),
            Self::SetMode(mode) => match file.merged {
                Some((_, id)) if !file.in_content && file.in_mode => Ok(Some((*mode, id))),
                _ => Err(Exception::ManualMergeRequired),
            },
            Self::Put { content, mode } => {
                let kept = [DESTINATION, SOURCE, BASE].into_iter().find_map(|side| file.versions[side]);
                let mode = mode.or(kept.map(|(mode, _)| mode).filter(|mode| *mode != Mode::Submodule));
                let object = Object::blob(content.clone());
                let id = object.id()?;
                added.push(object);
                Ok(Some((mode.unwrap_or(Mode::File), id)))
            }
        }
    }
}

/// Returns the version of a file if one side wins all conflicts; lines of the other side that do not conflict stay.
fn accepted(file: &ConflictedFile, side: usize) -> Option<Version> {
    if file.in_content { file.merged } else { file.versions[side] }
}

fn replacement(entry: ReplaceContentEntry) -> Result<Resolution, Exception> {
    let path = entry.file_path;
    let mode = mode::parse(entry.file_mode)?;
    let side = match entry.replacement_type {
        ReplacementTypeEnum::KeepBase => Some(BASE),
        ReplacementTypeEnum::KeepDestination => Some(DESTINATION),
        ReplacementTypeEnum::KeepSource => Some(SOURCE),
        ReplacementTypeEnum::UseNewContent => None,
        kind if kind.as_str().is_empty() => return Err(Exception::ReplacementTypeRequired),
        kind => return Err(Exception::InvalidReplacementType { kind: kind.to_string() }),
    };
    match (side, entry.content) {
        (Some(side), None) => Ok(Resolution::Keep { side, mode }),
        (Some(_), Some(_)) => Err(Exception::InvalidReplacementContent { path }),
        (None, None) => Err(Exception::ReplacementContentRequired { path }),
        (None, Some(content)) if content.as_ref().len() as u64 > FILE_BYTES_MAX => {
            Err(Exception::FileContentSizeLimitExceeded { limit: FILE_BYTES_MAX })
        }
        (None, Some(content)) => Ok(Resolution::Put { content: content.into_inner(), mode }),
    }
}

/// Checks the size of the new content of each folder.
fn check_folders(resolutions: &BTreeMap<Path, Resolution>) -> Result<(), Exception> {
    let mut folders = HashMap::<&str, u64>::new();
    for (path, resolution) in resolutions {
        let Resolution::Put { content, .. } = resolution else { continue };
        let bytes = folders.entry(path.parents().last().unwrap_or_default()).or_default();
        *bytes += content.len() as u64;
        if *bytes > FILE_BYTES_MAX {
            return Err(Exception::FolderContentSizeLimitExceeded { limit: FILE_BYTES_MAX });
        }
    }
    Ok(())
}
