//! Entries of trees: the permission-only action `GetTree`, whose shapes are ours.

use std::sync::Arc;

use aws::Call;
use git::{BStr, Entry, Kind, Mode, ObjectId, Reader, TreeWalk};
use serde::{Deserialize, Serialize};

use crate::name::RepositoryName;
use crate::page::{Cursor, PAGE_BYTES_MAX, Page, Sizes};
use crate::path::Path;
use crate::specifier::Specifier;
use crate::{CodeCommit, Exception};

const SIZES: Sizes = Sizes { operation: "GetTree", default: 100, max: 1_000 };

/// Input of `GetTree`: the id of a tree, or a commit; and a folder in it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GetTreeInput {
    repository_name: Option<String>,
    tree_id: Option<String>,
    commit_specifier: Option<String>,
    folder_path: Option<String>,
    recursive: bool,
    max_results: Option<i32>,
    next_token: Option<String>,
}

/// Page of a tree's entries.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetTreeOutput {
    tree_id: String,
    entries: Vec<TreeEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TreeEntry {
    relative_path: String,
    mode: &'static str,
    object_id: String,
    object_type: ObjectType,
}

/// Type of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ObjectType {
    /// Content of a file, or target of a symbolic link.
    Blob,
    /// Commit; in a tree that of a submodule.
    Commit,
    /// Folder.
    Tree,
}

/// Returns the type of the object of an entry.
pub(crate) fn type_of(mode: Mode) -> ObjectType {
    match mode {
        Mode::Tree => ObjectType::Tree,
        Mode::Submodule => ObjectType::Commit,
        Mode::File | Mode::Executable | Mode::Symlink => ObjectType::Blob,
    }
}

/// Lists the entries of a tree in Git's order, recursively on request.
///
/// All pages are of the tree of the first page.
pub(crate) fn get(service: &CodeCommit, call: &Arc<Call>, input: GetTreeInput) -> Result<GetTreeOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifier = Specifier::parse_or_head(input.commit_specifier)?;
    let folder = Path::folder(input.folder_path)?;
    let repository = service.find(call, &name)?;
    let text = (specifier.to_string(), folder.as_ref().map(Path::to_string).unwrap_or_default());
    let tree_id = input.tree_id.filter(|id| !id.is_empty());
    let depth = if input.recursive { "recursive" } else { "" };
    let scope = [repository.id.as_str(), &text.0, &text.1, tree_id.as_deref().unwrap_or_default(), depth];
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, input.max_results)?;
    let mut reader = service.bounded_objects(call, &repository)?.reader();
    let cursor = if let Some(key) = &page.after {
        Cursor::read(key, Kind::Tree, &mut reader)?
    } else {
        let root = if let Some(id) = tree_id {
            tree(&mut reader, &id)?
        } else {
            let commit = specifier.resolve(&*service.references(&repository)?, &mut reader)?;
            reader.commit(&commit)?.tree
        };
        Cursor::start(match &folder {
            None => root,
            Some(path) => {
                let entry = reader.entry(&root, path.as_bytes())?.filter(|entry| entry.mode == Mode::Tree);
                entry.ok_or_else(|| Exception::FolderDoesNotExist { path: path.to_string() })?.id
            }
        })
    };
    let mut walk = TreeWalk::new(&mut reader, &cursor.id, input.recursive)?;
    let (mut entries, mut visited, mut bytes) = (Vec::new(), 0, 0);
    while entries.len() <= page.size
        && (bytes <= PAGE_BYTES_MAX || entries.len() < 2)
        && let Some(entry) = walk.advance(&mut reader)?
    {
        if visited >= cursor.listed {
            bytes += walk.path().len();
            entries.push(show(walk.path(), &entry));
        }
        visited += 1;
    }
    let page = page.shortened(entries.iter().map(|entry| entry.relative_path.len()));
    let next_token = page.cut(&mut entries, |_| cursor.advance(page.size).key());
    Ok(GetTreeOutput { tree_id: cursor.id.to_string(), entries, next_token })
}

/// Parses the id of a tree, which must exist.
fn tree(reader: &mut Reader, id: &str) -> Result<ObjectId, Exception> {
    let missing = || Exception::FolderDoesNotExist { path: id.to_owned() };
    let tree = ObjectId::from_hex(id.as_bytes()).map_err(|_| missing())?;
    if reader.kind(&tree)? == Some(Kind::Tree) { Ok(tree) } else { Err(missing()) }
}

fn show(path: &BStr, entry: &Entry) -> TreeEntry {
    TreeEntry {
        relative_path: path.to_string(),
        mode: entry.mode.octal(),
        object_id: entry.id.to_string(),
        object_type: type_of(entry.mode),
    }
}
