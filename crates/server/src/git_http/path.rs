//! The path of a Git request over HTTP.

use std::borrow::Cow;

use git::Service;
use percent_encoding::percent_decode_str;

use crate::authenticate::Scope;
use crate::repository_path;

/// The path of a Git request.
#[derive(Debug)]
pub(crate) struct GitPath {
    /// The account and region, if the path names them.
    pub(crate) scope: Option<Scope>,
    /// The name of the repository, not validated.
    pub(crate) repository: String,
    pub(crate) endpoint: Endpoint,
}

/// An endpoint of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `info/refs`: the advertisement of the service that the query names.
    Advertisement,
    /// `git-upload-pack` or `git-receive-pack`.
    Service(Service),
}

impl GitPath {
    /// Parses `[/ACCOUNT/REGION]/v1/repos/NAME/(info/refs|git-upload-pack|git-receive-pack)`; each part may be percent-encoded.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let decode = |part| percent_decode_str(part).decode_utf8_lossy();
        let decoded: Vec<Cow<'_, str>> = path.strip_prefix('/')?.split('/').map(decode).collect();
        let parts: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
        let (scope, parts) = repository_path::split(&parts)?;
        let (repository, endpoint) = match parts {
            [name, "info", "refs"] => (name, Endpoint::Advertisement),
            [name, service] => (name, Endpoint::Service(Service::from_name(service)?)),
            _ => return None,
        };
        Some(Self { scope, repository: (*repository).to_owned(), endpoint })
    }

    /// Returns the service of the request; `None` if the query of an advertisement names no known service.
    pub(crate) fn service(&self, query: Option<&str>) -> Option<Service> {
        match self.endpoint {
            Endpoint::Service(service) => Some(service),
            Endpoint::Advertisement => {
                query?.split('&').find_map(|pair| pair.strip_prefix("service=")).and_then(Service::from_name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use git::Service;

    use super::{Endpoint, GitPath};

    #[test]
    fn a_path_names_scope_repository_and_service() {
        let path = GitPath::parse("/v1/repos/MyDemoRepo/info/refs").expect("a path of Git");
        assert!(path.scope.is_none());
        assert_eq!(path.repository, "MyDemoRepo");
        assert_eq!(path.endpoint, Endpoint::Advertisement);
        assert_eq!(path.service(Some("service=git-upload-pack")), Some(Service::UploadPack));
        assert_eq!(path.service(Some("service=git-annex")), None);
        assert_eq!(path.service(None), None);

        let path = GitPath::parse("/444455556666/us-east-2/v1/repos/a.b/git-receive-pack").expect("a path of Git");
        let scope = path.scope.expect("the path names the scope");
        assert_eq!((scope.account.as_str(), scope.region.as_str()), ("444455556666", "us-east-2"));
        assert_eq!(path.endpoint, Endpoint::Service(Service::ReceivePack));
    }

    #[test]
    fn the_parts_of_a_path_may_be_percent_encoded() {
        let path = GitPath::parse("/4444%35%35556666/us%2Deast-2/v1/repos/de%6Do+x/info%2frefs");
        assert!(path.is_none(), "an encoded slash does not divide parts");
        let path =
            GitPath::parse("/4444%35%35556666/us%2Deast-2/v1/repos/de%6Do+x%2Fy/info/refs").expect("a path of Git");
        let scope = path.scope.expect("the path names the scope");
        assert_eq!((scope.account.as_str(), scope.region.as_str()), ("444455556666", "us-east-2"));
        assert_eq!(path.repository, "demo+x/y");
    }

    #[test]
    fn other_paths_are_not_of_git() {
        for path in [
            "/",
            "/v1/repos",
            "/v1/repos/a",
            "/v1/repos/a/",
            "/v1/repos/a/info/refs/",
            "/v1/repos/a/objects/info/packs",
            "/1/us-east-2/v1/repos/a/info/refs",
            "/v1/repos/a/b/info/refs",
        ] {
            assert!(GitPath::parse(path).is_none(), "{path}");
        }
    }
}
