//! `codecommit-local health`: the health check for containers, whose image has no other program.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use codecommit_local::options::units;
use ureq::Agent;

use crate::server_trust;

/// Timeout of one attempt.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Time between two attempts while the server is not ready.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Status of a reply over plain HTTP by a server that requires TLS.
const UPGRADE_REQUIRED: u16 = 426;

/// Arguments of `health`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Address and port of the server, with `http://`, with `https://`, or without, for the one that the server uses
    #[arg(env = "CODECOMMIT_LOCAL_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4599")]
    server: String,
    /// Time to wait for a server that is not ready yet, such as 10s
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    wait: Option<Duration>,
}

/// The server and how it is reached.
struct Target {
    /// `None` for the scheme that the server uses.
    scheme: Option<&'static str>,
    address: SocketAddr,
}

/// Succeeds if the server replies that it is ready.
pub(crate) fn ask(arguments: &Arguments) -> Result<(), String> {
    let target = Target::parse(&arguments.server)?;
    // The check sends no secret, so it needs no certificate that it can verify.
    let agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(TIMEOUT))
        .tls_config(server_trust::unverified())
        .build();
    let agent = agent.into();
    let end = Instant::now() + arguments.wait.unwrap_or(Duration::ZERO);
    loop {
        let state = target.ask(&agent);
        if state.is_ok() || Instant::now() + RETRY_INTERVAL > end {
            return state;
        }
        thread::sleep(RETRY_INTERVAL);
    }
}

impl Target {
    /// Parses an address with or without a scheme; of several addresses, separated by commas, the first counts.
    fn parse(text: &str) -> Result<Self, String> {
        let first = text.split(',').next().unwrap_or_default().trim().trim_end_matches('/');
        let (scheme, address) = match first.split_once("://") {
            Some(("http", address)) => (Some("http"), address),
            Some(("https", address)) => (Some("https"), address),
            _ => (None, first),
        };
        let mut address: SocketAddr = address
            .parse()
            .map_err(|_| format!("'{first}' is not an address and port; write one such as 127.0.0.1:4599"))?;
        if address.ip().is_unspecified() {
            // A server that listens on all interfaces is reached on this machine.
            address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() });
        }
        Ok(Self { scheme, address })
    }

    fn ask(&self, agent: &Agent) -> Result<(), String> {
        let address = self.address;
        let status = |scheme| {
            let reply = agent.get(format!("{scheme}://{address}/_local/health")).call();
            reply.map(|reply| reply.status().as_u16())
        };
        let mut answer = status(self.scheme.unwrap_or("http"));
        if self.scheme.is_none() && matches!(answer, Ok(UPGRADE_REQUIRED)) {
            answer = status("https");
        }
        match answer {
            Ok(200) => Ok(()),
            Ok(UPGRADE_REQUIRED) => Err(format!("the server at {address} requires TLS; ask https://{address}")),
            Ok(_) => Err(format!("the server at {address} is not ready")),
            Err(error) => Err(format!("cannot reach a server at {address}: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_server_has_an_address_and_perhaps_a_scheme() {
        for (text, scheme, address) in [
            ("127.0.0.1:4599", None, "127.0.0.1:4599"),
            ("http://127.0.0.1:4599/", Some("http"), "127.0.0.1:4599"),
            ("https://[::1]:443", Some("https"), "[::1]:443"),
            ("0.0.0.0:443,0.0.0.0:4599", None, "127.0.0.1:443"),
        ] {
            let target = Target::parse(text).expect("the text is an address");
            assert_eq!((target.scheme, target.address.to_string().as_str()), (scheme, address));
        }
        for text in ["", "localhost", "ftp://127.0.0.1:21", "127.0.0.1"] {
            assert!(Target::parse(text).is_err_and(|message| message.contains("such as 127.0.0.1:4599")), "{text}");
        }
    }
}
