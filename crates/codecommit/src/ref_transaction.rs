//! Reference transactions: the one place in which references change, by API calls and by pushes.
//!
//! **Invariant:** every reference has a name that Git can store beside the others, and the default branch exists once it is set.
//! Pull requests, triggers and events follow an edit in the same transaction.

pub(crate) mod bus_event;
mod name_check;

use std::io;
use std::sync::Arc;

use aws::Call;
use git::{BString, ObjectId};
use store::{Error, Transaction};

use crate::ancestry_cache::AncestryCache;
use crate::pull_request::follow;
use crate::ref_edit::{ChangedReference, PreviousValue, RefEdit, Rejection};
use crate::ref_query::{self, Head};
use crate::repository::{self, Repository};
use crate::trigger::delivery::TriggerSender;
use crate::{CodeCommit, Exception, maintenance, shared_objects, trigger};
use bus_event::MergeOrigin;

/// Edits of the references of one repository on behalf of one call.
pub(crate) struct RefTransaction {
    call: Arc<Call>,
    repository: Repository,
    sender: Arc<dyn TriggerSender>,
    ancestry: AncestryCache,
    /// The merge that the edits are the result of.
    merge: Option<MergeOrigin>,
}

/// Outcome of one edit.
pub(crate) type EditResult = Result<(), Rejection>;

impl RefTransaction {
    /// Prepares edits before the database transaction, where there is time to walk histories.
    ///
    /// Edits that were not prepared can be applied too; then the walks take place inside the transaction.
    pub(crate) fn prepare(
        service: &CodeCommit,
        call: &Arc<Call>,
        repository: &Repository,
        edits: &[RefEdit],
    ) -> Result<Self, Exception> {
        let ancestry = AncestryCache::new(service.objects(call, repository)?);
        let open = service.store.read_once(|transaction| follow::list_open(transaction, &repository.id))?;
        // The answers stay in the cache, from which the transaction takes them.
        follow::transitions(&ancestry, &open, edits.iter())?;
        for edit in edits {
            edit.may_orphan_objects(&ancestry);
        }
        let (call, repository, sender) = (Arc::clone(call), repository.clone(), Arc::clone(&service.trigger_sender));
        Ok(Self { call, repository, sender, ancestry, merge: None })
    }

    /// Names the merge that the edits are the result of, for their events.
    pub(crate) fn of_merge(self, merge: MergeOrigin) -> Self {
        Self { merge: Some(merge), ..self }
    }

    /// Returns the repository whose references it edits.
    pub(crate) const fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Returns what an edit changes; the walk that this needs was made when the edit was prepared.
    pub(crate) fn changed_reference(&self, edit: &RefEdit) -> ChangedReference {
        let old = match edit.expected {
            PreviousValue::MustNotExist => None,
            PreviousValue::MustExistAndMatch(old) => Some(old),
        };
        let is_forced = edit.new.is_some() && edit.may_orphan_objects(&self.ancestry);
        ChangedReference { name: edit.name.to_string(), old, is_forced }
    }

    /// Applies edits independently of each other; returns a result for each, in the order given.
    ///
    /// Deletions are applied first, so that one push can create `a/b` in the place of `a`. The first branches of a repository
    /// determine its default branch: `main` if it is one of them, else `master`, else the first.
    pub(crate) fn apply(&self, transaction: &Transaction, edits: &[RefEdit]) -> Result<Vec<EditResult>, Exception> {
        for edit in edits {
            self.check_permission(edit)?;
        }
        let repository_id = &self.repository.id;
        let Some(Head { default_branch, prunes }) = ref_query::head(transaction, repository_id)? else {
            return Ok(vec![Err(Rejection::NoRepository); edits.len()]);
        };
        if prunes != self.repository.prunes && !self.are_objects_kept(transaction, edits)? {
            return Ok(vec![Err(Rejection::Pruned); edits.len()]);
        }
        let mut results = vec![Ok(()); edits.len()];
        let (deletions, others): (Vec<_>, Vec<_>) = edits.iter().enumerate().partition(|(_, edit)| edit.new.is_none());
        for (index, edit) in deletions.into_iter().chain(others) {
            results[index] = apply_edit(transaction, repository_id, default_branch.as_ref(), edit)?;
        }
        let applied: Vec<&RefEdit> =
            edits.iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(edit, _)| edit).collect();
        if !applied.is_empty() {
            self.follow_up(transaction, default_branch, &applied)?;
        }
        Ok(results)
    }

    /// Returns whether all that the edits lead to is still there, after another node has removed unreachable objects.
    fn are_objects_kept(&self, transaction: &Transaction, edits: &[RefEdit]) -> Result<bool, Exception> {
        let repository_id = &self.repository.id;
        let tips: Vec<_> = edits.iter().filter_map(|edit| edit.new).collect();
        let packs = shared_objects::pack_checksums(transaction, repository_id)?;
        let kept = ref_query::reachability_roots(transaction, repository_id)?;
        match self.ancestry.objects().are_in_packs(&tips, &kept, &packs) {
            Err(git::Error::Missing { .. }) => Ok(false),
            are_kept => Ok(are_kept?),
        }
    }

    /// Applies all edits or, if one is rejected, none; the others are then rejected with [`Rejection::Atomic`].
    pub(crate) fn apply_atomic(
        &self,
        transaction: &Transaction,
        edits: &[RefEdit],
    ) -> Result<Vec<EditResult>, Exception> {
        let attempt = transaction.savepoint(|| {
            let results = self.apply(transaction, edits).map_err(Rollback::Failed)?;
            if results.iter().all(Result::is_ok) { Ok(results) } else { Err(Rollback::Rejected(results)) }
        });
        match attempt {
            Ok(results) => Ok(results),
            Err(Rollback::Failed(error)) => Err(error),
            Err(Rollback::Rejected(results)) => {
                Ok(results.into_iter().map(|result| Err(result.err().unwrap_or(Rejection::Atomic))).collect())
            }
        }
    }

    /// Applies one edit.
    pub(crate) fn apply_one(&self, transaction: &Transaction, edit: RefEdit) -> Result<EditResult, Exception> {
        let results = self.apply(transaction, &[edit])?;
        match results.into_iter().next().expect("apply returns a result for each edit") {
            // Clients repeat calls that fail with an error of the server.
            Err(rejection @ Rejection::Pruned) => Err(io::Error::other(rejection.to_string()).into()),
            result => Ok(result),
        }
    }

    /// Fails if the call did not request the permission to change the reference, which is a fault of this program.
    fn check_permission(&self, edit: &RefEdit) -> Result<(), Exception> {
        let reference = edit.name.to_string();
        if self.call.may_change(&reference) {
            return Ok(());
        }
        tracing::error!(
            reference,
            request_id = self.call.request_id(),
            "a call changes a reference without a permission"
        );
        Err(Error::Refused("it changes a reference without a permission").into())
    }

    /// Brings everything that depends on references up to date.
    fn follow_up(
        &self,
        transaction: &Transaction,
        default_branch: Option<BString>,
        applied: &[&RefEdit],
    ) -> Result<(), Exception> {
        let Self { call, repository, sender, ancestry, merge } = self;
        let new_names = applied.iter().filter(|edit| edit.new.is_some()).map(|edit| &edit.name);
        let default_branch = default_branch.or_else(|| first_default_branch(new_names));
        let default_branch = default_branch.as_ref().map(|name| name.as_slice());
        repository::set_default_branch(transaction, call, &repository.id, default_branch)?;
        bus_event::emit(transaction, call, repository, merge.as_ref(), applied)?;
        follow::follow(transaction, call, ancestry, &repository.id, applied.iter().copied())?;
        trigger::fire(transaction, call, repository, sender, applied)?;
        if applied.iter().any(|edit| edit.may_orphan_objects(ancestry)) {
            maintenance::mark_unreachable(transaction, ancestry.objects(), &repository.id, call.time)?;
        }
        Ok(())
    }
}

/// Why an atomic set of edits was rolled back.
enum Rollback {
    Rejected(Vec<EditResult>),
    Failed(Exception),
}

impl From<Error> for Rollback {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

fn apply_edit(
    transaction: &Transaction,
    repository_id: &str,
    default_branch: Option<&BString>,
    edit: &RefEdit,
) -> Result<EditResult, Error> {
    let current = ref_query::target(transaction, repository_id, &edit.name)?;
    let current = current.map_or(PreviousValue::MustNotExist, PreviousValue::MustExistAndMatch);
    if current != edit.expected {
        return Ok(Err(Rejection::Stale));
    }
    let key = [repository_id.into(), edit.name.as_slice().into()];
    let Some(new) = edit.new else {
        if default_branch == Some(&edit.name) {
            return Ok(Err(Rejection::DefaultBranch));
        }
        transaction.note("DELETE FROM refs WHERE repository_id = ?1 AND name = ?2", &key)?;
        return Ok(Ok(()));
    };
    if current == PreviousValue::MustNotExist {
        if let Some(name) = name_check::invalid_branch_name(&edit.name) {
            return Ok(Err(Rejection::BranchName(name)));
        }
        if let Some(existing) = name_check::find_conflict(transaction, repository_id, &edit.name)? {
            return Ok(Err(Rejection::NameConflict { existing, name: edit.name.clone() }));
        }
    }
    let peeled = edit.peeled.as_ref().map(ObjectId::as_slice);
    let [repository_id, name] = key;
    transaction.note(
        "INSERT INTO refs (repository_id, name, target, peeled) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (repository_id, name) DO UPDATE SET target = excluded.target, peeled = excluded.peeled",
        &[repository_id, name, new.as_slice().into(), peeled.into()],
    )?;
    Ok(Ok(()))
}

fn first_default_branch<'a>(names: impl Iterator<Item = &'a BString>) -> Option<BString> {
    let branches: Vec<_> = names.filter(|name| name.starts_with(b"refs/heads/")).collect();
    let preferred = ["refs/heads/main", "refs/heads/master"];
    let found = preferred.iter().find_map(|wanted| branches.iter().find(|name| name.as_slice() == wanted.as_bytes()));
    found.or(branches.first()).map(|name| (*name).clone())
}
