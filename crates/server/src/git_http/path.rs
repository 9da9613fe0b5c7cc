//! What a URL asks for.

use aws::percent;
use git::Service;

use crate::authenticate::Scope;

/// The path of a Git request.
#[derive(Debug)]
pub(crate) struct GitPath {
    /// Whose repositories it is about, where the path says so.
    pub(crate) place: Option<Scope>,
    /// The repository's name, whatever it is.
    pub(crate) repository: String,
    /// What is wanted of the repository.
    pub(crate) wanted: Wanted,
}

/// What is wanted of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// `info/refs`: what is there, for the service that the query names.
    Advertisement,
    /// One of the two services.
    Service(Service),
}

impl GitPath {
    /// Reads `[/ACCOUNT/REGION]/v1/repos/NAME/(info/refs|git-upload-pack|git-receive-pack)`; each part may be percent-encoded.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let decoded: Vec<String> = path.strip_prefix('/')?.split('/').map(percent::decode_path_segment).collect();
        let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let (place, parts) = match parts.as_slice() {
            ["v1", "repos", rest @ ..] => (None, rest),
            [account, region, "v1", "repos", rest @ ..] => {
                (Some(Scope { account: account.parse().ok()?, region: region.parse().ok()? }), rest)
            }
            _ => return None,
        };
        let (repository, wanted) = match parts {
            [name, "info", "refs"] => (name, Wanted::Advertisement),
            [name, service] => (name, Wanted::Service(Service::from_name(service)?)),
            _ => return None,
        };
        Some(Self { place, repository: (*repository).to_owned(), wanted })
    }

    /// Returns the service that the request is for; `None` where an advertisement names none that exists.
    pub(crate) fn service(&self, query: Option<&str>) -> Option<Service> {
        match self.wanted {
            Wanted::Service(service) => Some(service),
            Wanted::Advertisement => {
                query?.split('&').find_map(|pair| pair.strip_prefix("service=")).and_then(Service::from_name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use git::Service;

    use super::{GitPath, Wanted};

    #[test]
    fn a_path_names_place_repository_and_service() {
        let path = GitPath::parse("/v1/repos/MyDemoRepo/info/refs").expect("it is one");
        assert!(path.place.is_none());
        assert_eq!(path.repository, "MyDemoRepo");
        assert_eq!(path.wanted, Wanted::Advertisement);
        assert_eq!(path.service(Some("service=git-upload-pack")), Some(Service::UploadPack));
        assert_eq!(path.service(Some("service=git-annex")), None);
        assert_eq!(path.service(None), None);

        let path = GitPath::parse("/444455556666/us-east-2/v1/repos/a.b/git-receive-pack").expect("it is one");
        let place = path.place.expect("the path says it");
        assert_eq!((place.account.as_str(), place.region.as_str()), ("444455556666", "us-east-2"));
        assert_eq!(path.wanted, Wanted::Service(Service::ReceivePack));
    }

    #[test]
    fn the_parts_of_a_path_may_be_percent_encoded() {
        let path = GitPath::parse("/4444%35%35556666/us%2Deast-2/v1/repos/de%6Do+x/info%2frefs");
        assert!(path.is_none(), "an encoded slash does not divide parts");
        let path = GitPath::parse("/4444%35%35556666/us%2Deast-2/v1/repos/de%6Do+x%2Fy/info/refs").expect("it is one");
        let place = path.place.expect("the path says it");
        assert_eq!((place.account.as_str(), place.region.as_str()), ("444455556666", "us-east-2"));
        assert_eq!(path.repository, "demo+x/y");
    }

    #[test]
    fn other_paths_are_none() {
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
