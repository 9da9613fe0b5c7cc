//! Pull requests for an export.

use git::{BString, ObjectId};
use store::{Error, Transaction, Value};

use crate::column;
use crate::export::comment::{self, ExportedComment};

/// A pull request with its comments, and its rules and approvals of the current revision.
#[derive(Clone, Debug)]
pub struct ExportedPullRequest {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The number of the id.
    pub number: i64,
    /// The name of the repository.
    pub repository: String,
    /// The id of the repository.
    pub repository_id: String,
    /// The title.
    pub title: String,
    /// The description, if it has one.
    pub description: Option<String>,
    /// The ARN of the creator.
    pub author: String,
    /// The time of its creation, in milliseconds since 1970.
    pub created: i64,
    /// The full name of the branch to merge.
    pub source: BString,
    /// The full name of the branch to merge into.
    pub destination: BString,
    /// The last tip of the source.
    pub source_commit: ObjectId,
    /// The last tip of the destination before the end.
    pub destination_commit: ObjectId,
    /// Its merge or closing; `None` if it is open.
    pub end: Option<PullRequestEnd>,
    /// The approval rules that no template created, each with a name and JSON.
    pub rules: Vec<(String, String)>,
    /// The ARNs of the callers who approve the current revision.
    pub approvals: Vec<String>,
    /// The ARN of the caller who overrides the rules of the current revision.
    pub overridden_by: Option<String>,
    /// The comments in the order of their creation, replies after what they reply to.
    pub comments: Vec<ExportedComment>,
}

/// The merge or closing of a pull request.
#[derive(Clone, Debug)]
pub struct PullRequestEnd {
    /// The time, in milliseconds since 1970.
    pub time: i64,
    /// The ARN of the caller.
    pub by: String,
    /// The commit of the merge, and the merge option unless a push merged it; `None` if it was closed.
    pub merge: Option<(ObjectId, Option<String>)>,
}

/// Lists all pull requests.
pub(super) fn all(transaction: &Transaction) -> Result<Vec<ExportedPullRequest>, Error> {
    let sql = "SELECT p.account, p.region, p.number, r.name, r.id, p.title, p.description, p.author, p.created, p.source, \
         p.destination, p.source_commit, p.destination_commit, p.is_open, p.merge_commit, p.merge_option, p.revision_id \
         FROM pull_requests p JOIN repositories r ON r.id = p.repository_id ORDER BY p.account, p.region, p.number";
    let mut states = Vec::new();
    let mut pull_requests = transaction.query(sql, &[], |row| {
        let merge = column::optional_object_id(row, 14)?;
        let merge = merge.map(|commit| Ok::<_, Error>((commit, row.optional_text(15)?))).transpose()?;
        states.push((row.integer(13)? == 1, merge, row.text(16)?));
        Ok(ExportedPullRequest {
            account: row.text(0)?,
            region: row.text(1)?,
            number: row.integer(2)?,
            repository: row.text(3)?,
            repository_id: row.text(4)?,
            title: row.text(5)?,
            description: row.optional_text(6)?,
            author: row.text(7)?,
            created: row.integer(8)?,
            source: row.blob(9)?.into(),
            destination: row.blob(10)?.into(),
            source_commit: column::object_id(row, 11)?,
            destination_commit: column::object_id(row, 12)?,
            end: None,
            rules: Vec::new(),
            approvals: Vec::new(),
            overridden_by: None,
            comments: Vec::new(),
        })
    })?;
    for (pull_request, (is_open, merge, revision_id)) in pull_requests.iter_mut().zip(states) {
        pull_request.complete(transaction, is_open, merge, &revision_id)?;
    }
    Ok(pull_requests)
}

impl ExportedPullRequest {
    /// Reads what other tables have.
    fn complete(
        &mut self,
        transaction: &Transaction,
        is_open: bool,
        merge: Option<(ObjectId, Option<String>)>,
        revision_id: &str,
    ) -> Result<(), Error> {
        let (account, region) = (self.account.clone(), self.region.clone());
        let key: [Value<'_>; 3] = [(&account).into(), (&region).into(), self.number.into()];
        let [account, region, number] = key;
        if !is_open {
            let last = "SELECT time, actor FROM pull_request_events WHERE account = ?1 AND region = ?2 AND pull_request = ?3 \
                 AND kind = 'PULL_REQUEST_STATUS_CHANGED' ORDER BY position DESC LIMIT 1";
            let last = transaction.query_one(last, &key, |row| Ok((row.integer(0)?, row.text(1)?)))?;
            let (time, by) = last.unwrap_or_else(|| (self.created, self.author.clone()));
            self.end = Some(PullRequestEnd { time, by, merge });
        }
        let rules = "SELECT name, content FROM approval_rules WHERE account = ?1 AND region = ?2 AND pull_request = ?3 \
             AND template_id IS NULL ORDER BY created, name";
        self.rules = transaction.query(rules, &key, |row| Ok((row.text(0)?, row.text(1)?)))?;
        let revision = [account, region, number, revision_id.into()];
        let approvals = "SELECT approver FROM approvals WHERE account = ?1 AND region = ?2 AND pull_request = ?3 \
             AND revision_id = ?4 ORDER BY approver";
        self.approvals = transaction.query(approvals, &revision, |row| row.text(0))?;
        let overrider = "SELECT overrider FROM approval_overrides WHERE account = ?1 AND region = ?2 AND pull_request = ?3 \
             AND revision_id = ?4";
        self.overridden_by = transaction.query_one(overrider, &revision, |row| row.text(0))?;
        self.comments = comment::of_pull_request(transaction, &self.repository_id, self.number)?;
        Ok(())
    }
}
