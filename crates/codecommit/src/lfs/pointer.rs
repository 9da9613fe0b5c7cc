//! Pointer files: the small texts that stand for large files in commits.

use crate::lfs::LfsObject;

/// The first line of a pointer.
const VERSION: &str = "version https://git-lfs.github.com/spec/v1";

/// Size of the largest pointer, in bytes, as in the specification of Git LFS.
pub(crate) const POINTER_BYTES_MAX: usize = 1_024;

/// A pointer file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The object that it names.
    pub object: LfsObject,
}

impl Pointer {
    /// Parses the content of a file: lines of a key and a value, the version first, with an id and a size.
    ///
    /// Returns `None` for every other file. Further keys, such as those of extensions, are ignored.
    pub fn parse(content: &[u8]) -> Option<Self> {
        if content.len() > POINTER_BYTES_MAX {
            return None;
        }
        let mut lines = std::str::from_utf8(content).ok()?.lines();
        if lines.next()? != VERSION {
            return None;
        }
        let (mut id, mut bytes) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) => id = Some(value.strip_prefix("sha256:")?.parse().ok()?),
                ("size", value) if value.bytes().all(|byte| byte.is_ascii_digit()) => bytes = Some(value.parse().ok()?),
                ("size", _) => return None,
                _ => {}
            }
        }
        Some(Self { object: LfsObject { id: id?, bytes: bytes? } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    #[test]
    fn a_pointer_names_an_object() {
        let text = format!("{VERSION}\noid sha256:{ID}\nsize 12345\n");
        let pointer = Pointer::parse(text.as_bytes()).expect("a pointer");
        assert_eq!((pointer.object.id.to_string().as_str(), pointer.object.bytes), (ID, 12_345));
        let extended = format!("{VERSION}\next-0-foo sha256:{ID}\noid sha256:{ID}\nsize 12345");
        assert_eq!(Pointer::parse(extended.as_bytes()), Some(pointer));
    }

    #[test]
    fn other_files_are_not_pointers() {
        for text in [
            String::new(),
            VERSION.to_owned(),
            format!("{VERSION}\noid sha256:{ID}\n"),
            format!("{VERSION}\nsize 5\n"),
            format!("{VERSION}\noid sha256:{}\nsize 5\n", &ID[1..]),
            format!("{VERSION}\noid md5:{ID}\nsize 5\n"),
            format!("{VERSION}\noid sha256:{ID}\nsize -5\n"),
            format!("{VERSION}\noid sha256:{ID}\nsize +5\n"),
            format!("{VERSION}\noid sha256:{ID}\nsize 99999999999999999999\n"),
            format!("oid sha256:{ID}\nsize 5\n{VERSION}\n"),
            format!("{VERSION}\noid sha256:{ID}\nsize 5\n\nmore"),
            format!("{VERSION}\noid sha256:{ID}\nsize 5\nkey {}\n", "x".repeat(POINTER_BYTES_MAX)),
        ] {
            assert_eq!(Pointer::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Pointer::parse(b"\xff"), None);
    }
}
