//! Buckets at other S3 endpoints, as the configuration file has them.

use std::collections::BTreeMap;

use aws::Region;
use serde::Deserialize;
use server::settings::{RemoteSettings, Secret};

use super::{SettingError, triggers};

/// The table `[buckets.NAME]` of the configuration file.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BucketOptions {
    /// The URL of the endpoint.
    pub endpoint: String,
    /// The bucket's region.
    pub region: Option<String>,
    /// The id of the access key that signs requests.
    pub access_key_id: Option<String>,
    /// The secret of the access key.
    pub secret_access_key: Option<String>,
    /// The encryption of objects: `AES256`, `aws:kms`, `aws:kms:dsse`, or `none`.
    pub server_side_encryption: Option<String>,
    /// The key of `aws:kms` and `aws:kms:dsse`.
    pub kms_key_id: Option<String>,
}

/// Checks the buckets and fills in defaults; `own` is the name of the trail folder's bucket.
pub(super) fn settings(
    options: BTreeMap<String, BucketOptions>,
    own: &str,
    region: &Region,
) -> Result<BTreeMap<String, RemoteSettings>, SettingError> {
    check_name("trail-bucket", own)?;
    let mut buckets = BTreeMap::new();
    for (name, bucket) in options {
        check_name("buckets", &name)?;
        if name == own {
            return Err(SettingError(format!(
                "buckets: {name} is the name of the trail folder's bucket; choose another name"
            )));
        }
        let bucket = bucket.settings(region).map_err(|error| SettingError(format!("buckets: {name}: {error}")))?;
        buckets.insert(name, bucket);
    }
    Ok(buckets)
}

fn check_name(setting: &str, name: &str) -> Result<(), SettingError> {
    if s3s::path::check_bucket_name(name) {
        return Ok(());
    }
    let rule =
        "write 3 to 63 lower-case letters, digits, periods and dashes, beginning and ending with a letter or digit";
    Err(SettingError(format!("{setting}: '{name}' is not a bucket name; {rule}")))
}

impl BucketOptions {
    fn settings(self, region: &Region) -> Result<RemoteSettings, String> {
        if !triggers::is_http(&self.endpoint) {
            let advice = "write one such as http://127.0.0.1:9000";
            return Err(format!("endpoint is not an http or https URL without a user name; {advice}"));
        }
        let access_key = match (self.access_key_id, self.secret_access_key) {
            (Some(id), Some(secret)) => Some((id, Secret::new(secret))),
            (None, None) => None,
            _ => return Err("write both access-key-id and secret-access-key, or neither".to_owned()),
        };
        let encryption = match self.server_side_encryption.as_deref().unwrap_or("AES256") {
            "none" => None,
            known @ ("AES256" | "aws:kms" | "aws:kms:dsse") => Some(known.to_owned()),
            other => {
                return Err(format!(
                    "server-side-encryption: '{other}' is unknown; write AES256, aws:kms, aws:kms:dsse or none"
                ));
            }
        };
        if self.kms_key_id.is_some() && !encryption.as_ref().is_some_and(|name| name.starts_with("aws:kms")) {
            return Err("kms-key-id needs server-side-encryption = \"aws:kms\"".to_owned());
        }
        let region: Region = self.region.as_deref().map_or_else(|| Ok(region.clone()), str::parse)?;
        let region = region.as_str().to_owned();
        Ok(RemoteSettings { endpoint: self.endpoint, region, access_key, encryption, kms_key_id: self.kms_key_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Result<BTreeMap<String, RemoteSettings>, String> {
        let options: BTreeMap<String, BucketOptions> = toml::from_str(file).map_err(|error| error.to_string())?;
        settings(options, "the-trail", &"eu-west-1".parse()?).map_err(|error| error.to_string())
    }

    #[test]
    fn a_bucket_has_defaults_and_shows_no_secret() {
        let file =
            "[far]\nendpoint = \"http://127.0.0.1:9000\"\naccess-key-id = \"AKIA1\"\nsecret-access-key = \"hidden\"";
        let buckets = read(file).expect("the settings are valid");
        let far = &buckets["far"];
        assert_eq!((far.region.as_str(), far.encryption.as_deref()), ("eu-west-1", Some("AES256")));
        let (id, secret) = far.access_key.as_ref().expect("the file has an access key");
        assert_eq!((id.as_str(), secret.reveal()), ("AKIA1", "hidden"));
        assert!(!format!("{buckets:?}").contains("hidden"));
    }

    #[test]
    fn an_invalid_bucket_is_refused_with_what_to_write() {
        let endpoint = "endpoint = \"http://127.0.0.1:9000\"";
        for (file, advice) in [
            (format!("[Far_Away]\n{endpoint}"), "lower-case letters"),
            (format!("[the-trail]\n{endpoint}"), "choose another name"),
            ("[far]\nregion = \"us-east-1\"".to_owned(), "missing field `endpoint`"),
            ("[far]\nendpoint = \"ftp://127.0.0.1\"".to_owned(), "such as http://127.0.0.1:9000"),
            (format!("[far]\n{endpoint}\naccess-key-id = \"AKIA1\""), "both access-key-id and secret-access-key"),
            (format!("[far]\n{endpoint}\nserver-side-encryption = \"rot13\""), "write AES256"),
            (format!("[far]\n{endpoint}\nkms-key-id = \"k\""), "needs server-side-encryption"),
            (format!("[far]\n{endpoint}\nregion = \"Mars\""), "egion"),
            (format!("[far]\n{endpoint}\ncolour = 1"), "unknown field `colour`"),
        ] {
            let message = read(&file).expect_err(&file);
            assert!(message.contains(advice), "{file}: {message}");
        }
    }
}
