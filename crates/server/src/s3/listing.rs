//! Listings as S3 writes them: what a client asks, and the page that it gets.

use std::time::SystemTime;

use aws::percent;
use s3s::dto::{CommonPrefix, ETag, EncodingType, Object, ObjectStorageClass, Owner};
use s3s::{S3Error, S3ErrorCode, S3Result};

/// How many keys a page has at most, and if nothing is said.
const KEYS_MAX: i32 = 1000;

/// How texts are written into a listing: as they are, or escaped as in a URL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    url: bool,
}

/// The objects and prefixes of a page.
pub(super) struct Entries {
    pub(super) objects: Vec<Object>,
    pub(super) prefixes: Vec<CommonPrefix>,
}

impl Encoding {
    /// Reads `encoding-type`.
    pub(super) fn read(said: Option<&EncodingType>) -> S3Result<Self> {
        match said.map(EncodingType::as_str) {
            None => Ok(Self { url: false }),
            Some(EncodingType::URL) => Ok(Self { url: true }),
            Some(_) => {
                let message = "Invalid Encoding Method specified in Request";
                Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
            }
        }
    }

    /// Writes a key, a prefix, a delimiter or a marker.
    pub(super) fn write(self, text: &str) -> String {
        if self.url { percent::encode(text, b"-._*/") } else { text.to_owned() }
    }

    /// Makes the entries of a page.
    pub(super) fn entries(self, page: &bucket::Page, owner: Option<&Owner>) -> Entries {
        let object = |object: &bucket::Object| Object {
            key: Some(self.write(&object.key)),
            size: Some(i64::try_from(object.bytes).unwrap_or(i64::MAX)),
            e_tag: Some(entity_tag(object)),
            last_modified: Some(object.modified.into()),
            owner: owner.cloned(),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Object::default()
        };
        let prefix = |prefix: &String| CommonPrefix { prefix: Some(self.write(prefix)) };
        Entries {
            objects: page.objects.iter().map(object).collect(),
            prefixes: page.prefixes.iter().map(prefix).collect(),
        }
    }
}

/// Reads `max-keys`.
pub(super) fn keys_max(said: Option<i32>) -> S3Result<i32> {
    match said {
        None => Ok(KEYS_MAX),
        Some(said) if said >= 0 => Ok(said.min(KEYS_MAX)),
        Some(_) => {
            let message = "Argument maxKeys must be an integer between 0 and 2147483647";
            Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
        }
    }
}

/// Makes an object's entity tag, from what changes whenever the object does: to read its content would cost too much in a listing.
///
/// It ends as those of objects that were uploaded in parts do, which nobody takes for the content's MD5.
pub(super) fn entity_tag(object: &bucket::Object) -> ETag {
    let modified = object.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    ETag::Strong(format!("{:032x}-1", aws::derived::number(&format!("{modified}/{}/{}", object.bytes, object.key))))
}
