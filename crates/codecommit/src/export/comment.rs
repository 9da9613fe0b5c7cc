//! Comments on pull requests for an export.

use git::ObjectId;
use store::{Error, Transaction};

use crate::column;

/// A comment on a pull request, or a reply to one.
#[derive(Clone, Debug)]
pub struct ExportedComment {
    /// The id.
    pub id: String,
    /// The id of the comment that it replies to.
    pub in_reply_to: Option<String>,
    /// The text; `None` if it was deleted.
    pub content: Option<String>,
    /// The ARN of the author.
    pub author: String,
    /// The time of its creation, in milliseconds since 1970.
    pub created: i64,
    /// The compared commits.
    pub before_commit: ObjectId,
    /// The compared commits.
    pub after_commit: ObjectId,
    /// The path of the file, if it is about one.
    pub path: Option<String>,
    /// The line of the file; the first is 1.
    pub line: Option<i64>,
    /// The version in which the line is counted: `BEFORE` or `AFTER`; empty without a file or line.
    pub version: String,
}

/// Lists the comments on a pull request in the order of their creation.
pub(super) fn of_pull_request(
    transaction: &Transaction,
    repository_id: &str,
    number: i64,
) -> Result<Vec<ExportedComment>, Error> {
    let sql = "SELECT c.id, c.in_reply_to, c.content, c.author, c.created, g.before_commit, g.after_commit, g.path, g.position, \
         g.version FROM comments c JOIN comment_groups g ON g.id = c.group_id \
         WHERE g.repository_id = ?1 AND g.pull_request = ?2 ORDER BY c.number";
    transaction.query(sql, &[repository_id.into(), number.into()], |row| {
        Ok(ExportedComment {
            id: row.text(0)?,
            in_reply_to: row.optional_text(1)?,
            content: row.optional_text(2)?,
            author: row.text(3)?,
            created: row.integer(4)?,
            before_commit: column::object_id(row, 5)?,
            after_commit: column::object_id(row, 6)?,
            path: Some(row.text(7)?).filter(|path| !path.is_empty()),
            line: Some(row.integer(8)?).filter(|line| *line > 0),
            version: row.text(9)?,
        })
    })
}
