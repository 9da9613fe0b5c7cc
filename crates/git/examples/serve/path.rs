//! The target of a request.

use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice, ByteVec};
use git::Service;

use super::dumb::DumbFile;

/// An endpoint of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    References,
    Run(Service),
    Read(DumbFile),
}

/// Decodes a path and removes the prefix of all repositories; `None` if it leads out of them.
pub fn below(path: &str) -> Option<BString> {
    let decoded: BString = percent_decoded(path)?.into();
    let rest = decoded.strip_prefix(b"/smart")?;
    let mut parts = Vec::new();
    for part in rest.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return None,
            part if part.contains(&0) => return None,
            part => parts.push(part),
        }
    }
    rest.starts_with(b"/").then(|| BString::from(bstr::join("/", parts)))
}

/// Splits a path into that of the repository and the endpoint.
pub fn split(path: &BStr) -> Option<(PathBuf, Action)> {
    let actions = [
        ("info/refs", Action::References),
        ("git-upload-pack", Action::Run(Service::UploadPack)),
        ("git-receive-pack", Action::Run(Service::ReceivePack)),
        ("HEAD", Action::Read(DumbFile::Head)),
    ];
    let found = actions
        .into_iter()
        .find_map(|(end, action)| Some((path.strip_suffix(end.as_bytes())?.strip_suffix(b"/")?, action)));
    let (path, action) = if let Some(found) = found {
        found
    } else {
        let (path, below) = path.rsplit_once_str("/objects/")?;
        (path, Action::Read(DumbFile::below_objects(below.to_str().ok()?)?))
    };
    Some((path.to_path().ok()?.to_owned(), action))
}

/// Decodes a value of a query; an empty one if it is malformed.
pub fn decoded(text: &str) -> String {
    percent_decoded(text).unwrap_or_default().into_string_lossy()
}

/// Decodes a part of a target; `None` if it is malformed, or has an encoded slash.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let byte = u8::try_from(digit()? * 16 + digit()?).ok()?;
        if byte == b'/' {
            return None;
        }
        bytes.push(byte);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        let below = |path: &str| below(path).map(|path| path.to_string());
        assert_eq!(below("/smart/r.git/info/refs").as_deref(), Some("r.git/info/refs"));
        assert_eq!(below("/smart//a%20b/./c").as_deref(), Some("a b/c"));
        for path in [
            "/smart",
            "/smarter/x",
            "/other/x",
            "/smart/../x",
            "/smart/a/%2e%2E/x",
            "/smart/a%2Fb",
            "/smart/%0",
            "/smart/%00x",
        ] {
            assert_eq!(below(path), None, "{path}");
        }
    }

    #[test]
    fn paths_name_a_repository_and_an_endpoint() {
        let split = |path: &str| split(path.into()).map(|(path, action)| (path.display().to_string(), action));
        let found = |path: &str, action| Some((path.to_owned(), action));
        assert_eq!(split("a/b.git/info/refs"), found("a/b.git", Action::References));
        assert_eq!(split("b/git-upload-pack"), found("b", Action::Run(Service::UploadPack)));
        assert_eq!(split("b/objects/info/packs"), found("b", Action::Read(DumbFile::Packs)));
        assert_eq!(split("b/objects/what"), None);
        assert_eq!(split("info/refs"), None);
        assert_eq!(split("b/what"), None);
    }
}
