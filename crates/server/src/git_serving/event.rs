//! The events of Git sessions.

use aws::KmsAction;
use codecommit::repository::Repository;
use git::{ObjectId, Service};
use serde_json::{Map, Value, json};
use trail::Event;

use crate::git_serving::Session;

/// The maximum length of a recorded reference name, in bytes; pushes of longer names are rejected.
const REFERENCE_BYTES_MAX: usize = 4_096;

/// The maximum length of all names together, in bytes; a record cannot hold more.
const REFERENCES_BYTES_MAX: usize = 100 * 1024;

/// Returns the `eventName` of a service.
pub(crate) fn name(service: Service) -> &'static str {
    match service {
        Service::UploadPack => "GitPull",
        Service::ReceivePack => "GitPush",
    }
}

/// Creates the event of a request that transferred no data: an advertisement, or a failed request.
pub(crate) fn without_data(session: &Session, repository_name: &str, repository: Option<&Repository>) -> Event {
    let mut event = Event::new(name(session.service), codecommit::EVENT_SOURCE);
    event.additional_event_data = additional(session, repository_name, repository, None, None);
    event
}

/// Creates the event of a response with a pack.
pub(crate) fn pull(session: &Session, repository: &Repository, capabilities: &[String], shallow: bool) -> Event {
    let mut event = Event::new(name(Service::UploadPack), codecommit::EVENT_SOURCE);
    event.additional_event_data =
        additional(session, &repository.name, Some(repository), Some(capabilities), Some(shallow));
    event.kms_actions = &[KmsAction::Decrypt];
    event
}

/// Creates the event of a push.
///
/// A deletion has the null id, as the client sends it: nothing else in the record distinguishes it from an update.
pub(crate) fn push<'a>(
    session: &Session,
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
    event.additional_event_data = additional(session, &repository.name, Some(repository), Some(capabilities), None);
    event
}

/// Returns the name of a reference as text, truncated if it is too long.
fn shown(name: &[u8]) -> String {
    let name = &name[..name.len().min(REFERENCE_BYTES_MAX)];
    let mut text = String::from_utf8_lossy(name).into_owned();
    // The replacement of bytes that are not UTF-8 is longer than the bytes.
    text.truncate(text.floor_char_boundary(REFERENCE_BYTES_MAX));
    text
}

/// Creates `additionalEventData`, with the members in the order of the guide's records. Data was transferred if there are
/// capabilities.
fn additional(
    session: &Session,
    repository_name: &str,
    repository: Option<&Repository>,
    capabilities: Option<&[String]>,
    shallow: Option<bool>,
) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("protocol", session.protocol.into());
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
