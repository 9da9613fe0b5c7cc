//! The one door through which references move, whoever moves them.
//!
//! **Invariant:** a reference has a name that Git can store beside the others, and the default branch is there once it is set.
//! What follows from a move happens in the move's own transaction.

use std::sync::Arc;

use aws::Call;
use git::{BString, ByteSlice, ObjectId, Reference, References};
use store::{Error, Row, Transaction};

use crate::name::BranchName;
use crate::pull_request::follow;
use crate::relations::Relations;
use crate::repository::{self, Repository};
use crate::snapshots::Snapshot;
use crate::trigger::delivery::Courier;
use crate::{CodeCommit, Exception, trigger};

/// The way to the references of one repository, for one call.
pub struct Door {
    pub(crate) call: Arc<Call>,
    pub(crate) repository: Repository,
    pub(crate) courier: Arc<dyn Courier>,
    relations: Relations,
}

impl Door {
    /// Opens the door before the transaction, where there is time to find out what the moves will entail.
    ///
    /// Other moves can still be made through it; then the transaction takes longer.
    pub fn open(
        service: &CodeCommit,
        call: &Arc<Call>,
        repository: &Repository,
        moves: &[Move],
    ) -> Result<Self, Exception> {
        let relations = Relations::new(service.objects(call, repository)?);
        let open = service.store.read(|transaction| follow::open(transaction, &repository.id))?;
        // The answers are remembered, and asked for again in the transaction.
        follow::consequences(&relations, &open, moves.iter())?;
        for it in moves {
            it.lets_go(&relations);
        }
        let (call, repository, courier) = (Arc::clone(call), repository.clone(), Arc::clone(&service.courier));
        Ok(Self { call, repository, courier, relations })
    }
}

/// A wanted move of one reference.
#[derive(Clone, Debug)]
pub struct Move {
    /// The full name.
    pub name: BString,
    /// Where the reference must be now.
    pub expected: Expected,
    /// Where it goes; `None` deletes it.
    pub new: Option<ObjectId>,
    /// What the new value finally names, if it is an annotated tag.
    pub peeled: Option<ObjectId>,
}

/// Where a reference must be for a move to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It must not exist.
    Absent,
    /// It must point there.
    At(ObjectId),
}

/// Why a reference did not move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The repository was deleted in the meantime.
    #[error("the repository does not exist")]
    NoRepository,
    /// It is not where it was expected; the words are those of Git's own server.
    #[error("failed to update ref")]
    Stale,
    /// Another reference of the same push was refused, and they were to move together.
    #[error("atomic push failed")]
    Atomic,
    /// It is the default branch.
    #[error("the default branch cannot be deleted")]
    DefaultBranch,
    /// A branch of that name could not be named in any call.
    #[error("'{0}' is not a valid branch name")]
    BranchName(String),
    /// One name would be a folder of the other.
    #[error("'{existing}' exists; cannot create '{name}'")]
    NameConflict {
        /// The one that is there.
        existing: BString,
        /// The one that was to be made.
        name: BString,
    },
}

impl Move {
    /// Moves a branch on from where it is, or creates it.
    pub(crate) fn branch(name: BString, expected: Expected, new: ObjectId) -> Self {
        Self { name, expected, new: Some(new), peeled: None }
    }

    /// Creates a reference that is no annotated tag.
    pub fn create(name: BString, new: ObjectId) -> Self {
        Self { name, expected: Expected::Absent, new: Some(new), peeled: None }
    }

    /// Deletes a reference.
    pub fn delete(name: BString, expected: Expected) -> Self {
        Self { name, expected, new: None, peeled: None }
    }

    /// Tells whether the reference then leads to less than before, so that objects may be left that none leads to.
    ///
    /// What is no commit has no ancestors.
    fn lets_go(&self, relations: &Relations) -> bool {
        match (self.expected, self.new) {
            (Expected::Absent, _) => false,
            (Expected::At(_), None) => true,
            (Expected::At(old), Some(new)) => !relations.is_ancestor(old, new).unwrap_or(false),
        }
    }
}

/// Moves references, each for itself, and answers for each in the order given.
///
/// Deletions come first, so that one push can put `a/b` where `a` was. The first branches that a repository gets settle its
/// default branch: `main` if it is among them, else `master`, else the first.
pub fn all(transaction: &Transaction, door: &Door, moves: &[Move]) -> Result<Vec<Result<(), Refusal>>, Exception> {
    let (call, repository_id) = (&door.call, &door.repository.id);
    let Some(default_branch) = default_branch(transaction, repository_id)? else {
        return Ok(vec![Err(Refusal::NoRepository); moves.len()]);
    };
    let mut answers = vec![Ok(()); moves.len()];
    let (deletions, others): (Vec<_>, Vec<_>) = moves.iter().enumerate().partition(|(_, it)| it.new.is_none());
    for (number, it) in deletions.into_iter().chain(others) {
        answers[number] = make(transaction, repository_id, default_branch.as_ref(), it)?;
    }
    if answers.iter().any(Result::is_ok) {
        let made = moves.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(it, _)| it);
        let new = made.clone().filter(|it| it.new.is_some()).map(|it| &it.name);
        let default_branch = default_branch.or_else(|| first_default_branch(new));
        let default_branch = default_branch.as_ref().map(|name| name.as_slice());
        repository::set_default_branch(transaction, call, repository_id, default_branch)?;
        follow::follow(transaction, call, &door.relations, repository_id, made.clone())?;
        trigger::fire(transaction, door, made.clone())?;
        if made.into_iter().any(|it| it.lets_go(&door.relations)) {
            let (objects, now) = (Arc::clone(door.relations.objects()), call.time.to_system_time());
            // Without the note the objects only stay longer.
            transaction.after_commit(move || drop(objects.let_go(now)));
        }
    }
    Ok(answers)
}

/// Moves references all together or, if one is refused, none: the others then hear that the push failed.
pub fn all_or_none(
    transaction: &Transaction,
    door: &Door,
    moves: &[Move],
) -> Result<Vec<Result<(), Refusal>>, Exception> {
    let attempt = transaction.savepoint(|| {
        let answers = all(transaction, door, moves).map_err(Attempt::Failed)?;
        if answers.iter().all(Result::is_ok) { Ok(answers) } else { Err(Attempt::Refused(answers)) }
    });
    match attempt {
        Ok(answers) => Ok(answers),
        Err(Attempt::Failed(error)) => Err(error),
        Err(Attempt::Refused(answers)) => {
            Ok(answers.into_iter().map(|answer| Err(answer.err().unwrap_or(Refusal::Atomic))).collect())
        }
    }
}

/// Why moves that belong together were taken back.
enum Attempt {
    Refused(Vec<Result<(), Refusal>>),
    Failed(Exception),
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Moves one reference.
pub fn one(transaction: &Transaction, door: &Door, it: Move) -> Result<Result<(), Refusal>, Exception> {
    let answers = all(transaction, door, &[it])?;
    Ok(answers.into_iter().next().expect("there is an answer for each move"))
}

/// Returns where a reference points.
pub fn target(transaction: &Transaction, repository_id: &str, name: &BString) -> Result<Option<ObjectId>, Error> {
    transaction.query_one(
        "SELECT target FROM refs WHERE repository_id = ?1 AND name = ?2",
        &[repository_id.into(), name.as_slice().into()],
        |row| object_id(row, 0),
    )
}

/// Takes a snapshot of a repository's references, sorted by name.
pub(crate) fn references(transaction: &Transaction, repository: &Repository) -> Result<Snapshot, Exception> {
    let found = transaction.query_one(
        "SELECT default_branch, refs_version FROM repositories WHERE id = ?1",
        &[(&repository.id).into()],
        |row| Ok((row.optional_blob(0)?.map(BString::from), row.integer(1)?)),
    )?;
    let (head, version) = found.ok_or_else(|| Exception::RepositoryDoesNotExist { name: repository.name.clone() })?;
    let references = transaction.query(
        "SELECT name, target, peeled FROM refs WHERE repository_id = ?1 ORDER BY name",
        &[(&repository.id).into()],
        |row| {
            let (target, peeled) = (object_id(row, 1)?, optional_object_id(row, 2)?);
            Ok(Reference { name: row.blob(0)?.into(), target, peeled })
        },
    )?;
    Ok(Snapshot::new(version, References { head, references, ..References::default() }))
}

/// Lists what keeps a repository's objects: what its references point at, and the commits that its pull requests show.
pub(crate) fn targets(transaction: &Transaction, repository_id: &str) -> Result<Vec<ObjectId>, Error> {
    transaction.query(
        "SELECT target FROM refs WHERE repository_id = ?1 \
         UNION SELECT source_commit FROM pull_requests WHERE repository_id = ?1 \
         UNION SELECT destination_commit FROM pull_requests WHERE repository_id = ?1",
        &[repository_id.into()],
        |row| object_id(row, 0),
    )
}

/// Lists the full names of branches after one, sorted, at most `limit` of them.
pub(crate) fn branches(
    transaction: &Transaction,
    repository_id: &str,
    after: &[u8],
    limit: usize,
) -> Result<Vec<BString>, Error> {
    // The byte after `/` is `0`, so names of branches end before `refs/heads0`.
    transaction.query(
        "SELECT name FROM refs WHERE repository_id = ?1 AND name > ?2 AND name > ?3 AND name < ?4 ORDER BY name LIMIT ?5",
        &[
            repository_id.into(),
            after.into(),
            b"refs/heads/".as_slice().into(),
            b"refs/heads0".as_slice().into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
        |row| Ok(row.blob(0)?.into()),
    )
}

fn make(
    transaction: &Transaction,
    repository_id: &str,
    default_branch: Option<&BString>,
    it: &Move,
) -> Result<Result<(), Refusal>, Error> {
    let now = target(transaction, repository_id, &it.name)?.map_or(Expected::Absent, Expected::At);
    if now != it.expected {
        return Ok(Err(Refusal::Stale));
    }
    let key = [repository_id.into(), it.name.as_slice().into()];
    let Some(new) = it.new else {
        if default_branch == Some(&it.name) {
            return Ok(Err(Refusal::DefaultBranch));
        }
        transaction.execute("DELETE FROM refs WHERE repository_id = ?1 AND name = ?2", &key)?;
        return Ok(Ok(()));
    };
    if now == Expected::Absent
        && let Some(name) = invalid_branch_name(&it.name)
    {
        return Ok(Err(Refusal::BranchName(name)));
    }
    if now == Expected::Absent
        && let Some(existing) = name_conflict(transaction, repository_id, &it.name)?
    {
        return Ok(Err(Refusal::NameConflict { existing, name: it.name.clone() }));
    }
    let peeled = it.peeled.as_ref().map(ObjectId::as_slice);
    let [repository_id, name] = key;
    transaction.execute(
        "INSERT INTO refs (repository_id, name, target, peeled) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (repository_id, name) DO UPDATE SET target = excluded.target, peeled = excluded.peeled",
        &[repository_id, name, new.as_slice().into(), peeled.into()],
    )?;
    Ok(Ok(()))
}

/// Returns the short name of a branch that `CreateBranch` would refuse; names that are not UTF-8 are Git's alone.
fn invalid_branch_name(reference: &BString) -> Option<String> {
    let short = reference.strip_prefix(b"refs/heads/")?.to_str().ok()?;
    BranchName::parse(Some(short.to_owned())).is_err().then(|| short.to_owned())
}

/// Finds a reference that is a folder of the name, or that the name is a folder of: a clone could not store both.
fn name_conflict(transaction: &Transaction, repository_id: &str, name: &BString) -> Result<Option<BString>, Error> {
    // What is sorted between a folder of the name and the name begins with that folder, so each look at what comes
    // before rules out all longer folders.
    let mut rest = name.as_slice();
    while let Some(end) = rest.rfind_byte(b'/') {
        let folder = &name[..end];
        let before = transaction.query_one(
            "SELECT name FROM refs WHERE repository_id = ?1 AND name <= ?2 ORDER BY name DESC LIMIT 1",
            &[repository_id.into(), folder.into()],
            |row| row.blob(0),
        )?;
        let Some(before) = before else { break };
        if before == folder {
            return Ok(Some(before.into()));
        }
        let shared = before.iter().zip(name.iter()).take_while(|(one, other)| one == other).count();
        rest = &name[..=shared];
    }
    let (mut first, mut end) = (name.clone(), name.clone());
    first.push(b'/');
    // The byte after `/`.
    end.push(b'0');
    transaction.query_one(
        "SELECT name FROM refs WHERE repository_id = ?1 AND name > ?2 AND name < ?3 LIMIT 1",
        &[repository_id.into(), first.as_slice().into(), end.as_slice().into()],
        |row| Ok(row.blob(0)?.into()),
    )
}

/// Returns a repository's default branch, if it has one; `None` if there is no such repository.
#[expect(clippy::option_option, reason = "that there is no repository is not that it has no default branch")]
fn default_branch(transaction: &Transaction, repository_id: &str) -> Result<Option<Option<BString>>, Error> {
    transaction.query_one("SELECT default_branch FROM repositories WHERE id = ?1", &[repository_id.into()], |row| {
        Ok(row.optional_blob(0)?.map(BString::from))
    })
}

fn first_default_branch<'a>(names: impl Iterator<Item = &'a BString>) -> Option<BString> {
    let branches: Vec<_> = names.filter(|name| name.starts_with(b"refs/heads/")).collect();
    let preferred = ["refs/heads/main", "refs/heads/master"];
    let found = preferred.iter().find_map(|wanted| branches.iter().find(|name| name.as_slice() == wanted.as_bytes()));
    found.or(branches.first()).map(|name| (*name).clone())
}

/// Reads an object id out of a column.
pub(crate) fn object_id(row: &Row<'_>, column: usize) -> Result<ObjectId, Error> {
    ObjectId::try_from(row.blob(column)?.as_slice()).map_err(|_| Error::Damaged("an object id"))
}

/// Reads an object id out of a column that may be empty.
pub(crate) fn optional_object_id(row: &Row<'_>, column: usize) -> Result<Option<ObjectId>, Error> {
    row.optional_blob(column)?.is_some().then(|| object_id(row, column)).transpose()
}

#[cfg(test)]
mod tests {
    use store::{Durability, Store};

    use super::*;

    #[test]
    fn commits_of_pull_requests_are_kept_as_those_of_references_are() {
        let folder = tempfile::tempdir().expect("there is room");
        let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
        store.migrate("codecommit", crate::schema::STEPS).expect("the statements are good");
        let rows = "
            INSERT INTO repositories (id, account, region, name, created, modified, kms_key_id)
                VALUES ('one', '111122223333', 'us-east-1', 'One', 0, 0, ''), ('two', '111122223333', 'us-east-1', 'Two', 0, 0, '');
            INSERT INTO refs (repository_id, name, target) VALUES ('one', 'refs/heads/main', x'01'), ('two', 'refs/heads/main', x'09');
            INSERT INTO pull_requests (account, region, number, repository_id, title, author, is_open, created, active, source,
                destination, source_commit, destination_commit, revision_id)
                VALUES ('111122223333', 'us-east-1', 1, 'one', '', '', 0, 0, 0, '', '', x'02', x'01', '');
        "
        .replace("x'0", &format!("x'{}0", "00".repeat(19)));
        store.write(move |transaction| transaction.execute_all(&rows)).expect("it is written");
        let kept = store.read(|transaction| targets(transaction, "one")).expect("the tables are there");
        let kept: Vec<u8> = kept.iter().map(|id| id.as_slice()[19]).collect();
        assert_eq!(kept, [1, 2]);
    }
}
