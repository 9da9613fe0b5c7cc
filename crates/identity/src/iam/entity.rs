//! Users, groups and roles: rows of the table `principals`.

use aws::query::ESCAPED;
use aws::{AccountId, Facts, Timestamp};
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};
use store::{Error, Row, Transaction};

use super::IamError;
use super::call::IamCall;
use super::tags::{self, Tag};
use crate::Exception;
use crate::role::DURATION_SECONDS;
use crate::tables::HolderKind;
use crate::tables::issued::read_tags;

const COLUMNS: &str =
    "number, kind, name, path, id, created, boundary, tags, trust, max_seconds, description, declared";

/// A user, group or role.
pub(crate) struct Entity {
    pub(crate) number: i64,
    pub(crate) kind: HolderKind,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: i64,
    /// The ARN of the permissions boundary.
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    /// The trust policy of a role.
    pub(crate) trust: Option<String>,
    pub(crate) max_seconds: Option<i64>,
    pub(crate) description: Option<String>,
    pub(crate) is_declared: bool,
}

impl Entity {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            number: row.integer(0)?,
            kind: HolderKind::parse(&row.text(1)?)?,
            name: row.text(2)?,
            path: row.text(3)?,
            id: row.text(4)?,
            created: row.integer(5)?,
            boundary: row.optional_text(6)?,
            tags: read_tags(&row.text(7)?)?,
            trust: row.optional_text(8)?,
            max_seconds: row.optional_integer(9)?,
            description: row.optional_text(10)?,
            is_declared: row.integer(11)? != 0,
        })
    }

    /// Finds an entity by its name, without regard to case.
    pub(crate) fn find(
        transaction: &Transaction,
        account: &AccountId,
        kind: HolderKind,
        name: &str,
    ) -> Result<Option<Self>, Error> {
        transaction.query_one(
            &format!("SELECT {COLUMNS} FROM principals WHERE account = ?1 AND kind = ?2 AND lower_name = ?3"),
            &[account.as_str().into(), kind.as_str().into(), (&name.to_lowercase()).into()],
            Self::read,
        )
    }

    /// Lists the entities of the account below a path, by name.
    pub(crate) fn list(iam: &IamCall<'_>, kind: HolderKind, path_prefix: &str) -> Result<Vec<Self>, Error> {
        let all = iam.transaction.query(
            &format!("SELECT {COLUMNS} FROM principals WHERE account = ?1 AND kind = ?2 ORDER BY lower_name"),
            &[iam.account().as_str().into(), kind.as_str().into()],
            Self::read,
        )?;
        Ok(all.into_iter().filter(|entity| entity.path.starts_with(path_prefix)).collect())
    }

    /// Lists the entities that a query selects by their numbers, by name.
    pub(crate) fn select(iam: &IamCall<'_>, numbers: &str, values: &[store::Value<'_>]) -> Result<Vec<Self>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM principals WHERE number IN ({numbers}) ORDER BY lower_name");
        iam.transaction.query(&sql, values, Self::read)
    }

    /// Creates an entity of the call with no number yet.
    pub(crate) fn new(iam: &IamCall<'_>, kind: HolderKind, name: &str, path: &str) -> Self {
        let prefix = match kind {
            HolderKind::User => "AIDA",
            HolderKind::Group => "AGPA",
            HolderKind::Role => "AROA",
        };
        Self {
            number: 0,
            kind,
            name: name.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            id: iam.new_id(prefix, 17),
            created: iam.now(),
            boundary: None,
            tags: Vec::new(),
            trust: None,
            max_seconds: None,
            description: None,
            is_declared: false,
        }
    }

    /// Requests the permission to create the entity, and to tag it if it has tags, and stores it.
    pub(crate) fn create(&self, iam: &IamCall<'_>) -> Result<(), Exception> {
        let facts = tags::request_facts(Facts::default(), &self.tags);
        let facts = match &self.boundary {
            Some(arn) => facts.with("iam:PermissionsBoundary", iam.shown_arn(arn)),
            None => facts,
        };
        iam.allow(&self.arn(iam), &facts)?;
        if !self.tags.is_empty() {
            iam.call.allow_action(&format!("iam:Tag{}", self.noun()), &self.arn(iam), &facts)?;
        }
        self.check_name(iam)?;
        iam.transaction.execute(
            "INSERT INTO principals (account, kind, lower_name, name, path, id, created, boundary, tags, trust, max_seconds, description, declared)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0)",
            &[
                iam.account().as_str().into(),
                self.kind.as_str().into(),
                (&self.name.to_lowercase()).into(),
                (&self.name).into(),
                (&self.path).into(),
                (&self.id).into(),
                self.created.into(),
                self.boundary.as_deref().into(),
                (&tags::write(&self.tags)).into(),
                self.trust.as_deref().into(),
                self.max_seconds.into(),
                self.description.as_deref().into(),
            ],
        )?;
        // It is a changed row from here on.
        iam.find(self.kind, &self.name)?;
        Ok(())
    }

    /// Refuses a name that another entity has.
    pub(crate) fn check_name(&self, iam: &IamCall<'_>) -> Result<(), Exception> {
        let other = iam.find(self.kind, &self.name)?;
        if other.is_some_and(|other| other.number != self.number) {
            let message = format!("{} with name {} already exists.", self.noun(), self.name);
            return Err(IamError::already_exists(message));
        }
        Ok(())
    }

    /// Stores the changed columns of the entity.
    pub(crate) fn update(&self, iam: &IamCall<'_>) -> Result<(), Exception> {
        iam.transaction.execute(
            "UPDATE principals SET lower_name = ?2, name = ?3, path = ?4, boundary = ?5, tags = ?6, trust = ?7, max_seconds = ?8,
             description = ?9 WHERE number = ?1",
            &[
                self.number.into(),
                (&self.name.to_lowercase()).into(),
                (&self.name).into(),
                (&self.path).into(),
                self.boundary.as_deref().into(),
                (&tags::write(&self.tags)).into(),
                self.trust.as_deref().into(),
                self.max_seconds.into(),
                self.description.as_deref().into(),
            ],
        )?;
        Ok(())
    }

    /// Returns the entity if the API may change it.
    pub(crate) fn modifiable(self) -> Result<Self, Exception> {
        if self.is_declared {
            return Err(IamError::unmodifiable(&format!("{} {}", self.kind.as_str(), self.name)));
        }
        Ok(self)
    }

    /// Refuses to delete an entity while rows of a table refer to it; `what` is the rest of AWS's sentence.
    pub(crate) fn refuse_while(
        &self,
        iam: &IamCall<'_>,
        table: &str,
        column: &str,
        what: &str,
    ) -> Result<(), Exception> {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} = ?1");
        if iam.count(&sql, &[self.number.into()])? > 0 {
            return Err(IamError::delete_conflict(format!("Cannot delete entity, must {what} first.")));
        }
        Ok(())
    }

    /// Deletes the entity with its belongings and its sessions.
    pub(crate) fn delete(&self, iam: &IamCall<'_>) -> Result<(), Exception> {
        iam.transaction.execute("DELETE FROM principals WHERE number = ?1", &[self.number.into()])?;
        Ok(crate::session::delete_of(iam.transaction, &self.id)?)
    }

    /// Returns the ARN in the partition of the call.
    pub(crate) fn arn(&self, iam: &IamCall<'_>) -> String {
        iam.arn(format!("{}{}{}", self.kind.as_str(), self.path, self.name))
    }

    /// Returns what policies can ask about the entity: its tags and its permissions boundary.
    pub(crate) fn facts(&self, iam: &IamCall<'_>) -> Facts {
        let facts = tags::resource_facts(&self.tags);
        match &self.boundary {
            Some(arn) => facts.with("iam:PermissionsBoundary", iam.shown_arn(arn)),
            None => facts,
        }
    }

    fn noun(&self) -> &'static str {
        match self.kind {
            HolderKind::User => "User",
            HolderKind::Group => "Group",
            HolderKind::Role => "Role",
        }
    }

    /// Returns the entity in the form of lists.
    pub(crate) fn summary(&self, iam: &IamCall<'_>) -> Value {
        let noun = self.noun();
        let mut members = json!({
            "Path": self.path, format!("{noun}Name"): self.name, format!("{noun}Id"): self.id, "Arn": self.arn(iam),
            "CreateDate": iso(self.created),
        });
        if self.kind == HolderKind::Role {
            members["AssumeRolePolicyDocument"] = encoded(self.trust.as_deref().unwrap_or_default()).into();
            members["Description"] = self.description.as_deref().filter(|text| !text.is_empty()).into();
            members["MaxSessionDuration"] = self.max_seconds.unwrap_or(DURATION_SECONDS).into();
        }
        members
    }

    /// Returns the entity with its permissions boundary and its tags.
    pub(crate) fn details(&self, iam: &IamCall<'_>) -> Value {
        let mut members = self.summary(iam);
        if let Some(arn) = &self.boundary {
            let arn = iam.shown_arn(arn);
            members["PermissionsBoundary"] =
                json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn });
        }
        if !self.tags.is_empty() {
            members["Tags"] = Tag::list(&self.tags);
        }
        members
    }
}

/// Writes a time in the form of replies.
pub(crate) fn iso(millis: i64) -> String {
    Timestamp::from_millis(millis).iso()
}

/// Writes a document in the form of replies, percent-encoded.
pub(crate) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ESCAPED).to_string()
}
