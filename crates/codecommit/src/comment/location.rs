//! Locations of comments: two commits, and optionally a file or a line in it.

use std::fmt;

use aws_sdk_codecommit::types::{self, RelativeFileVersionEnum};
use git::{Entry, Kind, Mode, ObjectId, Reader};

use crate::Exception;
use crate::path::Path;

/// Two compared commits, and optionally a file in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommentLocation {
    /// The commit before; `None` if the other one has no parent.
    pub(super) before: Option<ObjectId>,
    pub(super) after: ObjectId,
    pub(super) file: Option<FileLocation>,
    /// Blob of the file in the commit before.
    pub(super) before_blob: Option<ObjectId>,
    /// Blob of the file in the commit after.
    pub(super) after_blob: Option<ObjectId>,
}

/// Sets the members of a [`CommentLocation`] in the builder of a shape; these shapes have no common type.
macro_rules! located {
    ($builder:expr, $location:expr) => {
        $builder
            .set_before_commit_id($location.before.map(|id| id.to_string()))
            .after_commit_id($location.after.to_string())
            .set_before_blob_id($location.before_blob.map(|id| id.to_string()))
            .set_after_blob_id($location.after_blob.map(|id| id.to_string()))
            .set_location($location.file.as_ref().map($crate::comment::location::FileLocation::to_wire))
    };
}
pub(super) use located;

/// A file, and optionally a line of one of its two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileLocation {
    pub(super) path: Path,
    /// Line number, from 1.
    pub(super) position: Option<i64>,
    pub(super) version: Option<RelativeFileVersion>,
}

/// Version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RelativeFileVersion {
    Before,
    After,
}

impl RelativeFileVersion {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Before => "BEFORE",
            Self::After => "AFTER",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Before, Self::After].into_iter().find(|version| version.as_str() == text)
    }
}

impl FileLocation {
    /// Parses a location; a line needs the version in which it is counted.
    pub(super) fn parse(location: types::Location) -> Result<Self, Exception> {
        let path = Path::parse(location.file_path)?;
        let version = location.relative_file_version.as_ref().map(RelativeFileVersionEnum::as_str);
        let invalid = |version: &str| Exception::InvalidRelativeFileVersionEnum { version: version.to_owned() };
        let version = version.map(|name| RelativeFileVersion::parse(name).ok_or_else(|| invalid(name))).transpose()?;
        match location.file_position {
            Some(position) if position < 1 => return Err(Exception::InvalidFilePosition { position }),
            Some(_) if version.is_none() => return Err(Exception::InvalidFileLocation),
            _ => {}
        }
        Ok(Self { path, position: location.file_position, version })
    }

    pub(super) fn to_wire(&self) -> types::Location {
        types::Location::builder()
            .file_path(self.path.as_str())
            .set_file_position(self.position)
            .set_relative_file_version(self.version.map(|version| version.as_str().into()))
            .build()
    }
}

impl fmt::Display for FileLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, position, version } = self;
        write!(f, "{} {} {path}", position.unwrap_or(0), version.map_or("", RelativeFileVersion::as_str))
    }
}

impl CommentLocation {
    /// Checks that the commits exist, and the file and line if there are any.
    pub(super) fn find(
        reader: &mut Reader,
        (before, after): (Option<ObjectId>, ObjectId),
        file: Option<FileLocation>,
    ) -> Result<Self, Exception> {
        let (before, after) = commits(reader, before, after)?;
        if before == Some(after) {
            return Err(Exception::BeforeCommitIdAndAfterCommitIdAreSame);
        }
        let Some(file) = file else {
            return Ok(Self { before, after, file, before_blob: None, after_blob: None });
        };
        let path = &file.path;
        let before_entry = before.map(|before| find_entry(reader, before, path)).transpose()?.flatten();
        let after_entry = find_entry(reader, after, path)?;
        let entry = match file.version {
            Some(RelativeFileVersion::Before) => before_entry.as_ref(),
            Some(RelativeFileVersion::After) => after_entry.as_ref(),
            None => after_entry.as_ref().or(before_entry.as_ref()),
        };
        let entry = entry.ok_or_else(|| Exception::PathDoesNotExist { path: path.to_string() })?;
        let content = blob(entry).ok_or(Exception::InvalidFileLocation)?;
        if let Some(position) = file.position
            && position > count_lines(reader, content)?
        {
            return Err(Exception::InvalidFilePosition { position });
        }
        let [before_blob, after_blob] = [before_entry, after_entry].map(|entry| entry.as_ref().and_then(blob));
        Ok(Self { before, after, file: Some(file), before_blob, after_blob })
    }
}

/// Checks two commits; a missing commit before stands for the first parent of the other.
pub(super) fn commits(
    reader: &mut Reader,
    before: Option<ObjectId>,
    after: ObjectId,
) -> Result<(Option<ObjectId>, ObjectId), Exception> {
    for id in before.iter().chain([&after]) {
        if reader.kind(id)? != Some(Kind::Commit) {
            return Err(Exception::CommitDoesNotExist { id: id.to_string() });
        }
    }
    match before {
        Some(before) => Ok((Some(before), after)),
        None => Ok((reader.commit(&after)?.parents.first().copied(), after)),
    }
}

fn find_entry(reader: &mut Reader, commit: ObjectId, path: &Path) -> Result<Option<Entry>, Exception> {
    let tree = reader.commit(&commit)?.tree;
    Ok(reader.entry(&tree, path.as_bytes())?)
}

/// Returns the id of a file or symbolic link.
fn blob(entry: &Entry) -> Option<ObjectId> {
    (!matches!(entry.mode, Mode::Tree | Mode::Submodule)).then_some(entry.id)
}

/// Counts lines; the last one may lack a line break.
fn count_lines(reader: &mut Reader, blob: ObjectId) -> Result<i64, Exception> {
    let content = reader.find(&blob)?.map(|object| object.data).unwrap_or_default();
    let lines = content.split_inclusive(|byte| *byte == b'\n').count();
    Ok(i64::try_from(lines).unwrap_or(i64::MAX))
}

/// Returns an optional id as a text; a missing one is empty.
pub(super) fn text(id: Option<ObjectId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: Option<&str>, position: Option<i64>, version: Option<&str>) -> Result<FileLocation, Exception> {
        let location = types::Location::builder()
            .set_file_path(path.map(str::to_owned))
            .set_file_position(position)
            .set_relative_file_version(version.map(Into::into));
        FileLocation::parse(location.build())
    }

    #[test]
    fn a_line_needs_a_version() {
        assert_eq!(
            parse(Some("/a/b"), Some(1), Some("AFTER")).expect("the location is valid").to_string(),
            "1 AFTER a/b"
        );
        assert_eq!(parse(Some("a"), None, None).expect("the location is valid").to_string(), "0  a");
        assert!(matches!(parse(None, None, None), Err(Exception::PathRequired)));
        assert!(matches!(parse(Some("a//b"), None, None), Err(Exception::InvalidPath { .. })));
        assert!(matches!(parse(Some("a"), Some(1), None), Err(Exception::InvalidFileLocation)));
        assert!(matches!(
            parse(Some("a"), Some(0), Some("BEFORE")),
            Err(Exception::InvalidFilePosition { position: 0 })
        ));
        let other = parse(Some("a"), Some(1), Some("after"));
        assert!(matches!(other, Err(Exception::InvalidRelativeFileVersionEnum { .. })));
    }
}
