//! Listings in the form of S3: arguments of requests, and pages of replies.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{CommonPrefix, EncodingType, Object, Owner};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::stored::Stored;

/// Maximum and default number of keys of a page.
const KEYS_MAX: i32 = 1000;

/// The characters that S3 escapes in a listing.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/');

/// The encoding of texts in a listing: none, or that of URLs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    url: bool,
}

/// A page of a bucket, with the attributes of its objects.
pub(super) struct StoredPage {
    pub(super) objects: Vec<Stored>,
    pub(super) prefixes: Vec<String>,
    /// The key or prefix after which the next page begins.
    pub(super) next: Option<String>,
}

/// The objects and prefixes of a page.
pub(super) struct Entries {
    pub(super) objects: Vec<Object>,
    pub(super) prefixes: Vec<CommonPrefix>,
}

impl Encoding {
    /// Parses `encoding-type`.
    pub(super) fn parse(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self { url: false }),
            Some(EncodingType::URL) => Ok(Self { url: true }),
            Some(_) => {
                let message = "Invalid Encoding Method specified in Request";
                Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
            }
        }
    }

    /// Encodes a key, a prefix, a delimiter or a marker.
    pub(super) fn write(self, text: &str) -> String {
        if self.url { utf8_percent_encode(text, ESCAPED).to_string() } else { text.to_owned() }
    }

    /// Converts the entries of a page.
    pub(super) fn entries(self, page: &StoredPage, owner: Option<&Owner>) -> Entries {
        let object = |stored: &Stored| Object {
            key: Some(self.write(&stored.object.key)),
            size: Some(i64::try_from(stored.object.bytes).unwrap_or(i64::MAX)),
            e_tag: Some(stored.tag()),
            last_modified: Some(stored.object.modified.into()),
            owner: owner.cloned(),
            storage_class: Some(stored.class().to_owned().into()),
            ..Object::default()
        };
        let prefix = |prefix: &String| CommonPrefix { prefix: Some(self.write(prefix)) };
        Entries {
            objects: page.objects.iter().map(object).collect(),
            prefixes: page.prefixes.iter().map(prefix).collect(),
        }
    }
}

/// Parses `max-keys`.
pub(super) fn keys_max(max: Option<i32>) -> S3Result<i32> {
    match max {
        None => Ok(KEYS_MAX),
        Some(max) if max >= 0 => Ok(max.min(KEYS_MAX)),
        Some(_) => {
            let message = "Argument maxKeys must be an integer between 0 and 2147483647";
            Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
        }
    }
}
