//! SSH public keys of users.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Row;

use super::call::IamCall;
use super::entity::{Entity, iso};
use super::paging::Paging;
use super::{IamError, credential_row, input};
use crate::Exception;
use crate::ssh_public_key::SshPublicKey;
use crate::sts::input::{length, required};
use crate::tables::{ACTIVE, HolderKind};

/// The table of the keys.
const TABLE: &str = "ssh_public_keys";

/// Maximum number of keys of a user.
const KEYS_MAX: usize = 5;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UploadInput {
    user_name: String,
    #[serde(rename = "SSHPublicKeyBody")]
    body: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct KeyInput {
    user_name: String,
    #[serde(rename = "SSHPublicKeyId")]
    id: String,
    encoding: String,
    status: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    user_name: String,
    #[serde(flatten)]
    paging: Paging,
}

/// A key of a user.
struct KeyRow {
    id: String,
    body: String,
    fingerprint: String,
    status: String,
    uploaded: i64,
}

impl KeyRow {
    fn read(row: &Row<'_>) -> Result<Self, store::Error> {
        Ok(Self {
            id: row.text(0)?,
            body: row.text(1)?,
            fingerprint: row.text(2)?,
            status: row.text(3)?,
            uploaded: row.integer(4)?,
        })
    }

    /// Returns the key in the form of replies, with a body.
    fn shown(&self, user: &Entity, body: &str) -> Value {
        json!({ "SSHPublicKey": {
            "UserName": user.name, "SSHPublicKeyId": self.id, "Fingerprint": self.fingerprint, "SSHPublicKeyBody": body,
            "Status": self.status, "UploadDate": iso(self.uploaded),
        } })
    }
}

pub(crate) fn upload(iam: &IamCall<'_>, input: &UploadInput) -> Result<Value, Exception> {
    input::name("userName", &input.user_name, 64)?;
    required("sSHPublicKeyBody", &input.body)?;
    length("sSHPublicKeyBody", &input.body, 1..=16_384)?;
    let user = iam.get(HolderKind::User, &input.user_name)?;
    let key = parse(&input.body)?;
    let own = all(iam, &user)?;
    if own.iter().any(|other| SshPublicKey::parse(&other.body).is_ok_and(|other| other == key)) {
        return Err(IamError::duplicate_public_key());
    }
    if own.len() >= KEYS_MAX {
        return Err(IamError::limit_exceeded(format!("Cannot exceed quota for SSHPublicKeysPerUser: {KEYS_MAX}")));
    }
    let row = KeyRow {
        id: iam.new_id("APKA", 17),
        body: key.line(),
        fingerprint: key.fingerprint(),
        status: ACTIVE.to_owned(),
        uploaded: iam.now(),
    };
    iam.transaction.execute(
        "INSERT INTO ssh_public_keys (id, principal, body, fingerprint, status, uploaded, declared) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
        &[
            (&row.id).into(),
            user.number.into(),
            (&row.body).into(),
            (&row.fingerprint).into(),
            (&row.status).into(),
            row.uploaded.into(),
        ],
    )?;
    Ok(row.shown(&user, &input.body))
}

/// Parses a key in the form of SSH or PEM.
fn parse(body: &str) -> Result<SshPublicKey, Exception> {
    let text = body.trim();
    if text.starts_with("-----BEGIN") {
        return SshPublicKey::from_pem(text).ok_or_else(IamError::invalid_public_key);
    }
    if !text.starts_with("ssh-rsa ") {
        return Err(IamError::unknown_encoding());
    }
    SshPublicKey::parse(text).map_err(|_| IamError::invalid_public_key())
}

pub(crate) fn get(iam: &IamCall<'_>, input: &KeyInput) -> Result<Value, Exception> {
    required("encoding", &input.encoding)?;
    input::one_of("encoding", &input.encoding, &["SSH", "PEM"])?;
    check_input(input)?;
    let user = iam.get(HolderKind::User, &input.user_name)?;
    let found = all(iam, &user)?.into_iter().find(|key| key.id == input.id);
    let row = found.ok_or_else(|| IamError::no_such_entity(missing(&input.id)))?;
    let key = SshPublicKey::parse(&row.body).map_err(|_| store::Error::Damaged("an SSH public key"))?;
    let body = if input.encoding == "PEM" { key.to_pem() } else { key.line() };
    Ok(row.shown(&user, &body))
}

pub(crate) fn list(iam: &IamCall<'_>, input: &ListInput) -> Result<Value, Exception> {
    input::optional_name("userName", &input.user_name, 64)?;
    input.paging.check()?;
    let user = iam.get_user(&input.user_name)?;
    let keys = all(iam, &user)?;
    input.paging.page(
        "SSHPublicKeys",
        &keys,
        |key| format!("{:020}{}", key.uploaded, key.id),
        |key| {
            json!({
                "UserName": user.name, "SSHPublicKeyId": key.id, "Status": key.status, "UploadDate": iso(key.uploaded),
            })
        },
    )
}

pub(crate) fn update(iam: &IamCall<'_>, input: &KeyInput) -> Result<Value, Exception> {
    input::status(&input.status)?;
    own_key(iam, input)?;
    credential_row::set_status(iam, TABLE, &input.id, &input.status)
}

pub(crate) fn delete(iam: &IamCall<'_>, input: &KeyInput) -> Result<Value, Exception> {
    own_key(iam, input)?;
    credential_row::delete(iam, TABLE, &input.id)
}

/// Refuses a key that is not an issued one of the user.
fn own_key(iam: &IamCall<'_>, input: &KeyInput) -> Result<(), Exception> {
    check_input(input)?;
    let user = iam.get(HolderKind::User, &input.user_name)?;
    credential_row::check_own(iam, &user, TABLE, &input.id, missing(&input.id))
}

fn check_input(input: &KeyInput) -> Result<(), Exception> {
    input::name("userName", &input.user_name, 64)?;
    input::id("sSHPublicKeyId", &input.id)
}

fn missing(id: &str) -> String {
    format!("The Public Key with id {id} cannot be found.")
}

/// Lists the keys of a user, the oldest first.
fn all(iam: &IamCall<'_>, user: &Entity) -> Result<Vec<KeyRow>, Exception> {
    Ok(iam.transaction.query(
        "SELECT id, body, fingerprint, status, uploaded FROM ssh_public_keys WHERE principal = ?1 ORDER BY uploaded, id",
        &[user.number.into()],
        KeyRow::read,
    )?)
}
