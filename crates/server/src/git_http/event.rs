//! The events of Git requests.

use aws::KmsAction;
use codecommit::repository::Repository;
use git::{ObjectId, Service};
use serde_json::{Map, Value, json};
use trail::Event;

/// The most bytes of a reference's name that are recorded; longer ones are refused.
const REFERENCE_BYTES_MAX: usize = 4_096;

/// The most bytes of names that a record has room for; there is no use in keeping more of them in memory.
const REFERENCES_BYTES_MAX: usize = 100 * 1024;

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
    let mut bytes = 0;
    let references: Vec<Value> = references
        .take_while(|(name, _)| {
            bytes += name.len().min(REFERENCE_BYTES_MAX);
            bytes <= REFERENCES_BYTES_MAX
        })
        .map(|(name, commit)| json!({ "commit": commit.to_string(), "ref": shown(name) }))
        .collect();
    event.request_parameters = json!({ "references": references });
    event.additional_event_data = additional(&repository.name, Some(repository), Some(capabilities), None);
    event
}

/// Returns a reference's name as text, cut where it is too long.
fn shown(name: &[u8]) -> String {
    let name = &name[..name.len().min(REFERENCE_BYTES_MAX)];
    let mut text = String::from_utf8_lossy(name).into_owned();
    // What takes the place of bytes that are no text is longer than they are.
    text.truncate(text.floor_char_boundary(REFERENCE_BYTES_MAX));
    text
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
