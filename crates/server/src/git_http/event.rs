//! The events of Git requests.

use aws::KmsAction;
use codecommit::repository::Repository;
use git::{ObjectId, Service};
use serde_json::{Map, Value, json};
use trail::Event;

/// `eventName` of a service's requests.
pub(crate) fn name(service: Service) -> &'static str {
    match service {
        Service::UploadPack => "GitPull",
        Service::ReceivePack => "GitPush",
    }
}

/// The event of a request that moved no data: the advertisement, or one that failed.
pub(crate) fn without_data(service: Service, repository_name: &str, repository: Option<&Repository>) -> Event {
    let mut event = Event::new(name(service), codecommit::EVENT_SOURCE);
    event.additional_event_data = additional(repository_name, repository, None, None);
    event
}

/// The event of a request whose answer is a pack.
pub(crate) fn pull(repository: &Repository, capabilities: &[String], shallow: bool) -> Event {
    let mut event = Event::new(name(Service::UploadPack), codecommit::EVENT_SOURCE);
    event.additional_event_data = additional(&repository.name, Some(repository), Some(capabilities), Some(shallow));
    event.kms_actions = &[KmsAction::Decrypt];
    event
}

/// The event of a request that brings commands and mostly a pack.
///
/// A deletion shows the null id, as the client sends it: nothing else in the record would tell it from an update.
pub(crate) fn push<'a>(
    repository: &Repository,
    capabilities: &[String],
    references: impl Iterator<Item = (&'a [u8], ObjectId)>,
) -> Event {
    let mut event = Event::new(name(Service::ReceivePack), codecommit::EVENT_SOURCE);
    event.read_only = false;
    event.kms_actions = &[KmsAction::Encrypt];
    let references: Vec<Value> = references
        .map(|(name, commit)| json!({ "commit": commit.to_string(), "ref": String::from_utf8_lossy(name) }))
        .collect();
    event.request_parameters = json!({ "references": references });
    event.additional_event_data = additional(&repository.name, Some(repository), Some(capabilities), None);
    event
}

/// `additionalEventData`, members in the order of the guide's records; data was moved where there are capabilities.
fn additional(
    repository_name: &str,
    repository: Option<&Repository>,
    capabilities: Option<&[String]>,
    shallow: Option<bool>,
) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("protocol", "HTTP".into());
    if let Some(capabilities) = capabilities {
        put("capabilities", capabilities.into());
    }
    put("dataTransferred", capabilities.is_some().into());
    put("repositoryName", repository_name.into());
    if let Some(repository) = repository {
        put("repositoryId", repository.id.as_str().into());
    }
    if let Some(shallow) = shallow {
        put("shallow", shallow.into());
    }
    Value::Object(data)
}
