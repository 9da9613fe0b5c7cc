//! What a caller decides of conflicts, file by file.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_codecommit::types::{ConflictResolution, ReplaceContentEntry, ReplacementTypeEnum};
use git::{BString, Edits, FileVersion as Version, Mode, Object, Reader};

use super::conflicts::{BASE, Conflicted, DESTINATION, SOURCE, Sides};
use super::rules::Strategy;
use crate::Exception;
use crate::commit::FILE_BYTES_MAX;
use crate::mode;
use crate::path::Path;

/// How many conflicts a caller can resolve at once, as many as files can be changed by one commit.
const ENTRIES_MAX: usize = 100;

/// What a caller decides.
#[derive(Default)]
pub(super) struct Resolution(BTreeMap<Path, Decision>);

/// A path, as it is given, and what is decided.
type Entry = Result<(String, Decision), Exception>;

enum Decision {
    Keep { side: usize, mode: Option<Mode> },
    Put { content: Vec<u8>, mode: Option<Mode> },
    SetMode(Mode),
    Delete,
}

impl Resolution {
    /// Reads what a caller gives, which only merges take that leave conflicts to the caller.
    pub(super) fn parse(resolution: Option<ConflictResolution>, strategy: Strategy) -> Result<Self, Exception> {
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
        if count > 0 && strategy != Strategy::Automerge {
            let reason = "it goes with the strategy AUTOMERGE alone.".to_owned();
            return Err(Exception::InvalidConflictResolution { reason });
        }
        let replaced = replaced.into_iter().map(|it| -> Entry { Ok((it.file_path.clone(), replacement(it)?)) });
        let deleted = deleted.into_iter().map(|it| -> Entry { Ok((it.file_path, Decision::Delete)) });
        let modes = modes.into_iter().map(|it| -> Entry {
            Ok((it.file_path, Decision::SetMode(mode::parse(Some(it.file_mode))?.ok_or(Exception::FileModeRequired)?)))
        });
        let mut decisions = BTreeMap::new();
        for decision in replaced.chain(deleted).chain(modes) {
            let (path, decision) = decision?;
            let path = Path::parse(Some(path))?;
            if decisions.contains_key(&path) {
                return Err(Exception::MultipleConflictResolutionEntries { path: path.to_string() });
            }
            decisions.insert(path, decision);
        }
        check_folders(&decisions)?;
        Ok(Self(decisions))
    }

    /// Decides all conflicts, or fails with `ManualMergeRequired` if one is left; gives what to change in the merged tree,
    /// and the files to add.
    pub(super) fn apply(
        &self,
        reader: &mut Reader,
        sides: &Sides,
        strategy: Strategy,
        merged: &git::Merged,
    ) -> Result<(Edits, Vec<Object>), Exception> {
        let conflicts = sides.conflicted(reader, merged)?;
        if let Some(path) = self.0.keys().find(|path| !conflicts.contains_key(path.as_bytes())) {
            let reason = format!("{path} has no conflict.");
            return Err(Exception::InvalidConflictResolution { reason });
        }
        let decisions: HashMap<BString, &Decision> =
            self.0.iter().map(|(path, decision)| (path.as_bytes().to_owned(), decision)).collect();
        let (mut edits, mut added) = (Edits::new(), Vec::new());
        for (path, file) in conflicts {
            let decided = match (strategy, decisions.get(&path)) {
                (Strategy::AcceptSource, _) => accepted(&file, SOURCE),
                (Strategy::AcceptDestination, _) => accepted(&file, DESTINATION),
                (_, Some(decision)) => decision.version(&file, &mut added)?,
                (_, None) => return Err(Exception::ManualMergeRequired),
            };
            edits.extend(file.places.into_iter().map(|place| (place, None)));
            edits.insert(path, decided);
        }
        Ok((edits, added))
    }
}

impl Decision {
    /// Gives what becomes of a file.
    fn version(&self, file: &Conflicted, added: &mut Vec<Object>) -> Result<Option<Version>, Exception> {
        match self {
            Self::Delete => Ok(None),
            Self::Keep { side, mode } => Ok(file.versions[*side].map(|(now, id)| (mode.unwrap_or(now), id))),
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

/// What comes of a file where a side goes before the other: the lines of the other that conflict with nothing stay.
fn accepted(file: &Conflicted, side: usize) -> Option<Version> {
    if file.in_content { file.merged } else { file.versions[side] }
}

fn replacement(entry: ReplaceContentEntry) -> Result<Decision, Exception> {
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
        (Some(side), None) => Ok(Decision::Keep { side, mode }),
        (Some(_), Some(_)) => Err(Exception::InvalidReplacementContent { path }),
        (None, None) => Err(Exception::ReplacementContentRequired { path }),
        (None, Some(content)) if content.as_ref().len() as u64 > FILE_BYTES_MAX => {
            Err(Exception::FileContentSizeLimitExceeded { limit: FILE_BYTES_MAX })
        }
        (None, Some(content)) => Ok(Decision::Put { content: content.into_inner(), mode }),
    }
}

fn check_folders(decisions: &BTreeMap<Path, Decision>) -> Result<(), Exception> {
    let mut folders = HashMap::<&str, u64>::new();
    for (path, decision) in decisions {
        let Decision::Put { content, .. } = decision else { continue };
        let bytes = folders.entry(path.parents().last().unwrap_or_default()).or_default();
        *bytes += content.len() as u64;
        if *bytes > FILE_BYTES_MAX {
            return Err(Exception::FolderContentSizeLimitExceeded { limit: FILE_BYTES_MAX });
        }
    }
    Ok(())
}
