//! A call of IAM in a transaction: permissions, and the entities that it names.

use std::cell::RefCell;

use aws::caller::Kind;
use aws::{AccountId, Call, Facts, GlobalArn, Partition};
use store::Transaction;

use super::entity::Entity;
use super::{Iam, IamError};
use crate::tables::HolderKind;
use crate::tables::issued::Changed;
use crate::{Exception, derived_id};

/// A call of IAM in a transaction: that of its record, or one that only reads.
pub(crate) struct IamCall<'c> {
    pub(crate) iam: &'c Iam,
    pub(crate) call: &'c Call,
    pub(crate) transaction: &'c Transaction,
    /// The rows that the call may change: those of all entities that it looks up.
    pub(crate) changed: RefCell<Changed>,
}

impl<'c> IamCall<'c> {
    pub(crate) fn new(iam: &'c Iam, call: &'c Call, transaction: &'c Transaction) -> Self {
        Self { iam, call, transaction, changed: RefCell::default() }
    }

    /// Returns the account.
    pub(crate) fn account(&self) -> &AccountId {
        &self.call.account
    }

    /// Returns the time of the call in milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.call.time.millis()
    }

    /// Creates a unique id, such as `AIDA` and seventeen letters and digits.
    pub(crate) fn new_id(&self, prefix: &str, letters: usize) -> String {
        derived_id(prefix, letters, self.iam.clock.seed())
    }

    /// Returns the ARN of a resource of the account, in the partition of the call.
    pub(crate) fn arn(&self, resource: impl Into<String>) -> String {
        GlobalArn::iam(self.call.region.partition(), self.account(), resource).to_string()
    }

    /// Returns an ARN of the tables in the partition of the call.
    pub(crate) fn shown_arn(&self, arn: &str) -> String {
        match arn.strip_prefix("arn:aws:") {
            Some(rest) => format!("arn:{}:{rest}", self.call.region.partition()),
            None => arn.to_owned(),
        }
    }

    /// Returns an ARN of the input in the form of the tables: that of the partition `aws`.
    pub(crate) fn stored_arn(&self, arn: &str) -> String {
        match arn.strip_prefix(&format!("arn:{}:", self.call.region.partition())) {
            Some(rest) => format!("arn:{}:{rest}", Partition::Aws),
            None => arn.to_owned(),
        }
    }

    /// Requests the permission for the operation on no particular resource.
    pub(crate) fn allow_all(&self) -> Result<(), Exception> {
        Ok(self.call.allow("*", &Facts::default())?)
    }

    /// Requests the permission for the operation on a resource.
    pub(crate) fn allow(&self, arn: &str, facts: &Facts) -> Result<(), Exception> {
        Ok(self.call.allow(arn, facts)?)
    }

    /// Finds a user, group or role, without regard to case.
    pub(crate) fn find(&self, kind: HolderKind, name: &str) -> Result<Option<Entity>, Exception> {
        let found = Entity::find(self.transaction, self.account(), kind, name)?;
        self.changed.borrow_mut().principals.extend(found.as_ref().map(|entity| entity.number));
        Ok(found)
    }

    /// Finds a user, group or role for which the caller has the permission.
    ///
    /// The permission is requested whether or not there is the entity, so that a caller without it learns nothing.
    pub(crate) fn get(&self, kind: HolderKind, name: &str) -> Result<Entity, Exception> {
        self.get_with(kind, name, |facts| facts)
    }

    /// Does the same with the facts about the request that `add` adds to those about the entity.
    pub(crate) fn get_with(
        &self,
        kind: HolderKind,
        name: &str,
        add: impl FnOnce(Facts) -> Facts,
    ) -> Result<Entity, Exception> {
        let found = self.find(kind, name)?;
        let (arn, facts) = match &found {
            Some(entity) => (entity.arn(self), entity.facts(self)),
            None => (self.arn(format!("{}/{name}", kind.as_str())), Facts::default()),
        };
        self.allow(&arn, &add(facts))?;
        found
            .ok_or_else(|| IamError::no_such_entity(format!("The {} with name {name} cannot be found.", kind.as_str())))
    }

    /// Finds a user by the name of the input, or without one the user that calls.
    pub(crate) fn get_user(&self, name: &str) -> Result<Entity, Exception> {
        self.get(HolderKind::User, &self.user_name(name)?)
    }

    /// Returns the user name of the input, or without one that of the caller.
    pub(crate) fn user_name(&self, name: &str) -> Result<String, Exception> {
        let caller = &self.call.caller;
        match (&caller.user_name, caller.kind) {
            _ if !name.is_empty() => Ok(name.to_owned()),
            (Some(name), Kind::IamUser) => Ok(name.clone()),
            _ => Err(IamError::validation("Must specify userName when calling with non-User credentials")),
        }
    }

    /// Returns the number in the first column of the first row.
    pub(crate) fn count(&self, sql: &str, values: &[store::Value<'_>]) -> Result<i64, Exception> {
        Ok(self.transaction.query_one(sql, values, |row| row.integer(0))?.unwrap_or(0))
    }
}
