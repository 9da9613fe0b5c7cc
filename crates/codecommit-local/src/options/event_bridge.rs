//! Destinations of events for Amazon EventBridge, as flags and the configuration file have them.

use std::collections::BTreeMap;

use aws::Pattern;
use serde::Deserialize;
use server::settings::{BusDestination, BusFilter, BusTarget, EventBridge, PutEventsTarget, Secret};
use trail::bus_event::BusSelection;

use super::settings::time;
use super::triggers::is_http;
use super::{BusCalls, Options, SettingError, YesNo};

/// The names of the destinations of `--eventbridge-endpoint` and `--eventbridge-url`.
const OF_FLAGS: [&str; 2] = ["endpoint", "url"];

/// The table `[eventbridge]` of the configuration file.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EventBridgeOptions {
    /// Destinations by name.
    pub destinations: BTreeMap<String, BusDestinationOptions>,
    /// Attempts to send an event before it is given up.
    pub attempts: Option<u32>,
    /// Age from which an event is not tried again.
    pub max_age: Option<String>,
    /// Time before the second attempt; it doubles with each failure.
    pub first_retry: Option<String>,
}

/// The table `[eventbridge.destinations.NAME]` of the configuration file.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct BusDestinationOptions {
    /// The URL of an endpoint that speaks `PutEvents`.
    pub endpoint: Option<String>,
    /// The URL that gets each event by POST.
    pub url: Option<String>,
    /// The name or ARN of the event bus.
    pub bus: Option<String>,
    /// The region of the signature.
    pub region: Option<String>,
    /// The id of the access key that signs requests.
    pub access_key_id: Option<String>,
    /// The secret of the access key.
    pub secret_access_key: Option<String>,
    /// The source that replaces `aws.codecommit` and others.
    pub source: Option<String>,
    /// Patterns of detail types.
    pub detail_types: Vec<String>,
    /// Patterns of events and of names of calls.
    pub events: Vec<String>,
    /// Patterns of names of repositories.
    pub repositories: Vec<String>,
}

/// Checks the settings of events and fills in defaults.
pub(super) fn settings(options: &Options) -> Result<EventBridge, SettingError> {
    let calls = options.eventbridge_calls.unwrap_or(BusCalls::Off);
    let records = BusSelection {
        api_calls: calls != BusCalls::Off,
        all_management_events: calls == BusCalls::All,
        console_sign_ins: options.eventbridge_sign_ins.unwrap_or(false),
    };
    let flags = [options.eventbridge_endpoint.clone(), options.eventbridge_url.clone()];
    let delivery = delivery(options.eventbridge.clone().unwrap_or_default(), flags)?;
    Ok(EventBridge { changes: options.eventbridge_changes != Some(YesNo::No), records, ..delivery })
}

/// Checks the destinations; `flags` are the URLs of `--eventbridge-endpoint` and `--eventbridge-url`.
fn delivery(options: EventBridgeOptions, flags: [Option<String>; 2]) -> Result<EventBridge, SettingError> {
    let failed = |message: String| SettingError(format!("eventbridge: {message}"));
    let mut destinations = options.destinations;
    let [endpoint, url] = flags;
    let of_endpoint = endpoint.map(|url| BusDestinationOptions { endpoint: Some(url), ..Default::default() });
    let of_url = url.map(|url| BusDestinationOptions { url: Some(url), ..Default::default() });
    for (name, destination) in OF_FLAGS.into_iter().zip([of_endpoint, of_url]) {
        let Some(destination) = destination else { continue };
        if destinations.insert(name.to_owned(), destination).is_some() {
            return Err(failed(format!(
                "the destination '{name}' is that of --eventbridge-{name}; choose another name in the file"
            )));
        }
    }
    if options.attempts == Some(0) {
        return Err(failed("attempts is 0; write 1 or more".to_owned()));
    }
    let checked = destinations.into_iter().map(|(name, destination)| {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if name.is_empty() || !name.chars().all(is_name) {
            let advice = "write letters, digits, dashes and underscores";
            return Err(failed(format!("'{name}' is not the name of a destination; {advice}")));
        }
        let destination = destination.settings().map_err(|message| failed(format!("{name}: {message}")))?;
        Ok((name, destination))
    });
    let defaults = EventBridge::default();
    Ok(EventBridge {
        destinations: checked.collect::<Result<_, _>>()?,
        attempts: options.attempts.unwrap_or(defaults.attempts),
        age_max: time("eventbridge: max-age", options.max_age, defaults.age_max)?,
        first_retry: time("eventbridge: first-retry", options.first_retry, defaults.first_retry)?,
        ..defaults
    })
}

impl BusDestinationOptions {
    fn settings(self) -> Result<BusDestination, String> {
        let filter = self.filter();
        let is_put_events_only = self.bus.is_some()
            || self.region.is_some()
            || self.access_key_id.is_some()
            || self.secret_access_key.is_some()
            || self.source.is_some();
        let target = match (self.endpoint, self.url) {
            (Some(url), None) => {
                let access_key = match (self.access_key_id, self.secret_access_key) {
                    (Some(id), Some(secret)) => Some((id, Secret::new(secret))),
                    (None, None) => None,
                    _ => return Err("write both access-key-id and secret-access-key, or neither".to_owned()),
                };
                let region = self.region.as_deref().map(str::parse).transpose()?;
                let url = http(url, "http://127.0.0.1:5000")?;
                BusTarget::PutEvents(PutEventsTarget { url, bus: self.bus, region, access_key, source: self.source })
            }
            (None, Some(_)) if is_put_events_only => {
                return Err(
                    "bus, region, access-key-id, secret-access-key and source are for an endpoint, not for a url"
                        .to_owned(),
                );
            }
            (None, Some(url)) => BusTarget::Url(http(url, "http://127.0.0.1:8000/hook")?),
            _ => return Err("write either endpoint, which speaks PutEvents, or url, which gets the events".to_owned()),
        };
        Ok(BusDestination { target, filter })
    }

    fn filter(&self) -> BusFilter {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        BusFilter {
            detail_types: patterns(&self.detail_types),
            events: patterns(&self.events),
            repositories: patterns(&self.repositories),
        }
    }
}

fn http(url: String, example: &str) -> Result<String, String> {
    let invalid = || format!("'{url}' is not an http or https URL without a user name; write one such as {example}");
    if is_http(&url) { Ok(url) } else { Err(invalid()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(file: &str, flags: [Option<&str>; 2]) -> Result<EventBridge, String> {
        let options: EventBridgeOptions = toml::from_str(file).map_err(|error| error.to_string())?;
        let flags = flags.map(|url| url.map(str::to_owned));
        delivery(options, flags).map_err(|error| error.to_string())
    }

    #[test]
    fn destinations_of_flags_and_of_the_file_are_used_together() {
        let file = r#"
            attempts = 3
            max-age = "1h"
            first-retry = "2s"
            [destinations.bus]
            endpoint = "http://127.0.0.1:5000"
            bus = "my-bus"
            region = "eu-west-1"
            access-key-id = "AKIA1"
            secret-access-key = "hidden"
            repositories = ["My*"]
        "#;
        let settings = read(file, [None, Some("http://localhost/hook")]).expect("the settings are valid");
        assert_eq!((settings.attempts, settings.first_retry), (3, Duration::from_secs(2)));
        assert_eq!(settings.age_max, Duration::from_hours(1));
        assert_eq!(settings.destinations.keys().collect::<Vec<_>>(), ["bus", "url"]);
        let BusDestination { target: BusTarget::PutEvents(target), filter } = &settings.destinations["bus"] else {
            panic!("the destination speaks PutEvents");
        };
        assert_eq!((target.url.as_str(), target.bus.as_deref()), ("http://127.0.0.1:5000", Some("my-bus")));
        assert_eq!(filter.repositories, [Pattern::new("My*")]);
        assert!(!format!("{settings:?}").contains("hidden"));
    }

    #[test]
    fn invalid_destinations_are_refused_with_what_to_write() {
        for (file, advice) in [
            ("attempts = 0", "write 1 or more"),
            ("first-retry = \"soon\"", "such as 5s"),
            ("max-age = \"a day\"", "max-age: 'a day' is not a time"),
            ("[destinations.a]", "write either endpoint"),
            ("[destinations.a]\nurl = \"http://a\"\nendpoint = \"http://b\"", "write either endpoint"),
            ("[destinations.a]\nurl = \"ftp://a\"", "such as http://127.0.0.1:8000/hook"),
            ("[destinations.a]\nurl = \"http://a\"\nbus = \"b\"", "are for an endpoint"),
            ("[destinations.a]\nendpoint = \"http://a\"\naccess-key-id = \"b\"", "write both"),
            ("[destinations.a]\nendpoint = \"http://a\"\nregion = \"nowhere!\"", "region"),
            ("[destinations.\"a.b\"]\nurl = \"http://a\"", "letters, digits"),
            ("[destinations.url]\nurl = \"http://a\"", "choose another name"),
            ("[destinations.a]\nqueue = \"http://a\"", "unknown field"),
        ] {
            let message = read(file, [None, Some("http://localhost/hook")]).expect_err(file);
            assert!(message.contains(advice), "{file}: {message}");
        }
    }
}
