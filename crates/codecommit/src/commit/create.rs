//! `CreateCommit`: a commit with several changes.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::create_commit::{CreateCommitInput, CreateCommitOutput};
use git::Mode;

use super::entries::{ContentSource, FileEntries, PutEntry};
use super::{FileChanges, Tip, parent_id};
use crate::authorship::Authorship;
use crate::name::{BranchName, RepositoryName};
use crate::{Change, CodeCommit, Exception};

pub(crate) fn create(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: CreateCommitInput,
) -> Result<Change<CreateCommitOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let branch = BranchName::parse(input.branch_name)?;
    let parent = parent_id(input.parent_commit_id)?;
    let authorship = Authorship::parse(input.author_name, input.email, input.commit_message)?;
    let entries = FileEntries::parse(
        input.put_files.unwrap_or_default(),
        input.delete_files.unwrap_or_default(),
        input.set_file_modes.unwrap_or_default(),
    )?;
    branch.add_to_facts(call);
    let repository = service.find(call, &name)?;
    let tip = Tip::find(service, call, repository, branch, parent)?;
    let mut changes = tip.changes();
    entries.apply(&mut changes)?;
    if input.keep_empty_folders == Some(true) {
        changes.keep_folders()?;
    }
    changes.check()?;
    if changes.is_empty() {
        return Err(Exception::NoChange);
    }
    let [added, updated, deleted] = changes.lists();
    let created = tip.write(call, changes, &authorship)?;
    let output = CreateCommitOutput::builder()
        .commit_id(created.commit.to_string())
        .tree_id(created.tree.to_string())
        .set_files_added(Some(added))
        .set_files_updated(Some(updated))
        .set_files_deleted(Some(deleted))
        .build();
    tip.advance(service, call, created.commit, output)
}

impl FileEntries {
    /// Applies the entries; sources of copies and moves are read from the parent commit, not from other changes.
    fn apply(self, changes: &mut FileChanges) -> Result<(), Exception> {
        for path in self.deletes {
            changes.remove(path)?;
        }
        for PutEntry { path, mode, source } in self.puts {
            match source {
                ContentSource::Content(content) => {
                    changes.put_content(path, mode.unwrap_or(Mode::File), content)?;
                }
                ContentSource::File { path: source, is_move } => {
                    let (mode_before, id) = if is_move { changes.remove(source)? } else { changes.file(&source)? };
                    changes.put(path, (mode.unwrap_or(mode_before), id))?;
                }
            }
        }
        for (path, mode) in self.modes {
            let (_, id) = changes.file(&path)?;
            changes.put(path, (mode, id))?;
        }
        Ok(())
    }
}
