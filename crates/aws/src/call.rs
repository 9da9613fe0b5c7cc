//! One call of an operation: who, when, from where, and what it turned out to concern.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use serde_json::{Map, Value};
use uuid::Builder;

use crate::{AccountId, Caller, Clock, Region, Timestamp};

/// One call, from the moment it is known who makes it until its record is written.
#[derive(Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// The account whose resources the call is about.
    pub account: AccountId,
    /// The region whose resources the call is about.
    pub region: Region,
    /// When the call was made.
    pub time: Timestamp,
    /// The client's IP address.
    pub source_ip_address: String,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The client's `Host`, for records that tell how the endpoint was reached.
    pub host: Option<String>,
    /// What a repository's name is appended to for a URL that reaches it: `http://127.0.0.1:4599/v1/repos`.
    pub clone_url_base: String,
    /// Flags that end the call's work early: one is set when the client is gone, or when the server stops.
    pub interrupts: Vec<Arc<AtomicBool>>,
    request_id: String,
    event_id: String,
    seed: u128,
    ids_made: AtomicU64,
    resources: Mutex<Vec<Resource>>,
    encrypted: Mutex<Vec<Encrypted>>,
    bearer: OnceLock<Caller>,
    told: Mutex<Map<String, Value>>,
}

/// Data that a call turned out to concern, and the key that it is encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The name of the encryption context's one member, such as `aws:codecommit:id`.
    pub context: &'static str,
    /// The id of what holds the data, which is the member's value.
    pub id: String,
    /// The ARN of the key.
    pub key: String,
}

/// What a call concerns, as an element of a record's `resources`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The type, such as `AWS::CodeCommit::Repository`.
    pub kind: &'static str,
    /// The ARN.
    pub arn: String,
    /// The account that owns it.
    pub account: AccountId,
}

/// What the transport knows of a call.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The account whose resources the call is about.
    pub account: AccountId,
    /// The region whose resources the call is about.
    pub region: Region,
    /// The client's IP address.
    pub source_ip_address: String,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The client's `Host`.
    pub host: Option<String>,
    /// See [`Call::clone_url_base`].
    pub clone_url_base: String,
}

impl Call {
    /// Begins a call: the one place where the clock and the source of ids are read.
    pub fn begin(caller: Caller, origin: Origin, clock: &dyn Clock) -> Self {
        Self::new(caller, origin, clock.now(), clock.seed())
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
            interrupts: Vec::new(),
            request_id: String::new(),
            event_id: String::new(),
            seed,
            ids_made: AtomicU64::new(0),
            resources: Mutex::default(),
            encrypted: Mutex::default(),
            bearer: OnceLock::new(),
            told: Mutex::default(),
        };
        call.request_id = call.new_id();
        call.event_id = call.new_id();
        call
    }

    /// Begins a call that a service makes for this call's caller: it has ids and a record of its own, and the same time.
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
        };
        let call = Self::new(caller, origin, self.time, self.new_number());
        Self { interrupts: self.interrupts.clone(), ..call }
    }

    /// Returns the id that the reply and the record share.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Returns the id of the call's record.
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Makes a new UUID (version 4) for something that this call creates.
    pub fn new_id(&self) -> String {
        Builder::from_random_bytes(self.new_number().to_be_bytes()).into_uuid().to_string()
    }

    /// Makes the next number that follows from the call's seed.
    fn new_number(&self) -> u128 {
        let made = self.ids_made.fetch_add(1, Ordering::Relaxed);
        let [high, low] =
            [self.seed >> 64, self.seed].map(|half| u64::try_from(half & u128::from(u64::MAX)).expect("it is masked"));
        (u128::from(mix(high ^ mix(made))) << 64) | u128::from(mix(low ^ mix(!made)))
    }

    /// Notes whom a token in the input names: the call is theirs, whoever signed it or nobody.
    pub fn is_made_by(&self, bearer: Caller) {
        // There is one token in an input, so the first is the only one.
        let _ = self.bearer.set(bearer);
    }

    /// Returns whom a token in the input names.
    pub fn bearer(&self) -> Option<&Caller> {
        self.bearer.get()
    }

    /// Notes something that a token in the input or the caller's session says; it stands among the request parameters
    /// of the call's record.
    pub fn is_told(&self, name: &str, value: Value) {
        self.told.lock().insert(name.to_owned(), value);
    }

    /// Returns what tokens in the input and the caller's session say, by name.
    pub fn told(&self) -> Map<String, Value> {
        self.told.lock().clone()
    }

    /// Notes that the call concerns a resource, which then stands in its record.
    pub fn concerns(&self, resource: Resource) {
        let mut resources = self.resources.lock();
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }

    /// Notes that the call concerns data that is encrypted.
    pub fn concerns_encrypted(&self, data: Encrypted) {
        let mut encrypted = self.encrypted.lock();
        if !encrypted.contains(&data) {
            encrypted.push(data);
        }
    }

    /// Returns the encrypted data that the call turned out to concern, in the order in which it was met.
    pub fn encrypted(&self) -> Vec<Encrypted> {
        self.encrypted.lock().clone()
    }

    /// Returns the resources that the call turned out to concern, in the order in which they were met.
    pub fn resources(&self) -> Vec<Resource> {
        self.resources.lock().clone()
    }
}

/// Spreads a number over 64 bits (the finalizer of `SplitMix64`), so that ids of one seed look unrelated.
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
