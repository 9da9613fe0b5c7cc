//! Requests that a web page of somebody else could make a browser send here: they are refused.
//!
//! A browser tells in `Origin` which page sends a request, and in `Host` which name it used. A page can have a name of its own lead to
//! this machine (DNS rebinding), so only such names are taken as nobody can have in public DNS, and those that are allowed by a setting.

use std::net::IpAddr;

use aws::Failure;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method};

/// Domains that public DNS never has: names below them lead where this machine or its network says.
const PRIVATE_DOMAINS: [&str; 5] = ["localhost", "local", "internal", "test", "home.arpa"];

/// Domains in which AWS alone makes names.
const AWS_DOMAINS: [&str; 3] = ["amazonaws.com", "amazonaws.com.cn", "api.aws"];

/// Host names that are allowed besides: `git.example.com`, `*.example.com`, or `*` for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Takes the names; fails with the first that is none.
    pub fn parse(names: Vec<String>) -> Result<Self, String> {
        let is_name = |name: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            name == "*" || (!name.is_empty() && name.strip_prefix("*.").unwrap_or(name).bytes().all(allowed))
        };
        if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
            return Err(format!(
                "'{wrong}' is not a host name; write one such as git.example.com or *.example.com, without a port"
            ));
        }
        Ok(Self(names.into_iter().map(|name| name.to_ascii_lowercase()).collect()))
    }

    fn contain(&self, host: &str) -> bool {
        self.0.iter().any(|name| match name.strip_prefix("*.") {
            _ if name == "*" => true,
            Some(domain) => is_below(host, domain),
            None => host == name,
        })
    }
}

/// Checks the `Host` and the `Origin` of a request; fails with what to do.
pub(crate) fn check(headers: &HeaderMap, allowed: &AllowedHosts) -> Result<(), String> {
    let host = text(headers, &HOST);
    let name = host_name(&host);
    if !is_private(&name) && !is_ip_address(&name) && !is_of_aws(&name) && !allowed.contain(&name) {
        return Err(format!(
            "The host name {name} is not allowed, as a web page of elsewhere could use it. Start the server with --allowed-host {name} if it is yours."
        ));
    }
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let origin = text(headers, &ORIGIN);
    let authority =
        origin.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme)).map(|(_, rest)| rest);
    let name = authority.map(host_name);
    let is_here = |name: &str| is_private(name) || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let is_same = authority.is_some_and(|authority| authority == host);
    let is_allowed = |name: &String| is_here(name) || allowed.contain(name);
    if is_same || name.as_ref().is_some_and(is_allowed) || allowed.contain("") {
        return Ok(());
    }
    let advice =
        name.map(|name| format!(" Start the server with --allowed-host {name} if it is yours.")).unwrap_or_default();
    Err(format!("Web pages of {origin} are not allowed to send requests here.{advice}"))
}

/// Returns the failure of a request that is refused, for clients of the API.
pub(crate) fn failure(message: &str) -> Failure {
    Failure { name: "AccessDeniedException".to_owned(), message: message.to_owned(), status: 403 }
}

/// Tells whether a browser asks, before it sends a page's request, whether it may.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The headers that let the page whose request was checked read the reply; `request` is the request's head.
pub(crate) fn reply_headers(request: &HeaderMap) -> HeaderMap {
    let mut reply = HeaderMap::new();
    let Some(origin) = request.get(ORIGIN) else { return reply };
    reply.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    reply.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    reply.append(VARY, HeaderValue::from_static("Origin"));
    if request.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        reply.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST"));
        reply.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if let Some(names) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            reply.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
    }
    reply
}

/// The host's name of `HOST[:PORT]`, in lower case and without the brackets of IPv6 addresses.
fn host_name(authority: &str) -> String {
    let name = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Tells whether nobody can have a name in public DNS: one without a dot, as containers have, or below a private domain.
fn is_private(name: &str) -> bool {
    (!name.contains(['.', ':'])) || PRIVATE_DOMAINS.iter().any(|domain| is_below(name, domain))
}

fn is_ip_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

fn is_of_aws(name: &str) -> bool {
    AWS_DOMAINS.iter().any(|domain| is_below(name, domain))
}

fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
}

fn text(headers: &HeaderMap, name: &axum::http::HeaderName) -> String {
    crate::headers::text(headers, name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(host: &str, origin: Option<&str>, allowed: &[&str]) -> Result<(), String> {
        let allowed =
            AllowedHosts::parse(allowed.iter().map(|&name| name.to_owned()).collect()).expect("they are names");
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("it is a header's text"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("it is a header's text"));
        }
        check(&headers, &allowed)
    }

    #[test]
    fn names_that_public_dns_cannot_have_are_taken_and_others_only_if_allowed() {
        for host in [
            "",
            "127.0.0.1:4599",
            "192.168.1.5:4599",
            "[::1]:4599",
            "localhost:4599",
            "LOCALHOST.",
            "codecommit:4599",
            "bucket.localhost:4599",
            "host.docker.internal:4599",
            "codecommit.default.svc.cluster.local",
            "git-codecommit.us-east-1.amazonaws.com",
            "codecommit.cn-north-1.amazonaws.com.cn:4599",
            "codecommit.us-east-1.amazonaws.com.localhost:4599",
        ] {
            assert_eq!(checked(host, None, &[]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:4599",
            "amazonaws.com.evil.example",
            "evilamazonaws.com",
            "xlocalhost.com",
        ] {
            let message = checked(host, None, &[]).expect_err(host);
            assert!(message.contains("--allowed-host"), "{message}");
        }
        for allowed in ["git.example.com", "*.example.com", "*", "GIT.Example.com"] {
            assert_eq!(checked("git.example.com:4599", None, &[allowed]), Ok(()), "{allowed}");
        }
        assert!(checked("example.com", None, &["*.example.com", "git.example.com"]).is_err());
    }

    #[test]
    fn pages_of_this_machine_are_let_in_and_those_of_elsewhere_are_not() {
        let here = "127.0.0.1:4599";
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "https://[::1]",
            "http://127.0.0.1:4599",
            "http://frontend:3000",
        ] {
            assert_eq!(checked(here, Some(origin), &[]), Ok(()), "{origin}");
        }
        assert_eq!(checked("192.168.1.5:4599", Some("http://192.168.1.5:4599"), &[]), Ok(()), "its own page");
        for origin in [
            "null",
            "",
            "https://evil.example",
            "http://192.168.1.5:4599",
            "http://203.0.113.5",
            "http://bucket.s3-website-us-east-1.amazonaws.com",
            "file://",
            "chrome-extension://abcdefgh",
            "http://localhost.evil.example",
        ] {
            assert!(checked(here, Some(origin), &[]).is_err(), "{origin}");
            assert_eq!(checked(here, Some(origin), &["*"]), Ok(()), "{origin}");
        }
        assert_eq!(checked(here, Some("https://app.example.com"), &["app.example.com"]), Ok(()));
    }

    #[test]
    fn what_is_no_name_cannot_be_allowed() {
        for name in ["", "http://example.com", "example.com:4599", "a b", "*.*"] {
            assert!(AllowedHosts::parse(vec![name.to_owned()]).is_err(), "{name}");
        }
    }
}
