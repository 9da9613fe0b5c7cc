//! Objects with their attributes, and the names of the attributes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

use bucket::{Attributes, FolderBucket, Object};
use s3s::dto::{ETag, StorageClass, Timestamp, TimestampFormat};

use super::checksum;
use super::receive::ETAG;

/// The settings of an object.
pub(super) const CONTENT_TYPE: &str = "content-type";
pub(super) const CONTENT_ENCODING: &str = "content-encoding";
pub(super) const CONTENT_LANGUAGE: &str = "content-language";
pub(super) const CONTENT_DISPOSITION: &str = "content-disposition";
pub(super) const CACHE_CONTROL: &str = "cache-control";
pub(super) const EXPIRES: &str = "expires";
pub(super) const STORAGE_CLASS: &str = "storage-class";
pub(super) const ENCRYPTION: &str = "server-side-encryption";
pub(super) const KMS_KEY: &str = "kms-key";
/// Tags in the form of a query.
pub(super) const TAGS: &str = "tags";
/// The time, in milliseconds since 1970, until which an archived object is restored.
pub(super) const RESTORED_UNTIL: &str = "restored-until";

/// Storage classes whose objects are read only after they were restored.
const ARCHIVES: [&str; 2] = [StorageClass::GLACIER, StorageClass::DEEP_ARCHIVE];

/// An object with its attributes.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) object: Object,
    pub(super) attributes: Attributes,
}

impl Stored {
    /// Reads the attributes of an object.
    pub(super) fn read(bucket: &FolderBucket, object: Object) -> io::Result<Self> {
        Ok(Self { attributes: bucket.attributes(&object)?, object })
    }

    /// Opens an object; `None` if there is none of this key.
    pub(super) fn open(bucket: &FolderBucket, key: &str) -> io::Result<Option<(Self, File)>> {
        let Some((object, file)) = bucket.open(key)? else { return Ok(None) };
        Ok(Some((Self::read(bucket, object)?, file)))
    }

    /// Returns the entity tag: that of the put, or one for a file that another program wrote.
    ///
    /// That one is computed from the time, size and key, as a listing cannot read all contents, and has the form for objects that were
    /// uploaded in parts, so that clients do not take it for the MD5 of the content.
    pub(super) fn tag(&self) -> ETag {
        if let Some(tag) = self.attributes.of_content.get(ETAG) {
            return ETag::Strong(tag.clone());
        }
        let object = &self.object;
        let modified = object.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let hash = aws::stable_hash::fnv1a_128(&format!("{modified}/{}/{}", object.bytes, object.key));
        ETag::Strong(format!("{hash:032x}-1"))
    }

    /// Returns a setting.
    pub(super) fn setting(&self, name: &str) -> Option<String> {
        self.attributes.settings.get(name).cloned()
    }

    /// Returns the content type and encoding: those of the put, those of CloudTrail's files, or the default of S3.
    pub(super) fn content(&self) -> [Option<String>; 2] {
        let [content_type, encoding] = [CONTENT_TYPE, CONTENT_ENCODING].map(|name| self.setting(name));
        let is_trail_file = self.object.key.ends_with(".json.gz") && self.attributes.of_content.is_empty();
        match content_type {
            Some(content_type) => [Some(content_type), encoding],
            None if is_trail_file => [Some("application/json".to_owned()), Some("gzip".to_owned())],
            None => [Some("binary/octet-stream".to_owned()), encoding],
        }
    }

    /// Returns the storage class.
    pub(super) fn class(&self) -> &str {
        self.attributes.settings.get(STORAGE_CLASS).map_or(StorageClass::STANDARD, String::as_str)
    }

    /// Returns the storage class as headers have it, which leave out the standard one.
    pub(super) fn class_header(&self) -> Option<StorageClass> {
        Some(self.class()).filter(|class| *class != StorageClass::STANDARD).map(|class| class.to_owned().into())
    }

    /// Tells whether the object has to be restored before it is read; `now` returns the time in milliseconds, and is called if it matters.
    pub(super) fn is_archived(&self, now: impl FnOnce() -> i64) -> bool {
        ARCHIVES.contains(&self.class()) && self.restored_until().is_none_or(|until| until <= now())
    }

    /// Returns the header of an archived object that is restored.
    pub(super) fn restore_header(&self, now: impl FnOnce() -> i64) -> Option<String> {
        let until = self.restored_until().filter(|until| *until > now())?;
        let until = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(until).ok()?);
        let until = http_date(&until.into())?;
        Some(format!("ongoing-request=\"false\", expiry-date=\"{until}\""))
    }

    /// Returns the tags.
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        let tags = self.attributes.settings.get(TAGS).map_or("", String::as_str);
        form_urlencoded::parse(tags.as_bytes()).into_owned().collect()
    }

    /// Returns the attributes of the checksum, and its type, if the client asks for them and there are any.
    pub(super) fn checksums(&self, is_wanted: bool) -> BTreeMap<String, String> {
        if is_wanted { self.attributes.of_content.clone() } else { BTreeMap::new() }
    }

    fn restored_until(&self) -> Option<i64> {
        self.attributes.settings.get(RESTORED_UNTIL)?.parse().ok()
    }
}

/// Returns the type of the checksum among attributes of a content: of the whole content unless they say otherwise.
pub(super) fn checksum_type(attributes: &BTreeMap<String, String>) -> Option<String> {
    let has_checksum = attributes.keys().any(|name| checksum::Algorithm::of_header(name).is_some());
    has_checksum.then(|| attributes.get(checksum::TYPE).cloned().unwrap_or_else(|| "FULL_OBJECT".to_owned()))
}

/// Returns the attributes of an object that the members of an input give.
macro_rules! attributes_of {
    ($input:expr) => {{
        use $crate::s3::stored;
        let expires = $input.expires.as_ref().and_then($crate::s3::stored::http_date);
        let settings = [
            (stored::CONTENT_TYPE, $input.content_type.clone()),
            (stored::CONTENT_ENCODING, $input.content_encoding.clone()),
            (stored::CONTENT_LANGUAGE, $input.content_language.clone()),
            (stored::CONTENT_DISPOSITION, $input.content_disposition.clone()),
            (stored::CACHE_CONTROL, $input.cache_control.clone()),
            (stored::EXPIRES, expires),
            (stored::STORAGE_CLASS, $input.storage_class.as_ref().map(|class| class.as_str().to_owned())),
            (stored::ENCRYPTION, $input.server_side_encryption.as_ref().map(|name| name.as_str().to_owned())),
            (stored::KMS_KEY, $input.ssekms_key_id.clone()),
            (stored::TAGS, $input.tagging.clone()),
        ];
        let settings = settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        bucket::Attributes {
            metadata: $input.metadata.clone().unwrap_or_default().into_iter().collect(),
            settings: settings.collect(),
            of_content: std::collections::BTreeMap::new(),
        }
    }};
}

pub(super) use attributes_of;

/// Writes a time as headers have it.
pub(super) fn http_date(time: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}
