//! Paths of repositories, which Git clients send over HTTP and SSH.

use crate::authenticate::Scope;

/// Splits `v1/repos/REST` or `ACCOUNT/REGION/v1/repos/REST` into the scope, if the path names it, and the rest.
///
/// Returns `None` for other paths.
pub(crate) fn split<'p>(parts: &'p [&'p str]) -> Option<(Option<Scope>, &'p [&'p str])> {
    match parts {
        ["v1", "repos", rest @ ..] => Some((None, rest)),
        [account, region, "v1", "repos", rest @ ..] => {
            Some((Some(Scope { account: account.parse().ok()?, region: region.parse().ok()? }), rest))
        }
        _ => None,
    }
}

/// Parses `/v1/repos/NAME` or `/ACCOUNT/REGION/v1/repos/NAME`; the name is not validated.
pub(crate) fn parse(path: &str) -> Option<(Option<Scope>, String)> {
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match split(&parts)? {
        (scope, [name]) if !name.is_empty() => Some((scope, (*name).to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_repository_and_its_scope() {
        let (scope, name) = parse("/v1/repos/MyDemoRepo").expect("the path names a repository");
        assert!(scope.is_none());
        assert_eq!(name, "MyDemoRepo");
        let (scope, name) = parse("/444455556666/us-east-2/v1/repos/a").expect("the path names a repository");
        let scope = scope.expect("the path names the scope");
        assert_eq!((scope.account.as_str(), scope.region.as_str(), name.as_str()), ("444455556666", "us-east-2", "a"));
    }

    #[test]
    fn other_paths_name_no_repository() {
        for path in
            ["", "/", "v1/repos/a", "/v1/repos/", "/v1/repos/a/", "/v1/repos/a/b", "/1/us-east-2/v1/repos/a", "/~/a"]
        {
            assert!(parse(path).is_none(), "{path}");
        }
    }
}
