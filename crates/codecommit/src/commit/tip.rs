//! Tips of branches, and commits on top of them.

use std::sync::Arc;

use aws::Call;
use git::{Kind, ObjectId};

use super::FileChanges;
use crate::authorship::Authorship;
use crate::maintenance::Writer;
use crate::name::BranchName;
use crate::ref_edit::{PreviousValue, RefEdit, Rejection};
use crate::ref_transaction::RefTransaction;
use crate::repository::Repository;
use crate::{Change, CodeCommit, Exception, ref_query};

/// Tip of a branch, the parent of its next commit; an empty repository has no commit there.
pub(crate) struct Tip {
    repository: Repository,
    branch: BranchName,
    parent: Option<ObjectId>,
    tree: Option<ObjectId>,
    writer: Writer,
}

/// A new commit to which no reference points yet.
#[derive(Clone, Copy)]
pub(crate) struct CreatedCommit {
    pub(crate) commit: ObjectId,
    pub(crate) tree: ObjectId,
}

/// Parses the id of a parent commit; an empty one counts as missing.
pub(crate) fn parent_id(id: Option<String>) -> Result<Option<ObjectId>, Exception> {
    let id = id.filter(|id| !id.is_empty());
    id.map(|id| ObjectId::from_hex(id.as_bytes()).map_err(|_| Exception::InvalidParentCommitId { id })).transpose()
}

impl Tip {
    /// Finds the tip of a branch, which must be the commit `parent`. The first commit of a repository creates its branch.
    pub(crate) fn find(
        service: &CodeCommit,
        call: &Call,
        repository: Repository,
        branch: BranchName,
        parent: Option<ObjectId>,
    ) -> Result<Self, Exception> {
        let writer = service.writer(call, &repository)?;
        let objects = writer.objects();
        let (reference, tag) = (branch.reference(), format!("refs/tags/{}", branch.as_str()).into());
        let target = |name| service.store.read_once(|transaction| ref_query::target(transaction, &repository.id, name));
        let tip = target(&reference)?;
        let tree = match (tip, parent) {
            (None, _) if target(&tag)?.is_some() => {
                return Err(Exception::BranchNameIsTagName { name: branch.as_str().to_owned() });
            }
            (None, _) if repository.default_branch.is_some() => {
                return Err(Exception::BranchDoesNotExist { reference: reference.to_string() });
            }
            (None, Some(parent)) => return Err(Exception::ParentCommitDoesNotExist { id: parent.to_string() }),
            (None, None) => None,
            (Some(_), None) => return Err(Exception::ParentCommitIdRequired),
            (Some(tip), Some(parent)) if tip == parent => Some(objects.reader().commit(&tip)?.tree),
            (Some(_), Some(parent)) if objects.kind(&parent)? != Some(Kind::Commit) => {
                return Err(Exception::ParentCommitDoesNotExist { id: parent.to_string() });
            }
            (Some(tip), Some(parent)) => return Err(outdated(parent, tip)),
        };
        Ok(Self { repository, branch, parent, tree, writer })
    }

    /// Starts an empty set of changes.
    pub(crate) fn changes(&self) -> FileChanges {
        FileChanges::new(self.writer.objects().reader(), self.tree)
    }

    /// Writes the commit with its trees and blobs; no reference points to it yet.
    pub(crate) fn write(
        &self,
        call: &Call,
        changes: FileChanges,
        authorship: &Authorship,
    ) -> Result<CreatedCommit, Exception> {
        let message = changes.default_message();
        let (tree, mut objects) = changes.into_objects()?;
        let commit = authorship.commit(call, tree, self.parent.into_iter().collect(), &message).to_object();
        let id = commit.id()?;
        objects.push(commit);
        self.writer.add(&objects)?;
        Ok(CreatedCommit { commit: id, tree })
    }

    /// Moves the branch to a commit, unless it was moved in the meantime.
    pub(crate) fn advance<O: Send + 'static>(
        self,
        service: &CodeCommit,
        call: &Arc<Call>,
        commit: ObjectId,
        output: O,
    ) -> Result<Change<O>, Exception> {
        let Self { repository, branch, parent, writer, .. } = self;
        let reference = branch.reference();
        let edit = RefEdit::branch(
            reference.clone(),
            parent.map_or(PreviousValue::MustNotExist, PreviousValue::MustExistAndMatch),
            commit,
        );
        let references = RefTransaction::prepare(service, call, &repository, std::slice::from_ref(&edit))?;
        Ok(Box::new(move |transaction| {
            writer.keep_until_committed(transaction);
            match references.apply_one(transaction, edit)? {
                Ok(()) => Ok(output),
                Err(Rejection::NoRepository) => Err(Exception::RepositoryDoesNotExist { name: repository.name }),
                Err(Rejection::NameConflict { .. }) => {
                    Err(Exception::InvalidBranchName { name: branch.as_str().to_owned() })
                }
                Err(_) => Err(match (parent, ref_query::target(transaction, &repository.id, &reference)?) {
                    (Some(parent), Some(tip)) => outdated(parent, tip),
                    (Some(_), None) => Exception::BranchDoesNotExist { reference: reference.to_string() },
                    (None, _) => Exception::ParentCommitIdRequired,
                }),
            }
        }))
    }
}

fn outdated(parent: ObjectId, tip: ObjectId) -> Exception {
    Exception::ParentCommitIdOutdated { id: parent.to_string(), tip: tip.to_string() }
}
