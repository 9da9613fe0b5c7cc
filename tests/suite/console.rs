//! The console as text: each page's status, content and records.

mod branches;
mod code;
mod commits;
mod compare;
mod enforced;
mod events;
mod file;
mod links;
mod live;
mod people;
mod pull_requests;
mod repositories;
mod roles;
mod safety;
mod settings;
mod sign_in;
mod templates;
mod trails;
mod triggers;

use std::collections::BTreeMap;

use serde_json::Value;
use tests::{Reply, World};

/// A browser without scripts: it keeps cookies, sends forms with the token of the page, and follows nothing by itself.
pub(crate) struct Browser<'w> {
    world: &'w World,
    cookies: BTreeMap<String, String>,
}

impl<'w> Browser<'w> {
    /// Creates a browser without cookies.
    pub(crate) fn new(world: &'w World) -> Self {
        Self { world, cookies: BTreeMap::new() }
    }

    /// Creates a browser whose user has signed in as the default user.
    pub(crate) fn signed_in(world: &'w World) -> Self {
        let mut browser = Self::new(world);
        let arn = ("arn", "arn:aws:iam::111122223333:user/Mary_Major");
        let signed_in = browser.submit("sign-in", "sign-in", &[arn]);
        assert_eq!(signed_in.status, 303, "{}", signed_in.text());
        browser
    }

    /// Returns the cookies by their names.
    pub(crate) fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    /// Replaces the cookies by those of another browser.
    pub(crate) fn set_cookies(&mut self, cookies: BTreeMap<String, String>) {
        self.cookies = cookies;
    }

    /// Opens a page, given by its path below `/_console/`.
    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    /// Opens a page that exists, and returns its text.
    pub(crate) fn page(&mut self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    }

    /// Sends a form of a page; the token is read from that page.
    pub(crate) fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
        let text = self.get(page).text();
        let token = between(&text, "name=\"csrf\" value=\"", "\"").to_owned();
        let mut form = vec![format!("csrf={token}")];
        form.extend(fields.iter().map(|(name, value)| format!("{name}={}", escape(value))));
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        self.send("POST", action, &headers, form.join("&").as_bytes())
    }

    /// Sends a request with the cookies, and keeps those of the reply.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/_console/{path}") };
        let reply = self.world.send(method, &path, &[&[("cookie", cookies.as_str())], headers].concat(), body);
        for (_, cookie) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, attributes) = cookie.split_once(';').expect("a cookie has attributes");
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}

/// Returns the text between two others.
pub(crate) fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("there is no {start} in {text}"));
    rest.split_once(end).expect("the end follows").0
}

/// Escapes a text for a URL or a form.
pub(crate) fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}

/// Returns the names of the recorded events after a number of them.
pub(crate) fn names_after(world: &World, count: usize) -> Vec<String> {
    let events = world.events();
    events[count..].iter().map(|event: &Value| event["eventName"].as_str().unwrap_or_default().to_owned()).collect()
}
