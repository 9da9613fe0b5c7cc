//! What one call leaves to be recorded.

use aws::caller::Kind;
use aws::{AccountId, Call, Caller, Failure, KmsAction, Resource};
use serde_json::{Map, Value};

use crate::NOTHING;

/// The part of a record that the call itself does not know.
#[derive(Clone, Debug)]
pub struct Event {
    /// `eventName`.
    pub name: String,
    /// `eventSource`.
    pub source: &'static str,
    /// `apiVersion`; Git events have none.
    pub api_version: Option<&'static str>,
    /// `readOnly`.
    pub read_only: bool,
    /// Whether the call is on data in a resource, such as an object in a bucket: such events are in no event history, and in the log
    /// files of those trails alone whose event selectors select them.
    pub is_data: bool,
    /// The beginning of the ARNs of the objects that the call concerns, where it is about all objects of a prefix.
    pub object_prefix: Option<String>,
    /// `requestParameters`.
    pub request_parameters: Value,
    /// `responseElements`.
    pub response_elements: Value,
    /// `additionalEventData`; left out where it is `null`.
    pub additional_event_data: Value,
    /// `errorCode` and `errorMessage`.
    pub failure: Option<Failure>,
    /// Who called, where it was not the call's caller; one that is invoked by a service calls from that service.
    pub caller: Option<Caller>,
    /// `recipientAccountId`, where it is not the call's account.
    pub account: Option<AccountId>,
    /// `resources`, where they are not those that the call concerns.
    pub resources: Option<Vec<Resource>>,
    /// `requestID`, where it is not the call's.
    pub request_id: Option<String>,
    /// The calls to AWS KMS that the service makes for the caller if the call succeeds.
    pub kms_actions: &'static [KmsAction],
    /// Events that the call leaves besides this one, recorded after it.
    pub further: Vec<Event>,
    /// `eventID`, where it is not the call's.
    pub event_id: Option<String>,
    /// `sharedEventID`, on the copies that accounts have of one event.
    pub shared_event_id: Option<String>,
}

impl Event {
    /// Makes an event of a call that only read, took no parameters and succeeded.
    pub fn new(name: impl Into<String>, source: &'static str) -> Self {
        Self {
            name: name.into(),
            source,
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
            further: Vec::new(),
            event_id: None,
            shared_event_id: None,
        }
    }

    /// Adds what the call was told beside its input to the request parameters; what is empty says nothing.
    pub(crate) fn is_requested_with(&mut self, told: Map<String, Value>) {
        let mut told = told.into_iter().filter(|(_, value)| !value.is_null() && value != "").peekable();
        if told.peek().is_none() {
            return;
        }
        let mut all = self.request_parameters.as_object().cloned().unwrap_or_default();
        all.extend(told);
        all.sort_keys();
        self.request_parameters = Value::Object(all);
    }

    /// Returns what stands in the trail for this event: itself and what is further, each with a copy for every other account
    /// whose resources it is about.
    pub(crate) fn records(mut self, call: &Call) -> Vec<Self> {
        let mut further = std::mem::take(&mut self.further);
        for event in &mut further {
            event.event_id = Some(call.new_id());
        }
        std::iter::once(self).chain(further).flat_map(|event| event.copies(call)).collect()
    }

    /// The caller's account has the whole record; an owner of resources in another account sees of the caller no more than
    /// who it is, and both share an id.
    fn copies(mut self, call: &Call) -> Vec<Self> {
        let caller = self.caller.as_ref().unwrap_or(&call.caller).clone();
        let resources = self.resources.clone().unwrap_or_else(|| call.resources());
        let about = self.account.clone().unwrap_or_else(|| call.account.clone());
        let mut owners: Vec<AccountId> = Vec::new();
        for account in resources.into_iter().map(|resource| resource.account).chain([about]) {
            if account != caller.account_id && !owners.contains(&account) {
                owners.push(account);
            }
        }
        if caller.kind == Kind::AwsService {
            // A service acts in the account whose resources it uses; its own has no trail.
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
