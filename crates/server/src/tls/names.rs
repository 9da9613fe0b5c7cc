//! The names and addresses that the local certificate authority certifies.
//!
//! **Invariant:** they are the name constraints of its certificate, so a client that trusts it trusts it for nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints};

use crate::settings::{TlsNames, is_domain};

/// Domains whose names are certified: this machine's own, and those in which only AWS can create names.
const DOMAINS: [&str; 3] = ["localhost", "amazonaws.com", "amazonaws.com.cn"];

/// Networks of addresses that mean this machine or a private network.
const NETWORKS: [&str; 8] = [
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

/// Domains, with all names below them, and networks.
pub(crate) struct CertifiedNames {
    domains: Vec<String>,
    networks: Vec<IpNet>,
    /// The addresses of the settings. Behind a port mapping a connection does not tell to which address its client connected.
    addresses: Vec<IpAddr>,
}

impl CertifiedNames {
    /// Collects the names of this machine, of AWS and of the settings.
    pub(crate) fn new(settings: &TlsNames) -> Self {
        let machine = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
        Self::with_machine(&machine, settings)
    }

    fn with_machine(machine: &str, settings: &TlsNames) -> Self {
        let mut names = Self {
            domains: DOMAINS.map(str::to_owned).to_vec(),
            networks: NETWORKS.map(|network| network.parse().expect("the text is a network")).to_vec(),
            addresses: settings.addresses.clone(),
        };
        for domain in settings.domains.iter().map(String::as_str).chain([machine]) {
            if is_domain(domain) && !names.contains_name(domain) {
                names.domains.push(domain.to_owned());
            }
        }
        for address in &settings.addresses {
            if !names.contains_address(*address) {
                names.networks.push(IpNet::from(*address));
            }
        }
        names
    }

    /// Returns whether a host name in lower case is certified.
    pub(crate) fn contains_name(&self, name: &str) -> bool {
        self.domains
            .iter()
            .any(|domain| name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }

    /// Returns whether an address is certified.
    pub(crate) fn contains_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Returns the addresses that the certificate for a client without a host name has: those of this machine and of the settings,
    /// and the local address of the connection, if it is certified.
    pub(crate) fn addresses(&self, local: IpAddr) -> Vec<IpAddr> {
        let own = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let mut addresses = Vec::new();
        for address in own.into_iter().chain(self.addresses.iter().copied()).chain([local]) {
            if self.contains_address(address) && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }

    /// Returns the name constraints.
    pub(crate) fn constraints(&self) -> NameConstraints {
        let domains = self.domains.iter().map(|domain| GeneralSubtree::DnsName(domain.clone()));
        let networks = self.networks.iter().map(|network| {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(network.network(), network.prefix_len()))
        });
        NameConstraints { permitted_subtrees: domains.chain(networks).collect(), excluded_subtrees: Vec::new() }
    }

    /// Returns all names as one text, to compare them.
    pub(crate) fn to_text(&self) -> String {
        let networks = self.networks.iter().map(IpNet::to_string);
        self.domains.iter().cloned().chain(networks).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(machine: &str, settings: &[&str]) -> CertifiedNames {
        let settings = settings.iter().map(|&name| name.to_owned()).collect();
        CertifiedNames::with_machine(machine, &TlsNames::parse(settings).expect("the names are valid"))
    }

    #[test]
    fn names_of_this_machine_of_aws_and_of_the_settings_are_certified() {
        let names = names("laptop", &["git.example.com", "203.0.113.5"]);
        for name in [
            "localhost",
            "bucket.localhost",
            "git-codecommit.us-east-1.amazonaws.com",
            "codecommit.cn-north-1.amazonaws.com.cn",
            "laptop",
            "git.example.com",
            "a.git.example.com",
        ] {
            assert!(names.contains_name(name), "{name}");
        }
        for name in ["example.com", "xlocalhost", "evilamazonaws.com", "amazonaws.com.evil.example", "other", ""] {
            assert!(!names.contains_name(name), "{name}");
        }
    }

    #[test]
    fn addresses_of_this_machine_of_private_networks_and_of_the_settings_are_certified() {
        let names = names("laptop", &["203.0.113.5"]);
        let contains = |text: &str| names.contains_address(text.parse().expect("the text is an address"));
        for address in ["127.0.0.1", "127.1.2.3", "::1", "192.168.1.5", "172.18.0.2", "fd00::1", "203.0.113.5"] {
            assert!(contains(address), "{address}");
        }
        for address in ["203.0.113.6", "8.8.8.8", "2001:db8::1", "172.32.0.1"] {
            assert!(!contains(address), "{address}");
        }
    }

    #[test]
    fn a_client_without_a_host_name_finds_the_addresses_of_the_settings() {
        let names = names("laptop", &["203.0.113.5", "git.example.com"]);
        let addresses = |local: &str| {
            let addresses = names.addresses(local.parse().expect("the text is an address"));
            addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(addresses("127.0.0.1"), "127.0.0.1 ::1 203.0.113.5");
        assert_eq!(addresses("172.18.0.2"), "127.0.0.1 ::1 203.0.113.5 172.18.0.2");
        assert_eq!(addresses("203.0.113.9"), "127.0.0.1 ::1 203.0.113.5");
    }

    #[test]
    fn a_machine_name_that_is_no_host_name_or_known_adds_no_constraint() {
        let plain = names("localhost", &[]).to_text();
        assert_eq!(names("(none)", &[]).to_text(), plain);
        assert_eq!(names("", &["::1", "box.localhost"]).to_text(), plain);
        assert!(names("laptop", &[]).to_text().contains(" laptop "));
        assert_eq!(names("laptop", &[]).constraints().permitted_subtrees.len(), DOMAINS.len() + 1 + NETWORKS.len());
    }
}
