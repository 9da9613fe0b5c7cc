//! Complete commits: tree, parents, author, committer, further headers and message.

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use crate::{Kind, Object, object_links};

/// The parts of a commit, in the order in which Git writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The tree.
    pub tree: ObjectId,
    /// The parents, in order.
    pub parents: Vec<ObjectId>,
    /// The author of the change.
    pub author: Signature,
    /// The creator of the commit.
    pub committer: Signature,
    /// The raw lines of further headers such as `encoding` and `gpgsig`; empty if there are none.
    pub extra_headers: BString,
    /// The raw message.
    pub message: BString,
}

/// A name, an email address and a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// The name.
    pub name: BString,
    /// The email address.
    pub email: BString,
    /// The time in seconds since 1970 and the zone: `1700000000 +0100`.
    pub date: BString,
}

impl Commit {
    /// Parses a commit, with the same tolerance for historic defects as Git. Fails with a short reason.
    pub fn parse(data: &[u8]) -> Result<Self, &'static str> {
        let head = object_links::CommitHead::parse(data)?;
        let (tree, parents) = (head.tree, head.parents().collect());
        let (mut author, mut committer) = (Signature::default(), Signature::default());
        let mut extra_headers = BString::default();
        let mut rest = data;
        while let Some(end) = rest.find_byte(b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            rest = after;
            if line.is_empty() {
                break;
            }
            if let Some(signature) = line.strip_prefix(b"author ") {
                author = Signature::parse(signature);
            } else if let Some(signature) = line.strip_prefix(b"committer ") {
                committer = Signature::parse(signature);
            } else if !line.starts_with(b"tree ") && !line.starts_with(b"parent ") {
                extra_headers.extend_from_slice(line);
                extra_headers.push(b'\n');
            }
        }
        Ok(Self { tree, parents, author, committer, extra_headers, message: rest.into() })
    }

    /// Serializes the commit.
    pub fn to_object(&self) -> Object {
        let mut data = format!("tree {}\n", self.tree).into_bytes();
        for parent in &self.parents {
            data.extend_from_slice(format!("parent {parent}\n").as_bytes());
        }
        for (role, signature) in [("author", &self.author), ("committer", &self.committer)] {
            let Signature { name, email, date } = signature;
            data.extend_from_slice(role.as_bytes());
            for part in [b" ".as_slice(), name, b" <", email, b"> ", date, b"\n"] {
                data.extend_from_slice(part);
            }
        }
        data.extend_from_slice(&self.extra_headers);
        data.push(b'\n');
        data.extend_from_slice(&self.message);
        Object { kind: Kind::Commit, data }
    }
}

impl Signature {
    /// Parses `NAME <EMAIL> DATE`; missing parts are empty.
    fn parse(line: &[u8]) -> Self {
        let (name, rest) = line.split_once_str(b"<").unwrap_or((line, b""));
        let (email, date) = rest.rsplit_once_str(b">").unwrap_or((rest, b""));
        Self { name: name.trim().into(), email: email.into(), date: date.trim().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parsed_commit_is_serialized_to_the_same_bytes() {
        let text = format!(
            "tree {}\nparent {}\nparent {}\nauthor A U Thor <a@b> 1 +0100\ncommitter C <> 2 -0000\nencoding x\ngpgsig -\n \
             y\n\nSubject\n\nBody",
            "a".repeat(40),
            "b".repeat(40),
            "c".repeat(40)
        );
        let commit = Commit::parse(text.as_bytes()).expect("a commit");
        assert_eq!(commit.parents.len(), 2);
        assert_eq!((commit.author.name.as_slice(), commit.author.email.as_slice()), (&b"A U Thor"[..], &b"a@b"[..]));
        assert_eq!((commit.committer.email.as_slice(), commit.committer.date.as_slice()), (&b""[..], &b"2 -0000"[..]));
        assert_eq!(commit.extra_headers, "encoding x\ngpgsig -\n y\n");
        assert_eq!(commit.message, "Subject\n\nBody");
        assert_eq!(commit.to_object(), Object { kind: Kind::Commit, data: text.into_bytes() });
    }

    #[test]
    fn a_commit_without_email_and_date_is_parsed() {
        let commit = Commit::parse(format!("tree {}\nauthor nobody\n", "a".repeat(40)).as_bytes()).expect("a commit");
        assert_eq!((commit.author.name, commit.author.date), ("nobody".into(), BString::default()));
        assert!(Commit::parse(b"tree 1\n").is_err());
    }
}
