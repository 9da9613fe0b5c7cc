//! Cookies of the console, which browsers send to its own pages only.

use http::HeaderMap;
use http::header::COOKIE;

use crate::ROOT;

/// A cookie of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cookie(&'static str);

/// The token of the reader's session.
pub(crate) const SESSION: Cookie = Cookie("codecommit-local-session");
/// A random text of a browser that has not signed in, from which the token of the sign-in form is derived.
pub(crate) const SIGN_IN: Cookie = Cookie("codecommit-local-sign-in");
/// The region that the reader has chosen.
pub(crate) const REGION: Cookie = Cookie("codecommit-local-region");
/// The colour scheme that the reader has chosen: `dark` or `light`.
pub(crate) const SCHEME: Cookie = Cookie("codecommit-local-scheme");
/// A sentence that the next page shows.
pub(crate) const NOTICE: Cookie = Cookie("codecommit-local-notice");

impl Cookie {
    /// Returns the value in a request; empty if there is none.
    pub(crate) fn read(self, headers: &HeaderMap) -> &str {
        let lists = headers.get_all(COOKIE).iter().filter_map(|list| list.to_str().ok());
        let pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(name, _)| *name == self.0).map_or("", |(_, value)| value)
    }

    /// Returns the header that sets the value for some seconds; zero removes the cookie.
    pub(crate) fn set(self, value: &str, seconds: u64, is_secure: bool) -> String {
        let secure = if is_secure { "; Secure" } else { "" };
        format!("{}={value}; Path={ROOT}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, "a=1; codecommit-local-region=eu-west-1;b=2".parse().expect("the text is a header"));
        headers.append(COOKIE, "codecommit-local-scheme=dark".parse().expect("the text is a header"));
        assert_eq!(REGION.read(&headers), "eu-west-1");
        assert_eq!(SCHEME.read(&headers), "dark");
        assert_eq!(SESSION.read(&headers), "");
    }
}
