//! The file of the public keys that a bucket's digests are verified with.
//!
//! **Invariant:** a key is never removed from the file, as there may be digests that it signed, also those of an earlier server.

use std::fs;
use std::io;

use bucket::FolderBucket;

use super::PublicKey;

/// The name of the file beside the metadata of a folder bucket.
pub(crate) const PUBLIC_KEYS: &str = "public-keys.json";

/// Adds the keys of `keys`, which has the form of the file, to the file of a bucket.
pub(crate) fn add(bucket: &FolderBucket, keys: &[u8]) -> io::Result<()> {
    let merged = match bucket.read_side_file(PUBLIC_KEYS)? {
        Some(before) => match PublicKey::merge(&before, keys) {
            Some(merged) if merged == before => return Ok(()),
            Some(merged) => merged,
            None => {
                set_aside(bucket)?;
                keys.to_vec()
            }
        },
        None => keys.to_vec(),
    };
    bucket.write_side_file(PUBLIC_KEYS, &merged)
}

/// Renames a file that cannot be read as keys, so that its content is not lost.
fn set_aside(bucket: &FolderBucket) -> io::Result<()> {
    let path = bucket.side_path(PUBLIC_KEYS);
    let renamed = path.with_extension("json.damaged");
    tracing::warn!(path = %path.display(), renamed = %renamed.display(), "cannot read the public keys; renamed the file");
    fs::rename(path, renamed)
}

#[cfg(test)]
mod tests {
    use bucket::FolderOptions;

    use super::*;
    use crate::public_key::fingerprint;

    #[test]
    fn keys_are_added_to_the_file_of_public_keys_and_none_is_lost() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let bucket = FolderBucket::new(folder.path().to_owned(), FolderOptions::default());
        let path = bucket.side_path(PUBLIC_KEYS);
        let file = |ids: &[u8]| {
            let keys: Vec<PublicKey> = ids.iter().map(|id| public_key(*id)).collect();
            PublicKey::to_json(&keys)
        };
        for (added, expected) in [(&[1][..], &[1][..]), (&[2], &[1, 2]), (&[2], &[1, 2]), (&[3, 1], &[1, 2, 3])] {
            add(&bucket, &file(added)).expect("the folder is writable");
            assert_eq!(fs::read(&path).expect("the file exists"), file(expected));
        }
        fs::write(&path, "").expect("the folder is writable");
        add(&bucket, &file(&[4])).expect("the folder is writable");
        assert_eq!(fs::read(&path).expect("the file exists"), file(&[4]));
        assert!(folder.path().join(".metadata/public-keys.json.damaged").exists());
    }

    /// A key of meaningless numbers in a well-formed encoding.
    fn public_key(id: u8) -> PublicKey {
        let mut der = vec![0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
        der.extend([0xc1; 255]);
        der.extend([id * 2 + 1, 0x02, 0x03, 0x01, 0x00, 0x01]);
        let time = |day: i64| aws::Timestamp::from_millis(day * 86_400_000);
        let (valid_from, valid_until) = (time(i64::from(id)), time(i64::from(id) + 30));
        PublicKey { fingerprint: fingerprint(&der), der, valid_from, valid_until }
    }
}
