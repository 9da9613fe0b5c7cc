//! Git bundles, versions 2 and 3: a header with references, followed by a pack.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use git::{BString, ByteSlice, ObjectId};

use super::Content;

/// Maximum size of the header, in bytes: some hundred thousand references.
const HEADER_BYTES_MAX: u64 = 64 << 20;

/// Opens a bundle.
pub(super) fn open(path: &Path) -> Result<Content, String> {
    let file = File::open(path).map_err(|error| format!("cannot read it: {error}"))?;
    let mut input = BufReader::with_capacity(64 << 10, file);
    let (references, head) = header(&mut input)?;
    Ok(Content { references, head, pack: Box::new(input) })
}

/// Reads the header: the references, and the default branch.
fn header(input: &mut impl BufRead) -> Result<(Vec<(BString, ObjectId)>, Option<BString>), String> {
    let mut input = input.take(HEADER_BYTES_MAX);
    let version = line(&mut input)?;
    if version != b"# v2 git bundle" && version != b"# v3 git bundle" {
        return Err("it is no Git bundle of version 2 or 3; create it with git bundle create FILE --all".to_owned());
    }
    let (mut references, mut head) = (Vec::new(), None);
    loop {
        let line = line(&mut input)?;
        match line.first() {
            None => break,
            Some(b'@') => check_capability(&line)?,
            Some(b'-') => {
                return Err("it needs commits that it does not have; create it of whole histories, such as with git bundle create \
                            FILE --all"
                    .to_owned());
            }
            Some(_) => {
                let (id, name) = line.split_once_str(b" ").ok_or_else(damaged)?;
                let id = ObjectId::from_hex(id).map_err(|_| damaged())?;
                if name == b"HEAD" {
                    head = Some(id);
                } else {
                    references.push((BString::from(name), id));
                }
            }
        }
    }
    let head = head.and_then(|id| branch_of_head(&references, id));
    Ok((references, head))
}

/// Returns the branch that HEAD is: a bundle tells its commit only, and `main` and `master` are preferred, as by `git clone`.
fn branch_of_head(references: &[(BString, ObjectId)], head: ObjectId) -> Option<BString> {
    let branches = references.iter().filter(|(name, id)| *id == head && name.starts_with(b"refs/heads/"));
    let names: Vec<_> = branches.map(|(name, _)| name).collect();
    let preferred = ["refs/heads/main", "refs/heads/master"];
    let found = preferred.iter().find_map(|wanted| names.iter().find(|name| name.as_slice() == wanted.as_bytes()));
    found.or(names.first()).map(|name| (*name).clone())
}

fn check_capability(line: &[u8]) -> Result<(), String> {
    if line == b"@object-format=sha1" {
        return Ok(());
    }
    let reason = match line {
        b"@object-format=sha256" => "its objects have SHA-256 ids; CodeCommit has SHA-1 ids only",
        _ if line.starts_with(b"@filter=") => {
            "it lacks objects, because it was created with --filter; create it without"
        }
        _ => "it has a capability that is not known; create it with git bundle create --version=2",
    };
    Err(reason.to_owned())
}

/// Reads a line without its newline.
fn line(input: &mut impl BufRead) -> Result<Vec<u8>, String> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).map_err(|error| format!("cannot read it: {error}"))?;
    if line.pop() == Some(b'\n') { Ok(line) } else { Err(damaged()) }
}

fn damaged() -> String {
    "the header of the bundle is incomplete; create the bundle again".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_references_and_the_branch_of_head() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let text = format!(
            "# v3 git bundle\n@object-format=sha1\n{a} refs/heads/a\n{a} refs/heads/main\n{b} refs/tags/t\n{a} HEAD\n\nPACK"
        );
        let mut input = text.as_bytes();
        let (references, head) = header(&mut input).expect("the header is valid");
        assert_eq!(references.len(), 3);
        assert_eq!(head, Some("refs/heads/main".into()));
        assert_eq!(input, b"PACK");
    }

    #[test]
    fn an_unusable_header_is_refused_with_the_reason() {
        let a = "a".repeat(40);
        for (text, reason) in [
            (String::new(), "incomplete"),
            ("PACK\n".to_owned(), "no Git bundle"),
            (format!("# v2 git bundle\n-{a} one\n{a} refs/heads/a\n\n"), "needs commits"),
            (format!("# v2 git bundle\n{a} refs/heads/a\n"), "incomplete"),
            ("# v2 git bundle\nx refs/heads/a\n\n".to_owned(), "incomplete"),
            ("# v3 git bundle\n@object-format=sha256\n\n".to_owned(), "SHA-256"),
            ("# v3 git bundle\n@filter=blob:none\n\n".to_owned(), "--filter"),
            ("# v3 git bundle\n@new\n\n".to_owned(), "capability"),
        ] {
            let refused = header(&mut text.as_bytes()).expect_err("the header is refused");
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
