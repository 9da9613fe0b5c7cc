//! The file of packed references.

use std::{fs, io, path::Path};

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

/// One packed reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pub name: BString,
    pub target: ObjectId,
    pub peeled: Peeled,
}

/// The peeled value of a reference, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peeled {
    /// The target is a tag with this peeled value.
    To(ObjectId),
    /// The target is not a tag.
    Itself,
    Unknown,
}

/// Reads the packed references of the folder `path`, sorted by their names.
pub fn read(path: &Path) -> io::Result<Vec<Packed>> {
    let content = match fs::read(path.join("packed-refs")) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    parse(&content).map_err(|line| io::Error::other(format!("unexpected line in packed-refs: {line}")))
}

/// Finds a packed reference in a sorted list.
pub fn find<'p>(packed: &'p [Packed], name: &BStr) -> Option<&'p Packed> {
    let position = packed.binary_search_by(|reference| reference.name.as_bstr().cmp(name)).ok()?;
    packed.get(position)
}

/// Parses a file; an error is the malformed line.
fn parse(content: &[u8]) -> Result<Vec<Packed>, BString> {
    let mut references: Vec<Packed> = Vec::with_capacity(content.len() / 64);
    let mut fully = false;
    let mut tags = false;
    for line in content.lines() {
        if let Some(traits) = line.strip_prefix(b"#") {
            if let Some(traits) = traits.trim_start().strip_prefix(b"pack-refs with:") {
                fully |= traits.fields().any(|known| known == b"fully-peeled");
                tags |= traits.fields().any(|known| known == b"peeled");
            }
        } else if let Some(peeled) = line.strip_prefix(b"^") {
            let peeled = ObjectId::from_hex(peeled.trim_end()).map_err(|_| line.as_bstr().to_owned())?;
            references.last_mut().ok_or_else(|| line.as_bstr().to_owned())?.peeled = Peeled::To(peeled);
        } else {
            let (hex, name) = line.split_at_checked(40).ok_or_else(|| line.as_bstr().to_owned())?;
            let name = name.strip_prefix(b" ").ok_or_else(|| line.as_bstr().to_owned())?;
            let target = ObjectId::from_hex(hex).map_err(|_| line.as_bstr().to_owned())?;
            let known = fully || tags && name.starts_with(b"refs/tags/");
            let peeled = if known { Peeled::Itself } else { Peeled::Unknown };
            references.push(Packed { name: name.into(), target, peeled });
        }
    }
    if !references.is_sorted_by(|one, other| one.name < other.name) {
        references.sort_by(|one, other| one.name.cmp(&other.name));
    }
    Ok(references)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tags_name_is_known_if_the_file_says_so() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).expect("forty digits");
        let lines = format!("{a} refs/tags/v1\n^{b}\n{b} refs/tags/v0\n{a} refs/heads/x\n");
        let known = |traits: &str| {
            let references = parse(format!("{traits}{lines}").as_bytes()).expect("well-formed lines");
            references.into_iter().map(|reference| (reference.name.to_string(), reference.peeled)).collect::<Vec<_>>()
        };
        let expected = |head, tag| {
            let to = Peeled::To(id(&b));
            vec![("refs/heads/x".to_owned(), head), ("refs/tags/v0".into(), tag), ("refs/tags/v1".into(), to)]
        };
        assert_eq!(known(""), expected(Peeled::Unknown, Peeled::Unknown));
        assert_eq!(known("# pack-refs with: peeled \n"), expected(Peeled::Unknown, Peeled::Itself));
        let full = "# pack-refs with: peeled fully-peeled sorted \n";
        assert_eq!(known(full), expected(Peeled::Itself, Peeled::Itself));
    }

    #[test]
    fn lines_that_are_none_are_told() {
        for line in ["abc refs/heads/x", "^abc", &format!("^{}", "a".repeat(40)), &format!("{} ", "g".repeat(40))] {
            assert_eq!(parse(line.as_bytes()), Err(line.into()));
        }
    }
}
