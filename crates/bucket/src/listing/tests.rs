use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::{Bucket, FolderOptions};

/// Lists everything and then selects, as S3's documentation describes it: the reference implementation.
fn naive(keys: &BTreeSet<String>, listing: Listing<'_>) -> (Vec<String>, Vec<String>) {
    let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
    for key in keys.iter().filter(|key| key.starts_with(listing.prefix) && key.as_str() > listing.after) {
        let rest = &key[listing.prefix.len()..];
        match rest.split_once(listing.delimiter).filter(|_| !listing.delimiter.is_empty()) {
            None => objects.push(key.clone()),
            Some((head, _)) => {
                let group = format!("{}{head}{}", listing.prefix, listing.delimiter);
                if group != listing.after && !prefixes.contains(&group) {
                    prefixes.push(group);
                }
            }
        }
    }
    (objects, prefixes)
}

/// Lists page by page, and returns all keys and prefixes in order.
fn paged(bucket: &FolderBucket, mut listing: Listing<'_>, max: usize) -> (Vec<String>, Vec<String>) {
    let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
    let mut last = listing.after.to_owned();
    let mut is_first = true;
    loop {
        listing.max = max;
        let page = bucket.list(Listing { after: &last, ..listing }).expect("the folder is readable");
        assert!(page.objects.len() + page.prefixes.len() <= max);
        objects.extend(page.objects.into_iter().map(|object| object.key));
        prefixes.extend(page.prefixes);
        let Some(next) = page.next else { return (objects, prefixes) };
        // The start may lie inside a group, whose prefix is shorter than it.
        let is_group_around = is_first && next.len() < last.len() && listing.group(&last) == Some(next.as_str());
        assert!(next > last || is_group_around, "{next} comes after {last}");
        (last, is_first) = (next, false);
    }
}

/// Keys of few letters, so that prefixes coincide; no key is a folder of another.
fn keys() -> impl Strategy<Value = BTreeSet<String>> {
    let name = "[a-c.\u{e9}-]{1,2}".prop_filter("a valid name", |name| name != "." && name != "..");
    let key = prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
    prop::collection::btree_set(key, 0..24).prop_map(|keys| {
        let all = keys.clone();
        keys.into_iter().filter(|key| !all.iter().any(|other| other.starts_with(&format!("{key}/")))).collect()
    })
}

proptest! {
    #[test]
    fn pages_together_list_what_the_reference_implementation_selects(
        keys in keys(),
        delimiter in prop::sample::select(vec!["", "/", "a", "-", "b/"]),
        (from, until) in (any::<Index>(), any::<Index>()),
        marker in "[a-c/.]{0,4}",
        marker_is_key in any::<bool>(),
        max in 1..6_usize,
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let bucket = FolderBucket::new(folder.path().to_owned(), FolderOptions::default());
        for key in &keys {
            bucket.put(key, b"", &[]).expect("the folder is writable");
        }
        let pick = |index: &Index| keys.iter().nth(index.index(keys.len().max(1))).cloned().unwrap_or_default();
        let whole = pick(&from);
        let prefix: String = whole.chars().take(until.index(whole.chars().count() + 1)).collect();
        let after = if marker_is_key { pick(&until) } else { marker };
        let listing = Listing { prefix: &prefix, delimiter, after: &after, max: usize::MAX };
        let expected = naive(&keys, listing);
        prop_assert_eq!(paged(&bucket, listing, max), expected.clone());
        prop_assert_eq!(paged(&bucket, listing, 1_000), expected);
    }
}

#[test]
fn a_listing_that_begins_inside_a_group_lists_the_group_once() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let bucket = FolderBucket::new(folder.path().to_owned(), FolderOptions::default());
    for key in ["--", "-/b", "a"] {
        bucket.put(key, b"", &[]).expect("the folder is writable");
    }
    let listing = Listing { prefix: "", delimiter: "-", after: "--", max: 1 };
    let first = bucket.list(listing).expect("the folder is readable");
    assert_eq!((first.prefixes, first.next.as_deref()), (vec!["-".to_owned()], Some("-")));
    let second = bucket.list(Listing { after: "-", ..listing }).expect("the folder is readable");
    assert_eq!(second.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!((second.prefixes, second.next), (Vec::new(), None));
}

#[test]
fn other_files_and_links_are_not_listed() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let bucket = FolderBucket::new(
        folder.path().join("bucket"),
        FolderOptions { reserved: &["events.ndjson"], ..FolderOptions::default() },
    );
    let all = Listing { max: 10, ..Listing::default() };
    assert_eq!(bucket.list(all).expect("a missing folder is an empty bucket"), Page::default());
    bucket.put("events.ndjson", b"{}", &[]).expect("the folder is writable");
    bucket.put("a/b", b"content", &[("signature", "00ff")]).expect("the folder is writable");
    fs::write(bucket.folder().join("a/c.partial"), "half").expect("the folder is writable");
    fs::create_dir(bucket.folder().join("empty")).expect("the folder is writable");
    std::os::unix::fs::symlink(folder.path(), bucket.folder().join("out")).expect("links can be created");
    let page = bucket.list(all).expect("the folder is readable");
    assert_eq!(page.objects.iter().map(|object| (object.key.as_str(), object.bytes)).collect::<Vec<_>>(), [("a/b", 7)]);
    let folders = bucket.list(Listing { delimiter: "/", ..all }).expect("the folder is readable");
    assert_eq!((folders.prefixes, folders.next), (vec!["a/".to_owned()], None));
    assert_eq!(bucket.list(Listing { max: 0, ..all }).expect("the folder is readable"), Page::default());
}
