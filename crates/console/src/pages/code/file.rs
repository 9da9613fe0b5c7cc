//! A file: its lines, or what it is if it has none.

use askama::Template;
use askama::filters::Safe;
use aws::Failure;
use codecommit::lfs::Pointer;
use serde::Deserialize;
use serde_json::json;

use super::location::Location;
use super::{ObjectReply, decode, large, raw};
use crate::chooser::Chooser;
use crate::frame::{Frame, Section};
use crate::highlight;
use crate::text::size;
use crate::url;
use crate::visit::{Page, Visit};

/// Lines of a page.
const LINES: usize = 10_000;

/// Characters that change the order of the text around them, so that code may not be what it seems.
const BIDI: [char; 12] = [
    '\u{061c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}',
    '\u{2067}', '\u{2068}', '\u{2069}',
];

#[derive(Template)]
#[template(path = "file.html")]
struct FilePage<'p> {
    frame: Frame,
    location: &'p Location<'p>,
    chooser: Chooser,
    object: &'p ObjectReply,
    /// The same file at this commit, whatever the branch becomes.
    permanent: String,
    history: String,
    content: FileContent,
}

/// What is shown of a file.
enum FileContent {
    Lines(Lines),
    /// An image, by the URL of its bytes.
    Image(String, String),
    /// Target of a symbolic link.
    Link(String),
    Submodule,
    Large(Large),
    /// Size of a file that is no text.
    Binary(String),
    Failed(Failure),
}

/// A large file, by its pointer.
struct Large {
    id: String,
    size: String,
    /// The URL of the content; `None` if it is not on the server.
    content: Option<String>,
}

/// Lines of a text.
struct Lines {
    rows: Vec<Safe<String>>,
    /// Number of the first shown line.
    first: usize,
    count: usize,
    size: String,
    previous: Option<String>,
    next: Option<String>,
    has_invalid_bytes: bool,
    has_bidi: bool,
}

impl FileContent {
    /// Returns whether the file can be edited as text.
    fn is_text(&self) -> bool {
        matches!(self, Self::Lines(lines) if !lines.has_invalid_bytes)
    }

    const fn is_file(&self) -> bool {
        !matches!(self, Self::Submodule)
    }
}

#[derive(Deserialize)]
struct BlobReply {
    content: String,
}

/// Shows a file: `GetReferences`, and `GetBlob` unless it is a submodule.
pub(super) fn show(visit: &Visit<'_>, location: &Location<'_>, object: &ObjectReply) -> Page {
    let Location { repository, reference, path } = location;
    let chooser = Chooser::load(visit, repository, "code", reference)?;
    let content = content(visit, location, object)?;
    let frame = visit.frame(path.clone(), Section::Repositories).of_repository(repository, "code");
    let permanent = url::repository_with(repository, "code", &[("ref", &object.commit_id), ("path", path)]);
    let history = location.page("commits");
    visit.page(&FilePage { frame, location, chooser, object, permanent, history, content })
}

fn content(visit: &Visit<'_>, location: &Location<'_>, object: &ObjectReply) -> Result<FileContent, Failure> {
    if object.object_type == "commit" {
        return Ok(FileContent::Submodule);
    }
    let input = json!({ "repositoryName": location.repository, "blobId": object.object_id });
    let bytes = match visit.run::<BlobReply>("GetBlob", &input) {
        Ok(blob) => decode(&blob.content)?,
        Err(failure) => return Ok(FileContent::Failed(failure)),
    };
    let bytes_size = size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    if object.mode == "120000" {
        return Ok(FileContent::Link(String::from_utf8_lossy(&bytes).into_owned()));
    }
    if let Some(pointer) = Pointer::parse(&bytes) {
        let is_there = large::find(visit, location.repository, &pointer)?.is_some();
        return Ok(FileContent::Large(Large {
            id: pointer.object.id.to_string(),
            size: size(pointer.object.bytes),
            content: is_there.then(|| location.page("large")),
        }));
    }
    if raw::image_type(&bytes).is_some() {
        return Ok(FileContent::Image(location.page("raw"), bytes_size));
    }
    if raw::is_binary(&bytes) {
        return Ok(FileContent::Binary(bytes_size));
    }
    Ok(FileContent::Lines(lines(visit, &location.path, &bytes, bytes_size)))
}

fn lines(visit: &Visit<'_>, path: &str, bytes: &[u8], size: String) -> Lines {
    let text = String::from_utf8_lossy(bytes);
    let has_invalid_bytes = matches!(text, std::borrow::Cow::Owned(_));
    let lines = highlight::highlight(path, &text);
    let count = lines.len();
    let first: usize = visit.query.get("from").parse().unwrap_or(1).clamp(1, count.max(1));
    let shown = lines.iter().skip(first - 1).take(LINES).map(highlight::Line::html).collect();
    let page = |from: usize| visit.address(&[("from", &from.to_string())]);
    Lines {
        rows: shown,
        first,
        count,
        size,
        previous: (first > 1).then(|| page(first.saturating_sub(LINES).max(1))),
        next: (first + LINES <= count).then(|| page(first + LINES)),
        has_invalid_bytes,
        has_bidi: text.contains(BIDI),
    }
}
