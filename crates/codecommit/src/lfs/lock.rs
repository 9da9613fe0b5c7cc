//! Locks of paths: a client of Git LFS does not push changes of a path that another user has locked.
//!
//! A lock is of a path in the whole repository, whatever branch the client names.

use aws::{Call, Timestamp};
use store::{Error, Row, Transaction};

use crate::CodeCommit;
use crate::lfs::LfsError;
use crate::repository::Repository;

/// Maximum length of a path, in bytes.
const PATH_BYTES_MAX: usize = 4_096;

/// Locks of a page, at most.
const PAGE_MAX: usize = 1_000;

/// Locks of a page if the client requests no number.
const PAGE_DEFAULT: usize = 100;

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The id.
    pub id: String,
    /// The path in the repository.
    pub path: String,
    /// The ARN of the caller who created it.
    pub owner_arn: String,
    /// The name of the user or session.
    pub owner_name: String,
    /// The time of its creation.
    pub locked: Timestamp,
}

/// A lock that is about to be created.
#[derive(Debug)]
pub struct Locking {
    repository_id: String,
    lock: Lock,
}

/// What became of a request for a lock.
#[derive(Debug)]
pub enum LockOutcome {
    /// The lock was created.
    Created(Lock),
    /// The path is locked already.
    Held(Lock),
}

/// What became of a request to remove a lock.
#[derive(Debug)]
pub enum Unlocking {
    /// The lock was removed.
    Removed(Lock),
    /// The lock is another caller's, and the request does not force its removal.
    OfOther(Lock),
    /// There is no lock of this id.
    Missing,
}

/// Which locks are listed.
#[derive(Debug, Default)]
pub struct LockFilter {
    /// The path.
    pub path: Option<String>,
    /// The id.
    pub id: Option<String>,
    /// The cursor of the page.
    pub cursor: Option<String>,
    /// Locks of the page, at most.
    pub limit: Option<usize>,
}

/// A page of locks, in the order of their creation.
#[derive(Debug)]
pub struct LockPage {
    /// The locks.
    pub locks: Vec<Lock>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
}

impl CodeCommit {
    /// Prepares a lock of the call's caller.
    pub fn prepare_lock(&self, call: &Call, repository: &Repository, path: String) -> Result<Locking, LfsError> {
        if path.is_empty() || path.len() > PATH_BYTES_MAX {
            return Err(LfsError::InvalidLockPath { limit: PATH_BYTES_MAX });
        }
        let caller = &call.caller;
        let last = || caller.arn.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
        let lock = Lock {
            id: call.new_id(),
            path,
            owner_arn: caller.arn.clone(),
            owner_name: caller.user_name.clone().unwrap_or_else(last),
            locked: call.time,
        };
        Ok(Locking { repository_id: repository.id.clone(), lock })
    }

    /// Lists locks of a repository.
    pub fn locks(&self, repository: &Repository, filter: &LockFilter) -> Result<LockPage, LfsError> {
        let after = filter.cursor.as_deref().filter(|cursor| !cursor.is_empty()).unwrap_or("0");
        let after: i64 = after.parse().map_err(|_| LfsError::InvalidCursor)?;
        let limit = filter.limit.filter(|limit| *limit > 0).unwrap_or(PAGE_DEFAULT).min(PAGE_MAX);
        let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut locks = self.store.read(|transaction| {
            transaction.query(
                &format!(
                    "SELECT position, {COLUMNS} FROM lfs_locks WHERE repository_id = ?1 AND position > ?2 \
                     AND (path = ?3 OR ?3 IS NULL) AND (id = ?4 OR ?4 IS NULL) ORDER BY position LIMIT ?5"
                ),
                &[
                    (&repository.id).into(),
                    after.into(),
                    filter.path.as_ref().into(),
                    filter.id.as_ref().into(),
                    one_more.into(),
                ],
                |row| Ok((row.integer(0)?, Lock::read(row, 1)?)),
            )
        })?;
        let has_more = locks.len() > limit;
        locks.truncate(limit);
        let last = locks.last().filter(|_| has_more).map(|(position, _)| position.to_string());
        Ok(LockPage { locks: locks.into_iter().map(|(_, lock)| lock).collect(), next_cursor: last })
    }
}

const COLUMNS: &str = "id, path, owner_arn, owner_name, locked";

impl Lock {
    fn read(row: &Row<'_>, first: usize) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(first)?,
            path: row.text(first + 1)?,
            owner_arn: row.text(first + 2)?,
            owner_name: row.text(first + 3)?,
            locked: Timestamp::from_millis(row.integer(first + 4)?),
        })
    }

    /// Removes a lock of a repository, if it is the call's caller's, or with force.
    pub fn remove(
        transaction: &Transaction,
        call: &Call,
        repository_id: &str,
        id: &str,
        force: bool,
    ) -> Result<Unlocking, Error> {
        let found = transaction.query_one(
            &format!("SELECT {COLUMNS} FROM lfs_locks WHERE repository_id = ?1 AND id = ?2"),
            &[repository_id.into(), id.into()],
            |row| Self::read(row, 0),
        )?;
        let Some(lock) = found else { return Ok(Unlocking::Missing) };
        if lock.owner_arn != call.caller.arn && !force {
            return Ok(Unlocking::OfOther(lock));
        }
        transaction.execute("DELETE FROM lfs_locks WHERE id = ?1", &[id.into()])?;
        Ok(Unlocking::Removed(lock))
    }
}

impl Locking {
    /// Returns the path.
    pub fn path(&self) -> &str {
        &self.lock.path
    }

    /// Creates the lock, unless the path is locked.
    pub fn apply(self, transaction: &Transaction) -> Result<LockOutcome, Error> {
        let Self { repository_id, lock } = self;
        let held = transaction.query_one(
            &format!("SELECT {COLUMNS} FROM lfs_locks WHERE repository_id = ?1 AND path = ?2"),
            &[(&repository_id).into(), (&lock.path).into()],
            |row| Lock::read(row, 0),
        )?;
        if let Some(held) = held {
            return Ok(LockOutcome::Held(held));
        }
        transaction.execute(
            "INSERT INTO lfs_locks (id, repository_id, path, owner_arn, owner_name, locked) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &[
                (&lock.id).into(),
                (&repository_id).into(),
                (&lock.path).into(),
                (&lock.owner_arn).into(),
                (&lock.owner_name).into(),
                lock.locked.millis().into(),
            ],
        )?;
        Ok(LockOutcome::Created(lock))
    }
}
