//! The tip of a branch, on which a commit is made.

use std::sync::Arc;

use aws::Call;
use git::{Kind, ObjectId};

use super::Changes;
use crate::authorship::Authorship;
use crate::maintenance::Writer;
use crate::name::BranchName;
use crate::push::{self, Door, Expected, Move, Refusal};
use crate::repository::Repository;
use crate::{Change, CodeCommit, Exception};

/// The tip of a branch: the commit that the next one follows; none in an empty repository.
pub(crate) struct Tip {
    repository: Repository,
    branch: BranchName,
    parent: Option<ObjectId>,
    tree: Option<ObjectId>,
    writer: Writer,
}

/// A commit that no reference leads to yet.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) commit: ObjectId,
    pub(crate) tree: ObjectId,
}

/// The id of the commit that a caller takes for a branch's tip; what is empty counts as not given.
pub(crate) fn parent_id(id: Option<String>) -> Result<Option<ObjectId>, Exception> {
    let id = id.filter(|id| !id.is_empty());
    id.map(|id| ObjectId::from_hex(id.as_bytes()).map_err(|_| Exception::InvalidParentCommitId { id })).transpose()
}

impl Tip {
    /// Finds the tip of a branch, which has to be the commit `parent`. The first branch is made by its first commit.
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
        let target = |name| service.store.read(|transaction| push::target(transaction, &repository.id, name));
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

    /// Begins the changes of a commit.
    pub(crate) fn changes(&self) -> Changes {
        Changes::new(self.writer.objects().reader(), self.tree)
    }

    /// Makes the commit; no reference leads to it yet.
    pub(crate) fn write(&self, call: &Call, changes: Changes, authorship: &Authorship) -> Result<Made, Exception> {
        let message = changes.default_message();
        let (tree, mut objects) = changes.into_objects()?;
        let commit = authorship.commit(call, tree, self.parent.into_iter().collect(), &message).to_object();
        let id = commit.id()?;
        objects.push(commit);
        self.writer.add(&objects)?;
        Ok(Made { commit: id, tree })
    }

    /// Moves the branch to a commit, unless it moved meanwhile.
    pub(crate) fn advance<O: Send + 'static>(
        self,
        service: &CodeCommit,
        call: &Arc<Call>,
        commit: ObjectId,
        output: O,
    ) -> Result<Change<O>, Exception> {
        let Self { repository, branch, parent, writer, .. } = self;
        let reference = branch.reference();
        let new = Move::branch(reference.clone(), parent.map_or(Expected::Absent, Expected::At), commit);
        let door = Door::open(service, call, &repository, std::slice::from_ref(&new))?;
        Ok(Box::new(move |transaction| {
            writer.keep_until_committed(transaction);
            match push::one(transaction, &door, new)? {
                Ok(()) => Ok(output),
                Err(Refusal::NoRepository) => Err(Exception::RepositoryDoesNotExist { name: repository.name }),
                Err(Refusal::NameConflict { .. }) => {
                    Err(Exception::InvalidBranchName { name: branch.as_str().to_owned() })
                }
                Err(_) => Err(match (parent, push::target(transaction, &repository.id, &reference)?) {
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
