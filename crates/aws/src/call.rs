//! One call of an operation: its caller, time and origin, and the resources that it uses.

mod context;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use serde_json::{Map, Value};
use uuid::Builder;

pub use self::context::CallContext;
use crate::event_bridge::EventSink;
use crate::permission::{
    self, Authority, Context, Denial, FactValue, Facts, Permission, REFERENCES, Request, ResourcePolicy,
};
use crate::stable_hash::spread;
use crate::{AccountId, Caller, Clock, FaultInjector, Region, Timestamp};

/// One call, from the authentication of its caller until its record is written.
#[derive(Debug)]
pub struct Call {
    /// The caller.
    pub caller: Caller,
    /// The account of the resources that the call is for.
    pub account: AccountId,
    /// The region of the resources that the call is for.
    pub region: Region,
    /// The time of the call.
    pub time: Timestamp,
    /// The client's IP address.
    pub source_ip_address: String,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The client's `Host`, for records that contain the address of the endpoint.
    pub host: Option<String>,
    /// The clone URL of a repository without its name: `http://127.0.0.1:4599/v1/repos`.
    pub clone_url_base: String,
    /// The same over SSH: `ssh://127.0.0.1:2222/v1/repos`.
    pub ssh_clone_url_base: String,
    /// Whether the client used TLS, to this server or to a trusted proxy; the condition key `aws:SecureTransport`.
    pub is_secure: bool,
    /// The TLS session of the connection to this server.
    pub tls: Option<TlsSession>,
    /// Whether the console makes the call for its reader.
    pub is_console: bool,
    /// Flags that end the work of the call early, set when the client disconnects or the server stops.
    pub interrupts: Vec<Arc<AtomicBool>>,
    /// Decides whether the call fails on demand; `None` if no calls do. Calls that a service makes for its caller have none.
    pub faults: Option<Arc<dyn FaultInjector>>,
    /// Takes the events that the changes of the call emit; `None` for the calls of a seed, whose changes are the past.
    pub event_sink: Option<Arc<dyn EventSink>>,
    request_id: String,
    event_id: String,
    seed: u128,
    id_count: AtomicU64,
    bus_event_count: AtomicU64,
    resources: Mutex<Vec<Resource>>,
    encrypted: Mutex<Vec<Encrypted>>,
    bearer: OnceLock<Caller>,
    added_request_parameters: Mutex<Map<String, Value>>,
    authority: Arc<dyn Authority>,
    action: OnceLock<String>,
    is_decided: AtomicBool,
    is_faulty: AtomicBool,
    facts: Mutex<Facts>,
    allowed: Mutex<HashSet<String>>,
}

/// Data that a call uses, and the key that it is encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The name of the one member of the encryption context, such as `aws:codecommit:id`.
    pub context: &'static str,
    /// The value of that member: the id of the resource that holds the data.
    pub id: String,
    /// The ARN of the key.
    pub key: String,
}

/// A resource that a call uses: an element of a record's `resources`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The type, such as `AWS::CodeCommit::Repository`.
    pub kind: &'static str,
    /// The ARN.
    pub arn: String,
    /// The account that owns the resource.
    pub account: AccountId,
}

/// The properties of a call that the transport knows.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The account of the resources that the call is for.
    pub account: AccountId,
    /// The region of the resources that the call is for.
    pub region: Region,
    /// The client's IP address.
    pub source_ip_address: String,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The client's `Host`.
    pub host: Option<String>,
    /// See [`Call::clone_url_base`].
    pub clone_url_base: String,
    /// See [`Call::ssh_clone_url_base`].
    pub ssh_clone_url_base: String,
    /// See [`Call::is_secure`].
    pub is_secure: bool,
    /// See [`Call::tls`].
    pub tls: Option<TlsSession>,
    /// See [`Call::is_console`].
    pub is_console: bool,
}

/// The version and cipher suite of a TLS session, as the `tlsDetails` of records have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsSession {
    /// The version, such as `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher_suite: &'static str,
}

impl Call {
    /// Begins a call. Nothing else reads the clock and the source of ids for it.
    pub fn begin(caller: Caller, origin: Origin, clock: &dyn Clock) -> Self {
        let (time, seed) = clock.begin_call();
        Self::new(caller, origin, time, seed)
    }

    fn new(caller: Caller, origin: Origin, time: Timestamp, seed: u128) -> Self {
        let mut call = Self {
            caller,
            account: origin.account,
            region: origin.region,
            time,
            source_ip_address: origin.source_ip_address,
            user_agent: origin.user_agent,
            host: origin.host,
            clone_url_base: origin.clone_url_base,
            ssh_clone_url_base: origin.ssh_clone_url_base,
            is_secure: origin.is_secure,
            tls: origin.tls,
            is_console: origin.is_console,
            interrupts: Vec::new(),
            faults: None,
            event_sink: None,
            request_id: String::new(),
            event_id: String::new(),
            seed,
            id_count: AtomicU64::new(0),
            bus_event_count: AtomicU64::new(0),
            resources: Mutex::default(),
            encrypted: Mutex::default(),
            bearer: OnceLock::new(),
            added_request_parameters: Mutex::default(),
            authority: permission::everything(),
            action: OnceLock::new(),
            is_decided: AtomicBool::new(false),
            is_faulty: AtomicBool::new(false),
            facts: Mutex::default(),
            allowed: Mutex::default(),
        };
        call.request_id = call.new_id();
        call.event_id = call.new_id();
        call
    }

    /// Begins a call that a service makes for this caller, with its own ids and record and the same time.
    #[must_use]
    pub fn through(&self, service: &str) -> Self {
        let caller = Caller { invoked_by: Some(service.to_owned()), ..self.caller.clone() };
        let origin = Origin {
            account: self.account.clone(),
            region: self.region.clone(),
            source_ip_address: self.source_ip_address.clone(),
            user_agent: self.user_agent.clone(),
            host: self.host.clone(),
            clone_url_base: self.clone_url_base.clone(),
            ssh_clone_url_base: self.ssh_clone_url_base.clone(),
            is_secure: self.is_secure,
            tls: self.tls,
            is_console: self.is_console,
        };
        let call = Self::new(caller, origin, self.time, self.next_number());
        let (interrupts, event_sink) = (self.interrupts.clone(), self.event_sink.clone());
        Self { interrupts, event_sink, authority: Arc::clone(&self.authority), ..call }
    }

    /// Returns the call with what takes the events that its changes emit.
    #[must_use]
    pub fn with_event_sink(self, event_sink: Option<Arc<dyn EventSink>>) -> Self {
        Self { event_sink, ..self }
    }

    /// Returns the call with an authority that decides about its permissions; without one, everything is allowed.
    #[must_use]
    pub fn with_authority(self, authority: Arc<dyn Authority>) -> Self {
        Self { authority, ..self }
    }

    /// Returns the authority that decides about the permissions of the call.
    pub fn authority(&self) -> &dyn Authority {
        &*self.authority
    }

    /// Sets the action of the running operation, such as `codecommit:GetBranch`.
    pub fn set_action(&self, action: String) {
        // A call runs one operation, so this is called once.
        let _ = self.action.set(action);
    }

    /// Returns the action of the running operation; empty before it is set.
    pub fn action(&self) -> &str {
        self.action.get().map_or("", String::as_str)
    }

    /// Adds a fact about the operation to all permissions that the call requests, such as the branch that it changes.
    pub fn add_facts(&self, facts: Facts) {
        self.facts.lock().extend(facts);
    }

    /// Requests the permission for the action of the call on a resource, which is an ARN or `*`.
    pub fn allow(&self, resource: &str, facts: &Facts) -> Result<(), Denial> {
        self.allow_action(self.action(), resource, facts)
    }

    /// Requests the permission for an action on a resource.
    pub fn allow_action(&self, action: &str, resource: &str, facts: &Facts) -> Result<(), Denial> {
        self.permit(&Permission { action, resource, resource_policy: ResourcePolicy::None, facts })
    }

    /// Requests a permission.
    ///
    /// A call with a fault ends at its first allowed permission, before it changes anything.
    pub fn permit(&self, permission: &Permission<'_>) -> Result<(), Denial> {
        self.mark_decided();
        if !self.has_policies() {
            return Ok(());
        }
        let facts = self.facts.lock().clone();
        let context = CallContext::new(self, permission, &facts);
        self.authority.decide(&Request { permission, context: &context })?;
        if self.faults.as_ref().is_some_and(|faults| faults.decide().is_some()) {
            self.is_faulty.store(true, Ordering::Relaxed);
            return Err(Denial { message: "The call fails on demand.".to_owned() });
        }
        if let Some(FactValue::One(reference)) = context.value(REFERENCES) {
            self.allowed.lock().insert(reference.into_owned());
        }
        Ok(())
    }

    /// Returns whether the call was allowed to change a reference, given by its full name.
    pub fn may_change(&self, reference: &str) -> bool {
        !self.has_policies() || self.allowed.lock().contains(reference)
    }

    /// Returns whether an allowed permission was denied because the call has a fault.
    pub fn is_faulty(&self) -> bool {
        self.is_faulty.load(Ordering::Relaxed)
    }

    /// Returns the denial of a call that failed before it requested a permission, if its caller may never perform the action: such a
    /// caller does not learn why the call failed.
    pub fn deny_everywhere(&self) -> Option<Denial> {
        if self.is_decided() {
            return None;
        }
        self.authority.deny_everywhere(self.action(), self.bearer().unwrap_or(&self.caller))
    }

    /// Returns whether a decision can depend on a context key that begins with a text, such as `aws:ResourceTag/`.
    pub fn mentions(&self, prefix: &str) -> bool {
        self.authority.mentions(prefix)
    }

    /// Returns whether policies decide about the call.
    pub fn has_policies(&self) -> bool {
        self.authority.has_policies()
    }

    /// Notes that the permission was decided without the policies of the caller: by a trust policy, or as the action needs none.
    pub fn mark_decided(&self) {
        self.is_decided.store(true, Ordering::Relaxed);
    }

    /// Returns whether policies decide about the call and it has not requested a permission: if it succeeds, that is a fault.
    pub fn is_undecided(&self) -> bool {
        self.has_policies() && !self.is_decided()
    }

    /// Returns whether a permission was requested or decided.
    pub fn is_decided(&self) -> bool {
        self.is_decided.load(Ordering::Relaxed)
    }

    /// Returns the request id, which the reply and the record share.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Returns the id of the call's record.
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Creates a UUID (version 4) for something that this call creates.
    pub fn new_id(&self) -> String {
        Builder::from_random_bytes(self.next_number().to_be_bytes()).into_uuid().to_string()
    }

    /// Creates a UUID (version 4) for an event of EventBridge, from a sequence of its own: events have no influence on other ids.
    pub fn new_bus_event_id(&self) -> String {
        let position = !self.bus_event_count.fetch_add(1, Ordering::Relaxed);
        Builder::from_random_bytes(spread(self.seed, position).to_be_bytes()).into_uuid().to_string()
    }

    /// Derives the next number from the seed of the call.
    fn next_number(&self) -> u128 {
        spread(self.seed, self.id_count.fetch_add(1, Ordering::Relaxed))
    }

    /// Sets the identity that a token in the input names; it replaces the signer as the caller.
    pub fn set_bearer(&self, bearer: Caller) {
        // An input has one token, so this is called once.
        let _ = self.bearer.set(bearer);
    }

    /// Returns the identity that a token in the input names.
    pub fn bearer(&self) -> Option<&Caller> {
        self.bearer.get()
    }

    /// Adds a value from a token in the input or from the caller's session to the `requestParameters` of the record.
    pub fn add_request_parameter(&self, name: &str, value: Value) {
        self.added_request_parameters.lock().insert(name.to_owned(), value);
    }

    /// Returns the request parameters that were added to those of the input.
    pub fn added_request_parameters(&self) -> Map<String, Value> {
        self.added_request_parameters.lock().clone()
    }

    /// Adds a resource to the record of the call.
    pub fn add_resource(&self, resource: Resource) {
        let mut resources = self.resources.lock();
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }

    /// Adds encrypted data that the call uses.
    pub fn add_encrypted(&self, data: Encrypted) {
        let mut encrypted = self.encrypted.lock();
        if !encrypted.contains(&data) {
            encrypted.push(data);
        }
    }

    /// Returns the encrypted data that the call uses, in the order of use.
    pub fn encrypted(&self) -> Vec<Encrypted> {
        self.encrypted.lock().clone()
    }

    /// Returns the resources that the call uses, in the order of use.
    pub fn resources(&self) -> Vec<Resource> {
        self.resources.lock().clone()
    }
}
