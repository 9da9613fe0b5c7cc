//! A service STS over an identities file, and callers of it.

use std::path::Path;
use std::sync::Arc;

use aws::call::Origin;
use aws::operation::Reply;
use aws::{AccountId, Authority, Call, Caller, Facts, Failure, Operation, Partition, Step, SystemClock};
use store::{Durability, Store, Transaction};
use tempfile::TempDir;

use crate::{Access, Credentials, Iam, Identities, PresentedCredential, Sts, TokenHash, file};

pub(crate) const REPOSITORY: &str = "arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo";

fn account(id: &str) -> AccountId {
    id.parse().expect("an account id has twelve digits")
}

pub(crate) fn identities(text: &str) -> Identities {
    let mut identities = Identities::new(account("111122223333"));
    if let Err(file::Fault { line, message }) = file::read(text, Path::new(""), &mut identities) {
        panic!("the file is valid, but: line {line}: {message}");
    }
    identities
}

pub(crate) struct World {
    sts: Arc<Sts>,
    store: Arc<Store>,
    _folder: TempDir,
}

impl World {
    pub(crate) fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let store = Store::open(&folder.path().join("database"), Durability::Normal).expect("the store can be opened");
        let store = Arc::new(store);
        let sts = Sts::open(Arc::clone(&store), identities(text), Arc::new(SystemClock));
        Self { sts: Arc::new(sts.expect("the tables can be created")), store, _folder: folder }
    }

    pub(crate) fn reload(&self, text: &str) {
        self.sts.set_identities(identities(text)).expect("the store can be written");
    }

    /// Returns the service as it is after a restart.
    pub(crate) fn restarted(&self, text: &str) -> Sts {
        let sts = Sts::open(Arc::clone(&self.store), identities(text), Arc::new(SystemClock));
        sts.expect("the tables exist")
    }

    pub(crate) fn reset(&self) {
        self.sts.reset().expect("the sessions can be deleted");
    }

    /// Forgets the policies of the stored sessions, as if an earlier version of the program had stored them.
    pub(crate) fn forget_session_policies(&self) {
        let forget = |transaction: &Transaction| {
            transaction
                .execute("UPDATE sessions SET policy = NULL, policy_arns = NULL, tags = NULL, scopes = NULL", &[])
        };
        self.store.write(forget).expect("the table can be changed");
    }

    /// Returns the caller of an access key.
    pub(crate) fn caller(&self, key: &str) -> Actor {
        self.actor(PresentedCredential::AccessKey(key.to_owned()), None)
    }

    pub(crate) fn user(&self, name: &str) -> Actor {
        self.user_of("111122223333", name)
    }

    pub(crate) fn user_of(&self, account: &str, name: &str) -> Actor {
        self.actor(PresentedCredential::GitUserName(format!("{name}-at-{account}")), None)
    }

    fn actor(&self, presented: PresentedCredential, token: Option<TokenHash>) -> Actor {
        let credentials = Credentials { presented, token, ..Credentials::read(None, None) };
        let caller = self.sts.authenticate(&credentials, None, Partition::Aws).expect("the credentials are valid");
        self.actor_of(caller)
    }

    pub(crate) fn actor_of(&self, caller: Caller) -> Actor {
        let authority = self.sts.authority(Access::Enforced, &caller).expect("the store can be read");
        Actor { sts: Arc::clone(&self.sts), caller, authority }
    }

    /// Runs an operation of STS that issues credentials, and returns the caller whom they name.
    pub(crate) fn session(&self, actor: &Actor, operation: &str, form: &[(&str, &str)]) -> Result<Actor, String> {
        let reply = self.run(actor, operation, form)?;
        let member = |name: &str| aws::xml::read(&reply, name).expect("the reply has credentials");
        Ok(self.session_of(&member("AccessKeyId"), &member("SessionToken")))
    }

    /// Returns the caller of temporary credentials.
    pub(crate) fn session_of(&self, key: &str, token: &str) -> Actor {
        self.actor(PresentedCredential::AccessKey(key.to_owned()), Some(TokenHash::of(token)))
    }

    /// Runs an operation of STS; returns its reply, or its message.
    pub(crate) fn run(&self, actor: &Actor, operation: &str, form: &[(&str, &str)]) -> Result<String, String> {
        let row = Sts::operation(operation).expect("the operation exists");
        let reply = self.run_row("sts", row, &*self.sts, actor, form).map_err(|failure| failure.message)?;
        Ok(String::from_utf8(reply.body).expect("a reply is text"))
    }

    /// Runs an operation of IAM; returns its reply.
    pub(crate) fn iam(&self, actor: &Actor, operation: &str, form: &[(&str, &str)]) -> Result<Reply, Failure> {
        let row = Iam::operation(operation).expect("the operation exists");
        self.run_row("iam", row, &self.sts.iam(), actor, form)
    }

    fn run_row<S>(
        &self,
        service: &str,
        row: &Operation<S, Transaction>,
        over: &S,
        actor: &Actor,
        form: &[(&str, &str)],
    ) -> Result<Reply, Failure> {
        let body = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&");
        let call = Arc::new(actor.call());
        call.set_action(format!("{service}:{}", row.name));
        let result = match row.decode(body.as_bytes())?.run(over, &call)? {
            Step::Answered(reply) => Ok(reply),
            Step::Change(change) => self
                .store
                .write(move |transaction| {
                    Ok::<_, store::Error>(transaction.savepoint(|| change(transaction).map_err(Refusal)))
                })
                .unwrap_or_else(|_| Err(Refusal(Failure::internal())))
                .map_err(|Refusal(failure)| failure),
        };
        assert!(result.is_err() || call.is_decided(), "{} decides about a permission", row.name);
        result
    }

    /// Returns the same caller in a later call.
    pub(crate) fn caller_again(&self, actor: &Actor) -> Actor {
        self.actor_of(actor.caller.clone())
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(crate) fn sts(&self) -> &Sts {
        &self.sts
    }
}

/// The failure of an operation in its savepoint.
struct Refusal(Failure);

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        panic!("the store works: {error}")
    }
}

fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A caller with its permissions.
pub(crate) struct Actor {
    sts: Arc<Sts>,
    pub(crate) caller: Caller,
    authority: Arc<dyn Authority>,
}

impl Actor {
    pub(crate) fn in_mode(self, access: Access) -> Self {
        let authority = self.sts.authority(access, &self.caller).expect("the store can be read");
        Self { authority, ..self }
    }

    /// Returns the same caller in a later call.
    pub(crate) fn again(self) -> Self {
        self.in_mode(Access::Enforced)
    }

    pub(crate) fn is_same_authority(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.authority, &other.authority)
    }

    pub(crate) fn call(&self) -> Call {
        let origin = Origin {
            account: self.caller.account_id.clone(),
            region: "us-east-2".parse().expect("the name is that of a region"),
            source_ip_address: "127.0.0.1".to_owned(),
            user_agent: None,
            host: None,
            clone_url_base: String::new(),
            ssh_clone_url_base: String::new(),
            is_secure: false,
            tls: None,
            is_console: false,
        };
        Call::begin(self.caller.clone(), origin, &SystemClock).with_authority(Arc::clone(&self.authority))
    }

    /// Returns the message of a denial; it is empty if the action is allowed.
    pub(crate) fn message(&self, action: &str, resource: &str) -> String {
        self.decide(action, resource, &Facts::default())
    }

    /// Returns the reason of a denial; it is empty if the action is allowed.
    pub(crate) fn reason(&self, action: &str, resource: &str, reference: &str) -> String {
        let facts = Facts::default();
        let facts = if reference.is_empty() { facts } else { facts.with("codecommit:References", reference) };
        reason(&self.decide(action, resource, &facts))
    }

    /// Does the same for the repository with a tag `Team`.
    pub(crate) fn reason_with_tag(&self, action: &str, team: &str) -> String {
        reason(&self.decide(action, REPOSITORY, &Facts::default().with_resource_tags([("Team", team)])))
    }

    fn decide(&self, action: &str, resource: &str, facts: &Facts) -> String {
        let decided = self.call().allow_action(action, resource, facts);
        decided.map_or_else(|denial| denial.message, |()| String::new())
    }
}

/// Cuts a message down to its reason.
fn reason(message: &str) -> String {
    let start = message.find(" because ").or_else(|| message.find(" with an "));
    start.map_or(message, |start| &message[start + 1..]).to_owned()
}
