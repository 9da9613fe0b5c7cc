//! Other web pages, and names that are code.

use tests::World;

use super::{Browser, between};

#[test]
fn a_form_of_another_page_is_refused() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    let token = between(&browser.page("repositories"), "name=\"csrf\" value=\"", "\"").to_owned();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let own = ("sec-fetch-site", "same-origin");
    let body = format!("csrf={token}&name=MyDemoRepo");
    let endpoint = world.endpoint();
    for (headers, body, status) in [
        (vec![form], body.as_str(), 403),
        (vec![form, ("sec-fetch-site", "cross-site")], &body, 403),
        (vec![form, ("sec-fetch-site", "same-site")], &body, 403),
        (vec![form, ("origin", "http://localhost:3000")], &body, 403),
        (vec![form, own], "name=MyDemoRepo", 403),
        (vec![form, own], "csrf=x&name=MyDemoRepo", 403),
        (vec![("content-type", "text/plain"), own], &body, 403),
        (vec![form, ("origin", endpoint.as_str())], &body, 303),
    ] {
        assert_eq!(
            browser.send("POST", "repositories", &headers, body.as_bytes()).status,
            status,
            "{headers:?} {body}"
        );
    }
}

#[test]
fn every_response_forbids_frames_and_inline_code() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    for path in ["repositories", "nowhere", "repositories/absent/code", "assets/0/console.css", "assets/0/absent"] {
        let reply = browser.get(path);
        let policy = reply.header("content-security-policy").expect("there is a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{path}");
    }
    let reply = browser.send("GET", "repositories", &[("host", "evil.example")], b"");
    assert_eq!(reply.status, 403, "{}", reply.text());
}
