//! Comments in the database.

use aws::{Call, Timestamp};
use store::{Error, Row, Transaction};

use crate::pull_request::PullRequestId;
use crate::repository::{self, Repository};
use crate::{Exception, name};

/// Id of a comment: a UUID, or two of them for a comment on compared commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommentId(String);

impl CommentId {
    pub(super) fn parse(id: Option<String>) -> Result<Self, Exception> {
        let id = name::required(id, Exception::CommentIdRequired)?;
        let is_uuid = |part: &str| {
            let groups: Vec<_> = part.split('-').collect();
            let is_hexadecimal = |group: &str| group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.into_iter().all(is_hexadecimal)
        };
        let is_id = id.splitn(3, ':').all(is_uuid) && id.matches(':').count() < 2;
        if is_id { Ok(Self(id)) } else { Err(Exception::InvalidCommentId { id }) }
    }

    pub(super) fn new(call: &Call, pull_request: Option<PullRequestId>) -> Self {
        Self(if pull_request.is_some() { call.new_id() } else { format!("{}:{}", call.new_id(), call.new_id()) })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A comment.
#[derive(Clone, Debug)]
pub(super) struct Comment {
    /// Sequence number, in the order of creation.
    pub(super) number: i64,
    pub(super) id: CommentId,
    pub(super) group: i64,
    pub(super) in_reply_to: Option<String>,
    /// `None` if it was deleted.
    pub(super) content: Option<String>,
    pub(super) author: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) client_request_token: Option<String>,
}

/// Columns of a comment, for queries in which the table's alias is `c`.
pub(super) const COLUMNS: &str = "c.number, c.id, c.group_id, c.in_reply_to, c.content, c.author, c.created, c.modified, \
     c.client_request_token";

/// Number of these columns.
const COLUMNS_COUNT: usize = 9;

/// A comment with its repository and pull request.
pub(super) struct LocatedComment {
    pub(super) comment: Comment,
    pub(super) repository: Repository,
    pub(super) pull_request: Option<PullRequestId>,
}

impl LocatedComment {
    /// Returns a comment of the call's account and region, and adds its repository to the call's resources.
    pub(super) fn get(transaction: &Transaction, call: &Call, id: &CommentId) -> Result<Self, Exception> {
        let found = transaction.query_one(
            &format!(
                "SELECT {COLUMNS}, g.repository_id, g.pull_request FROM comments c \
                 JOIN comment_groups g ON g.id = c.group_id JOIN repositories r ON r.id = g.repository_id \
                 WHERE c.id = ?1 AND r.account = ?2 AND r.region = ?3"
            ),
            &[id.as_str().into(), call.account.as_str().into(), call.region.as_str().into()],
            |row| Ok((Comment::read(row, 0)?, row.text(COLUMNS_COUNT)?, row.integer(COLUMNS_COUNT + 1)?)),
        )?;
        let Some((comment, repository_id, pull_request)) = found else {
            repository::allow_any(call)?;
            return Err(Exception::CommentDoesNotExist { id: id.as_str().to_owned() });
        };
        let repository = repository::get_row_by_id(transaction, call, &repository_id)?;
        repository.allow_object(transaction, call)?;
        let pull_request = Some(pull_request).filter(|number| *number > 0).map(PullRequestId::from_number);
        Ok(Self { comment, repository, pull_request })
    }

    /// Returns a comment, which must not be deleted.
    pub(super) fn get_readable(transaction: &Transaction, call: &Call, id: &CommentId) -> Result<Self, Exception> {
        let found = Self::get(transaction, call, id)?;
        let deleted = found.comment.content.is_none();
        if deleted { Err(Exception::CommentDeleted { id: id.as_str().to_owned() }) } else { Ok(found) }
    }
}

impl Comment {
    pub(super) fn insert(&self, transaction: &Transaction) -> Result<(), Error> {
        transaction.execute(
            "INSERT INTO comments (id, group_id, in_reply_to, content, author, created, modified, client_request_token) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[
                self.id.as_str().into(),
                self.group.into(),
                self.in_reply_to.as_ref().into(),
                self.content.as_ref().into(),
                (&self.author).into(),
                self.created.millis().into(),
                self.modified.millis().into(),
                self.client_request_token.as_ref().into(),
            ],
        )?;
        Ok(())
    }

    /// Sets the content; `None` deletes it.
    pub(super) fn set_content(
        &mut self,
        transaction: &Transaction,
        call: &Call,
        content: Option<String>,
    ) -> Result<(), Error> {
        self.content = content;
        self.modified = call.time;
        transaction.execute(
            "UPDATE comments SET content = ?1, modified = ?2 WHERE number = ?3",
            &[self.content.as_ref().into(), self.modified.millis().into(), self.number.into()],
        )?;
        Ok(())
    }

    /// Reads a comment from the columns from `first` on.
    pub(super) fn read(row: &Row<'_>, first: usize) -> Result<Self, Error> {
        Ok(Self {
            number: row.integer(first)?,
            id: CommentId(row.text(first + 1)?),
            group: row.integer(first + 2)?,
            in_reply_to: row.optional_text(first + 3)?,
            content: row.optional_text(first + 4)?,
            author: row.text(first + 5)?,
            created: Timestamp::from_millis(row.integer(first + 6)?),
            modified: Timestamp::from_millis(row.integer(first + 7)?),
            client_request_token: row.optional_text(first + 8)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_uuid_or_two() {
        let uuid = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
        for id in [uuid.to_owned(), format!("{uuid}:{uuid}")] {
            assert_eq!(CommentId::parse(Some(id.clone())).expect("the id is valid").as_str(), id);
        }
        for id in
            ["1", &uuid.to_uppercase(), &format!("{uuid}:"), &format!("{uuid}:{uuid}:{uuid}"), &format!("{uuid}-1")]
        {
            assert!(matches!(CommentId::parse(Some(id.to_owned())), Err(Exception::InvalidCommentId { .. })), "{id}");
        }
        assert!(matches!(CommentId::parse(None), Err(Exception::CommentIdRequired)));
    }
}
