//! A commit in full: its tree and parents, who made it and when, and what they say of it.

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use crate::{Kind, Object, object_links};

/// What a commit holds, in the order in which it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The tree.
    pub tree: ObjectId,
    /// The parents in their order.
    pub parents: Vec<ObjectId>,
    /// Who wrote the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// The header lines that follow, such as `encoding` and `gpgsig`, as they are written; empty where there are none.
    pub extra_headers: BString,
    /// The message, as it is written.
    pub message: BString,
}

/// Who, and when.
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
    /// Reads a commit; what Git takes of historic defects is taken too. Fails with a short reason.
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

    /// Writes the commit as an object.
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
    /// Reads `NAME <EMAIL> DATE`; what is not there is empty.
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
    fn what_is_read_is_written_again() {
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
    fn a_commit_with_little_in_it_is_read() {
        let commit = Commit::parse(format!("tree {}\nauthor nobody\n", "a".repeat(40)).as_bytes()).expect("a commit");
        assert_eq!((commit.author.name, commit.author.date), ("nobody".into(), BString::default()));
        assert!(Commit::parse(b"tree 1\n").is_err());
    }
}
