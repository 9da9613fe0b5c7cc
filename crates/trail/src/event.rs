//! Events: the part of a record that depends on the operation.

use aws::caller::Kind;
use aws::{AccountId, Call, Caller, Failure, KmsAction, Resource};
use serde_json::{Map, Value};

use crate::{NOTHING, ReferenceChange};

/// The type of an event: `eventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// A call of an operation.
    AwsApiCall,
    /// A sign-in to the console; see [`crate::sign_in`].
    AwsConsoleSignIn,
}

/// The part of a record that the [`Call`] does not contain.
#[derive(Clone, Debug)]
pub struct Event {
    /// `eventName`.
    pub name: String,
    /// `eventSource`.
    pub source: &'static str,
    /// `eventType`.
    pub event_type: EventType,
    /// `apiVersion`; Git events have none.
    pub api_version: Option<&'static str>,
    /// `readOnly`.
    pub read_only: bool,
    /// Whether this is a data event: a call on data in a resource, such as an object in a bucket.
    ///
    /// Event history has no data events, and only trails whose event selectors select them have them in their log files.
    pub is_data: bool,
    /// The prefix of the ARNs of the objects that the call concerns, if it concerns all objects of a prefix.
    pub object_prefix: Option<String>,
    /// `requestParameters`.
    pub request_parameters: Value,
    /// `responseElements`.
    pub response_elements: Value,
    /// `additionalEventData`; left out if it is `null`.
    pub additional_event_data: Value,
    /// `errorCode` and `errorMessage`; records of sign-ins have no code.
    pub failure: Option<Failure>,
    /// The caller, if it is not the call's caller; for a caller that a service invokes, the service is the source address.
    pub caller: Option<Caller>,
    /// `recipientAccountId`, if it is not the call's account.
    pub account: Option<AccountId>,
    /// `resources`, if they are not the resources that the call concerns.
    pub resources: Option<Vec<Resource>>,
    /// `requestID`, if it is not the call's.
    pub request_id: Option<String>,
    /// The calls to AWS KMS that the service makes for the caller if the call succeeds.
    pub kms_actions: &'static [KmsAction],
    /// The references that a push changed; the record does not have them.
    pub reference_changes: Vec<ReferenceChange>,
    /// Further events of the same call, recorded after this one.
    pub derived: Vec<Event>,
    /// `eventID`, if it is not the call's.
    pub event_id: Option<String>,
    /// `sharedEventID`, on the copies of one event in several accounts.
    pub shared_event_id: Option<String>,
}

impl Event {
    /// Creates the event of a successful read without parameters.
    pub fn new(name: impl Into<String>, source: &'static str) -> Self {
        Self {
            name: name.into(),
            source,
            event_type: EventType::AwsApiCall,
            api_version: None,
            read_only: true,
            is_data: false,
            object_prefix: None,
            request_parameters: NOTHING,
            response_elements: NOTHING,
            additional_event_data: NOTHING,
            failure: None,
            caller: None,
            account: None,
            resources: None,
            request_id: None,
            kms_actions: &[],
            reference_changes: Vec::new(),
            derived: Vec::new(),
            event_id: None,
            shared_event_id: None,
        }
    }

    /// Merges values from tokens and the session into `requestParameters`, skipping empty ones.
    pub(crate) fn add_request_parameters(&mut self, parameters: Map<String, Value>) {
        let mut parameters = parameters.into_iter().filter(|(_, value)| !value.is_null() && value != "").peekable();
        if parameters.peek().is_none() {
            return;
        }
        let mut all = self.request_parameters.as_object().cloned().unwrap_or_default();
        all.extend(parameters);
        all.sort_keys();
        self.request_parameters = Value::Object(all);
    }

    /// Returns the events to record: this one and the derived ones, each with a copy for every other account whose resources it
    /// concerns.
    pub(crate) fn records(mut self, call: &Call) -> Vec<Self> {
        let mut derived = std::mem::take(&mut self.derived);
        for event in &mut derived {
            event.event_id = Some(call.new_id());
        }
        std::iter::once(self).chain(derived).flat_map(|event| event.copies(call)).collect()
    }

    /// Returns the event of the caller's account, which is complete, and the copies for owners of resources in other accounts, which show
    /// only the caller's identity. All have the same shared id.
    fn copies(mut self, call: &Call) -> Vec<Self> {
        let caller = self.caller.as_ref().unwrap_or(&call.caller).clone();
        let resources = self.resources.clone().unwrap_or_else(|| call.resources());
        let recipient = self.account.clone().unwrap_or_else(|| call.account.clone());
        let mut owners: Vec<AccountId> = Vec::new();
        for account in resources.into_iter().map(|resource| resource.account).chain([recipient]) {
            if account != caller.account_id && !owners.contains(&account) {
                owners.push(account);
            }
        }
        if caller.kind == Kind::AwsService {
            // A service acts in the account of the resources; the service's own account has no trail.
            self.account = owners.into_iter().next().or(Some(caller.account_id));
            return vec![self];
        }
        self.account = Some(caller.account_id.clone());
        if !owners.is_empty() {
            self.shared_event_id = Some(call.new_id());
        }
        let copy = |account| Self {
            caller: Some(Caller::other_account(&caller)),
            account: Some(account),
            event_id: Some(call.new_id()),
            ..self.clone()
        };
        let copies: Vec<Self> = owners.into_iter().map(copy).collect();
        std::iter::once(self).chain(copies).collect()
    }
}
