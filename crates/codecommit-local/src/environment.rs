//! `codecommit-local env`: the environment of clients, as shell commands.

mod authority;

use std::path::PathBuf;

use clap::Args;

/// Access key of the example user in AWS's documentation; a server without identities accepts any key.
const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Git's credential helper that is the AWS CLI. Only `get` has the flag, which is needed for host names that are not of AWS; `store`
/// and `erase` do nothing, and warn of flags.
pub(crate) const CREDENTIAL_HELPER: &str =
    "!f() { aws codecommit credential-helper $1 $([ $1 = get ] && echo --ignore-host-check); }; f";

/// The variable with the certificate authorities that git trusts for all hosts.
const GIT_AUTHORITIES: &str = "GIT_SSL_CAINFO";

/// Arguments of `env`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// URL of the server
    #[arg(long, env = "CODECOMMIT_LOCAL_ENDPOINT", value_name = "URL", default_value = "http://127.0.0.1:4599")]
    endpoint: String,
    /// Use TLS: the same URL with https
    #[arg(long)]
    tls: bool,
    /// PEM file of the certificate authority that clients trust with https [default: ca.pem in the data folder, else that of the
    /// running server, saved as codecommit-local-ca.pem]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Data folder of the server, for its ca.pem
    #[arg(long, env = "CODECOMMIT_LOCAL_DATA_DIR", value_name = "FOLDER", default_value = "codecommit-data")]
    data_dir: PathBuf,
    /// Region of the clients
    #[arg(long, env = "CODECOMMIT_LOCAL_REGION", value_name = "REGION", default_value = "us-east-1")]
    region: String,
    /// Access key id of the clients; it names the caller
    #[arg(long, value_name = "ID", default_value = ACCESS_KEY_ID)]
    access_key_id: String,
    /// Secret of the access key, for a server that verifies signatures
    #[arg(long, value_name = "SECRET", default_value = SECRET_ACCESS_KEY, hide_default_value = true)]
    secret_access_key: String,
}

/// An access key of clients.
#[derive(Clone, Copy)]
pub(crate) struct ClientKey<'k> {
    pub(crate) id: &'k str,
    pub(crate) secret: &'k str,
}

impl ClientKey<'_> {
    /// The key of the example user in AWS's documentation.
    pub(crate) const EXAMPLE: Self = Self { id: ACCESS_KEY_ID, secret: SECRET_ACCESS_KEY };
}

/// Prints one export for each variable.
pub(crate) fn print(arguments: &Arguments) -> Result<(), String> {
    let endpoint = checked_endpoint(&arguments.endpoint)?;
    let endpoint = match endpoint.strip_prefix("http://") {
        Some(address) if arguments.tls || arguments.ca.is_some() => format!("https://{address}"),
        _ => endpoint,
    };
    let ca = if endpoint.starts_with("https://") {
        let found = authority::find(arguments.ca.as_deref(), &arguments.data_dir, &endpoint)?;
        println!("# {}", found.comment);
        println!(
            "# With AWS_CA_BUNDLE and SSL_CERT_FILE programs trust this certificate authority only; NODE_EXTRA_CA_CERTS adds it."
        );
        Some(found.path)
    } else {
        None
    };
    let key = ClientKey { id: &arguments.access_key_id, secret: &arguments.secret_access_key };
    println!("# A program that knows one endpoint for all services takes AWS_ENDPOINT_URL={endpoint}");
    println!("# eval \"$(codecommit-local env)\" sets these in your shell.");
    for (name, value) in variables(&endpoint, &arguments.region, key, ca.as_deref()) {
        println!("export {name}={}", quoted(&value));
    }
    // The variable overrides git's configuration, so it must not name another file.
    if let Some(ca) = ca.filter(|_| std::env::var_os(GIT_AUTHORITIES).is_some_and(|path| !path.is_empty())) {
        println!("export {GIT_AUTHORITIES}={}", quoted(&ca));
    }
    Ok(())
}

/// Returns the URL of a server without a slash at its end; fails for a text that is no such URL.
pub(crate) fn checked_endpoint(text: &str) -> Result<String, String> {
    let endpoint = text.trim_end_matches('/');
    let address = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    let is_address = |address: &str| !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_graphic());
    if address.is_some_and(is_address) {
        return Ok(endpoint.to_owned());
    }
    Err(format!("'{endpoint}' is not an http or https URL; write one such as http://127.0.0.1:4599"))
}

/// Returns the variables that point the AWS CLI, SDKs and git at a server; `ca` is the certificate authority's file, with https.
pub(crate) fn variables(endpoint: &str, region: &str, key: ClientKey<'_>, ca: Option<&str>) -> Vec<(String, String)> {
    let endpoints =
        ["AWS_ENDPOINT_URL_CODECOMMIT", "AWS_ENDPOINT_URL_CLOUDTRAIL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM"];
    let mut variables: Vec<_> = endpoints.map(|name| (name, endpoint)).into();
    variables.extend([
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", key.id),
        ("AWS_SECRET_ACCESS_KEY", key.secret),
    ]);
    if let Some(ca) = ca {
        variables.extend(["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"].map(|name| (name, ca)));
        // git-remote-codecommit puts https:// before it.
        variables.push(("CODE_COMMIT_ENDPOINT", endpoint.trim_start_matches("https://")));
    }
    // With a credential helper, git does not prompt for a password.
    let mut configuration = vec![
        (format!("credential.{endpoint}.helper"), CREDENTIAL_HELPER),
        (format!("credential.{endpoint}.useHttpPath"), "true"),
    ];
    configuration.extend(ca.map(|ca| (format!("http.{endpoint}.sslCAInfo"), ca)));
    let count = ("GIT_CONFIG_COUNT".to_owned(), configuration.len().to_string());
    let git = configuration.into_iter().enumerate().flat_map(|(number, (key, value))| {
        [(format!("GIT_CONFIG_KEY_{number}"), key), (format!("GIT_CONFIG_VALUE_{number}"), value.to_owned())]
    });
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    variables.chain([count]).chain(git).collect()
}

/// Returns the export commands of the banner, for the AWS CLI and SDKs.
pub(crate) fn exports(
    endpoint: &str,
    region: &str,
    key: ClientKey<'_>,
    ca: Option<&str>,
) -> impl Iterator<Item = String> {
    let variables = variables(endpoint, region, key, ca);
    let aws = variables.into_iter().filter(|(name, _)| name.starts_with("AWS_"));
    aws.map(|(name, value)| format!("    export {name}={}\n", quoted(&value)))
}

/// Quotes a text for a POSIX shell, if necessary.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:+=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
