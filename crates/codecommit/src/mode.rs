//! Wire names of file modes.

use aws_sdk_codecommit::types::FileModeTypeEnum;
use git::Mode;

use crate::Exception;

/// Parses a mode; an empty one counts as missing.
pub(crate) fn parse(mode: Option<FileModeTypeEnum>) -> Result<Option<Mode>, Exception> {
    match mode {
        None => Ok(None),
        Some(FileModeTypeEnum::Normal) => Ok(Some(Mode::File)),
        Some(FileModeTypeEnum::Executable) => Ok(Some(Mode::Executable)),
        Some(FileModeTypeEnum::Symlink) => Ok(Some(Mode::Symlink)),
        Some(other) if other.as_str().is_empty() => Ok(None),
        Some(other) => Err(Exception::InvalidFileMode { mode: other.as_str().to_owned() }),
    }
}

/// Returns the name of a file's mode; folders and submodules have none.
pub(crate) fn name(mode: Mode) -> Option<FileModeTypeEnum> {
    match mode {
        Mode::File => Some(FileModeTypeEnum::Normal),
        Mode::Executable => Some(FileModeTypeEnum::Executable),
        Mode::Symlink => Some(FileModeTypeEnum::Symlink),
        Mode::Tree | Mode::Submodule => None,
    }
}
