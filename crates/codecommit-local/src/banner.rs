//! The banner: the endpoint, the environment of clients and the first commands.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use codecommit_local::Server;

use crate::environment::{self, ClientKey};

/// Returns the lines that are printed when the server is ready.
pub(crate) fn text(server: &Server) -> String {
    let address = reachable(server.address());
    let endpoint = if server.requires_tls() { format!("https://{address}") } else { format!("http://{address}") };
    let (account, region) = (server.account(), server.region());
    let authority = server.authority_file().and_then(|path| std::path::absolute(path).ok());
    let authority = authority.map(|path| path.display().to_string());
    let required_authority = authority.as_deref().filter(|_| server.requires_tls());
    let further = server.addresses()[1..].iter().map(|address| format!("  It also listens at {address}.\n"));
    let further = further.collect::<Vec<_>>().concat();
    let tls = match &authority {
        Some(authority) if server.requires_tls() => format!("  TLS:    certificate authority {authority}\n"),
        Some(authority) => {
            format!("  TLS:    https://{address}, certificate authority {authority}   (codecommit-local env --tls)\n")
        }
        None => String::new(),
    };
    let new_key = server.new_administrator_key();
    let key = new_key.map(|key| ClientKey { id: &key.id, secret: key.secret.as_str() });
    let key = key.unwrap_or(ClientKey::EXAMPLE);
    let exports: String = environment::exports(&endpoint, region.as_str(), key, required_authority).collect();
    let note = new_key.map_or("", |_| {
        "
  This is the access key of the administrator. It is shown only now: keep its secret.
"
    });
    let ssh = match server.ssh_address().map(reachable) {
        Some(ssh) => {
            let line = server.known_hosts(&ssh.ip().to_string()).unwrap_or_default();
            format!(
                "  SSH:    ssh://KEY_ID@{ssh}/v1/repos/MyDemoRepo, with this line in ~/.ssh/known_hosts:\n\n    {line}\n"
            )
        }
        None => String::new(),
    };
    format!(
        "
  codecommit-local is ready at {endpoint}
{further}
  Paste this into a shell, or run eval \"$(codecommit-local env)\", to use it with the AWS CLI and SDKs:

{exports}{note}
  A program that knows one endpoint for all services takes AWS_ENDPOINT_URL={endpoint}

  Create a repository, and clone it:

    aws codecommit create-repository --repository-name MyDemoRepo
    git clone {endpoint}/v1/repos/MyDemoRepo

  Region: {region}, account {account}
  Data:   {}
  Trail:  {}   (codecommit-local events --follow)
{tls}{ssh}
",
        server.data_folder().display(),
        server.trail_folder().display(),
    )
}

/// Replaces an address that stands for all interfaces by this machine's own.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if !ip.is_unspecified() => address,
        ip if ip.is_ipv4() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        _ => (Ipv6Addr::LOCALHOST, address.port()).into(),
    }
}
