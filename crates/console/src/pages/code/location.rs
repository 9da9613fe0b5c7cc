//! A path in a commit, and the addresses around it.

use serde_json::{Value, json};

use crate::reference;
use crate::url;
use crate::visit::Visit;

/// A file or folder of a commit.
#[derive(Clone, Debug)]
pub(super) struct Location<'l> {
    pub(super) repository: &'l str,
    /// A branch, tag or commit id; empty for the default branch.
    pub(super) reference: String,
    /// The path without slashes around it; empty for the root.
    pub(super) path: String,
}

/// A folder in the path.
pub(super) struct Crumb {
    pub(super) name: String,
    pub(super) url: String,
}

impl<'l> Location<'l> {
    /// Reads the parameters `ref` and `path`.
    pub(super) fn of(visit: &Visit<'_>, repository: &'l str) -> Self {
        let reference = visit.query.get("ref").to_owned();
        Self { repository, reference, path: visit.query.raw("path").trim_matches('/').to_owned() }
    }

    /// Returns the input of an operation: `member` is the name of its path.
    pub(super) fn input(&self, member: &str) -> Value {
        let mut input = json!({ "repositoryName": self.repository });
        if !self.reference.is_empty() {
            input["commitSpecifier"] = self.reference.as_str().into();
        }
        if !self.path.is_empty() {
            input[member] = self.path.as_str().into();
        }
        input
    }

    /// Returns the URL of a page about this path.
    pub(super) fn page(&self, page: &str) -> String {
        self.page_of(page, &self.path)
    }

    /// Returns the URL of a page about another path of the commit.
    pub(super) fn page_of(&self, page: &str, path: &str) -> String {
        url::repository_with(self.repository, page, &[("ref", &self.reference), ("path", path)])
    }

    /// Returns the URL of a page about a path that is below this one.
    pub(super) fn below(&self, page: &str, relative: &str) -> String {
        let separator = if self.path.is_empty() { "" } else { "/" };
        self.page_of(page, &format!("{}{separator}{relative}", self.path))
    }

    /// Returns the folder of the path; empty for the root.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Returns the last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the parts of the path with their URLs, the root first.
    pub(super) fn crumbs(&self) -> Vec<Crumb> {
        let ends = self.path.match_indices('/').map(|(end, _)| end).chain([self.path.len()]);
        let root = Crumb { name: self.repository.to_owned(), url: self.page_of("code", "") };
        let parts = ends.filter(|end| *end > 0).map(|end| {
            let path = &self.path[..end];
            let name = path.rsplit('/').next().unwrap_or_default();
            Crumb { name: name.to_owned(), url: self.page_of("code", path) }
        });
        std::iter::once(root).chain(parts).collect()
    }

    /// Returns whether files can be changed here: changes are made at the tips of branches.
    pub(super) fn is_branch(&self) -> bool {
        reference::branch(&self.reference).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_of_a_path_has_an_address() {
        let location = Location { repository: "r", reference: "a/b".to_owned(), path: "src/<x>/y".to_owned() };
        let crumbs: Vec<_> = location.crumbs().into_iter().map(|crumb| (crumb.name, crumb.url)).collect();
        let page = "/_console/repositories/r/code?ref=a%2Fb";
        let expected = [
            ("r".to_owned(), page.to_owned()),
            ("src".to_owned(), format!("{page}&path=src")),
            ("<x>".to_owned(), format!("{page}&path=src%2F%3Cx%3E")),
            ("y".to_owned(), format!("{page}&path=src%2F%3Cx%3E%2Fy")),
        ];
        assert_eq!(crumbs, expected);
        assert_eq!((location.folder(), location.name()), ("src/<x>", "y"));
        assert!(location.is_branch());
        for reference in ["0123456789012345678901234567890123456789", "refs/tags/v1"] {
            assert!(!Location { reference: reference.to_owned(), ..location.clone() }.is_branch(), "{reference}");
        }
    }
}
