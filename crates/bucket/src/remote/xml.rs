//! The XML of S3, as far as objects need it.

use std::fmt::Write;
use std::io;

use roxmltree::{Document, Node};

/// A page of a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The keys, and the times at which they were last written, in the form of ISO 8601.
    pub(super) objects: Vec<(String, String)>,
    /// What asks for the next page; `None` at the end.
    pub(super) next: Option<String>,
}

/// Reads the reply of `ListObjectsV2`.
pub(super) fn page(reply: &str) -> io::Result<Page> {
    let document = parse(reply, "ListBucketResult")?;
    let root = document.root_element();
    let mut page = Page::default();
    for object in root.children().filter(|node| node.has_tag_name("Contents")) {
        page.objects.push((member(object, "Key")?, member(object, "LastModified")?));
    }
    if member(root, "IsTruncated")? == "true" {
        page.next = Some(member(root, "NextContinuationToken")?);
    }
    Ok(page)
}

/// Reads the id in the reply of `CreateMultipartUpload`.
pub(super) fn upload_id(reply: &str) -> io::Result<String> {
    member(parse(reply, "InitiateMultipartUploadResult")?.root_element(), "UploadId")
}

/// Checks the reply of `CompleteMultipartUpload`, which can be a failure although its status is 200.
pub(super) fn check_completed(reply: &str) -> io::Result<()> {
    parse(reply, "CompleteMultipartUploadResult").map(drop)
}

/// Writes the request of `CompleteMultipartUpload` for the entity tags of all parts.
pub(super) fn parts(tags: &[String]) -> String {
    let mut document = "<CompleteMultipartUpload>".to_owned();
    for (number, tag) in (1..).zip(tags) {
        write!(document, "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>")
            .expect("a String takes all");
    }
    document + "</CompleteMultipartUpload>"
}

fn parse<'r>(reply: &'r str, root: &str) -> io::Result<Document<'r>> {
    let document = Document::parse(reply).map_err(|error| unexpected(&error.to_string(), reply))?;
    if document.root_element().has_tag_name(root) {
        return Ok(document);
    }
    Err(unexpected(&format!("it is not a {root}"), reply))
}

fn member(parent: Node<'_, '_>, name: &str) -> io::Result<String> {
    let node = parent.children().find(|node| node.has_tag_name(name));
    let missing = || unexpected(&format!("it has no {name}"), parent.document().input_text());
    Ok(node.ok_or_else(missing)?.text().unwrap_or_default().to_owned())
}

fn unexpected(reason: &str, reply: &str) -> io::Error {
    let begin: String = reply.chars().take(200).collect();
    io::Error::new(io::ErrorKind::InvalidData, format!("the endpoint's reply is not one of S3: {reason}: {begin}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_keys_times_and_what_asks_for_the_next() {
        let reply = r#"<?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>far</Name><IsTruncated>true</IsTruncated>
            <Contents><Key>a/&amp;b</Key><LastModified>2016-12-14T18:19:14.000Z</LastModified><Size>1</Size></Contents>
            <NextContinuationToken>to==</NextContinuationToken></ListBucketResult>"#;
        let objects = vec![("a/&b".to_owned(), "2016-12-14T18:19:14.000Z".to_owned())];
        assert_eq!(page(reply).expect("it is a page"), Page { objects, next: Some("to==".to_owned()) });
        let last = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
        assert_eq!(page(last).expect("it is a page"), Page::default());
    }

    #[test]
    fn a_reply_that_is_not_of_s3_is_an_error_that_shows_it() {
        for reply in ["", "<html></html>", "<ListBucketResult><Contents/></ListBucketResult>", "{}"] {
            let error = page(reply).expect_err("it is no page");
            assert!(error.to_string().ends_with(reply), "{error}");
        }
        let failure = "<Error><Code>InternalError</Code></Error>";
        let error = check_completed(failure).expect_err("it is a failure").to_string();
        assert!(error.contains("InternalError"), "{error}");
    }
}
