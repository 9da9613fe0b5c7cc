//! The path of a request of Git LFS.

use std::borrow::Cow;

use axum::http::Method;
use axum::http::request::Parts;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::authenticate::Scope;
use crate::repository_path;

/// The path of a request of Git LFS.
#[derive(Debug)]
pub(crate) struct LfsPath {
    /// The account and region, if the path names them.
    pub(crate) scope: Option<Scope>,
    /// The name of the repository, not validated.
    pub(crate) repository: String,
    pub(super) route: Route,
}

/// A route below `info/lfs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `objects/batch`.
    Batch,
    /// `objects/ID`; the id is not validated.
    Object(String),
    /// `verify`.
    Verify,
    /// `locks`.
    Locks,
    /// `locks/verify`.
    VerifyLocks,
    /// `locks/ID/unlock`.
    Unlock(String),
}

impl LfsPath {
    /// Parses `[/ACCOUNT/REGION]/v1/repos/NAME[.git]/info/lfs/...`; each part may be percent-encoded.
    ///
    /// Clients append `.git` to the URL of a repository; no repository of CodeCommit has a name with this end.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let decode = |part| percent_decode_str(part).decode_utf8_lossy();
        let decoded: Vec<Cow<'_, str>> = path.strip_prefix('/')?.split('/').map(decode).collect();
        let parts: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
        let (scope, [name, "info", "lfs", rest @ ..]) = repository_path::split(&parts)? else { return None };
        let route = match rest {
            ["objects", "batch"] => Route::Batch,
            ["objects", id] => Route::Object((*id).to_owned()),
            ["verify"] => Route::Verify,
            ["locks"] => Route::Locks,
            ["locks", "verify"] => Route::VerifyLocks,
            ["locks", id, "unlock"] => Route::Unlock((*id).to_owned()),
            _ => return None,
        };
        Some(Self { scope, repository: name.strip_suffix(".git").unwrap_or(name).to_owned(), route })
    }
}

impl Route {
    /// Returns the allowed methods.
    pub(super) const fn methods(&self) -> &'static [Method] {
        match self {
            Self::Object(_) => &[Method::GET, Method::HEAD, Method::PUT],
            Self::Locks => &[Method::GET, Method::POST],
            Self::Batch | Self::Verify | Self::VerifyLocks | Self::Unlock(_) => &[Method::POST],
        }
    }

    /// Returns the name for the log.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Batch => "lfs batch",
            Self::Object(_) => "lfs object",
            Self::Verify => "lfs verify",
            Self::Locks | Self::VerifyLocks => "lfs locks",
            Self::Unlock(_) => "lfs unlock",
        }
    }

    /// Returns whether a request needs no more than the permission to pull.
    pub(super) fn is_reading(&self, head: &Parts, body: &Bytes) -> bool {
        #[derive(Deserialize)]
        struct Operation {
            operation: String,
        }
        match self {
            Self::Batch => serde_json::from_slice::<Operation>(body).is_ok_and(|batch| batch.operation == "download"),
            Self::Locks => head.method == Method::GET,
            Self::VerifyLocks => true,
            Self::Object(_) | Self::Verify | Self::Unlock(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> Option<Route> {
        LfsPath::parse(path).map(|path| path.route)
    }

    #[test]
    fn both_forms_of_a_url_name_the_repository() {
        for name in ["MyDemoRepo", "MyDemoRepo.git"] {
            let path = LfsPath::parse(&format!("/v1/repos/{name}/info/lfs/objects/batch")).expect("a path of Git LFS");
            assert_eq!((path.repository.as_str(), path.route), ("MyDemoRepo", Route::Batch));
            assert!(path.scope.is_none());
            let path = LfsPath::parse(&format!("/444455556666/us-east-2/v1/repos/{name}/info/lfs/verify"));
            let path = path.expect("a path of Git LFS");
            let scope = path.scope.expect("the path names the scope");
            assert_eq!((scope.account.as_str(), scope.region.as_str()), ("444455556666", "us-east-2"));
        }
    }

    #[test]
    fn routes_are_those_of_the_protocol() {
        let base = "/v1/repos/a/info/lfs";
        assert_eq!(route(&format!("{base}/objects/0f")), Some(Route::Object("0f".to_owned())));
        assert_eq!(route(&format!("{base}/verify")), Some(Route::Verify));
        assert_eq!(route(&format!("{base}/locks")), Some(Route::Locks));
        assert_eq!(route(&format!("{base}/locks/verify")), Some(Route::VerifyLocks));
        assert_eq!(route(&format!("{base}/locks/7%2f/unlock")), Some(Route::Unlock("7/".to_owned())));
        for other in ["", "/", "/objects", "/objects/a/b", "/locks/7", "/locks/7/unlock/8", "/batch"] {
            assert_eq!(route(&format!("{base}{other}")), None, "{other}");
        }
        for other in ["/v1/repos/a/info/refs", "/v1/repos/a/info/lf", "/repos/a/info/lfs/verify"] {
            assert_eq!(route(other), None, "{other}");
        }
    }
}
