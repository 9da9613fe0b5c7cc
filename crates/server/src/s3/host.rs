//! Virtual-hosted-style requests: `http://BUCKET.localhost:4599/KEY` means `/BUCKET/KEY`.

use std::net::IpAddr;

use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use bucket::Buckets;

use crate::headers;

/// The texts after the bucket's name in a host, as SDKs write it.
const AFTER_BUCKET: [&str; 3] = [".localhost", ".s3.", ".s3-"];

/// Returns the bucket in the host: before a name of S3 or `localhost`, or the name of an existing bucket before any other name.
pub(super) fn bucket(headers: &HeaderMap, buckets: &Buckets) -> Option<String> {
    let host = headers::text(headers, &HOST)?;
    let host = host.split(':').next().filter(|host| host.parse::<IpAddr>().is_err())?;
    let named = AFTER_BUCKET.iter().find_map(|after| host.find(after)).map(|at| &host[..at]);
    let existing = || host.split_once('.').map(|(first, _)| first).filter(|first| buckets.find(first).is_some());
    named.or_else(existing).filter(|bucket| !bucket.is_empty()).map(str::to_owned)
}

/// Moves the bucket from the host into the path.
pub(super) fn to_path(head: &mut Parts, buckets: &Buckets) {
    let Some(bucket) = bucket(&head.headers, buckets) else { return };
    let rest = head.uri.path_and_query().map_or("/", |path| path.as_str());
    if let Ok(uri) = format!("/{bucket}{rest}").parse::<Uri>() {
        head.uri = uri;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::http::HeaderValue;
    use bucket::FolderOptions;

    use super::*;

    #[test]
    fn a_host_can_name_a_bucket() {
        let primary = ("my-trail".to_owned(), "trail".into());
        let buckets = Buckets::new(primary, "buckets".into(), BTreeMap::new(), FolderOptions::default());
        for (host, expected) in [
            ("my-trail.localhost:4599", Some("my-trail")),
            ("other.localhost:4599", Some("other")),
            ("my.logs.s3.us-east-1.amazonaws.com", Some("my.logs")),
            ("my-trail.codecommit.test", Some("my-trail")),
            ("other.codecommit.test", None),
            ("s3.us-east-1.amazonaws.com", None),
            ("localhost:4599", None),
            ("127.0.0.1:4599", None),
            ("[::1]:4599", None),
        ] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            assert_eq!(bucket(&headers, &buckets).as_deref(), expected, "{host}");
        }
    }
}
