//! Contents of files as they are, without anything that a browser could run.

use aws::Failure;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};
use serde::Deserialize;

use super::decode;
use super::location::Location;
use crate::visit::{Page, Visit};
use crate::{reply, url};

/// Keeps the browser from running what it could take for a page.
pub(super) const POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// Bytes of the beginning of a file in which a zero byte means that it is binary, as in Git.
const BINARY_BYTES: usize = 8_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileReply {
    file_content: String,
}

/// Sends a file by `GetFile`: images of the known types as such, texts as plain text, and all others as downloads.
pub(crate) fn show(visit: &Visit<'_>, repository: &str) -> Page {
    let location = Location::of(visit, repository);
    let content = content(visit, &location)?;
    let (content_type, is_download) = match image_type(&content) {
        Some(content_type) => (content_type, false),
        None if is_binary(&content) => ("application/octet-stream", true),
        None if std::str::from_utf8(&content).is_ok() => ("text/plain; charset=utf-8", false),
        None => ("text/plain", false),
    };
    let mut response = reply::with_body(200, content_type, content);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    let kind = if is_download { "attachment" } else { "inline" };
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition(kind, location.name()));
    Ok(response)
}

/// Reads a file by `GetFile`.
pub(super) fn content(visit: &Visit<'_>, location: &Location<'_>) -> Result<Vec<u8>, Failure> {
    let file: FileReply = visit.run("GetFile", &location.input("filePath"))?;
    decode(&file.file_content)
}

/// Returns what a browser does with a file, `inline` or `attachment`, and its name.
pub(super) fn disposition(kind: &str, name: &str) -> HeaderValue {
    // The name in both forms of RFC 6266, without characters that end the header's value.
    let plain: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    reply::header(&format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", url::escape(name)))
}

const fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_')
}

/// Returns whether a file is no text.
pub(super) fn is_binary(content: &[u8]) -> bool {
    content[..content.len().min(BINARY_BYTES)].contains(&0)
}

/// Returns the type of an image by its first bytes. SVG is not among them: it can contain scripts.
pub(super) fn image_type(content: &[u8]) -> Option<&'static str> {
    match content {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_first_bytes() {
        assert_eq!(image_type(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(image_type(b"GIF89a"), Some("image/gif"));
        assert_eq!(image_type(b"RIFF\0\0\0\0WEBP"), Some("image/webp"));
        for other in [b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".as_slice(), b"GIF", b"", b"<script>"] {
            assert_eq!(image_type(other), None);
        }
    }
}
