//! `codecommit-local console-url`: a link that signs a user in to the console of a running server.

use aws::query;
use clap::Args;

use crate::environment::checked_endpoint;
use crate::local_request;

/// Arguments of `console-url`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Name of the user; of the identities file or of AWS IAM, unless access is open
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Account of the user [default: the account of callers that name none]
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// URL of the server; unless access is open, a server issues links for programs on its own machine only
    #[arg(long, env = "CODECOMMIT_LOCAL_ENDPOINT", value_name = "URL", default_value = "http://127.0.0.1:4599")]
    endpoint: String,
    /// URL of the server in the link, for browsers on other machines [default: that of --endpoint]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Time for which the link works, 90d at most; any number of browsers can use it until then
    #[arg(long, value_name = "TIME", default_value = "8h")]
    valid: String,
}

/// Prints the link.
pub(crate) fn print(arguments: &Arguments) -> Result<(), String> {
    let endpoint = checked_endpoint(&arguments.endpoint)?;
    let shown = arguments.url.as_deref().map(checked_endpoint).transpose()?;
    let account = arguments.account.as_deref().map(|account| ("account", account));
    let members = [("user", arguments.user.as_str()), ("valid", &arguments.valid)].into_iter().chain(account);
    let parameters = query::encode(members);
    let path = format!("/_local/sign-in-links?{}", String::from_utf8_lossy(&parameters));
    let link = request(&endpoint, &path)?;
    println!("{}{link}", shown.unwrap_or(endpoint));
    Ok(())
}

/// Requests a link, and returns its path.
fn request(endpoint: &str, path: &str) -> Result<String, String> {
    let reply = local_request::post(endpoint, path)?;
    reply["path"].as_str().map(str::to_owned).ok_or_else(|| local_request::unknown(endpoint, 200))
}
