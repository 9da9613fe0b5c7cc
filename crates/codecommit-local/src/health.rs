//! `codecommit-local health`: the health check for containers, whose image has no other program.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use codecommit_local::options::units;

/// Timeout of one attempt.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Time between two attempts while the server is not ready.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Arguments of `health`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Address and port of the server, with or without `http://`
    #[arg(env = "CODECOMMIT_LOCAL_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4599")]
    server: String,
    /// Time to wait for a server that is not ready yet, such as 10s
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    wait: Option<Duration>,
}

/// Succeeds if the server replies that it is ready.
pub(crate) fn ask(arguments: &Arguments) -> Result<(), String> {
    let server = arguments.server.trim_start_matches("http://").trim_end_matches('/');
    let mut address: SocketAddr = server
        .parse()
        .map_err(|_| format!("'{server}' is not an address and port; write one such as 127.0.0.1:4599"))?;
    if address.ip().is_unspecified() {
        // A server that listens on all interfaces is reached on this machine.
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() });
    }
    let end = Instant::now() + arguments.wait.unwrap_or(Duration::ZERO);
    loop {
        let state = ask_once(address);
        if state.is_ok() || Instant::now() + RETRY_INTERVAL > end {
            return state;
        }
        thread::sleep(RETRY_INTERVAL);
    }
}

fn ask_once(address: SocketAddr) -> Result<(), String> {
    let answer = exchange(address).map_err(|error| format!("cannot reach a server at {address}: {error}"))?;
    if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(format!("the server at {address} is not ready")) }
}

fn exchange(address: SocketAddr) -> std::io::Result<String> {
    let mut connection = TcpStream::connect_timeout(&address, TIMEOUT)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    write!(connection, "GET /_local/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    connection.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
