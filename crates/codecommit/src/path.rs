//! Paths of files and folders in a repository.

use std::fmt;

use git::BStr;

use crate::{Exception, name};

/// The length of a path, in characters.
const LENGTH_MAX: usize = 4_096;

/// How many folders a path leads through that something is written at.
const FOLDERS_MAX: usize = 20;

/// The path of a file or folder, below the root: `docs/guide.md`. A slash before it is taken away, as AWS's samples have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn parse(path: Option<String>) -> Result<Self, Exception> {
        let path = name::required(path, Exception::PathRequired)?;
        let inner = path.strip_prefix('/').unwrap_or(&path);
        let sound = |name: &str| !matches!(name, "" | "." | "..") && !git::is_dot_git(name.as_bytes());
        let fits = path.chars().count() <= LENGTH_MAX && !path.contains('\0');
        if fits && inner.split('/').all(sound) {
            Ok(Self(inner.to_owned()))
        } else {
            Err(Exception::InvalidPath { path })
        }
    }

    /// The path of a file that is to be written, which does not lead as deep as Git can go.
    pub(crate) fn of_new_file(path: Option<String>) -> Result<Self, Exception> {
        let path = Self::parse(path)?;
        if path.parents().count() > FOLDERS_MAX { Err(Exception::InvalidPath { path: path.0 }) } else { Ok(path) }
    }

    /// The path of a folder; a slash at its end says nothing. The root is no path: AWS's samples name it by an empty one.
    pub(crate) fn folder(path: Option<String>) -> Result<Option<Self>, Exception> {
        let path = path.unwrap_or_default();
        let inner = path.strip_suffix('/').unwrap_or(&path);
        if inner.is_empty() { Ok(None) } else { Self::parse(Some(inner.to_owned())).map(Some) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_bytes(&self) -> &BStr {
        self.0.as_bytes().into()
    }

    /// The path of a file in the folder `folder`.
    pub(crate) fn within(folder: &str, name: &str) -> Self {
        Self(format!("{folder}/{name}"))
    }

    /// The name of the file, without the folders.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Tells whether the path is in a folder, at whatever depth.
    pub(crate) fn is_below(&self, folder: &str) -> bool {
        self.0.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The paths that lead here, the shortest first: `a` and `a/b` of `a/b/c`.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_down_and_nowhere_else() {
        let parse = |path: &str| Path::parse(Some(path.to_owned())).map(|path| path.0);
        assert_eq!(parse("/a/b c").expect("a path"), "a/b c");
        for path in [
            "a//b",
            "a/",
            "../a",
            "a/./b",
            "a/.GIT/config",
            "git~1",
            ".g\u{200c}it/a",
            "//a",
            "/",
            &"x".repeat(LENGTH_MAX + 1),
        ] {
            assert!(matches!(parse(path), Err(Exception::InvalidPath { .. })), "{path}");
        }
        assert!(matches!(parse(""), Err(Exception::PathRequired)));
        for root in [None, Some(String::new()), Some("/".to_owned())] {
            assert_eq!(Path::folder(root).expect("the root"), None);
        }
        let folder = Path::folder(Some("/a/b/".to_owned())).expect("a folder").expect("no root");
        assert_eq!(folder.parents().collect::<Vec<_>>(), ["a"]);
        assert_eq!(folder.file_name(), "b");
        assert!(folder.is_below("a") && !folder.is_below("a/b") && !Path("ab/c".to_owned()).is_below("a"));
    }

    #[test]
    fn what_is_written_is_twenty_folders_deep_at_most() {
        let path = |folders: usize| Path::of_new_file(Some("a/".repeat(folders) + "b"));
        assert!(path(20).is_ok());
        assert!(matches!(path(21), Err(Exception::InvalidPath { .. })));
    }
}
