use std::collections::BTreeMap;
use std::io::Read;

use tempfile::TempDir;

use super::*;
use crate::{Bucket, FolderOptions, Listing};

fn bucket() -> (TempDir, FolderBucket) {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let bucket = FolderBucket::new(folder.path().join("bucket"), FolderOptions::default());
    bucket.create().expect("the folder is writable");
    (folder, bucket)
}

fn put(bucket: &FolderBucket, key: &str, content: &str) -> Object {
    let mut incoming = bucket.receive("id").expect("the folder is writable");
    incoming.append(content.as_bytes()).expect("the folder is writable");
    let texts = |name: &str| BTreeMap::from([(name.to_owned(), content.to_owned())]);
    let attributes =
        Attributes { metadata: texts("owner"), settings: texts("content-type"), of_content: texts("etag") };
    bucket.put_received(key, incoming, &attributes).expect("the folder is writable")
}

fn keys(bucket: &FolderBucket) -> Vec<String> {
    let page = bucket.list(Listing { max: 100, ..Listing::default() }).expect("the folder is readable");
    page.objects.into_iter().map(|object| object.key).collect()
}

fn content(bucket: &FolderBucket, key: &str) -> Option<String> {
    let (_, mut file) = bucket.open(key).expect("the folder is readable")?;
    let mut content = String::new();
    file.read_to_string(&mut content).expect("the file is readable");
    Some(content)
}

#[test]
fn what_is_received_becomes_an_object_or_is_gone() {
    let (folder, bucket) = bucket();
    let mut dropped = bucket.receive("other").expect("the folder is writable");
    dropped.append(b"half").expect("the folder is writable");
    assert!(keys(&bucket).is_empty());
    drop(dropped);
    for key in ["a", "a/", "a/b", "a.json/c", "a"] {
        let object = put(&bucket, key, key);
        assert_eq!(content(&bucket, key).as_deref(), Some(key));
        let attributes = bucket.attributes(&object).expect("the file is readable");
        assert_eq!(attributes.metadata["owner"], key);
        assert_eq!((&*attributes.settings["content-type"], &*attributes.of_content["etag"]), (key, key));
    }
    assert_eq!(keys(&bucket), ["a", "a.json/c", "a/", "a/b"]);
    let incoming = folder.path().join("bucket/.metadata/.metadata/incoming");
    assert_eq!(fs::read_dir(incoming).expect("the folder exists").count(), 0);
    // The metadata of others stay when those of one object are removed.
    assert!(bucket.remove("a.json/c").expect("the folder is writable"));
    assert_eq!(bucket.metadata("a").expect("the file is readable")["owner"], "a");
    for key in ["a", "a/", "a/b"] {
        assert!(bucket.remove(key).expect("the folder is writable"), "{key}");
        assert!(!bucket.remove(key).expect("the folder is writable"), "{key}");
    }
    assert!(keys(&bucket).is_empty() && !folder.path().join("bucket/a").exists());
}

#[test]
fn a_file_that_another_program_wrote_loses_the_attributes_of_its_content() {
    let (folder, bucket) = bucket();
    put(&bucket, "a", "one");
    fs::write(folder.path().join("bucket/a"), "another").expect("the folder is writable");
    let (object, _) = bucket.open("a").expect("the file is readable").expect("the object exists");
    let mut attributes = bucket.attributes(&object).expect("the file is readable");
    assert!(attributes.of_content.is_empty() && attributes.settings["content-type"] == "one");
    attributes.of_content.insert("etag".to_owned(), "new".to_owned());
    bucket.set_attributes(&object, &attributes).expect("the folder is writable");
    assert_eq!(bucket.attributes(&object).expect("the file is readable"), attributes);
}

#[test]
fn nothing_is_received_for_a_bucket_that_is_gone_and_only_an_empty_one_is_deleted() {
    let (folder, bucket) = bucket();
    bucket.set_configuration(&BTreeMap::from([("a".to_owned(), "b".to_owned())])).expect("the folder is writable");
    put(&bucket, "a/b", "content");
    let kind = bucket.delete().expect_err("there is an object").kind();
    assert_eq!(kind, io::ErrorKind::DirectoryNotEmpty);
    assert_eq!(bucket.configuration().expect("the file is readable")["a"], "b");
    assert!(bucket.remove("a/b").expect("the folder is writable"));
    bucket.put("marker/", b"", &[]).expect("the folder is writable");
    bucket.delete().expect("there are only empty folders");
    assert!(!folder.path().join("bucket").exists());
    assert_eq!(bucket.receive("id").expect_err("there is no bucket").kind(), io::ErrorKind::NotFound);
    assert!(bucket.configuration().expect("nothing is there").is_empty() && !bucket.exists());
}

#[test]
fn an_upload_has_its_parts_until_it_is_removed() {
    let (folder, bucket) = bucket();
    let description =
        Attributes { of_content: BTreeMap::from([("key".to_owned(), "k".to_owned())]), ..Attributes::default() };
    bucket.create_upload("one", description.clone()).expect("the folder is writable");
    let upload = bucket.upload("one").expect("the file is readable").expect("the upload exists");
    assert_eq!(upload.description, description);
    for (number, text) in [(2, "old"), (10, "ten"), (2, "two")] {
        let mut incoming = bucket.receive("id").expect("the folder is writable");
        incoming.append(text.as_bytes()).expect("the folder is writable");
        let attributes = BTreeMap::from([("etag".to_owned(), text.to_owned())]);
        upload.put_part(number, incoming, attributes).expect("the folder is writable");
    }
    let parts = upload.parts().expect("the folder is readable");
    let listed: Vec<_> = parts.iter().map(|(number, part)| (*number, part.bytes, &*part.attributes["etag"])).collect();
    assert_eq!(listed, [(2, 3, "two"), (10, 3, "ten")]);
    // A part whose attributes are those of another file does not exist.
    let path = folder.path().join("bucket/.metadata/.metadata/uploads/one/00010");
    fs::write(path, "changed").expect("the folder is writable");
    assert_eq!(upload.parts().expect("the folder is readable").len(), 1);
    for id in ["", "..", "../uploads/one", "two"] {
        assert!(bucket.upload(id).expect("the folder is readable").is_none(), "{id}");
    }
    assert_eq!(bucket.uploads().expect("the folder is readable").len(), 1);
    upload.remove().expect("the folder is writable");
    assert!(bucket.uploads().expect("the folder is readable").is_empty());
}
