//! The beginning of a connection: the first byte tells TLS from plain HTTP, then the TLS handshake is completed.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use crate::connection::{Connection, Peer, Transport};
use crate::tls::{Certificates, refusing_config, session_of};

/// The first byte of a TLS handshake, the type of its record (RFC 8446, 5.1). No HTTP request begins with it.
const HANDSHAKE: u8 = 0x16;

/// Waits for the first byte and completes the handshake of a client that begins one, both within the idle timeout.
pub(crate) async fn open(
    stream: TcpStream,
    address: SocketAddr,
    certificates: &Certificates,
    idle_timeout: Duration,
) -> io::Result<(Transport, Peer)> {
    let opened = async {
        let mut first = [0];
        let is_handshake = stream.peek(&mut first).await? == 1 && first == [HANDSHAKE];
        if is_handshake && certificates.is_on() {
            return handshake(stream, address, certificates, idle_timeout).await;
        }
        if is_handshake {
            tracing::warn!(peer = %address, "received a TLS handshake, but TLS is off: use an http:// URL, or start the server without --tls off");
        }
        let connection = Connection::new(stream, address, idle_timeout);
        Ok((Transport::Plain(connection), Peer { address, tls: None }))
    };
    tokio::time::timeout(idle_timeout, opened).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

async fn handshake(
    stream: TcpStream,
    address: SocketAddr,
    certificates: &Certificates,
    idle_timeout: Duration,
) -> io::Result<(Transport, Peer)> {
    let local = stream.local_addr()?.ip().to_canonical();
    let connection = Connection::new(stream, address, idle_timeout);
    let begun = LazyConfigAcceptor::new(Acceptor::default(), connection).await?;
    let hello = begun.client_hello();
    let name = hello.server_name();
    let config = certificates.config(name, local).map_err(io::Error::other)?;
    let refused = || {
        let name = name.unwrap_or_default();
        tracing::warn!(peer = %address, name, "there is no certificate for the name that a client connected to; if it is yours, name it with --tls-name");
        refusing_config()
    };
    let config = config.map_or_else(refused, Ok).map_err(io::Error::other)?;
    let stream = begun.into_stream(config).await?;
    let tls = session_of(stream.get_ref().1);
    Ok((Transport::Tls(Box::new(stream)), Peer { address, tls }))
}
