//! `codecommit-local env`: the environment of clients, as shell commands.

use clap::Args;

/// Access key of the example user in AWS's documentation; a server without identities accepts any key.
const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Arguments of `env`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// URL of the server
    #[arg(long, env = "CODECOMMIT_LOCAL_ENDPOINT", value_name = "URL", default_value = "http://127.0.0.1:4599")]
    endpoint: String,
    /// Region of the clients
    #[arg(long, env = "CODECOMMIT_LOCAL_REGION", value_name = "REGION", default_value = "us-east-1")]
    region: String,
    /// Access key id of the clients; it names the caller
    #[arg(long, value_name = "ID", default_value = ACCESS_KEY_ID)]
    access_key_id: String,
}

/// Prints one export for each variable.
pub(crate) fn print(arguments: &Arguments) -> Result<(), String> {
    let endpoint = arguments.endpoint.trim_end_matches('/');
    if !endpoint.starts_with("http://") {
        return Err(format!("'{endpoint}' is not an http URL; write one such as http://127.0.0.1:4599"));
    }
    println!("# A program that knows one endpoint for all services takes AWS_ENDPOINT_URL={endpoint}");
    println!("# eval \"$(codecommit-local env)\" sets these in your shell.");
    for (name, value) in variables(endpoint, &arguments.region, &arguments.access_key_id) {
        println!("export {name}={}", quoted(&value));
    }
    Ok(())
}

/// Returns the variables that point the AWS CLI, SDKs and git at a server.
pub(crate) fn variables(endpoint: &str, region: &str, access_key_id: &str) -> Vec<(&'static str, String)> {
    let endpoints = ["AWS_ENDPOINT_URL_CODECOMMIT", "AWS_ENDPOINT_URL_CLOUDTRAIL", "AWS_ENDPOINT_URL_STS"];
    let mut variables: Vec<_> = endpoints.map(|name| (name, endpoint.to_owned())).into();
    variables.extend([
        ("AWS_REGION", region.to_owned()),
        ("AWS_DEFAULT_REGION", region.to_owned()),
        ("AWS_ACCESS_KEY_ID", access_key_id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
        // With a credential helper, git does not prompt for a password.
        ("GIT_CONFIG_COUNT", "2".to_owned()),
        ("GIT_CONFIG_KEY_0", format!("credential.{endpoint}.helper")),
        ("GIT_CONFIG_VALUE_0", "!aws codecommit --ignore-host-check credential-helper $@".to_owned()),
        ("GIT_CONFIG_KEY_1", format!("credential.{endpoint}.useHttpPath")),
        ("GIT_CONFIG_VALUE_1", "true".to_owned()),
    ]);
    variables
}

/// Returns the export commands of the banner, for the AWS CLI and SDKs.
pub(crate) fn exports(endpoint: &str, region: &str) -> impl Iterator<Item = String> {
    let variables = variables(endpoint, region, ACCESS_KEY_ID);
    let aws = variables.into_iter().filter(|(name, _)| name.starts_with("AWS_"));
    aws.map(|(name, value)| format!("    export {name}={}\n", quoted(&value)))
}

/// Quotes a text for a POSIX shell, if necessary.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:+=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
