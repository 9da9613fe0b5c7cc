//! The place of the objects that several servers share: a folder, or a bucket of the configuration file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use server::settings::{ObjectsPlace, RemoteSettings};

use super::SettingError;

/// Beginning of the URL of a bucket.
const SCHEME: &str = "s3://";

/// Reads the place, which needs a database that the servers share; takes its bucket away from those that trails can name.
pub(super) fn place(
    place: Option<PathBuf>,
    has_server: bool,
    buckets: &mut BTreeMap<String, RemoteSettings>,
) -> Result<Option<ObjectsPlace>, SettingError> {
    let Some(place) = place else { return Ok(None) };
    if !has_server {
        return Err(SettingError("objects needs database, the URL of a server".to_owned()));
    }
    // The names of buckets are ASCII, so a path that is not UTF-8 is a folder.
    let Some(url) = place.to_str().and_then(|text| text.strip_prefix(SCHEME)) else {
        return Ok(Some(ObjectsPlace::Folder(place)));
    };
    let (name, prefix) = url.split_once('/').unwrap_or((url, ""));
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(char::is_control);
    if !prefix.is_empty() && !prefix.split('/').all(is_part) {
        let message = "write a prefix without empty parts, '.' and '..', such as s3://BUCKET/codecommit";
        return Err(SettingError(format!("objects: '{SCHEME}{url}': {message}")));
    }
    let missing = || {
        SettingError(format!(
            "objects: the settings file has no bucket '{name}'; write [buckets.{name}] there, with endpoint = \
             \"http://HOST:PORT\", region, access-key-id and secret-access-key"
        ))
    };
    let remote = buckets.remove(name).ok_or_else(missing)?;
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Ok(Some(ObjectsPlace::Bucket { name: name.to_owned(), prefix, remote }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, has_server: bool) -> Result<(Option<ObjectsPlace>, usize), String> {
        let remote = RemoteSettings {
            endpoint: "http://127.0.0.1:9000".to_owned(),
            region: "us-east-1".to_owned(),
            access_key: None,
            encryption: None,
            kms_key_id: None,
        };
        let mut buckets: BTreeMap<_, _> = ["far", "near"].map(|name| (name.to_owned(), remote.clone())).into();
        let place = place(Some(text.into()), has_server, &mut buckets).map_err(|error| error.to_string())?;
        Ok((place, buckets.len()))
    }

    #[test]
    fn a_place_is_a_folder_or_a_bucket_that_no_trail_can_name() {
        let (folder, buckets) = read("/shared/objects", true).expect("it is a folder");
        assert!(matches!(folder, Some(ObjectsPlace::Folder(path)) if path == std::path::Path::new("/shared/objects")));
        assert_eq!(buckets, 2);
        for (text, expected) in [("s3://far", ""), ("s3://far/", ""), ("s3://far/a", "a/"), ("s3://far/a/b/", "a/b/")] {
            let (place, buckets) = read(text, true).expect("it is a bucket");
            let Some(ObjectsPlace::Bucket { name, prefix, .. }) = place else { panic!("{text}") };
            assert_eq!((name.as_str(), prefix.as_str(), buckets), ("far", expected, 1), "{text}");
        }
    }

    #[test]
    fn an_invalid_place_is_refused_with_what_to_write() {
        for (text, has_server, advice) in [
            ("s3://far", false, "objects needs database"),
            ("/shared/objects", false, "objects needs database"),
            ("s3://other/a", true, "write [buckets.other] there, with endpoint"),
            ("s3://", true, "no bucket ''"),
            ("s3://far/a//b", true, "without empty parts"),
            ("s3://far/../b", true, "without empty parts"),
        ] {
            let message = read(text, has_server).expect_err(text);
            assert!(message.contains(advice), "{text}: {message}");
        }
    }
}
