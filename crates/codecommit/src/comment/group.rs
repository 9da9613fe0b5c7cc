//! The comments on one place: listed together, wherever on the page they stand.

use git::ObjectId;
use store::{Error, Row, Transaction, Value};

use super::location::{Location, Place, Version};
use crate::path::Path;
use crate::pull_request::PullRequestId;
use crate::push;

/// Comments on one place.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: i64,
    pub(super) place: Place,
}

/// The columns of a group, for a query that calls the table `g`.
pub(super) const COLUMNS: &str =
    "g.id, g.before_commit, g.after_commit, g.path, g.position, g.version, g.before_blob, g.after_blob";

/// How many there are.
pub(super) const COLUMNS_COUNT: usize = 8;

impl Group {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Error> {
        let before = row.blob(1)?;
        let before = (!before.is_empty()).then(|| push::object_id(row, 1)).transpose()?;
        let location = match row.text(3)? {
            path if path.is_empty() => None,
            path => Some(Location {
                path: Path::parse(Some(path)).map_err(|_| Error::Damaged("the path of a comment"))?,
                position: Some(row.integer(4)?).filter(|position| *position > 0),
                version: Version::of(&row.text(5)?),
            }),
        };
        let (before_blob, after_blob) = (push::optional_object_id(row, 6)?, push::optional_object_id(row, 7)?);
        let place = Place { before, after: push::object_id(row, 2)?, location, before_blob, after_blob };
        Ok(Self { id: row.integer(0)?, place })
    }

    /// Finds the group of a place, or makes it.
    pub(super) fn of(
        transaction: &Transaction,
        repository_id: &str,
        pull_request: Option<PullRequestId>,
        place: &Place,
    ) -> Result<i64, Error> {
        let location = place.location.as_ref();
        let key: [Value<'_>; 7] = [
            repository_id.into(),
            pull_request.map_or(0, PullRequestId::number).into(),
            place.before.as_ref().map_or([].as_slice(), ObjectId::as_slice).into(),
            place.after.as_slice().into(),
            location.map_or("", |it| it.path.as_str()).into(),
            location.and_then(|it| it.position).unwrap_or(0).into(),
            location.and_then(|it| it.version).map_or("", Version::as_str).into(),
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
        let (before_blob, after_blob) = (blob(&place.before_blob), blob(&place.after_blob));
        let blobs: [Value<'_>; 2] = [before_blob.as_deref().into(), after_blob.as_deref().into()];
        transaction.execute(
            "INSERT INTO comment_groups (repository_id, pull_request, before_commit, after_commit, path, position, version, \
             before_blob, after_blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            &[&key[..], &blobs[..]].concat(),
        )?;
        find()?.ok_or(Error::Damaged("a group of comments that was just made"))
    }
}
