//! IP addresses and networks, of version 4 and 6.

use std::net::IpAddr;

/// A network such as `203.0.113.0/24`. An address without a mask is the network of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Network {
    address: IpAddr,
    /// The number of bits at the end of an address that differ within the network.
    host_bits: u32,
}

impl Network {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().ok()?;
        let bits = if written.is_ipv4() { 32 } else { 128 };
        let is_digits = |mask: &&str| mask.bytes().all(|byte| byte.is_ascii_digit());
        let mask_bits = mask.map_or(Some(bits), |mask| Some(mask).filter(is_digits)?.parse().ok())?;
        let host_bits = u32::checked_sub(bits, mask_bits)?;
        // ::ffff:203.0.113.0/120 is a network of version 4, as long as it has no other addresses.
        let canonical = written.to_canonical();
        let address = if canonical.is_ipv4() && host_bits <= 32 { canonical } else { written };
        Some(Self { address, host_bits })
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => u128::from(network.to_bits() ^ address.to_bits()),
            (IpAddr::V6(network), IpAddr::V6(address)) => network.to_bits() ^ address.to_bits(),
            _ => return false,
        };
        differing.checked_shr(self.host_bits).unwrap_or_default() == 0
    }
}

/// Parses an address; one of version 4 within version 6 becomes version 4.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse::<IpAddr>().ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, text: &str) -> bool {
        let address = address(text).expect("an address");
        Network::parse(network).is_some_and(|network| network.contains(address))
    }

    #[test]
    fn networks_contain_addresses() {
        assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("203.0.113.0/24", "203.0.113.255") && !contains("203.0.113.0/24", "203.0.114.0"));
        assert!(contains("203.0.113.77/24", "203.0.113.1"), "bits behind the mask do not count");
        assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("2001:DB8::/32", "2001:db8:ffff::1") && !contains("2001:db8::/32", "2001:db9::"));
        assert!(contains("::/0", "2001:db8::1") && contains("::1", "::1"));
        assert!(contains("203.0.113.0/24", "::ffff:203.0.113.9"));
        assert!(contains("::ffff:203.0.113.0/120", "203.0.113.9"));
    }

    #[test]
    fn other_texts_are_no_networks() {
        for text in
            ["", "203.0.113.0/33", "203.0.113.0/", "203.0.113.0/-1", "203.0.113.0/+8", "::/129", "203.0.113", "*"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
