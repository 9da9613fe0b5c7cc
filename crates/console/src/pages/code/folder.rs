//! A folder: its entries, the text of its README file, and how to clone the repository.

use askama::Template;
use askama::filters::Safe;
use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use super::location::Location;
use super::{Metadata, decode, metadata};
use crate::chooser::Chooser;
use crate::frame::{Frame, Section};
use crate::markdown::{self, Origin};
use crate::url;
use crate::visit::{Page, Visit};

/// Entries of a page.
const ENTRIES: usize = 1_000;

/// Names of README files in lower case, the preferred first.
const README: [&str; 4] = ["readme.md", "readme.markdown", "readme.txt", "readme"];

/// Maximum size of a README file that is shown below a folder, in bytes.
const README_BYTES_MAX: usize = 1 << 20;

#[derive(Template)]
#[template(path = "folder.html")]
struct FolderPage<'p> {
    frame: Frame,
    location: &'p Location<'p>,
    metadata: Metadata,
    /// The URL for `git-remote-codecommit`.
    clone_url_grc: String,
    chooser: Option<Chooser>,
    entries: Vec<TreeEntry>,
    /// The URL of the next page of entries.
    next: Option<String>,
    readme: Option<Readme>,
}

/// A file or folder of the folder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TreeEntry {
    relative_path: String,
    mode: String,
    object_id: String,
    object_type: String,
}

impl TreeEntry {
    /// Returns what the entry is, in words.
    fn kind(&self) -> &'static str {
        match self.mode.as_str() {
            "040000" | "40000" => "Folder",
            "100755" => "Executable",
            "120000" => "Symbolic link",
            "160000" => "Submodule",
            _ => "File",
        }
    }

    fn is_folder(&self) -> bool {
        self.object_type == "tree"
    }

    fn is_submodule(&self) -> bool {
        self.object_type == "commit"
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TreeReply {
    entries: Vec<TreeEntry>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct BlobReply {
    content: String,
}

/// A README file.
struct Readme {
    name: String,
    url: String,
    content: ReadmeContent,
}

enum ReadmeContent {
    Html(Safe<String>),
    Text(String),
    /// Why the content is not shown.
    Hidden(String),
}

/// Shows a folder: `GetRepository`, `GetReferences`, `GetTree` and, if it has a README file, `GetBlob`. A repository without a branch has
/// only the first of them.
pub(super) fn show(visit: &Visit<'_>, location: &Location<'_>) -> Page {
    let repository = location.repository;
    let metadata = metadata(visit, repository)?;
    let is_empty = metadata.default_branch.is_none() && location.reference.is_empty();
    let (mut entries, mut next, mut readme, mut chooser) = (Vec::new(), None, None, None);
    if !is_empty {
        let current = if location.reference.is_empty() {
            metadata.default_branch.clone().unwrap_or_default()
        } else {
            location.reference.clone()
        };
        chooser = Some(Chooser::load(visit, repository, "code", &current)?);
        let mut input = location.input("folderPath");
        input["maxResults"] = ENTRIES.into();
        if let Some(token) = visit.query.optional("entries") {
            input["nextToken"] = token.into();
        }
        let tree: TreeReply = visit.run("GetTree", &input)?;
        next = tree.next_token.map(|token| visit.address(&[("entries", &token)]));
        entries = tree.entries;
        // Git sorts folders among the files.
        entries.sort_by_key(|entry| !entry.is_folder());
        readme = find_readme(&entries).map(|entry| read_readme(visit, location, entry)).transpose()?;
    }
    let frame = visit.frame(title(location), Section::Repositories).of_repository(repository, "code");
    let clone_url_grc = format!("codecommit::{}://{repository}", visit.region);
    visit.page(&FolderPage { frame, location, metadata, clone_url_grc, chooser, entries, next, readme })
}

fn title(location: &Location<'_>) -> String {
    if location.path.is_empty() { location.repository.to_owned() } else { location.path.clone() }
}

/// Returns the preferred README file.
fn find_readme(entries: &[TreeEntry]) -> Option<&TreeEntry> {
    README.iter().find_map(|name| {
        let mut files = entries.iter().filter(|entry| entry.mode.starts_with("100"));
        files.find(|entry| entry.relative_path.eq_ignore_ascii_case(name))
    })
}

fn read_readme(visit: &Visit<'_>, location: &Location<'_>, entry: &TreeEntry) -> Result<Readme, Failure> {
    let name = entry.relative_path.clone();
    let input = json!({ "repositoryName": location.repository, "blobId": entry.object_id });
    let content = match visit.run::<BlobReply>("GetBlob", &input) {
        Ok(blob) => {
            let bytes = decode(&blob.content)?;
            if bytes.len() > README_BYTES_MAX || bytes.contains(&0) {
                ReadmeContent::Hidden("The file is too large or no text.".to_owned())
            } else {
                let text = String::from_utf8_lossy(&bytes);
                let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
                if ["md", "markdown"].iter().any(|known| extension.eq_ignore_ascii_case(known)) {
                    let Location { repository, reference, path } = location;
                    ReadmeContent::Html(markdown::html(&text, Origin { repository, reference, folder: path }))
                } else {
                    ReadmeContent::Text(text.into_owned())
                }
            }
        }
        Err(failure) => ReadmeContent::Hidden(format!("{}: {}", failure.error_code(), failure.message)),
    };
    Ok(Readme { url: location.below("code", &name), name, content })
}
