//! Pull requests in the database.

use std::fmt;

use aws::{Call, Timestamp};
use aws_sdk_codecommit::types::MergeMetadata;
use git::{BString, ObjectId};
use store::{Error, Row, Transaction};

use crate::repository::{self, Repository};
use crate::{CodeCommit, Exception, column, name};

/// Id of a pull request: a number, counted per account and region over all repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PullRequestId(i64);

impl PullRequestId {
    pub(crate) fn parse(id: Option<String>) -> Result<Self, Exception> {
        let id = name::required(id, Exception::PullRequestIdRequired)?;
        let number = id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()));
        number.map(Self).ok_or(Exception::InvalidPullRequestId { id })
    }

    /// Returns the number, as in the database.
    pub(crate) fn number(self) -> i64 {
        self.0
    }

    pub(crate) fn from_number(number: i64) -> Self {
        Self(number)
    }
}

impl fmt::Display for PullRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A pull request.
#[derive(Clone, Debug)]
pub(crate) struct PullRequest {
    /// Number of the id.
    pub(crate) number: i64,
    pub(crate) repository: Repository,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    /// ARN of the creator.
    pub(crate) author: String,
    pub(crate) is_open: bool,
    pub(crate) created: Timestamp,
    /// Time of the last activity.
    pub(crate) active: Timestamp,
    /// Full name of the branch to merge.
    pub(crate) source: BString,
    /// Full name of the branch to merge into.
    pub(crate) destination: BString,
    /// Tip of the source branch; of a closed pull request the last one.
    pub(crate) source_commit: ObjectId,
    /// Tip of the destination branch; of a closed pull request the last one before the closing.
    pub(crate) destination_commit: ObjectId,
    /// Newest common ancestor of the two tips.
    pub(crate) merge_base: Option<ObjectId>,
    /// Id of the source commit for approvals: 64 hexadecimal digits.
    pub(crate) revision_id: String,
    pub(crate) client_request_token: Option<String>,
    /// Its merge, if it was merged.
    pub(crate) merged: Option<MergeRecord>,
}

/// Merge of a pull request.
#[derive(Clone, Debug)]
pub(crate) struct MergeRecord {
    /// ARN of the caller who merged it.
    pub(crate) by: String,
    /// Merge option as on the wire; `None` if a push merged it.
    pub(crate) option: Option<String>,
    /// Tip of the destination branch after the merge.
    pub(crate) commit: ObjectId,
}

const COLUMNS: &str = "repository_id, title, description, author, is_open, created, active, source, destination, source_commit, \
     destination_commit, merge_base, revision_id, client_request_token, merged_by, merge_option, merge_commit";

impl PullRequest {
    pub(crate) fn id(&self) -> PullRequestId {
        PullRequestId(self.number)
    }

    pub(crate) fn merge_metadata(&self) -> MergeMetadata {
        let merged = self.merged.as_ref();
        MergeMetadata::builder()
            .is_merged(merged.is_some())
            .set_merged_by(merged.map(|merged| merged.by.clone()))
            .set_merge_commit_id(merged.map(|merged| merged.commit.to_string()))
            .set_merge_option(merged.and_then(|merged| merged.option.as_deref()).map(Into::into))
            .build()
    }

    /// Returns the primary key: account, region, number.
    pub(crate) fn key(&self) -> [store::Value<'_>; 3] {
        let Repository { account, region, .. } = &self.repository;
        [account.as_str().into(), region.as_str().into(), self.number.into()]
    }

    fn read(row: &Row<'_>, number: i64, repository: Repository) -> Result<Self, Error> {
        let merged_by = row.optional_text(14)?;
        let merged = |by| {
            Ok::<_, Error>(MergeRecord { by, option: row.optional_text(15)?, commit: column::object_id(row, 16)? })
        };
        Ok(Self {
            number,
            repository,
            title: row.text(1)?,
            description: row.optional_text(2)?,
            author: row.text(3)?,
            is_open: row.integer(4)? == 1,
            created: Timestamp::from_millis(row.integer(5)?),
            active: Timestamp::from_millis(row.integer(6)?),
            source: row.blob(7)?.into(),
            destination: row.blob(8)?.into(),
            source_commit: column::object_id(row, 9)?,
            destination_commit: column::object_id(row, 10)?,
            merge_base: column::optional_object_id(row, 11)?,
            revision_id: row.text(12)?,
            client_request_token: row.optional_text(13)?,
            merged: merged_by.map(merged).transpose()?,
        })
    }
}

/// Finds a pull request of the call's account and region whose repository's encryption key can be used.
pub(crate) fn find(service: &CodeCommit, call: &Call, id: PullRequestId) -> Result<PullRequest, Exception> {
    let pull_request = service.store.read(|transaction| get(transaction, call, id))?;
    service.settings.simulate.check_key(call, &pull_request.repository.kms_key_id)?;
    Ok(pull_request)
}

/// Returns a pull request of the call's account and region, and adds its repository to the call's resources.
///
/// Fails if the caller may not use the repository.
pub(crate) fn get(transaction: &Transaction, call: &Call, id: PullRequestId) -> Result<PullRequest, Exception> {
    let Some(pull_request) = read(transaction, call, id)? else {
        repository::allow_any(call)?;
        return Err(Exception::PullRequestDoesNotExist { id: id.to_string() });
    };
    pull_request.repository.allow_object(transaction, call)?;
    Ok(pull_request)
}

/// Finds a pull request of the call's account and region, and adds its repository to the call's resources.
///
/// The permission is not requested.
pub(crate) fn read(transaction: &Transaction, call: &Call, id: PullRequestId) -> Result<Option<PullRequest>, Error> {
    let key = [call.account.as_str().into(), call.region.as_str().into(), id.0.into()];
    let of_key = "FROM pull_requests WHERE account = ?1 AND region = ?2 AND number = ?3";
    let found = transaction.query_one(&format!("SELECT repository_id {of_key}"), &key, |row| row.text(0))?;
    let Some(repository_id) = found else { return Ok(None) };
    let repository = repository::get_row_by_id(transaction, call, &repository_id)?;
    let read = |row: &Row<'_>| PullRequest::read(row, id.0, repository.clone());
    transaction.query_one(&format!("SELECT {COLUMNS} {of_key}"), &key, read)
}

/// Returns a pull request, which must be open.
pub(crate) fn get_open(transaction: &Transaction, call: &Call, id: PullRequestId) -> Result<PullRequest, Exception> {
    let pull_request = get(transaction, call, id)?;
    if pull_request.is_open {
        Ok(pull_request)
    } else {
        Err(Exception::PullRequestAlreadyClosed { id: id.to_string() })
    }
}

pub(super) fn insert(transaction: &Transaction, pull_request: &PullRequest) -> Result<(), Error> {
    let [account, region, number] = pull_request.key();
    transaction.execute(
        "INSERT INTO pull_requests (account, region, number, repository_id, title, description, author, is_open, created, active, \
         source, destination, source_commit, destination_commit, merge_base, revision_id, client_request_token) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        &[
            account,
            region,
            number,
            (&pull_request.repository.id).into(),
            (&pull_request.title).into(),
            pull_request.description.as_ref().into(),
            (&pull_request.author).into(),
            pull_request.created.millis().into(),
            pull_request.active.millis().into(),
            pull_request.source.as_slice().into(),
            pull_request.destination.as_slice().into(),
            pull_request.source_commit.as_slice().into(),
            pull_request.destination_commit.as_slice().into(),
            pull_request.merge_base.as_ref().map(ObjectId::as_slice).into(),
            (&pull_request.revision_id).into(),
            pull_request.client_request_token.as_ref().into(),
        ],
    )?;
    Ok(())
}

/// Writes the columns of a pull request that can change, except the time of its last activity.
pub(super) fn save(transaction: &Transaction, pull_request: &PullRequest) -> Result<(), Error> {
    let [account, region, number] = pull_request.key();
    let merged = pull_request.merged.as_ref();
    transaction.execute(
        "UPDATE pull_requests SET title = ?4, description = ?5, is_open = ?6, source_commit = ?7, destination_commit = ?8, \
         merge_base = ?9, revision_id = ?10, merged_by = ?11, merge_option = ?12, merge_commit = ?13 \
         WHERE account = ?1 AND region = ?2 AND number = ?3",
        &[
            account,
            region,
            number,
            (&pull_request.title).into(),
            pull_request.description.as_ref().into(),
            i64::from(pull_request.is_open).into(),
            pull_request.source_commit.as_slice().into(),
            pull_request.destination_commit.as_slice().into(),
            pull_request.merge_base.as_ref().map(ObjectId::as_slice).into(),
            (&pull_request.revision_id).into(),
            merged.map(|merged| &merged.by).into(),
            merged.and_then(|merged| merged.option.as_ref()).into(),
            merged.map(|merged| merged.commit.as_slice()).into(),
        ],
    )?;
    Ok(())
}

/// Sets the time of the last activity to the call's.
pub(crate) fn touch(transaction: &Transaction, call: &Call, pull_request: &mut PullRequest) -> Result<(), Error> {
    pull_request.active = call.time;
    let [account, region, number] = pull_request.key();
    transaction.execute(
        "UPDATE pull_requests SET active = ?4 WHERE account = ?1 AND region = ?2 AND number = ?3",
        &[account, region, number, call.time.millis().into()],
    )?;
    Ok(())
}
