//! Repositories in the database.

use aws::permission::RESOURCE_TAG;
use aws::{AccountId, Arn, Call, Denial, Encrypted, Facts, Region, Resource, Timestamp};
use aws_sdk_codecommit::types::RepositoryMetadata;
use git::BString;
use store::{Error, Row, Transaction};

use crate::Exception;
use crate::name::RepositoryName;

/// Repository.
#[derive(Clone, Debug)]
pub struct Repository {
    /// UUID; it stays the same when the name changes.
    pub id: String,
    /// Account that owns it.
    pub account: AccountId,
    /// Region that it is in.
    pub region: Region,
    /// Name, unique in the account and region.
    pub name: String,
    /// Description, if it has one.
    pub description: Option<String>,
    /// Full name of the default branch; `None` until the first commit.
    pub default_branch: Option<BString>,
    /// Time of its creation.
    pub created: Timestamp,
    /// Time of its last change, by a push or a call.
    pub modified: Timestamp,
    /// ARN of its encryption key.
    pub kms_key_id: String,
    /// Number of changes of its references and its default branch.
    pub(crate) refs_version: i64,
    /// Version of the list of its packs, if several nodes share them.
    pub(crate) packs_version: i64,
    /// Number of times that unreachable objects were removed.
    pub(crate) prunes: i64,
}

const COLUMNS: &str =
    "id, name, description, default_branch, created, modified, kms_key_id, refs_version, packs_version, prunes";

impl Repository {
    /// Returns the repository's ARN.
    pub fn arn(&self) -> Arn {
        arn_of(self.region.clone(), self.account.clone(), self.name.clone())
    }

    /// Returns the tags, each a key and a value.
    pub(crate) fn tags(&self, transaction: &Transaction) -> Result<Vec<(String, String)>, Error> {
        let sql = "SELECT key, value FROM tags WHERE repository_id = ?1";
        transaction.query(sql, &[(&self.id).into()], |row| Ok((row.text(0)?, row.text(1)?)))
    }

    /// Requests the permission to use the repository; its tags are facts if policies depend on them.
    pub(crate) fn allow(&self, transaction: &Transaction, call: &Call) -> Result<(), Exception> {
        Ok(allow_arn(call, &self.arn(), &self.facts(transaction, call)?)?)
    }

    /// Returns the tags as facts for a permission, if policies depend on them.
    pub(crate) fn facts(&self, transaction: &Transaction, call: &Call) -> Result<Facts, Error> {
        let tags = if call.mentions(RESOURCE_TAG) { self.tags(transaction)? } else { Vec::new() };
        Ok(Facts::default().with_resource_tags(tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    /// Requests the permission to use an object of the repository that the call knows by its id, such as a pull request.
    ///
    /// A denial does not name the repository.
    pub(crate) fn allow_object(&self, transaction: &Transaction, call: &Call) -> Result<(), Exception> {
        self.allow(transaction, call).map_err(|exception| match exception {
            Exception::AccessDenied(denial) => Exception::AccessDenied(denial.hiding(&self.arn().to_string())),
            exception => exception,
        })
    }

    /// Adds the repository and its encryption key to the resources of a call, which its record shows.
    pub(crate) fn add_to_resources(&self, call: &Call) {
        call.add_resource(resource(&self.arn()));
        call.add_encrypted(Encrypted {
            context: "aws:codecommit:id",
            id: self.id.clone(),
            key: self.kms_key_id.clone(),
        });
    }

    /// Returns the short name of the default branch.
    pub fn default_branch_name(&self) -> Option<String> {
        let name = self.default_branch.as_ref()?;
        Some(name.strip_prefix(b"refs/heads/".as_slice()).map(String::from_utf8_lossy)?.into_owned())
    }

    pub(crate) fn metadata(&self, call: &Call) -> RepositoryMetadata {
        let name = &self.name;
        RepositoryMetadata::builder()
            .account_id(self.account.to_string())
            .repository_id(&self.id)
            .repository_name(name)
            .set_repository_description(self.description.clone())
            .set_default_branch(self.default_branch_name())
            .last_modified_date(self.modified.to_wire())
            .creation_date(self.created.to_wire())
            .clone_url_http(format!("{}/{name}", call.clone_url_base))
            .clone_url_ssh(format!("{}/{name}", call.ssh_clone_url_base))
            .arn(self.arn().to_string())
            .kms_key_id(&self.kms_key_id)
            .build()
    }

    fn read(row: &Row<'_>, call: &Call) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?,
            account: call.account.clone(),
            region: call.region.clone(),
            name: row.text(1)?,
            description: row.optional_text(2)?,
            default_branch: row.optional_blob(3)?.map(BString::from),
            created: Timestamp::from_millis(row.integer(4)?),
            modified: Timestamp::from_millis(row.integer(5)?),
            kms_key_id: row.text(6)?,
            refs_version: row.integer(7)?,
            packs_version: row.integer(8)?,
            prunes: row.integer(9)?,
        })
    }
}

/// Returns a repository as an element of a record's `resources`.
fn resource(arn: &Arn) -> Resource {
    Resource { kind: "AWS::CodeCommit::Repository", arn: arn.to_string(), account: arn.account.clone() }
}

/// Returns the ARN of a repository.
pub(crate) fn arn_of(region: Region, account: AccountId, name: String) -> Arn {
    Arn { service: "codecommit".to_owned(), region, account, resource: name }
}

/// Finds a repository of the call's account and region, and adds it to the call's resources.
///
/// Fails if the caller may not use the repository, whether or not it exists.
pub(crate) fn find_row(
    transaction: &Transaction,
    call: &Call,
    name: &RepositoryName,
) -> Result<Option<Repository>, Exception> {
    let found = read_row(transaction, call, name)?;
    if let Some(repository) = &found {
        repository.allow(transaction, call)?;
        repository.add_to_resources(call);
    } else {
        allow_name(call, name)?;
    }
    Ok(found)
}

/// Reads a repository of the call's account and region for this program's own use; the permission is not requested.
pub(crate) fn read_row(
    transaction: &Transaction,
    call: &Call,
    name: &RepositoryName,
) -> Result<Option<Repository>, Error> {
    transaction.query_one(
        &format!("SELECT {COLUMNS} FROM repositories WHERE account = ?1 AND region = ?2 AND name = ?3"),
        &[call.account.as_str().into(), call.region.as_str().into(), name.as_str().into()],
        |row| Repository::read(row, call),
    )
}

/// Requests the permission to use a repository that does not exist.
pub(crate) fn allow_name(call: &Call, name: &RepositoryName) -> Result<(), Exception> {
    let arn = arn_of(call.region.clone(), call.account.clone(), name.to_string());
    Ok(allow_arn(call, &arn, &Facts::default())?)
}

/// Requests the permission to use the repository of an ARN; a denied call shows it among its resources, as an allowed one does.
fn allow_arn(call: &Call, arn: &Arn, facts: &Facts) -> Result<(), Denial> {
    call.allow(&arn.to_string(), facts).inspect_err(|_denial| call.add_resource(resource(arn)))
}

/// Returns whether there is a repository with this id.
pub(crate) fn exists(transaction: &Transaction, id: &str) -> Result<bool, Error> {
    let found =
        transaction.query_one("SELECT 1 FROM repositories WHERE id = ?1", &[id.into()], |row| row.integer(0))?;
    Ok(found.is_some())
}

/// Returns a repository, which must exist.
pub(crate) fn get_row(transaction: &Transaction, call: &Call, name: &RepositoryName) -> Result<Repository, Exception> {
    let found = find_row(transaction, call, name)?;
    found.ok_or_else(|| Exception::RepositoryDoesNotExist { name: name.to_string() })
}

/// Requests the permission to use an object that does not exist, such as a pull request: that for all repositories.
///
/// A caller who may use some repositories only does not learn whether the object exists in another one.
pub(crate) fn allow_any(call: &Call) -> Result<(), Exception> {
    let arn = arn_of(call.region.clone(), call.account.clone(), "*".to_owned()).to_string();
    Ok(call.allow(&arn, &Facts::default()).map_err(|denial| denial.hiding(&arn))?)
}

/// Returns the repository of an object of the call's account and region, such as a pull request; it is deleted with the repository.
///
/// The permission is not requested.
pub(crate) fn get_row_by_id(transaction: &Transaction, call: &Call, id: &str) -> Result<Repository, Error> {
    let sql = format!("SELECT {COLUMNS} FROM repositories WHERE id = ?1");
    let found = transaction.query_one(&sql, &[id.into()], |row| Repository::read(row, call))?;
    let repository = found.ok_or(Error::Damaged("a reference to a repository"))?;
    repository.add_to_resources(call);
    Ok(repository)
}

pub(crate) fn insert(transaction: &Transaction, repository: &Repository) -> Result<(), Error> {
    transaction.note(
        "INSERT INTO repositories (id, account, region, name, description, created, modified, kms_key_id) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            (&repository.id).into(),
            repository.account.as_str().into(),
            repository.region.as_str().into(),
            (&repository.name).into(),
            repository.description.as_ref().into(),
            repository.created.millis().into(),
            repository.modified.millis().into(),
            (&repository.kms_key_id).into(),
        ],
    )
}

/// Sets one column of a repository, and the time of its last change.
pub(crate) fn set(
    transaction: &Transaction,
    call: &Call,
    id: &str,
    column: &'static str,
    value: store::Value<'_>,
) -> Result<(), Error> {
    transaction.note(
        &format!("UPDATE repositories SET {column} = ?1, modified = ?2 WHERE id = ?3"),
        &[value, call.time.millis().into(), id.into()],
    )
}

/// Sets the default branch, and increments the version of the references.
pub(crate) fn set_default_branch(
    transaction: &Transaction,
    call: &Call,
    id: &str,
    name: Option<&[u8]>,
) -> Result<(), Error> {
    transaction.note(
        "UPDATE repositories SET default_branch = ?1, modified = ?2, refs_version = refs_version + 1 WHERE id = ?3",
        &[name.into(), call.time.millis().into(), id.into()],
    )
}

/// Lists the ids of all repositories of all accounts and regions.
pub(crate) fn all_ids(transaction: &Transaction) -> Result<Vec<String>, Error> {
    transaction.query("SELECT id FROM repositories", &[], |row| row.text(0))
}

/// Lists the ids of deleted repositories whose objects may still exist.
pub(crate) fn deleted_ids(transaction: &Transaction) -> Result<Vec<String>, Error> {
    transaction.query("SELECT repository_id FROM deletions", &[], |row| row.text(0))
}

/// Clears the list of deleted repositories, after their objects are removed.
pub(crate) fn forget_deleted(transaction: &Transaction) -> Result<(), Error> {
    transaction.execute("DELETE FROM deletions", &[])?;
    Ok(())
}

/// Removes repositories from the list of deleted ones.
pub(crate) fn forget(transaction: &Transaction, ids: &[String]) -> Result<(), Error> {
    for id in ids {
        transaction.execute("DELETE FROM deletions WHERE repository_id = ?1", &[id.into()])?;
    }
    Ok(())
}
