//! Paths of files and folders in a repository.

use std::fmt;

use git::BStr;

use crate::{Exception, name};

/// The length of a path, in characters.
const LENGTH_MAX: usize = 4_096;

/// The path of a file or folder, below the root: `docs/guide.md`. A slash before it is taken away, as AWS's samples have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn parse(path: Option<String>) -> Result<Self, Exception> {
        let path = name::required(path, Exception::PathRequired)?;
        let inner = path.strip_prefix('/').unwrap_or(&path);
        let sound = |name: &str| !matches!(name, "" | "." | "..") && !name.eq_ignore_ascii_case(".git");
        let fits = path.chars().count() <= LENGTH_MAX && !path.contains('\0');
        if fits && inner.split('/').all(sound) {
            Ok(Self(inner.to_owned()))
        } else {
            Err(Exception::InvalidPath { path })
        }
    }

    /// The path of a folder: `/` is the root, which is no path, and a slash at the end says nothing.
    pub(crate) fn folder(path: Option<String>) -> Result<Option<Self>, Exception> {
        let path = name::required(path, Exception::PathRequired)?;
        let inner = path.strip_suffix('/').unwrap_or(&path);
        if inner.is_empty() { Ok(None) } else { Self::parse(Some(inner.to_owned())).map(Some) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_bytes(&self) -> &BStr {
        self.0.as_bytes().into()
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
        for path in ["a//b", "a/", "../a", "a/./b", "a/.GIT/config", "//a", "/", &"x".repeat(LENGTH_MAX + 1)] {
            assert!(matches!(parse(path), Err(Exception::InvalidPath { .. })), "{path}");
        }
        assert!(matches!(parse(""), Err(Exception::PathRequired)));
        assert_eq!(Path::folder(Some("/".to_owned())).expect("the root"), None);
        let folder = Path::folder(Some("/a/b/".to_owned())).expect("a folder").expect("no root");
        assert_eq!(folder.parents().collect::<Vec<_>>(), ["a"]);
    }
}
