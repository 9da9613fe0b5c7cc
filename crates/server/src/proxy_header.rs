//! The header of the PROXY protocol, version 2: a proxy that passes on connections instead of requests begins each of them with the
//! addresses of its client.
//!
//! **Invariant:** the header is read of trusted proxies only; nobody else can name an address.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use ipnet::IpNet;
use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::client_address;

/// The first bytes of a header.
pub(crate) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Size of a header before its addresses; the last two bytes are the size of what follows.
const FIXED_BYTES: usize = 16;

/// The addresses of a client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) client: SocketAddr,
    /// The address that the client has connected to.
    pub(crate) local: SocketAddr,
}

/// Reads the header, if a trusted proxy begins the connection with one, and returns the addresses of its client's connection.
///
/// Without a header, and for connections of the proxy itself, they are those of this connection. Of a trusted proxy, the first byte is
/// awaited.
pub(crate) async fn read(stream: &mut TcpStream, peer: SocketAddr, trusted_proxies: &[IpNet]) -> io::Result<Ends> {
    let connected = Ends { client: peer, local: stream.local_addr()? };
    if !client_address::is_trusted(peer.ip(), trusted_proxies) {
        return Ok(connected);
    }
    let mut first = [0];
    // No request, no TLS handshake and no SSH client begins with this byte.
    if stream.peek(&mut first).await? == 0 || first[0] != SIGNATURE[0] {
        return Ok(connected);
    }
    let mut header = vec![0; FIXED_BYTES];
    stream.read_exact(&mut header).await?;
    if header.starts_with(&SIGNATURE) {
        let rest = u16::from_be_bytes([header[FIXED_BYTES - 2], header[FIXED_BYTES - 1]]);
        header.resize(FIXED_BYTES + usize::from(rest), 0);
        stream.read_exact(&mut header[FIXED_BYTES..]).await?;
    }
    let config = ParseConfig { allow_v1: false, ..ParseConfig::default() };
    let invalid = |error| io::Error::new(ErrorKind::InvalidData, format!("the header of the PROXY protocol: {error}"));
    let (header, _) = ProxyHeader::parse(&header, config).map_err(invalid)?;
    Ok(header.proxied_address().map_or(connected, |ends| Ends { client: ends.source, local: ends.destination }))
}

#[cfg(test)]
mod tests {
    use proxy_header::ProxiedAddress;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("the text is an address")
    }

    fn header(client: &str, local: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let ends = ProxiedAddress::stream(address(client), address(local));
        ProxyHeader::with_address(ends).encode_v2(&mut bytes).expect("both addresses are of one family");
        bytes
    }

    /// Reads the header of a connection that sends some bytes and ends; returns what follows it, too.
    async fn read_of(sent: &[u8], trusted: &str) -> (io::Result<Ends>, [SocketAddr; 2], Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the address is free");
        let mut client = TcpStream::connect(listener.local_addr().expect("it is bound")).await.expect("it listens");
        let (mut stream, peer) = listener.accept().await.expect("a client has connected");
        client.write_all(sent).await.expect("the server reads");
        client.shutdown().await.expect("the connection is open");
        let ends = read(&mut stream, peer, &[trusted.parse().expect("the text is a network")]).await;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("the client has ended");
        (ends, [peer, stream.local_addr().expect("it is open")], rest)
    }

    #[tokio::test]
    async fn a_trusted_proxy_tells_the_ends_of_its_clients_connection() {
        for (client, local) in [("203.0.113.9:1234", "198.51.100.7:443"), ("[2001:db8::9]:1234", "[2001:db8::1]:443")] {
            let sent = [header(client, local), b"GET /".to_vec()].concat();
            let (ends, _, rest) = read_of(&sent, "127.0.0.0/8").await;
            assert_eq!(ends.expect("the header is valid"), Ends { client: address(client), local: address(local) });
            assert_eq!(rest, b"GET /");
        }
    }

    #[tokio::test]
    async fn other_connections_have_their_own_ends() {
        let mut of_the_proxy = Vec::new();
        ProxyHeader::with_local().encode_v2(&mut of_the_proxy).expect("it has no address");
        let told = header("203.0.113.9:1234", "198.51.100.7:443");
        for (sent, trusted, rest) in [
            (of_the_proxy.as_slice(), "127.0.0.1/32", &b""[..]),
            (b"GET /", "127.0.0.1/32", b"GET /"),
            (b"", "127.0.0.1/32", b""),
            (&told, "192.0.2.1/32", &told),
        ] {
            let (ends, [client, local], left) = read_of(sent, trusted).await;
            assert_eq!(ends.expect("the connection is valid"), Ends { client, local }, "{sent:?}");
            assert_eq!(left, rest);
        }
    }

    #[tokio::test]
    async fn broken_headers_are_errors() {
        let whole = header("203.0.113.9:1234", "198.51.100.7:443");
        let with_byte = |place: usize, byte: u8| {
            let mut broken = whole.clone();
            broken[place] = byte;
            broken
        };
        for broken in [
            whole[..10].to_vec(),
            whole[..20].to_vec(),
            // Another signature, another version, less than two addresses.
            with_byte(11, b'!'),
            with_byte(12, 0x31),
            with_byte(15, 4),
        ] {
            let (ends, ..) = read_of(&broken, "127.0.0.1/32").await;
            let error = ends.expect_err("the header is broken");
            assert!(matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof), "{error} {broken:?}");
        }
    }
}
