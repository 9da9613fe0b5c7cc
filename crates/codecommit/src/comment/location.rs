//! What comments are about: two commits, and perhaps a file or a line that differs between them.

use std::fmt;

use aws_sdk_codecommit::types::{self, RelativeFileVersionEnum};
use git::{Entry, Kind, Mode, ObjectId, Reader};

use crate::Exception;
use crate::path::Path;

/// Two commits and a place in what they differ by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The commit before; nothing where the other one is the first.
    pub(super) before: Option<ObjectId>,
    pub(super) after: ObjectId,
    pub(super) location: Option<Location>,
    /// The blob at the location's path before.
    pub(super) before_blob: Option<ObjectId>,
    /// The blob at the location's path after.
    pub(super) after_blob: Option<ObjectId>,
}

/// Fills a builder of a shape that shows where comments are with a [`Place`]; these shapes have no type in common.
macro_rules! placed {
    ($builder:expr, $place:expr) => {
        $builder
            .set_before_commit_id($place.before.map(|id| id.to_string()))
            .after_commit_id($place.after.to_string())
            .set_before_blob_id($place.before_blob.map(|id| id.to_string()))
            .set_after_blob_id($place.after_blob.map(|id| id.to_string()))
            .set_location($place.location.as_ref().map($crate::comment::location::Location::to_wire))
    };
}
pub(super) use placed;

/// A file, and perhaps a line of one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) path: Path,
    /// The number of a line, from 1.
    pub(super) position: Option<i64>,
    pub(super) version: Option<Version>,
}

/// Which version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Before,
    After,
}

impl Version {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Before => "BEFORE",
            Self::After => "AFTER",
        }
    }

    pub(super) fn of(text: &str) -> Option<Self> {
        [Self::Before, Self::After].into_iter().find(|version| version.as_str() == text)
    }
}

impl Location {
    /// A line can be named only together with the version that it is counted in.
    pub(super) fn parse(location: types::Location) -> Result<Self, Exception> {
        let path = Path::parse(location.file_path)?;
        let version = location.relative_file_version.as_ref().map(RelativeFileVersionEnum::as_str);
        let invalid = |version: &str| Exception::InvalidRelativeFileVersionEnum { version: version.to_owned() };
        let version = version.map(|it| Version::of(it).ok_or_else(|| invalid(it))).transpose()?;
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

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, position, version } = self;
        write!(f, "{} {} {path}", position.unwrap_or(0), version.map_or("", Version::as_str))
    }
}

impl Place {
    /// Finds the commits, and the file and line if there is a location.
    pub(super) fn find(
        reader: &mut Reader,
        (before, after): (Option<ObjectId>, ObjectId),
        location: Option<Location>,
    ) -> Result<Self, Exception> {
        let (before, after) = commits(reader, before, after)?;
        if before == Some(after) {
            return Err(Exception::BeforeCommitIdAndAfterCommitIdAreSame);
        }
        let Some(location) = location else {
            return Ok(Self { before, after, location, before_blob: None, after_blob: None });
        };
        let path = &location.path;
        let before_entry = before.map(|before| entry(reader, before, path)).transpose()?.flatten();
        let after_entry = entry(reader, after, path)?;
        let meant = match location.version {
            Some(Version::Before) => before_entry.as_ref(),
            Some(Version::After) => after_entry.as_ref(),
            None => after_entry.as_ref().or(before_entry.as_ref()),
        };
        let meant = meant.ok_or_else(|| Exception::PathDoesNotExist { path: path.to_string() })?;
        let meant = blob(meant).ok_or(Exception::InvalidFileLocation)?;
        if let Some(position) = location.position
            && position > lines(reader, meant)?
        {
            return Err(Exception::InvalidFilePosition { position });
        }
        let [before_blob, after_blob] = [before_entry, after_entry].map(|entry| entry.as_ref().and_then(blob));
        Ok(Self { before, after, location: Some(location), before_blob, after_blob })
    }
}

/// Finds two commits; the one before is the first parent of the other if it is not named.
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

fn entry(reader: &mut Reader, commit: ObjectId, path: &Path) -> Result<Option<Entry>, Exception> {
    let tree = reader.commit(&commit)?.tree;
    Ok(reader.entry(&tree, path.as_bytes())?)
}

fn blob(entry: &Entry) -> Option<ObjectId> {
    (!matches!(entry.mode, Mode::Tree | Mode::Submodule)).then_some(entry.id)
}

/// Counts lines as they are numbered: the last one need not end.
fn lines(reader: &mut Reader, blob: ObjectId) -> Result<i64, Exception> {
    let content = reader.find(&blob)?.map(|object| object.data).unwrap_or_default();
    let lines = content.split_inclusive(|byte| *byte == b'\n').count();
    Ok(i64::try_from(lines).unwrap_or(i64::MAX))
}

/// Writes an id that may be missing as an empty text.
pub(super) fn text(id: Option<ObjectId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: Option<&str>, position: Option<i64>, version: Option<&str>) -> Result<Location, Exception> {
        let location = types::Location::builder()
            .set_file_path(path.map(str::to_owned))
            .set_file_position(position)
            .set_relative_file_version(version.map(Into::into));
        Location::parse(location.build())
    }

    #[test]
    fn a_line_is_one_of_a_version() {
        assert_eq!(parse(Some("/a/b"), Some(1), Some("AFTER")).expect("a location").to_string(), "1 AFTER a/b");
        assert_eq!(parse(Some("a"), None, None).expect("a file").to_string(), "0  a");
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
