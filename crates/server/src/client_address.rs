//! The address of a client, which trusted proxies report.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use identity::Access;
use ipnet::IpNet;

/// Addresses of the client and of the proxies between, each appended by the next proxy.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Paths below `/_local` that every machine may read: the state of the server and its public keys.
const PUBLIC: [&str; 3] = ["/_local/health", "/_local/ca.pem", "/_local/known_hosts"];

/// Returns the address of the client in front of all trusted proxies: the last one that is not a trusted proxy's. The client could
/// have forged the addresses before it. `peer` is the other end of the connection.
pub(crate) fn find(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    let lists: Vec<_> = headers.get_all(&FORWARDED_FOR).iter().filter_map(|list| list.to_str().ok()).collect();
    let mut forwarded = lists.iter().rev().flat_map(|list| list.rsplit(','));
    while is_trusted(client, trusted_proxies) {
        let Some(Ok(address)) = forwarded.next().map(|address| address.trim().parse::<IpAddr>()) else { break };
        client = address.to_canonical();
    }
    client
}

/// Returns whether an address is that of a trusted proxy.
pub(crate) fn is_trusted(address: IpAddr, trusted_proxies: &[IpNet]) -> bool {
    trusted_proxies.iter().any(|network| network.contains(&address.to_canonical()))
}

/// Returns whether a client may use a path. Those below `/_local` need no credentials, so unless access is open only clients on the
/// server's own machine may use them, the public ones excepted.
pub(crate) fn may_use(path: &str, client: IpAddr, access: Access) -> bool {
    let is_public = PUBLIC.contains(&path) || path.starts_with("/_local/tokens/");
    !path.starts_with("/_local/") || is_public || access == Access::Open || client.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("the text is an address")
    }

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append(FORWARDED_FOR, list.parse().expect("the text is a valid header value"));
        }
        let trusted: Vec<_> = trusted.iter().map(|network| network.parse().expect("the text is a network")).collect();
        find(address(peer), &headers, &trusted)
    }

    #[test]
    fn paths_below_local_are_for_this_machine_unless_access_is_open() {
        for (client, is_local) in [
            ("127.0.0.1", true),
            ("127.8.9.10", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("0.0.0.0", false),
            ("192.168.1.5", false),
            ("::ffff:192.168.1.5", false),
            ("fe80::1", false),
            ("2001:db8::1", false),
        ] {
            let client = address(client);
            for access in [Access::Signed, Access::Enforced] {
                assert_eq!(may_use("/_local/reset", client, access), is_local, "{client}");
                assert_eq!(may_use("/_local/events", client, access), is_local, "{client}");
                assert_eq!(may_use("/_local/absent", client, access), is_local, "{client}");
                for path in PUBLIC.into_iter().chain(["/_local/tokens/111122223333/keys", "/", "/v1/repos/_local/"]) {
                    assert!(may_use(path, client, access), "{client} {path}");
                }
            }
            assert!(may_use("/_local/reset", client, Access::Open));
        }
    }

    #[test]
    fn a_trusted_proxy_reports_its_client_and_others_report_nothing() {
        for (peer, forwarded, trusted, expected) in [
            ("127.0.0.1", vec![], vec!["127.0.0.1/32"], "127.0.0.1"),
            ("127.0.0.1", vec!["203.0.113.9"], vec!["127.0.0.1/32"], "203.0.113.9"),
            ("::ffff:127.0.0.1", vec!["::ffff:203.0.113.9"], vec!["127.0.0.1/32"], "203.0.113.9"),
            ("::1", vec!["203.0.113.9"], vec!["::1/128"], "203.0.113.9"),
            ("127.0.0.1", vec!["203.0.113.9"], vec![], "127.0.0.1"),
            ("192.168.1.5", vec!["127.0.0.1"], vec!["127.0.0.1/32"], "192.168.1.5"),
            ("127.0.0.1", vec!["127.0.0.1, 203.0.113.9"], vec!["127.0.0.1/32"], "203.0.113.9"),
            (
                "127.0.0.1",
                vec!["203.0.113.9, 198.51.100.7", "10.0.0.3"],
                vec!["127.0.0.1/32", "10.0.0.0/8"],
                "198.51.100.7",
            ),
            ("127.0.0.1", vec!["203.0.113.9, unknown"], vec!["127.0.0.1/32"], "127.0.0.1"),
        ] {
            assert_eq!(client(peer, &forwarded, &trusted), address(expected), "{peer} {forwarded:?} {trusted:?}");
        }
    }

    #[test]
    fn another_machine_behind_a_trusted_proxy_on_this_one_is_another_machine() {
        let through_proxy = client("127.0.0.1", &["203.0.113.9"], &["127.0.0.1/32"]);
        assert!(!may_use("/_local/events", through_proxy, Access::Signed));
        let forged = client("127.0.0.1", &["127.0.0.1, 203.0.113.9"], &["127.0.0.1/32"]);
        assert!(!may_use("/_local/events", forged, Access::Signed));
        let of_this_machine = client("127.0.0.1", &["::1"], &["127.0.0.1/32"]);
        assert!(may_use("/_local/events", of_this_machine, Access::Signed));
    }
}
