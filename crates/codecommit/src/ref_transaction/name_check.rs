//! Checks of the names of new references.

use git::{BString, ByteSlice};
use store::{Error, Transaction};

use crate::name::BranchName;

/// Returns the short name of a branch that `CreateBranch` would refuse; names that are not UTF-8 are valid in Git only.
pub(super) fn invalid_branch_name(reference: &BString) -> Option<String> {
    let short = reference.strip_prefix(b"refs/heads/")?.to_str().ok()?;
    BranchName::parse(Some(short.to_owned())).is_err().then(|| short.to_owned())
}

/// Finds a reference that is a folder of the name, or that has the name as a folder: a clone could not store both as files.
pub(super) fn find_conflict(
    transaction: &Transaction,
    repository_id: &str,
    name: &BString,
) -> Result<Option<BString>, Error> {
    // Every name that sorts between a folder of the name and the name itself begins with that folder, so the name found
    // before a folder rules out all longer folders too.
    let mut rest = name.as_slice();
    while let Some(end) = rest.rfind_byte(b'/') {
        let folder = &name[..end];
        let before = transaction.query_one(
            "SELECT name FROM refs WHERE repository_id = ?1 AND name <= ?2 ORDER BY name DESC LIMIT 1",
            &[repository_id.into(), folder.into()],
            |row| row.blob(0),
        )?;
        let Some(before) = before else { break };
        if before == folder {
            return Ok(Some(before.into()));
        }
        let shared = before.iter().zip(name.iter()).take_while(|(one, other)| one == other).count();
        rest = &name[..=shared];
    }
    let (mut first, mut end) = (name.clone(), name.clone());
    first.push(b'/');
    // The byte after `/`.
    end.push(b'0');
    transaction.query_one(
        "SELECT name FROM refs WHERE repository_id = ?1 AND name > ?2 AND name < ?3 LIMIT 1",
        &[repository_id.into(), first.as_slice().into(), end.as_slice().into()],
        |row| Ok(row.blob(0)?.into()),
    )
}
