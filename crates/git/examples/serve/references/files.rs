//! Loose references.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bstr::{BStr, BString, ByteSlice, ByteVec};
use gix::ObjectId;

/// The target of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Object(ObjectId),
    /// The name of another reference.
    Symbolic(BString),
}

/// Reads the reference `name` below the folder `path`.
///
/// `None` if the file does not exist; an error of [`io::ErrorKind::InvalidData`] if it is malformed.
pub fn read(path: &Path, name: &BStr) -> io::Result<Option<Target>> {
    let Ok(place) = name.to_path() else { return Ok(None) };
    let place = path.join(place);
    match fs::read(&place) {
        Ok(content) => parse(&content).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into()),
        Err(error) if is_absence(error.kind()) => Ok(link(&place)),
        Err(error) => Err(error),
    }
}

/// Returns whether an error means that there is no such file.
fn is_absence(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory)
}

/// An old symbolic reference is a symbolic link, whose target may not exist.
fn link(place: &Path) -> Option<Target> {
    let name = Vec::from_path_buf(fs::read_link(place).ok()?).ok().filter(|name| name.starts_with(b"refs/"));
    name.map(|name| Target::Symbolic(name.into()))
}

fn parse(content: &[u8]) -> Option<Target> {
    if let Some(name) = content.strip_prefix(b"ref:") {
        return Some(Target::Symbolic(name.trim().into()));
    }
    let (hex, rest) = content.split_at_checked(40)?;
    // Git allows anything after a space.
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
    ObjectId::from_hex(hex).ok().filter(|_| ends).map(Target::Object)
}

/// Lists the loose references below the folder `path`, in no order; malformed ones are errors.
pub fn list(path: &Path) -> io::Result<Vec<(BString, Option<Target>)>> {
    let mut found = Vec::new();
    let mut folders: Vec<(PathBuf, BString)> = vec![(path.join("refs"), "refs/".into())];
    while let Some((folder, prefix)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // Another process may delete a reference with its folder.
            Err(error) if is_absence(error.kind()) => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let Ok(last) = Vec::from_os_string(entry.file_name()) else { continue };
            if last.starts_with(b".") || last.ends_with(b".lock") {
                continue;
            }
            let mut name = prefix.clone();
            name.push_str(&last);
            let kind = entry.file_type()?;
            if kind.is_dir() || kind.is_symlink() && entry.path().is_dir() {
                name.push(b'/');
                folders.push((entry.path(), name));
                continue;
            }
            match read(path, name.as_bstr()) {
                Ok(Some(target)) => found.push((name, Some(target))),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => found.push((name, None)),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_read_as_git_reads_them() {
        let hex = "a".repeat(40);
        let id = ObjectId::from_hex(hex.as_bytes()).expect("forty digits");
        assert_eq!(parse(format!("{hex}\n").as_bytes()), Some(Target::Object(id)));
        assert_eq!(parse(hex.as_bytes()), Some(Target::Object(id)));
        assert_eq!(parse(format!("{hex} branch 'x'\n").as_bytes()), Some(Target::Object(id)));
        assert_eq!(parse(b"ref:  refs/heads/x \n"), Some(Target::Symbolic("refs/heads/x".into())));
        for content in [String::new(), format!("{hex}x"), "abc\n".into(), "g".repeat(40)] {
            assert_eq!(parse(content.as_bytes()), None, "{content:?}");
        }
    }
}
