//! Where others than trails may put objects: no key leads out of a bucket's folder, or to a trail's files.

use std::collections::BTreeSet;

use store::{Error, Store, Transaction};

use super::folder::{fold, is_named_as_object};
use super::{Buckets, is_name};
use crate::log_file;

const KEY_BYTES_MAX: usize = 1_024;

/// Files of a name that is longer cannot be made; what is added to one while it is written must fit as well.
const PART_BYTES_MAX: usize = 240;

impl Buckets {
    /// Tells why nobody but a trail can put an object of this key into this bucket, if that is so.
    ///
    /// Names are as S3 has them; keys are also paths here, so their parts cannot be empty, `.` or `..`. Keys at or below the
    /// `[PREFIX/]AWSLogs` of a trail of any account are for its log files and digests, also when the trail is deleted.
    pub fn refusal(&self, store: &Store, bucket: &str, key: &str) -> Result<Option<String>, Error> {
        if !is_name(bucket) {
            return Ok(Some(format!(
                "The bucket name {bucket} is not valid. Bucket names are 3 to 63 lower-case letters, digits, periods and \
                 dashes, and begin and end with a letter or digit."
            )));
        }
        let sound = |(depth, part): (usize, &str)| is_named_as_object(part, depth == 0) && part.len() <= PART_BYTES_MAX;
        if key.len() > KEY_BYTES_MAX || !key.split('/').enumerate().all(sound) {
            return Ok(Some(format!("The key {key} is not valid. Keys are 1 to {KEY_BYTES_MAX} bytes, and paths.")));
        }
        let mut prefixes = store.read(|transaction| prefixes(transaction, bucket))?;
        if bucket == self.own_name() {
            prefixes.insert(None);
        }
        let is_of_trail = prefixes.iter().any(|prefix| is_within(key, &log_file::root_folder(prefix.as_deref())));
        let reason =
            || format!("The key {key} of the bucket {bucket} is for the files of a trail. Choose another one.");
        Ok(is_of_trail.then(reason))
    }
}

/// Lists the prefixes of all trails that deliver to a bucket, or did.
fn prefixes(transaction: &Transaction, bucket: &str) -> Result<BTreeSet<Option<String>>, Error> {
    let mut prefixes = BTreeSet::new();
    for table in ["trails", "trail_spans"] {
        let query = format!("SELECT DISTINCT prefix FROM {table} WHERE bucket = ?1");
        prefixes.extend(transaction.query(&query, &[bucket.into()], |row| row.optional_text(0))?);
    }
    Ok(prefixes)
}

/// Tells whether a key is a folder's name or below the folder, which ends in a slash; case does not count.
fn is_within(key: &str, folder: &str) -> bool {
    fold(&format!("{key}/")).starts_with(&*fold(folder))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use store::Durability;

    use super::*;
    use crate::schema;

    /// A store with trails in the bucket of the trail directory and in another one, of which one moved and one is deleted.
    fn store(folder: &tempfile::TempDir) -> Store {
        let store = Store::open(&folder.path().join("db"), Durability::Normal).expect("the folder is writable");
        store.migrate("trail", schema::STEPS).expect("it is new");
        let trail = |name: &str, bucket: &str, prefix: &str, deleted: &str| {
            format!(
                "INSERT INTO trails (account, home_region, name, bucket, prefix, multi_region, global_events, validation, selectors, \
                 logging, created, deleted) VALUES ('444455556666', 'us-east-2', '{name}', '{bucket}', {prefix}, 0, 0, 0, '', 1, 1, \
                 {deleted});"
            )
        };
        let statements = [
            trail("own", "my-trail", "'pre/fix'", "NULL"),
            trail("other", "logs", "NULL", "NULL"),
            trail("gone", "logs", "'Gone'", "1"),
            "INSERT INTO trail_spans (trail, account, home_region, bucket, prefix, multi_region, global_events, selectors, first_seq) \
             VALUES (1, '444455556666', 'us-east-2', 'before', 'p', 0, 0, '', 1);"
                .to_owned(),
        ];
        let all = statements.concat();
        let done = store.write(move |transaction| transaction.execute_all(&all));
        done.expect("the tables are there");
        store
    }

    #[test]
    fn no_key_leads_out_or_to_what_a_trail_writes() {
        let buckets = Buckets::new(("my-trail".to_owned(), "/trail".into()), "/beside".into(), BTreeMap::new(), false);
        let folder = tempfile::tempdir().expect("there is room");
        let store = store(&folder);
        let refusal = |bucket: &str, key: &str| buckets.refusal(&store, bucket, key).expect("the store is there");
        let sound = [
            ("artifacts", "a/b.zip"),
            ("artifacts", "AWSLogs/a"),
            ("artifacts", "a/events.ndjson"),
            ("a.b", "..a"),
            ("my-trail", "MyDemoRepo/a"),
            ("my-trail", "AWSLogs2/a"),
            ("my-trail", "a/AWSLogs/a"),
            ("my-trail", "pre/fix"),
            ("logs", "pre/fix/AWSLogs"),
            ("before", "AWSLogs/a"),
        ];
        for (bucket, key) in sound {
            assert_eq!(refusal(bucket, key), None, "{bucket} {key}");
        }
        let long = "a".repeat(241);
        let keys = [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            "./a",
            "a\0",
            ".metadata/a",
            ".Metadata/a",
            "Events.ndjson",
            "a.partial/b",
            "a/.object",
            &long,
        ];
        let of_trails = [
            ("my-trail", "AWSLogs"),
            ("my-trail", "AWSLogs/111122223333/x"),
            ("my-trail", "awslogs/111122223333/CloudTrail/us-east-2"),
            ("my-trail", "AWSLog\u{17f}/a"),
            ("my-trail", "pre/fix/AWSLogs/x"),
            ("my-trail", "PRE/fix/awslogs"),
            ("my-trail", "events.ndjson"),
            ("logs", "AWSLogs/111122223333/CloudTrail/us-east-2"),
            ("logs", "AWSLogs"),
            ("logs", "gone/AWSLogs/444455556666"),
            ("before", "p/AWSLogs/a"),
        ];
        let names = ["..", "a/b", "ab", "Bucket", "-ab", "a..b"].map(|bucket| (bucket, "a"));
        for (bucket, key) in keys.map(|key| ("artifacts", key)).into_iter().chain(of_trails).chain(names) {
            assert!(refusal(bucket, key).is_some(), "{bucket} {key}");
        }
    }
}
