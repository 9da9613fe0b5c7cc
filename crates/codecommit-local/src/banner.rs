//! The banner: the endpoint, the environment of clients and the first commands.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use codecommit_local::Server;

use crate::environment;

/// Returns the lines that are printed when the server is ready.
pub(crate) fn text(server: &Server) -> String {
    let endpoint = format!("http://{}", reachable(server.address()));
    let (account, region) = (server.account(), server.region());
    let exports: String = environment::exports(&endpoint, region.as_str()).collect();
    format!(
        "
  codecommit-local is ready at {endpoint}

  Paste this into a shell, or run eval \"$(codecommit-local env)\", to use it with the AWS CLI and SDKs:

{exports}
  A program that knows one endpoint for all services takes AWS_ENDPOINT_URL={endpoint}

  Create a repository, and clone it:

    aws codecommit create-repository --repository-name MyDemoRepo
    git clone {endpoint}/v1/repos/MyDemoRepo

  Region: {region}, account {account}
  Data:   {}
  Trail:  {}   (codecommit-local events --follow)

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
