//! Queries of references.

use git::{BString, ObjectId, Reference, References};
use store::{Error, Transaction};

use crate::Exception;
use crate::column::{object_id, optional_object_id};
use crate::ref_cache::RefSnapshot;
use crate::repository::Repository;

/// Returns the target of a reference.
pub(crate) fn target(
    transaction: &Transaction,
    repository_id: &str,
    name: &BString,
) -> Result<Option<ObjectId>, Error> {
    transaction.query_one(
        "SELECT target FROM refs WHERE repository_id = ?1 AND name = ?2",
        &[repository_id.into(), name.as_slice().into()],
        |row| object_id(row, 0),
    )
}

/// Reads all references of a repository, sorted by name.
pub(crate) fn snapshot(transaction: &Transaction, repository: &Repository) -> Result<RefSnapshot, Exception> {
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
    Ok(RefSnapshot::new(version, References { head, references, ..References::default() }))
}

/// Lists the objects from which a repository's objects are reachable: targets of its references and commits of its pull requests.
pub(crate) fn reachability_roots(transaction: &Transaction, repository_id: &str) -> Result<Vec<ObjectId>, Error> {
    transaction.query(
        "SELECT target FROM refs WHERE repository_id = ?1 \
         UNION SELECT source_commit FROM pull_requests WHERE repository_id = ?1 \
         UNION SELECT destination_commit FROM pull_requests WHERE repository_id = ?1",
        &[repository_id.into()],
        |row| object_id(row, 0),
    )
}

/// Lists the full names of branches after `after`, sorted, at most `limit` of them.
pub(crate) fn branches(
    transaction: &Transaction,
    repository_id: &str,
    after: &[u8],
    limit: usize,
) -> Result<Vec<BString>, Error> {
    // The byte after `/` is `0`, so all names of branches sort before `refs/heads0`.
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

/// What an edit of references depends on beside them.
pub(crate) struct Head {
    /// Full name of the default branch, if there is one.
    pub(crate) default_branch: Option<BString>,
    /// Number of times that unreachable objects were removed.
    pub(crate) prunes: i64,
}

/// Returns what an edit depends on, if the repository exists.
pub(crate) fn head(transaction: &Transaction, repository_id: &str) -> Result<Option<Head>, Error> {
    let sql = "SELECT default_branch, prunes FROM repositories WHERE id = ?1";
    transaction.query_one(sql, &[repository_id.into()], |row| {
        Ok(Head { default_branch: row.optional_blob(0)?.map(BString::from), prunes: row.integer(1)? })
    })
}

#[cfg(test)]
mod tests {
    use store::{Durability, Store};

    use super::*;

    #[test]
    fn commits_of_references_and_of_pull_requests_are_roots() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
        store.migrate("codecommit", crate::schema::STEPS).expect("the statements are valid");
        let rows = "
            INSERT INTO repositories (id, account, region, name, created, modified, kms_key_id)
                VALUES ('one', '111122223333', 'us-east-1', 'One', 0, 0, ''), ('two', '111122223333', 'us-east-1', 'Two', 0, 0, '');
            INSERT INTO refs (repository_id, name, target) VALUES ('one', 'refs/heads/main', x'01'), ('two', 'refs/heads/main', x'09');
            INSERT INTO pull_requests (account, region, number, repository_id, title, author, is_open, created, active, source,
                destination, source_commit, destination_commit, revision_id)
                VALUES ('111122223333', 'us-east-1', 1, 'one', '', '', 0, 0, 0, '', '', x'02', x'01', '');
        "
        .replace("x'0", &format!("x'{}0", "00".repeat(19)));
        store.write(move |transaction| transaction.execute_all(&rows)).expect("the rows fit the tables");
        let roots = store.read(|transaction| reachability_roots(transaction, "one")).expect("the tables exist");
        let last_bytes: Vec<u8> = roots.iter().map(|id| id.as_slice()[19]).collect();
        assert_eq!(last_bytes, [1, 2]);
    }
}
