//! Paths of files and folders in a repository.

use std::fmt;

use git::BStr;

use crate::{Exception, name};

/// Maximum length of a path, in characters.
const LENGTH_MAX: usize = 4_096;

/// Maximum number of folders above a file that is written.
const FOLDERS_MAX: usize = 20;

/// Path of a file or folder relative to the root: `docs/guide.md`. A leading slash is removed; AWS's samples have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn parse(path: Option<String>) -> Result<Self, Exception> {
        let path = name::required(path, Exception::PathRequired)?;
        let inner = path.strip_prefix('/').unwrap_or(&path);
        let is_valid = |name: &str| !matches!(name, "" | "." | "..") && !git::is_dot_git(name.as_bytes());
        let fits = path.chars().count() <= LENGTH_MAX && !path.contains('\0');
        if fits && inner.split('/').all(is_valid) {
            Ok(Self(inner.to_owned()))
        } else {
            Err(Exception::InvalidPath { path })
        }
    }

    /// Parses the path of a file to write; its depth is limited.
    pub(crate) fn of_new_file(path: Option<String>) -> Result<Self, Exception> {
        let path = Self::parse(path)?;
        if path.parents().count() > FOLDERS_MAX { Err(Exception::InvalidPath { path: path.0 }) } else { Ok(path) }
    }

    /// Parses the path of a folder, with or without a trailing slash; `None` stands for the root, whose path is empty or `/`.
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

    /// Returns the path of a file in a folder.
    pub(crate) fn within(folder: &str, name: &str) -> Self {
        Self(format!("{folder}/{name}"))
    }

    /// Returns the file name, without the folders.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Returns whether the path is in a folder, at any depth.
    pub(crate) fn is_below(&self, folder: &str) -> bool {
        self.0.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns the paths of the folders above, the shortest first: `a` and `a/b` for `a/b/c`.
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
    fn a_path_stays_below_the_root() {
        let parse = |path: &str| Path::parse(Some(path.to_owned())).map(|path| path.0);
        assert_eq!(parse("/a/b c").expect("the path is valid"), "a/b c");
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
            assert_eq!(Path::folder(root).expect("the path is valid"), None);
        }
        let folder =
            Path::folder(Some("/a/b/".to_owned())).expect("the path is valid").expect("the folder is not the root");
        assert_eq!(folder.parents().collect::<Vec<_>>(), ["a"]);
        assert_eq!(folder.file_name(), "b");
        assert!(folder.is_below("a") && !folder.is_below("a/b") && !Path("ab/c".to_owned()).is_below("a"));
    }

    #[test]
    fn a_new_file_is_at_most_twenty_folders_deep() {
        let path = |folders: usize| Path::of_new_file(Some("a/".repeat(folders) + "b"));
        assert!(path(20).is_ok());
        assert!(matches!(path(21), Err(Exception::InvalidPath { .. })));
    }
}
