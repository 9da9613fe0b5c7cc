//! Where others than trails may put objects: no name leads out of a bucket's folder, or to what is not the caller's.

use super::folder::is_named_as_object;
use super::{Buckets, is_name};

const KEY_BYTES_MAX: usize = 1_024;

/// Files of a name that is longer cannot be made; what is added to one while it is written must fit as well.
const PART_BYTES_MAX: usize = 240;

impl Buckets {
    /// Tells why nobody but a trail can put an object of this key into this bucket, if that is so.
    ///
    /// Names are as S3 has them; keys are also paths here, so their parts cannot be empty, `.` or `..`.
    pub fn check(&self, bucket: &str, key: &str) -> Result<(), String> {
        if !is_name(bucket) {
            return Err(format!(
                "The bucket name {bucket} is not valid. Bucket names are 3 to 63 lower-case letters, digits, periods and \
                 dashes, and begin and end with a letter or digit."
            ));
        }
        let sound = |(depth, part): (usize, &str)| is_named_as_object(part, depth == 0) && part.len() <= PART_BYTES_MAX;
        if key.len() > KEY_BYTES_MAX || !key.split('/').enumerate().all(sound) {
            return Err(format!("The key {key} is not valid. Keys are 1 to {KEY_BYTES_MAX} bytes, and paths."));
        }
        if bucket == self.own_name() && key.split('/').next() == Some("AWSLogs") {
            return Err(format!("The key {key} of the bucket {bucket} is the trail's own. Choose another one."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn no_name_leads_out_or_to_what_a_trail_wrote() {
        let buckets = Buckets::new(("my-trail".to_owned(), "/trail".into()), "/beside".into(), BTreeMap::new(), false);
        let sound =
            [("artifacts", "a/b.zip"), ("my-trail", "MyDemoRepo/a"), ("artifacts", "AWSLogs/a"), ("a.b", "..a")];
        for (bucket, key) in sound {
            assert_eq!(buckets.check(bucket, key), Ok(()), "{bucket} {key}");
        }
        let long = "a".repeat(241);
        let keys = ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\0", ".metadata/a", &long];
        let ours = [("my-trail", "AWSLogs/111122223333/x"), ("my-trail", "events.ndjson")];
        let names = ["..", "a/b", "ab", "Bucket", "-ab", "a..b"].map(|bucket| (bucket, "a"));
        for (bucket, key) in keys.map(|key| ("artifacts", key)).into_iter().chain(ours).chain(names) {
            assert!(buckets.check(bucket, key).is_err(), "{bucket} {key}");
        }
    }
}
