//! Forms with files: `multipart/form-data` of RFC 7578, as browsers write it.
//!
//! **Invariant:** each byte of the body is read a fixed number of times, and the number of parts has a limit.

use bytes::Bytes;

/// Maximum number of parts; a commit has at most 100 files.
const PARTS_MAX: usize = 200;

/// Maximum number of bytes of the head of a part.
const HEAD_BYTES_MAX: usize = 8 * 1_024;

/// A field of a form, or a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Name of the field.
    pub(crate) name: String,
    /// Name of the file as the browser gives it; `None` for a field that is no file.
    pub(crate) file_name: Option<String>,
    pub(crate) content: Bytes,
}

/// Returns the boundary of a content type; `None` if it is of another kind of form.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';');
    if !parameters.next()?.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    // RFC 2046 allows at most 70 characters.
    ((1..=70).contains(&boundary.len())).then(|| boundary.to_owned())
}

/// Splits a body into its parts; `None` if it is not well-formed or has too many parts.
pub(crate) fn parts(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}");
    let first = &delimiter[2..];
    let mut at = if body.starts_with(first.as_bytes()) {
        first.len()
    } else {
        find(body, 0, delimiter.as_bytes())? + delimiter.len()
    };
    let mut parts = Vec::new();
    loop {
        if body[at..].starts_with(b"--") {
            return Some(parts);
        }
        // Spaces may stand between the boundary and the end of its line.
        let line_end = find(body, at, b"\r\n")?;
        if parts.len() == PARTS_MAX || body[at..line_end].iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
            return None;
        }
        // A head without lines ends at once.
        let head_end = find(&body[..body.len().min(line_end + HEAD_BYTES_MAX)], line_end, b"\r\n\r\n")?;
        let start = head_end + 4;
        let end = find(body, start, delimiter.as_bytes())?;
        let content = body.slice(start..end);
        let head = String::from_utf8_lossy(&body[line_end..head_end]);
        parts.extend(part(&head, content));
        at = end + delimiter.len();
    }
}

/// Reads the head of a part; a part without a name is left out.
fn part(head: &str, content: Bytes) -> Option<Part> {
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let name = parameter(disposition, "name")?;
    Some(Part { name, file_name: parameter(disposition, "filename"), content })
}

/// Returns a quoted parameter. Browsers escape quotes and line ends in names as `%22`, `%0D` and `%0A`, and nothing else.
fn parameter(disposition: &str, name: &str) -> Option<String> {
    let mut rest = disposition;
    while let Some((before, after)) = rest.split_once('"') {
        let (value, after) = after.split_once('"')?;
        let key = before.trim_end().strip_suffix('=')?.rsplit([';', ' ']).next()?;
        if key.eq_ignore_ascii_case(name) {
            return Some(value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"));
        }
        rest = after;
    }
    None
}

/// Returns the position of bytes from a position on.
fn find(body: &[u8], start: usize, searched: &[u8]) -> Option<usize> {
    let first = *searched.first()?;
    let mut at = start;
    while let Some(found) = body.get(at..)?.iter().position(|byte| *byte == first) {
        at += found;
        if body[at..].starts_with(searched) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Vec<Part>> {
        parts(&Bytes::copy_from_slice(body.as_bytes()), "X")
    }

    #[test]
    fn fields_and_files_are_read() {
        let body = "--X\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\na\r\nb\r\n--X\r\n\
                    Content-Disposition: form-data; name=\"file\"; filename=\"a %22b%22;c.txt\"\r\nContent-Type: text/plain\r\n\r\n\
                    --X is not the end\r\n--X\r\ncontent-disposition: form-data; name=\"empty\"; filename=\"\"\r\n\r\n\r\n--X--\r\n";
        let found = read(body).expect("the body is well-formed");
        let seen: Vec<_> =
            found.iter().map(|part| (part.name.as_str(), part.file_name.as_deref(), &part.content[..])).collect();
        let expected: [(&str, Option<&str>, &[u8]); 3] = [
            ("message", None, b"a\r\nb"),
            ("file", Some("a \"b\";c.txt"), b"--X is not the end"),
            ("empty", Some(""), b""),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_body_that_is_not_well_formed_is_refused() {
        let whole = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--X--\r\n";
        assert!(read(whole).is_some());
        for length in 0..whole.len() - 4 {
            assert_eq!(read(&whole[..length]), None, "{}", &whole[..length]);
        }
        assert_eq!(read("--Y--"), None);
        assert_eq!(read("--Xy\r\n\r\n\r\n--X--"), None);
        let head = format!("--X\r\nContent-Disposition: {}\r\n\r\n\r\n--X--", " ".repeat(HEAD_BYTES_MAX));
        assert_eq!(read(&head), None);
        let many = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n".repeat(PARTS_MAX + 1);
        assert_eq!(read(&format!("{many}--X--")), None);
        assert_eq!(read("--X--").as_deref(), Some([].as_slice()));
    }

    #[test]
    fn the_boundary_is_a_parameter_of_the_content_type() {
        assert_eq!(boundary("multipart/form-data; boundary=----a").as_deref(), Some("----a"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a\"").as_deref(), Some("a"));
        for content_type in ["multipart/mixed; boundary=a", "multipart/form-data", "multipart/form-data; boundary=", ""]
        {
            assert_eq!(boundary(content_type), None, "{content_type}");
        }
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "a".repeat(71))), None);
    }
}
