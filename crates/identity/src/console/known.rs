//! The identities that the sign-in page of open access offers.

use aws::{AccountId, GlobalArn, Partition};
use store::Error;

use crate::Sts;

/// An identity of the identities file or of the IAM API, or the default user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownIdentity {
    /// The ARN, with the path.
    pub arn: String,
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: KnownKind,
    /// The name.
    pub name: String,
    /// Whether requests without credentials have this caller.
    pub is_default: bool,
}

/// The kind of a known identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownKind {
    /// A user.
    User,
    /// A role.
    Role,
}

impl Sts {
    /// Lists the default user, and at most `limit` users and roles by account, kind and name; users come first.
    pub fn known_identities(&self, limit: u32) -> Result<Vec<KnownIdentity>, Error> {
        let default = self.identities().default.clone();
        let name = default.user_name.clone().unwrap_or_default();
        let default = KnownIdentity {
            arn: default.arn,
            account: default.account_id,
            kind: KnownKind::User,
            name,
            is_default: true,
        };
        let rows = self.store().read(|transaction| {
            transaction.query(
                "SELECT account, kind, path, name FROM principals WHERE kind IN ('user', 'role')
                 ORDER BY account, kind DESC, lower_name LIMIT ?1",
                &[i64::from(limit).into()],
                |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?)),
            )
        })?;
        let mut known = vec![default];
        for (account, kind, path, name) in rows {
            let account: AccountId = account.parse().map_err(|_| Error::Damaged("the account of a principal"))?;
            let arn = GlobalArn::iam(Partition::Aws, &account, format!("{kind}{path}{name}")).to_string();
            let kind = if kind == "user" { KnownKind::User } else { KnownKind::Role };
            let is_default = arn == known[0].arn;
            if !is_default {
                known.push(KnownIdentity { arn, account, kind, name, is_default });
            }
        }
        Ok(known)
    }
}
