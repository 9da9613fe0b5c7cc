//! Service-specific credentials: user names and passwords for Git over HTTP.

use aws::query;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Row;

use super::call::IamCall;
use super::entity::{Entity, iso};
use super::paging::Paging;
use super::{IamError, credential_row, input};
use crate::sts::input::required;
use crate::tables::{ACTIVE, HolderKind};
use crate::{Exception, PasswordHash, make_password};

/// The table of the credentials.
const TABLE: &str = "service_credentials";

/// The only service that has such credentials here.
const SERVICE: &str = "codecommit.amazonaws.com";

/// Maximum number of credentials of a user.
const CREDENTIALS_MAX: i64 = 2;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateInput {
    user_name: String,
    service_name: String,
    #[serde(deserialize_with = "query::integer")]
    credential_age_days: Option<i64>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    user_name: String,
    service_name: String,
    #[serde(deserialize_with = "query::boolean")]
    all_users: Option<bool>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CredentialInput {
    user_name: String,
    service_specific_credential_id: String,
    status: String,
}

/// A credential without its password.
struct Credential {
    id: String,
    owner: String,
    user_name: String,
    status: String,
    created: i64,
}

const COLUMNS: &str = "service_credentials.id, principals.name, user_name, status, service_credentials.created";

impl Credential {
    fn read(row: &Row<'_>) -> Result<Self, store::Error> {
        Ok(Self {
            id: row.text(0)?,
            owner: row.text(1)?,
            user_name: row.text(2)?,
            status: row.text(3)?,
            created: row.integer(4)?,
        })
    }

    fn shown(&self) -> Value {
        json!({
            "UserName": self.owner, "Status": self.status, "ServiceUserName": self.user_name, "CreateDate": iso(self.created),
            "ServiceSpecificCredentialId": self.id, "ServiceName": SERVICE,
        })
    }

    /// Returns the credential with its password, which is shown once.
    fn with_password(&self, password: &str) -> Value {
        json!({ "ServiceSpecificCredential": {
            "CreateDate": iso(self.created), "ServiceName": SERVICE, "ServiceUserName": self.user_name,
            "ServicePassword": password, "ServiceSpecificCredentialId": self.id, "UserName": self.owner,
            "Status": self.status,
        } })
    }
}

pub(crate) fn create(iam: &IamCall<'_>, input: &CreateInput) -> Result<Value, Exception> {
    input::name("userName", &input.user_name, 64)?;
    required("serviceName", &input.service_name)?;
    let facts = |facts: aws::Facts| facts.with("iam:ServiceSpecificCredentialServiceName", &*input.service_name);
    let user = iam.get_with(HolderKind::User, &input.user_name, facts)?;
    check_service(&input.service_name)?;
    if input.credential_age_days.is_some() {
        return Err(IamError::invalid_input(format!("CredentialAgeDays is not supported for {SERVICE}")));
    }
    let own = "SELECT COUNT(*) FROM service_credentials WHERE principal = ?1";
    if iam.count(own, &[user.number.into()])? >= CREDENTIALS_MAX {
        let quota = "ServiceSpecificCredentialsPerUser";
        return Err(IamError::limit_exceeded(format!("Cannot exceed quota for {quota}: {CREDENTIALS_MAX}")));
    }
    let credential = Credential {
        id: iam.new_id("ACCA", 17),
        user_name: free_user_name(iam, &user)?,
        owner: user.name,
        status: ACTIVE.to_owned(),
        created: iam.now(),
    };
    let (password, hash) = new_password(iam);
    iam.transaction.execute(
        "INSERT INTO service_credentials (id, principal, user_name, password_hash, status, created, declared)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
        &[
            (&credential.id).into(),
            user.number.into(),
            (&credential.user_name).into(),
            hash.as_bytes().into(),
            (&credential.status).into(),
            credential.created.into(),
        ],
    )?;
    Ok(credential.with_password(&password))
}

/// Returns the first free user name of a user: `NAME-at-ACCOUNT`, `NAME+1-at-ACCOUNT` and so on.
fn free_user_name(iam: &IamCall<'_>, user: &Entity) -> Result<String, Exception> {
    let (name, account) = (&user.name, iam.account());
    for number in 0.. {
        let number = if number == 0 { String::new() } else { format!("+{number}") };
        let user_name = format!("{name}{number}-at-{account}");
        let same = "SELECT COUNT(*) FROM service_credentials WHERE user_name = ?1";
        if iam.count(same, &[(&user_name).into()])? == 0 {
            return Ok(user_name);
        }
    }
    unreachable!("there are more numbers than credentials")
}

/// Creates a password with random numbers of its own, as the ids of a call can be derived from one another.
fn new_password(iam: &IamCall<'_>) -> (String, PasswordHash) {
    let mut random = [0; 32];
    for half in random.chunks_exact_mut(16) {
        half.copy_from_slice(&iam.iam.clock.seed().to_be_bytes());
    }
    let password = make_password(&random);
    let hash = PasswordHash::of(&password);
    (password, hash)
}

fn check_service(name: &str) -> Result<(), Exception> {
    if name == SERVICE { Ok(()) } else { Err(IamError::unsupported_service(name)) }
}

pub(crate) fn list(iam: &IamCall<'_>, input: &ListInput) -> Result<Value, Exception> {
    input::optional_name("userName", &input.user_name, 64)?;
    input.paging.check()?;
    let credentials = if input.all_users == Some(true) {
        iam.allow_all()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM service_credentials JOIN principals ON number = principal WHERE account = ?1"
        );
        iam.transaction.query(&sql, &[iam.account().as_str().into()], Credential::read)?
    } else {
        let user = iam.get_user(&input.user_name)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM service_credentials JOIN principals ON number = principal WHERE number = ?1"
        );
        iam.transaction.query(&sql, &[user.number.into()], Credential::read)?
    };
    if !input.service_name.is_empty() {
        check_service(&input.service_name)?;
    }
    let mut credentials = credentials;
    let key = |credential: &Credential| format!("{:020}{}", credential.created, credential.id);
    credentials.sort_by_key(key);
    input.paging.page("ServiceSpecificCredentials", &credentials, key, Credential::shown)
}

pub(crate) fn update(iam: &IamCall<'_>, input: &CredentialInput) -> Result<Value, Exception> {
    input::status(&input.status)?;
    own_credential(iam, input)?;
    credential_row::set_status(iam, TABLE, &input.service_specific_credential_id, &input.status)
}

pub(crate) fn reset(iam: &IamCall<'_>, input: &CredentialInput) -> Result<Value, Exception> {
    own_credential(iam, input)?;
    let id = &input.service_specific_credential_id;
    let (password, hash) = new_password(iam);
    iam.transaction.execute(
        "UPDATE service_credentials SET password_hash = ?2 WHERE id = ?1",
        &[id.into(), hash.as_bytes().into()],
    )?;
    let sql = format!(
        "SELECT {COLUMNS} FROM service_credentials JOIN principals ON number = principal WHERE service_credentials.id = ?1"
    );
    let credential = iam.transaction.query_one(&sql, &[id.into()], Credential::read)?;
    Ok(credential.ok_or(store::Error::Damaged("a credential"))?.with_password(&password))
}

pub(crate) fn delete(iam: &IamCall<'_>, input: &CredentialInput) -> Result<Value, Exception> {
    own_credential(iam, input)?;
    credential_row::delete(iam, TABLE, &input.service_specific_credential_id)
}

/// Refuses a credential that is not an issued one of the user.
fn own_credential(iam: &IamCall<'_>, input: &CredentialInput) -> Result<(), Exception> {
    input::optional_name("userName", &input.user_name, 64)?;
    let id = input.service_specific_credential_id.as_str();
    input::id("serviceSpecificCredentialId", id)?;
    let user = iam.get_user(&input.user_name)?;
    let missing = format!("The service specific credential with id {id} cannot be found.");
    credential_row::check_own(iam, &user, TABLE, id, missing)
}
