//! URLs of the console's own pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::ROOT;

/// What is escaped in a part of a path and in a query: everything but what RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Escapes a text for a part of a path or a value of a query.
pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Returns a path with its query if it is one of the console's own, so that nothing leads to another site.
pub(crate) fn own_path(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(ROOT)?;
    let path = rest.split('?').next().unwrap_or_default();
    let is_below = path.is_empty() || path.starts_with('/');
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    let climbs =
        path.split('/').any(|part| [".", "..", "%2e", "%2e%2e", ".%2e", "%2e."].contains(&&*part.to_lowercase()));
    (is_below && is_plain && !climbs).then_some(text)
}

/// Returns the URL of a page, such as `events`.
pub(crate) fn page(path: &str) -> String {
    format!("{ROOT}/{path}")
}

/// Returns the URL of a page with parameters; empty values are left out.
pub(crate) fn with(page: &str, parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let query: Vec<_> = given.map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let separator = if query.is_empty() { "" } else { "?" };
    format!("{page}{separator}{}", query.join("&"))
}

/// Returns the URL of a page of a repository, such as `commits`.
pub(crate) fn repository(name: &str, page: &str) -> String {
    format!("{ROOT}/repositories/{}/{page}", escape(name))
}

/// Returns the URL of a page of a repository with parameters.
pub(crate) fn repository_with(name: &str, page: &str, parameters: &[(&str, &str)]) -> String {
    with(&repository(name, page), parameters)
}

/// Returns the URL of the events with one value of an attribute, such as `ResourceName`.
pub(crate) fn events_of(attribute: &str, value: &str) -> String {
    with(&page("events"), &[(attribute, value)])
}

/// Returns an address that a form of the console contains, if it is that of a page of the console.
pub(crate) fn own(address: &str) -> Option<String> {
    let path = own_path(address.split('#').next().unwrap_or_default())?;
    path.starts_with(&page("")).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_root_are_own_ones() {
        for own in ["/_console", "/_console/", "/_console/repositories/a%2Fb/code?path=..%2Fx&y=//z", "/_console?x"] {
            assert_eq!(own_path(own), Some(own));
        }
        let others = [
            "",
            "/",
            "//evil.example/_console/",
            "https://evil.example/_console/",
            "/_consolex",
            "/_console@evil.example",
            "/_console/../x",
            "/_console/%2E%2e/x",
            "/_console/./x",
            "/_console\\evil",
            "/_console/a b",
            "/_console/\nx",
            "/_console/\u{e9}",
            "/_console/#x",
            "javascript:alert(1)",
        ];
        for other in others {
            assert_eq!(own_path(other), None, "{other:?}");
        }
    }

    #[test]
    fn names_cannot_leave_their_place_in_a_url() {
        assert_eq!(repository("a/../b?c#d", "code"), "/_console/repositories/a%2F..%2Fb%3Fc%23d/code");
        let url = repository_with("r", "code", &[("ref", "refs/heads/<x>&y"), ("path", "")]);
        assert_eq!(url, "/_console/repositories/r/code?ref=refs%2Fheads%2F%3Cx%3E%26y");
    }

    #[test]
    fn forms_lead_to_own_pages_only() {
        assert_eq!(own("/_console/events?q=a#b").as_deref(), Some("/_console/events?q=a"));
        for address in
            ["", "/", "//evil.example", "https://evil.example/_console/", "/_console/\r\nx: y", "/_console/\\x"]
        {
            assert_eq!(own(address), None, "{address:?}");
        }
    }
}
