//! `GetFolder`: the entries of a folder.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::get_folder::{GetFolderInput, GetFolderOutput};
use aws_sdk_codecommit::types::{File, Folder, SubModule, SymbolicLink};
use git::{Entry, Mode};

use crate::name::RepositoryName;
use crate::path::Path;
use crate::specifier::Specifier;
use crate::{CodeCommit, Exception, mode};

/// Lists the entries of a folder, not recursively.
pub(crate) fn get_folder(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetFolderInput,
) -> Result<GetFolderOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifier = Specifier::parse_or_head(input.commit_specifier)?;
    let path = Path::folder(input.folder_path)?;
    let repository = service.find(call, &name)?;
    let mut reader = service.objects(call, &repository)?.reader();
    let commit = specifier.resolve(&*service.references(&repository)?, &mut reader)?;
    let mut tree = reader.commit(&commit)?.tree;
    if let Some(path) = &path {
        let folder = reader.entry(&tree, path.as_bytes())?.filter(|entry| entry.mode == Mode::Tree);
        tree = folder.ok_or_else(|| Exception::FolderDoesNotExist { path: path.to_string() })?.id;
    }
    let path = path.as_ref().map(Path::as_str).unwrap_or_default();
    let (mut folders, mut files, mut links, mut modules) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Entry { mode, name, id } in reader.tree(&tree)? {
        let (name, id, file_mode) = (name.to_string(), id.to_string(), mode::name(mode));
        let absolute = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        match mode {
            Mode::Tree => {
                folders.push(Folder::builder().tree_id(id).absolute_path(absolute).relative_path(name).build());
            }
            Mode::Submodule => {
                modules.push(SubModule::builder().commit_id(id).absolute_path(absolute).relative_path(name).build());
            }
            Mode::Symlink => {
                let link = SymbolicLink::builder().blob_id(id).absolute_path(absolute).relative_path(name);
                links.push(link.set_file_mode(file_mode).build());
            }
            Mode::File | Mode::Executable => {
                let file = File::builder().blob_id(id).absolute_path(absolute).relative_path(name);
                files.push(file.set_file_mode(file_mode).build());
            }
        }
    }
    let output = GetFolderOutput::builder()
        .commit_id(commit.to_string())
        .folder_path(path)
        .tree_id(tree.to_string())
        .set_sub_folders(Some(folders))
        .set_files(Some(files))
        .set_symbolic_links(Some(links))
        .set_sub_modules(Some(modules));
    Ok(output.build().expect("the required members are set"))
}
