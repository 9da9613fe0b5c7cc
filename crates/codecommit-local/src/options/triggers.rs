//! Destinations of trigger messages, as the configuration file has them.

use std::collections::BTreeMap;

use aws::arn::has_arn_prefix;
use serde::Deserialize;
use server::settings::{Destination, Triggers};
use ureq::http::Uri;

use super::SettingError;
use super::settings::time;

/// The table `[triggers]` of the configuration file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TriggerOptions {
    /// Destinations by ARN, or by the beginning of one; the longest beginning counts.
    pub destinations: BTreeMap<String, Destination>,
    /// Attempts to send a message before it is given up.
    pub attempts: Option<u32>,
    /// Time before the second attempt; it doubles with each failure.
    pub first_retry: Option<String>,
}

impl TriggerOptions {
    pub(super) fn settings(self) -> Result<Triggers, SettingError> {
        let invalid = |message: String| Err(SettingError(format!("triggers: {message}")));
        for (arn, destination) in &self.destinations {
            let url = destination.url();
            if !has_arn_prefix(arn) {
                return invalid(format!("'{arn}' is not the beginning of an ARN; write one such as arn:aws:sns:"));
            }
            if !is_http(url) {
                return invalid(format!(
                    "the destination of {arn} is not an http or https URL without a user name; write one such as http://127.0.0.1:5000"
                ));
            }
        }
        if self.attempts == Some(0) {
            return invalid("attempts is 0; write 1 or more".to_owned());
        }
        let defaults = Triggers::default();
        Ok(Triggers {
            destinations: self.destinations,
            attempts: self.attempts.unwrap_or(defaults.attempts),
            first_retry: time("triggers: first-retry", self.first_retry, defaults.first_retry)?,
        })
    }
}

/// Returns whether a text is an http or https URL with a host and without a user name.
pub(super) fn is_http(url: &str) -> bool {
    let has_host = |uri: &Uri| uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    (url.starts_with("http://") || url.starts_with("https://")) && url.parse().as_ref().is_ok_and(has_host)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings(file: &str) -> Result<Triggers, String> {
        let options: TriggerOptions = toml::from_str(file).map_err(|error| error.to_string())?;
        options.settings().map_err(|error| error.to_string())
    }

    #[test]
    fn the_longest_matching_beginning_of_an_arn_is_used() {
        let file = r#"
            first-retry = "2s"
            [destinations]
            "arn:aws:sns:" = { endpoint = "http://127.0.0.1:5000" }
            "arn:aws:sns:us-east-1:111122223333:MyTopic" = { url = "https://localhost/hook" }
        "#;
        let triggers = settings(file).expect("the settings are valid");
        let topic = Destination::Url("https://localhost/hook".to_owned());
        assert_eq!(triggers.destination("arn:aws:sns:us-east-1:111122223333:MyTopic"), Some(&topic));
        let others = Destination::Endpoint("http://127.0.0.1:5000".to_owned());
        assert_eq!(triggers.destination("arn:aws:sns:us-east-1:111122223333:Other"), Some(&others));
        assert_eq!(triggers.destination("arn:aws:lambda:us-east-1:111122223333:function:f"), None);
        assert_eq!((triggers.attempts, triggers.first_retry), (10, Duration::from_secs(2)));
    }

    #[test]
    fn invalid_triggers_are_refused_with_what_to_write() {
        for (file, advice) in [
            ("attempts = 0", "write 1 or more"),
            ("first-retry = \"soon\"", "such as 5s"),
            ("[destinations]\nMyTopic = { url = \"http://localhost\" }", "such as arn:aws:sns:"),
            ("[destinations]\n\"arn:aws:sns:\" = { url = \"ftp://localhost\" }", "such as http://127.0.0.1:5000"),
            ("[destinations]\n\"arn:aws:sns:\" = { endpoint = \"http://a:b@localhost\" }", "without a user name"),
            ("[destinations]\n\"arn:aws:sns:\" = { endpoint = \"http://\" }", "such as http://127.0.0.1:5000"),
            ("[destinations]\n\"arn:aws:sns:\" = { queue = \"http://localhost\" }", "`endpoint` or `url`"),
        ] {
            let message = settings(file).expect_err(file);
            assert!(message.contains(advice), "{file}: {message}");
        }
    }
}
