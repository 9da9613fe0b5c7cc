//! Groups of comments on the same location, which listings keep together.

use git::ObjectId;
use store::{Error, Row, Transaction, Value};

use super::location::{CommentLocation, FileLocation, RelativeFileVersion};
use crate::column;
use crate::path::Path;
use crate::pull_request::PullRequestId;

/// Group of comments on one location.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: i64,
    pub(super) location: CommentLocation,
}

/// Columns of a group, for queries in which the table's alias is `g`.
pub(super) const COLUMNS: &str =
    "g.id, g.before_commit, g.after_commit, g.path, g.position, g.version, g.before_blob, g.after_blob";

/// Number of these columns.
pub(super) const COLUMNS_COUNT: usize = 8;

impl Group {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Error> {
        let before = row.blob(1)?;
        let before = (!before.is_empty()).then(|| column::object_id(row, 1)).transpose()?;
        let file = match row.text(3)? {
            path if path.is_empty() => None,
            path => Some(FileLocation {
                path: Path::parse(Some(path)).map_err(|_| Error::Damaged("the path of a comment"))?,
                position: Some(row.integer(4)?).filter(|position| *position > 0),
                version: RelativeFileVersion::parse(&row.text(5)?),
            }),
        };
        let (before_blob, after_blob) = (column::optional_object_id(row, 6)?, column::optional_object_id(row, 7)?);
        let location = CommentLocation { before, after: column::object_id(row, 2)?, file, before_blob, after_blob };
        Ok(Self { id: row.integer(0)?, location })
    }

    /// Returns the id of a location's group, creating the group if there is none.
    pub(super) fn find_or_create(
        transaction: &Transaction,
        repository_id: &str,
        pull_request: Option<PullRequestId>,
        location: &CommentLocation,
    ) -> Result<i64, Error> {
        let file = location.file.as_ref();
        let key: [Value<'_>; 7] = [
            repository_id.into(),
            pull_request.map_or(0, PullRequestId::number).into(),
            location.before.as_ref().map_or([].as_slice(), ObjectId::as_slice).into(),
            location.after.as_slice().into(),
            file.map_or("", |file| file.path.as_str()).into(),
            file.and_then(|file| file.position).unwrap_or(0).into(),
            file.and_then(|file| file.version).map_or("", RelativeFileVersion::as_str).into(),
        ];
        let find = || {
            transaction.query_one(
                "SELECT id FROM comment_groups WHERE repository_id = ?1 AND pull_request = ?2 AND before_commit = ?3 \
                 AND after_commit = ?4 AND path = ?5 AND position = ?6 AND version = ?7",
                &key,
                |row| row.integer(0),
            )
        };
        if let Some(id) = find()? {
            return Ok(id);
        }
        let blob = |id: &'_ Option<ObjectId>| id.as_ref().map(|id| id.as_slice().to_vec());
        let (before_blob, after_blob) = (blob(&location.before_blob), blob(&location.after_blob));
        let blobs: [Value<'_>; 2] = [before_blob.as_deref().into(), after_blob.as_deref().into()];
        transaction.execute(
            "INSERT INTO comment_groups (repository_id, pull_request, before_commit, after_commit, path, position, version, \
             before_blob, after_blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            &[&key[..], &blobs[..]].concat(),
        )?;
        find()?.ok_or(Error::Damaged("a new group of comments"))
    }
}
