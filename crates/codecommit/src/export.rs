//! Reads all that a seed can say about repositories, for its export: rows of all accounts and regions, in a fixed order.
//!
//! **Invariant:** nothing is changed, and no permission is requested: the caller reads a copy of the database.

mod comment;
mod pull_request;

use git::{BString, ObjectId};
use store::{Error, Row, Transaction};

use crate::lfs::LfsObjectId;
use crate::{column, lfs};

pub use comment::ExportedComment;
pub use pull_request::{ExportedPullRequest, PullRequestEnd};

/// A repository with what belongs to it, except its pull requests.
#[derive(Clone, Debug)]
pub struct ExportedRepository {
    /// The id, which is the name of the folder of its objects.
    pub id: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The name.
    pub name: String,
    /// The description, if it has one.
    pub description: Option<String>,
    /// The full name of the default branch.
    pub default_branch: Option<BString>,
    /// The time of its creation, in milliseconds since 1970.
    pub created: i64,
    /// The ARN of the encryption key.
    pub kms_key_id: String,
    /// The tags.
    pub tags: Vec<(String, String)>,
    /// The triggers, as a JSON list with the members `name`, `destination`, `custom_data`, `branches` and `events`.
    pub triggers: Option<String>,
    /// The references by their full names.
    pub references: Vec<(BString, ObjectId)>,
    /// The large files.
    pub large_files: Vec<LfsObjectId>,
}

/// An approval rule template.
#[derive(Clone, Debug)]
pub struct ExportedTemplate {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The name.
    pub name: String,
    /// The description, if it has one.
    pub description: Option<String>,
    /// The content as JSON.
    pub content: String,
    /// The time of its creation, in milliseconds since 1970.
    pub created: i64,
    /// The ARN of the caller who last changed it.
    pub author: String,
    /// The names of the associated repositories.
    pub repositories: Vec<String>,
}

/// Lists all repositories, by account, region and name.
pub fn repositories(transaction: &Transaction) -> Result<Vec<ExportedRepository>, Error> {
    let sql = "SELECT id, account, region, name, description, default_branch, created, kms_key_id FROM repositories \
         ORDER BY account, region, name";
    let mut repositories = transaction.query(sql, &[], |row| {
        Ok(ExportedRepository {
            id: row.text(0)?,
            account: row.text(1)?,
            region: row.text(2)?,
            name: row.text(3)?,
            description: row.optional_text(4)?,
            default_branch: row.optional_blob(5)?.map(BString::from),
            created: row.integer(6)?,
            kms_key_id: row.text(7)?,
            tags: Vec::new(),
            triggers: None,
            references: Vec::new(),
            large_files: Vec::new(),
        })
    })?;
    for repository in &mut repositories {
        let id = [(&repository.id).into()];
        let tags = "SELECT key, value FROM tags WHERE repository_id = ?1 ORDER BY key";
        repository.tags = transaction.query(tags, &id, |row| Ok((row.text(0)?, row.text(1)?)))?;
        let triggers = "SELECT triggers FROM trigger_configurations WHERE repository_id = ?1";
        repository.triggers = transaction.query_one(triggers, &id, |row| row.text(0))?;
        let references = "SELECT name, target FROM refs WHERE repository_id = ?1 ORDER BY name";
        let read = |row: &Row<'_>| Ok((BString::from(row.blob(0)?), column::object_id(row, 1)?));
        repository.references = transaction.query(references, &id, read)?;
        let large_files = lfs::objects(transaction, &repository.id)?;
        repository.large_files = large_files.into_iter().map(|object| object.id).collect();
    }
    Ok(repositories)
}

/// Lists all pull requests, by account, region and number.
pub fn pull_requests(transaction: &Transaction) -> Result<Vec<ExportedPullRequest>, Error> {
    pull_request::all(transaction)
}

/// Lists all approval rule templates, by account, region and name.
pub fn templates(transaction: &Transaction) -> Result<Vec<ExportedTemplate>, Error> {
    let sql = "SELECT id, account, region, name, description, content, created, modified_by FROM approval_rule_templates \
         ORDER BY account, region, name";
    let templates = transaction.query(sql, &[], |row| {
        let template = ExportedTemplate {
            account: row.text(1)?,
            region: row.text(2)?,
            name: row.text(3)?,
            description: row.optional_text(4)?,
            content: row.text(5)?,
            created: row.integer(6)?,
            author: row.text(7)?,
            repositories: Vec::new(),
        };
        Ok((row.text(0)?, template))
    })?;
    let with_repositories = |(id, template): (String, ExportedTemplate)| {
        let sql = "SELECT name FROM repositories JOIN approval_rule_template_associations ON repository_id = id \
             WHERE template_id = ?1 ORDER BY name";
        Ok(ExportedTemplate { repositories: transaction.query(sql, &[(&id).into()], |row| row.text(0))?, ..template })
    };
    templates.into_iter().map(with_repositories).collect()
}
