//! The host key, and the address under which clients reach it.
//!
//! **Invariant:** the private key is in the store and in memory only; it is never logged or printed.

use std::net::SocketAddr;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use store::{Error, Store};

use crate::origin::host_name;

/// The port that URLs and `known_hosts` files leave out.
pub(crate) const DEFAULT_PORT: u16 = 22;

/// The seed of the only key.
const STEPS: &[&str] = &["CREATE TABLE ssh_host_key (id INTEGER PRIMARY KEY CHECK (id = 1), seed BLOB NOT NULL);"];

/// The address of Git over SSH and its host key, which stays the same over restarts.
pub(crate) struct SshEndpoint {
    address: SocketAddr,
    key: PrivateKey,
    /// The algorithm and the public key in base64.
    public_key: String,
}

/// Creates the table of the key.
pub(crate) fn migrate(store: &Store) -> Result<(), Error> {
    store.migrate("ssh", STEPS)
}

impl SshEndpoint {
    /// Reads the host key from the store; creates it at the first start.
    pub(crate) fn open(address: SocketAddr, store: &Store) -> Result<Self, Error> {
        migrate(store)?;
        let mut new = [0; 32];
        getrandom::fill(&mut new).expect("the system provides random numbers");
        let seed = store.random_key("ssh_host_key", "seed", new)?;
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        let public_key = key.public_key().to_openssh().map_err(|_| Error::Damaged("the host key of SSH"))?;
        Ok(Self { address, key, public_key })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn private_key(&self) -> PrivateKey {
        self.key.clone()
    }

    /// Returns the host of the address.
    pub(crate) fn host(&self) -> String {
        self.address.ip().to_string()
    }

    /// Returns the host and port of URLs; `host` is a name or an address, whose own port is left out.
    pub(crate) fn authority(&self, host: &str) -> String {
        authority(host, self.address.port())
    }

    /// Returns the line of a `known_hosts` file for a host name or address.
    pub(crate) fn known_hosts(&self, host: &str) -> String {
        let name = name(host);
        match self.address.port() {
            DEFAULT_PORT => format!("{name} {}", self.public_key),
            port => format!("[{name}]:{port} {}", self.public_key),
        }
    }
}

/// Returns the host and port of URLs; `host` is a name or an address, whose own port is left out.
pub(crate) fn authority(host: &str, port: u16) -> String {
    let name = name(host);
    let name = if name.contains(':') { format!("[{name}]") } else { name };
    match port {
        DEFAULT_PORT => name,
        port => format!("{name}:{port}"),
    }
}

/// Returns the name or address in `HOST[:PORT]`, where an IPv6 address may lack its brackets.
fn name(host: &str) -> String {
    match host.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => host_name(host),
    }
}

#[cfg(test)]
mod tests {
    use store::Durability;

    use super::*;

    fn endpoint(folder: &tempfile::TempDir, port: u16) -> SshEndpoint {
        let store = Store::open(&folder.path().join("db"), Durability::Normal).expect("the folder is writable");
        SshEndpoint::open(([127, 0, 0, 1], port).into(), &store).expect("the store is sound")
    }

    #[test]
    fn the_key_stays_and_its_line_has_the_port_unless_it_is_22() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let first = endpoint(&folder, 2222);
        let line = first.known_hosts("LocalHost:4599");
        assert!(line.starts_with("[localhost]:2222 ssh-ed25519 AAAA"), "{line}");
        assert_eq!(endpoint(&folder, 2222).known_hosts("localhost"), line);
        assert_eq!(endpoint(&folder, 22).known_hosts("localhost"), line.replace("[localhost]:2222", "localhost"));
        assert_eq!(first.authority("::1"), "[::1]:2222");
        assert_eq!(first.authority("[::1]:4599"), "[::1]:2222");
        assert_eq!(endpoint(&folder, 22).authority("127.0.0.1:4599"), "127.0.0.1");
    }
}
