//! Protection against web pages that use the server through a visitor's browser (cross-site requests, DNS rebinding).
//!
//! A browser names the page that sends a request in `Origin`, and the host name that it used in `Host`. A page's owner can point a
//! host name at this machine, so only names that cannot exist in public DNS are accepted, and those that a setting allows.

use std::net::IpAddr;

use aws::Failure;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method};

/// Domains that do not exist in public DNS; names below them are resolved by this machine or its network.
const PRIVATE_DOMAINS: [&str; 5] = ["localhost", "local", "internal", "test", "home.arpa"];

/// Domains in which only AWS can create names.
const AWS_DOMAINS: [&str; 3] = ["amazonaws.com", "amazonaws.com.cn", "api.aws"];

/// Further host names that are allowed: `git.example.com`, `*.example.com`, or `*` for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Parses the names; fails at the first that is not a host name.
    pub fn parse(names: Vec<String>) -> Result<Self, String> {
        let is_name = |name: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            name == "*" || (!name.is_empty() && name.strip_prefix("*.").unwrap_or(name).bytes().all(allowed))
        };
        if let Some(invalid) = names.iter().find(|name| !is_name(name)) {
            return Err(format!(
                "'{invalid}' is not a host name; write one such as git.example.com or *.example.com, without a port"
            ));
        }
        Ok(Self(names.into_iter().map(|name| name.to_ascii_lowercase()).collect()))
    }

    fn contains(&self, host: &str) -> bool {
        self.0.iter().any(|name| match name.strip_prefix("*.") {
            _ if name == "*" => true,
            Some(domain) => is_below(host, domain),
            None => host == name,
        })
    }
}

/// Checks the `Host` and the `Origin` of a request; the error says how to allow them.
pub(crate) fn check(headers: &HeaderMap, allowed: &AllowedHosts) -> Result<(), String> {
    let host = text(headers, &HOST);
    let name = host_name(&host);
    if !is_private(&name) && !is_ip_address(&name) && !is_aws_name(&name) && !allowed.contains(&name) {
        return Err(format!(
            "The host name {name} is not allowed, because a web page of another site could use it. If it is yours, start the server with --allowed-host {name}."
        ));
    }
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let origin = text(headers, &ORIGIN);
    let authority =
        origin.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme)).map(|(_, rest)| rest);
    let name = authority.map(host_name);
    let is_local = |name: &str| is_private(name) || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let is_same = authority.is_some_and(|authority| authority == host);
    let is_allowed = |name: &String| is_local(name) || allowed.contains(name);
    if is_same || name.as_ref().is_some_and(is_allowed) || allowed.contains("") {
        return Ok(());
    }
    let advice =
        name.map(|name| format!(" If it is yours, start the server with --allowed-host {name}.")).unwrap_or_default();
    Err(format!("Web pages of {origin} are not allowed to send requests here.{advice}"))
}

/// Returns the failure of a rejected request, for clients of the API.
pub(crate) fn failure(message: &str) -> Failure {
    Failure::new("AccessDeniedException", message, 403)
}

/// Returns whether a request is a browser's CORS preflight.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Returns the CORS headers that let the page of a checked request read the reply; `request` is the request's head.
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

/// Returns the host of `HOST[:PORT]`, in lower case and without the brackets of IPv6 addresses.
pub(crate) fn host_name(authority: &str) -> String {
    let name = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Returns whether a name cannot exist in public DNS: it has no dot, as names of containers, or is below a private domain.
fn is_private(name: &str) -> bool {
    (!name.contains(['.', ':'])) || PRIVATE_DOMAINS.iter().any(|domain| is_below(name, domain))
}

fn is_ip_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

fn is_aws_name(name: &str) -> bool {
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
            AllowedHosts::parse(allowed.iter().map(|&name| name.to_owned()).collect()).expect("the names are valid");
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("the text is a valid header value"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("the text is a valid header value"));
        }
        check(&headers, &allowed)
    }

    #[test]
    fn names_outside_public_dns_are_accepted_and_others_only_if_allowed() {
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
    fn pages_of_this_machine_are_accepted_and_those_of_others_are_not() {
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
    fn only_host_names_can_be_allowed() {
        for name in ["", "http://example.com", "example.com:4599", "a b", "*.*"] {
            assert!(AllowedHosts::parse(vec![name.to_owned()]).is_err(), "{name}");
        }
    }
}
