//! Access keys of users.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::IamCall;
use super::entity::{Entity, iso};
use super::paging::Paging;
use super::{IamError, credential_row, input};
use crate::Exception;
use crate::key_use::KeyUse;
use crate::tables::{ACTIVE, HolderKind};

/// The table of the keys.
const TABLE: &str = "access_keys";

/// Maximum number of access keys of a user.
const KEYS_MAX: i64 = 2;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct KeyInput {
    user_name: String,
    access_key_id: String,
    status: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    user_name: String,
    #[serde(flatten)]
    paging: Paging,
}

pub(crate) fn create(iam: &IamCall<'_>, input: &KeyInput) -> Result<Value, Exception> {
    input::optional_name("userName", &input.user_name, 128)?;
    let user = iam.get_user(&input.user_name)?;
    let own = "SELECT COUNT(*) FROM access_keys WHERE principal = ?1";
    if iam.count(own, &[user.number.into()])? >= KEYS_MAX {
        return Err(IamError::limit_exceeded(format!("Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}")));
    }
    let id = iam.new_id("AKIA", 16);
    iam.transaction.execute(
        "INSERT INTO access_keys (id, principal, status, created, declared) VALUES (?1, ?2, ?3, ?4, 0)",
        &[(&id).into(), user.number.into(), ACTIVE.into(), iam.now().into()],
    )?;
    let secret = iam.iam.root_key.secret(&id);
    Ok(json!({ "AccessKey": {
        "UserName": user.name, "AccessKeyId": id, "Status": ACTIVE, "SecretAccessKey": secret.as_str(),
        "CreateDate": iso(iam.now()),
    } }))
}

pub(crate) fn list(iam: &IamCall<'_>, input: &ListInput) -> Result<Value, Exception> {
    input::optional_name("userName", &input.user_name, 128)?;
    input.paging.check()?;
    let user = iam.get_user(&input.user_name)?;
    let keys = iam.transaction.query(
        "SELECT id, status, created FROM access_keys WHERE principal = ?1 ORDER BY created, id",
        &[user.number.into()],
        |row| Ok((row.text(0)?, row.text(1)?, row.integer(2)?)),
    )?;
    let key = |(id, _, created): &(String, String, i64)| format!("{created:020}{id}");
    input.paging.page("AccessKeyMetadata", &keys, key, |(id, status, created)| {
        json!({ "UserName": user.name, "AccessKeyId": id, "Status": status, "CreateDate": iso(*created) })
    })
}

pub(crate) fn update(iam: &IamCall<'_>, input: &KeyInput) -> Result<Value, Exception> {
    input::status(&input.status)?;
    own_key(iam, input)?;
    credential_row::set_status(iam, TABLE, &input.access_key_id, &input.status)
}

pub(crate) fn delete(iam: &IamCall<'_>, input: &KeyInput) -> Result<Value, Exception> {
    own_key(iam, input)?;
    credential_row::delete(iam, TABLE, &input.access_key_id)
}

/// Returns the user of a key of the account, and the last use of the key since the start of the server.
pub(crate) fn get_last_used(iam: &IamCall<'_>, input: &KeyInput) -> Result<Value, Exception> {
    input::id("accessKeyId", &input.access_key_id)?;
    let id = &input.access_key_id;
    let owner = Entity::select(iam, "SELECT principal FROM access_keys WHERE id = ?1", &[id.into()])?.pop();
    let owner = match owner {
        Some(owner) => iam.find(HolderKind::User, &owner.name)?.filter(|found| found.number == owner.number),
        None => None,
    };
    match &owner {
        Some(owner) => iam.allow(&owner.arn(iam), &owner.facts(iam))?,
        None => iam.allow_all()?,
    }
    let missing = || IamError::no_such_entity(format!("The Access Key with id {id} cannot be found."));
    let owner = owner.ok_or_else(missing)?;
    let last_used = match iam.iam.key_uses.last(id) {
        Some(KeyUse { time, service, region }) => {
            json!({ "LastUsedDate": time.iso(), "ServiceName": service, "Region": region.as_str() })
        }
        None => json!({ "ServiceName": "N/A", "Region": "N/A" }),
    };
    Ok(json!({ "UserName": owner.name, "AccessKeyLastUsed": last_used }))
}

/// Refuses a key that is not an issued one of the user.
fn own_key(iam: &IamCall<'_>, input: &KeyInput) -> Result<(), Exception> {
    input::optional_name("userName", &input.user_name, 128)?;
    input::id("accessKeyId", &input.access_key_id)?;
    let id = input.access_key_id.as_str();
    let user = iam.get_user(&input.user_name)?;
    credential_row::check_own(iam, &user, TABLE, id, format!("The Access Key with id {id} cannot be found."))
}
