//! The beginning of a connection: the header of a proxy, then the first byte tells TLS from plain HTTP, and the TLS handshake is completed.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use crate::connection::{Connection, Peer, Transport};
use crate::proxy_header::{self, SIGNATURE};
use crate::tls::{Certificates, refusing_config, session_of};

/// The first byte of a TLS handshake, the type of its record (RFC 8446, 5.1). No HTTP request begins with it.
const HANDSHAKE: u8 = 0x16;

/// Reads the header of a trusted proxy, waits for the first byte and completes the handshake of a client that begins one, all within
/// the idle timeout.
pub(crate) async fn open(
    mut stream: TcpStream,
    peer: SocketAddr,
    trusted_proxies: &[IpNet],
    certificates: &Certificates,
    idle_timeout: Duration,
) -> io::Result<(Transport, Peer)> {
    let opened = async {
        let ends = proxy_header::read(&mut stream, peer, trusted_proxies).await?;
        let address = ends.client;
        let mut first = [0; SIGNATURE.len()];
        let count = stream.peek(&mut first).await?;
        if first == SIGNATURE {
            tracing::warn!(%peer, "received a header of the PROXY protocol from an address that is not trusted; if it is your proxy, name it with --trusted-proxy");
            return Err(ErrorKind::PermissionDenied.into());
        }
        let is_handshake = count > 0 && first[0] == HANDSHAKE;
        if is_handshake && certificates.is_on() {
            return handshake(stream, address, ends.local.ip().to_canonical(), certificates, idle_timeout).await;
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
    local: IpAddr,
    certificates: &Certificates,
    idle_timeout: Duration,
) -> io::Result<(Transport, Peer)> {
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
