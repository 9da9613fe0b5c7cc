//! Runs operations of the services for a seed: the same code as for a client, with or without records.

use std::collections::HashMap;
use std::sync::Arc;

use aws::call::Origin;
use aws::operation::Reply;
use aws::partition::Partition;
use aws::{AccountId, Call, Caller, Failure, GlobalArn, Operation, Step, Timestamp};
use codecommit::CodeCommit;
use identity::{Credentials, PresentedCredential};
use parking_lot::Mutex;
use serde_json::Value;
use store::Transaction;
use trail::{CloudTrail, Event, Source};

use crate::moment::Moment;
use crate::{Location, Services};

const CODECOMMIT: Source =
    Source { event_source: codecommit::EVENT_SOURCE, api_version: Some(codecommit::API_VERSION) };

/// `userAgent` of the records of a seed.
const USER_AGENT: &str = "codecommit-local-seed";

/// Who makes a call, where and when.
#[derive(Clone, Debug)]
pub(crate) struct Circumstances<'c> {
    pub(crate) location: &'c Location,
    /// The name or ARN of the caller; `None` is the default user.
    pub(crate) author: Option<&'c str>,
    pub(crate) time: Timestamp,
    /// What the call concerns, such as the name of a repository; equal calls with the same subject get different ids.
    pub(crate) subject: &'c str,
}

/// Runs operations.
pub(crate) struct Runner<'s> {
    pub(crate) services: Services<'s>,
    /// The number of calls with each key, so that no two have the same ids.
    counts: Mutex<HashMap<String, u32>>,
}

impl<'s> Runner<'s> {
    pub(crate) fn new(services: Services<'s>) -> Self {
        Self { services, counts: Mutex::default() }
    }

    /// Begins a call; `action` tells it from the other calls on the same subject.
    pub(crate) fn call(&self, circumstances: &Circumstances<'_>, action: &str) -> Result<Arc<Call>, String> {
        let Circumstances { location, author, time, subject } = circumstances;
        let caller = self.caller(location, *author)?;
        let key = format!("{location}/{subject}/{action}");
        let mut counts = self.counts.lock();
        let count = counts.entry(key.clone()).or_default();
        let key = format!("{key}/{count}");
        *count += 1;
        drop(counts);
        let origin = Origin {
            account: location.account.clone(),
            region: location.region.clone(),
            source_ip_address: "127.0.0.1".to_owned(),
            user_agent: Some(USER_AGENT.to_owned()),
            host: None,
            clone_url_base: format!("{}/v1/repos", self.services.endpoint),
            ssh_clone_url_base: String::new(),
            is_secure: false,
            tls: None,
            is_console: false,
        };
        Ok(Arc::new(Call::begin(caller, origin, &Moment::new(*time, &key))))
    }

    /// Runs an operation of CodeCommit, and returns its output; the error has the exception and its message.
    pub(crate) fn codecommit(
        &self,
        circumstances: &Circumstances<'_>,
        name: &str,
        input: &Value,
    ) -> Result<Value, String> {
        let operation = CodeCommit::operation(name).ok_or_else(|| format!("CodeCommit has no operation {name}"))?;
        self.run(CODECOMMIT, operation, self.services.codecommit, circumstances, input)
    }

    /// Runs an operation of CloudTrail, and returns its output.
    pub(crate) fn cloudtrail(
        &self,
        circumstances: &Circumstances<'_>,
        name: &str,
        input: &Value,
    ) -> Result<Value, String> {
        let operation = CloudTrail::operation(name).ok_or_else(|| format!("CloudTrail has no operation {name}"))?;
        self.run(trail::SOURCE, operation, self.services.cloudtrail, circumstances, input)
    }

    fn run<S>(
        &self,
        source: Source,
        operation: &Operation<S, Transaction>,
        service: &S,
        circumstances: &Circumstances<'_>,
        input: &Value,
    ) -> Result<Value, String> {
        let call = self.call(circumstances, operation.name)?;
        let body = input.to_string().into_bytes();
        let reply = if self.services.records {
            self.services.trail.call(source, operation, service, &call, Ok(&body))
        } else {
            self.run_unrecorded(operation, service, &call, &body)
        };
        let reply = reply.map_err(|failure| format!("{}: {}", failure.name, failure.message))?;
        Ok(serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }

    fn run_unrecorded<S>(
        &self,
        operation: &Operation<S, Transaction>,
        service: &S,
        call: &Arc<Call>,
        body: &[u8],
    ) -> Result<Reply, Failure> {
        match operation.decode(body)?.run(service, call)? {
            Step::Answered(reply) => Ok(reply),
            Step::Change(change) => {
                let changed = self.services.store.write(move |transaction| change(transaction).map_err(WriteError));
                changed.map_err(|WriteError(failure)| failure)
            }
        }
    }

    /// Commits a change of a call, with its record if records are kept.
    pub(crate) fn transact<R: Send + 'static>(
        &self,
        call: &Arc<Call>,
        change: impl FnOnce(&Transaction) -> (R, Event) + Send + 'static,
    ) -> Result<R, String> {
        let changed = if self.services.records {
            self.services.trail.transact(Arc::clone(call), change)
        } else {
            let changed = self.services.store.write(move |transaction| Ok(change(transaction).0));
            changed.map_err(|WriteError(failure)| failure)
        };
        changed.map_err(|failure| failure.message)
    }

    /// Returns the caller of a name or an ARN.
    fn caller(&self, location: &Location, author: Option<&str>) -> Result<Caller, String> {
        let Location { account, region } = location;
        let partition = region.partition();
        match author {
            None => self.named(PresentedCredential::Nothing, account, partition),
            Some(arn) if arn.starts_with("arn:") => self.of_arn(arn, partition),
            Some(name) => self.of_name(name, account, partition),
        }
    }

    fn of_name(&self, name: &str, account: &AccountId, partition: Partition) -> Result<Caller, String> {
        self.named(PresentedCredential::GitUserName(format!("{name}-at-{account}")), account, partition)
    }

    fn named(
        &self,
        presented: PresentedCredential,
        account: &AccountId,
        partition: Partition,
    ) -> Result<Caller, String> {
        let credentials = Credentials { presented, region: None, token: None };
        let caller = self.services.sts.authenticate(&credentials, Some(account), partition);
        caller.map_err(|error| error.to_string())
    }

    fn of_arn(&self, arn: &str, partition: Partition) -> Result<Caller, String> {
        let invalid = || {
            format!(
                "'{arn}' names no caller; write the name of a user, or an ARN such as arn:aws:iam::111122223333:user/Li_Juan"
            )
        };
        let parsed = GlobalArn::parse(arn).ok_or_else(invalid)?;
        let account = parsed.account.clone().ok_or_else(invalid)?;
        let (kind, name) = parsed.resource.split_once('/').unwrap_or((&parsed.resource, ""));
        let kind = match kind {
            "user" => {
                let name = name.rsplit('/').next().unwrap_or(name);
                let caller = self.of_name(name, &account, partition)?;
                // The path of a user that no file declares is in the ARN only.
                return Ok(Caller { arn: arn.to_owned(), ..caller });
            }
            "root" => return Ok(Caller::root(account, None, None).in_partition(partition)),
            "assumed-role" => aws::caller::Kind::AssumedRole,
            "federated-user" => aws::caller::Kind::FederatedUser,
            _ => return Err(invalid()),
        };
        Ok(Caller::of(kind, account, arn.to_owned(), name.replace('/', ":")))
    }
}

/// The failure of a change, as an error of the store's transactions.
struct WriteError(Failure);

impl From<store::Error> for WriteError {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "a statement of a seed failed in the store");
        Self(Failure::new("InternalFailure", error.to_string(), 500))
    }
}
