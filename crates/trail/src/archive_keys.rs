//! Keys that only trails may write: a check for others who put objects into the same buckets.

use std::collections::BTreeSet;

use bucket::{Buckets, fold_case};
use store::{Error, Store, Transaction};

use crate::log_file;

/// Tells why an object of this key cannot be put into this bucket, except by a trail; `None` if it can.
///
/// Keys at or below the `[PREFIX/]AWSLogs` of a trail of any account are for its log files and digests, also after the trail is deleted.
pub fn refusal(buckets: &Buckets, store: &Store, bucket: &str, key: &str) -> Result<Option<String>, Error> {
    if let Err(reason) = buckets.check_key(bucket, key) {
        return Ok(Some(reason));
    }
    let mut prefixes = store.read(|transaction| prefixes(transaction, bucket))?;
    if bucket == buckets.primary_name() {
        prefixes.insert(None);
    }
    let is_of_trail = prefixes.iter().any(|prefix| is_within(key, &log_file::root_folder(prefix.as_deref())));
    let reason = || format!("The key {key} of the bucket {bucket} is for the files of a trail. Choose another one.");
    Ok(is_of_trail.then(reason))
}

/// Lists the prefixes of all trails that deliver or delivered to a bucket.
fn prefixes(transaction: &Transaction, bucket: &str) -> Result<BTreeSet<Option<String>>, Error> {
    let mut prefixes = BTreeSet::new();
    for table in ["trails", "trail_spans"] {
        let query = format!("SELECT DISTINCT prefix FROM {table} WHERE bucket = ?1");
        prefixes.extend(transaction.query(&query, &[bucket.into()], |row| row.optional_text(0))?);
    }
    Ok(prefixes)
}

/// Tells whether a key names a folder, which ends in a slash, or is below it, without regard to case.
fn is_within(key: &str, folder: &str) -> bool {
    fold_case(&format!("{key}/")).starts_with(&*fold_case(folder))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bucket::FolderOptions;
    use store::Durability;

    use super::*;
    use crate::schema;

    /// A store with trails in the bucket of the trail directory and in another bucket; one has moved and one is deleted.
    fn store(folder: &tempfile::TempDir) -> Store {
        let store = Store::open(&folder.path().join("db"), Durability::Normal).expect("the folder is writable");
        store.migrate("trail", schema::STEPS).expect("the store is new");
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
        let inserted = store.write(move |transaction| transaction.execute_all(&all));
        inserted.expect("the tables exist");
        store
    }

    #[test]
    fn a_key_outside_the_bucket_or_below_the_files_of_a_trail_is_refused() {
        let options = FolderOptions { reserved: crate::RESERVED_NAMES, ..FolderOptions::default() };
        let primary = ("my-trail".to_owned(), "/trail".into());
        let buckets = Buckets::new(primary, "/buckets".into(), BTreeMap::new(), options);
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let store = store(&folder);
        let refusal = |bucket: &str, key: &str| refusal(&buckets, &store, bucket, key).expect("the store is readable");
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
