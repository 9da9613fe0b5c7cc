//! Signing in and out, in each access mode.

use serde_json::{Value, json};
use server::settings::{Access, AccessKey, SecretKey};
use tests::{Reply, World};

use super::{Browser, between, names_after};

const ADMINISTRATOR: (&str, &str) = ("AKIAADMINISTRATOR000", "the secret of the administrator");
const ANA: (&str, &str) = ("AKIAANA0000000000000", "the secret of Ana");

const FILE: &str = r#"
    [[account]]
    id = "111122223333"

    [[account.user]]
    name = "Ana"
    path = "/class/"
    access_keys = [{ id = "AKIAANA0000000000000", secret = "the secret of Ana" }]
    policies = [{ name = "own", document = '''{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"codecommit:List*","Resource":"*"},
        {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:role/ci/*"}]}''' }]

    [[account.role]]
    name = "Build"
    path = "/ci/"
    policies = ["AWSCodeCommitPowerUser"]
    trusts = ["111122223333"]

    [[account.role]]
    name = "Deploy"
    trusts = ["111122223333"]
"#;

/// Starts a server with an access mode, whose identities file has Ana and two roles.
pub(super) fn world(access: Access) -> World {
    World::with(|settings| {
        let data = settings.data_dir.as_ref().expect("the harness sets a data folder");
        let path = data.with_file_name("identities.toml");
        std::fs::write(&path, FILE).expect("the folder is writable");
        settings.identities = Some(path);
        settings.access = access;
        settings.max_clock_skew = None;
        settings.allow_reset = true;
        settings.administrator =
            Some(AccessKey { id: ADMINISTRATOR.0.to_owned(), secret: SecretKey::new(ADMINISTRATOR.1) });
    })
}

/// Sends the form of the sign-in page with an access key.
fn with_key(browser: &mut Browser<'_>, id: &str, secret: &str, token: &str) -> Reply {
    let fields = [("access-key-id", id), ("secret-access-key", secret), ("session-token", token)];
    browser.submit("sign-in", "sign-in", &fields)
}

/// Creates a browser in which Ana has signed in with her access key.
pub(super) fn ana(world: &World) -> Browser<'_> {
    let mut browser = Browser::new(world);
    assert_eq!(with_key(&mut browser, ANA.0, ANA.1, "").status, 303);
    browser
}

/// Returns the members of a record whose values do not differ between runs.
fn stable(record: &Value) -> Value {
    let mut record = record.clone();
    let members = record.as_object_mut().expect("a record is an object");
    members.retain(|name, _| !["eventTime", "eventID", "userAgent"].contains(&name.as_str()));
    record
}

#[test]
fn open_access_shows_who_is_known_and_records_the_sign_in() {
    let world = world(Access::Open);
    let mut browser = Browser::new(&world);
    let sent = browser.get("repositories?q=a%26b");
    let to = "/_console/sign-in?to=%2F_console%2Frepositories%3Fq%3Da%2526b";
    assert_eq!((sent.status, sent.header("location")), (303, Some(to)));
    let page = browser.page(to);
    for arn in [
        "arn:aws:iam::111122223333:user/Mary_Major",
        "arn:aws:iam::111122223333:user/class/Ana",
        "arn:aws:iam::111122223333:role/ci/Build",
    ] {
        assert!(page.contains(&format!("value=\"{arn}\"")), "{arn} is offered by {page}");
    }
    assert!(world.events().is_empty(), "the page itself leaves no record");
    let fields = [("arn", "arn:aws:iam::111122223333:user/class/Ana"), ("to", "/_console/repositories?q=a%26b")];
    let done = browser.submit("sign-in", "sign-in", &fields);
    assert_eq!((done.status, done.header("location")), (303, Some("/_console/repositories?q=a%26b")));
    let record = json!({
        "eventVersion": "1.05",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": world.events()[0]["userIdentity"]["principalId"],
            "arn": "arn:aws:iam::111122223333:user/class/Ana",
            "accountId": "111122223333",
            "userName": "Ana",
        },
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "requestParameters": null,
        "responseElements": { "ConsoleLogin": "Success" },
        "additionalEventData": {
            "LoginTo": format!("{}/_console/repositories?q=a%26b", world.endpoint()),
            "MobileVersion": "No",
            "MFAUsed": "No",
        },
        "eventType": "AwsConsoleSignIn",
        "recipientAccountId": "111122223333",
    });
    assert_eq!(stable(&world.events()[0]), record);
    assert!(browser.page("repositories").contains("Ana"));
    let call = world.last_event();
    let identity = &call["userIdentity"];
    assert_eq!((&call["eventName"], &identity["userName"]), (&json!("ListRepositories"), &json!("Ana")));
    assert!(identity["accessKeyId"].as_str().is_some_and(|key| key.starts_with("ASIA")), "{identity}");
    assert_eq!(identity["sessionContext"]["attributes"]["mfaAuthenticated"], "false");
}

#[test]
fn open_access_takes_any_name_and_refuses_what_is_none() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    let free = |name: &'static str| [("account", "444455556666"), ("name", name)];
    assert_eq!(browser.submit("sign-in", "sign-in", &free("New.Student+1")).status, 303);
    assert_eq!(world.last_event()["userIdentity"]["arn"], "arn:aws:iam::444455556666:user/New.Student+1");
    let root = [("arn", "arn:aws:iam::444455556666:root")];
    assert_eq!(browser.submit("sign-in", "sign-in", &root).status, 303);
    assert_eq!(world.last_event()["userIdentity"]["type"], "Root");
    let count = world.events().len();
    for fields in [
        &free("a b")[..],
        &free("<script>alert(1)</script>"),
        &free(""),
        &[("account", "1"), ("name", "a")],
        &[("arn", "arn:aws:iam::111122223333:group/a")],
        &[],
    ] {
        let refused = browser.submit("sign-in", "sign-in", fields);
        assert!(refused.status == 400 && refused.text().contains("Enter an account of 12 digits"), "{fields:?}");
        assert!(!refused.text().contains("alert(1)"), "{fields:?}");
    }
    assert_eq!(world.events().len(), count);
}

#[test]
fn verified_access_requires_an_access_key_with_its_secret() {
    for access in [Access::Signed, Access::Enforced] {
        let world = world(access);
        let mut browser = Browser::new(&world);
        assert_eq!(browser.get("repositories").status, 303);
        let page = browser.page("sign-in");
        assert!(!page.contains("Ana") && !page.contains("Mary_Major") && !page.contains("Build"), "{page}");
        let open = [("arn", "arn:aws:iam::111122223333:user/class/Ana"), ("account", "111122223333"), ("name", "Ana")];
        assert_eq!(browser.submit("sign-in", "sign-in", &open).status, 403);
        for (id, secret, token, message) in [
            (ANA.0, "wrong", "", "Failed authentication"),
            (ANA.0, "", "", "Failed authentication"),
            (ANA.0, ANA.1, "token", "Failed authentication"),
            (ADMINISTRATOR.0, ANA.1, "", "Failed authentication"),
            ("Ana", ANA.1, "", "No username found in supplied account"),
            ("AKIAIOSFODNN7EXAMPLE", "wrong", "", "No username found in supplied account"),
        ] {
            let refused = with_key(&mut browser, id, secret, token);
            let sentence = "Your authentication information is incorrect. Please try again.";
            assert!(refused.status == 403 && refused.text().contains(sentence), "{id} {}", refused.text());
            assert!(!refused.text().contains(secret) || secret.is_empty(), "the secret is not shown");
            let record = world.last_event();
            assert_eq!(record["errorMessage"], message, "{id}");
            assert_eq!(record["responseElements"], json!({ "ConsoleLogin": "Failure" }), "{id}");
        }
        assert_eq!(browser.get("repositories").status, 303, "nobody is signed in");
        assert_eq!(with_key(&mut browser, ANA.0, ANA.1, "").status, 303);
        assert!(browser.page("repositories").contains("Ana"));
        assert_eq!(with_key(&mut browser, ADMINISTRATOR.0, ADMINISTRATOR.1, "").status, 303);
        assert!(browser.page("repositories").contains("root"));
    }
}

#[test]
fn policies_decide_about_what_a_signed_in_user_does() {
    let world = world(Access::Enforced);
    let mut browser = ana(&world);
    let refused = browser.submit("repositories", "repositories", &[("name", "MyDemoRepo")]);
    let sentence = "User: arn:aws:iam::111122223333:user/class/Ana is not authorized to perform: codecommit:CreateRepository on resource: \
                    arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo because no identity-based policy allows the \
                    codecommit:CreateRepository action";
    assert!(refused.status == 403 && refused.text().contains(sentence), "{}", refused.text());
    assert_eq!(world.last_event()["errorCode"], "AccessDenied");
}

#[test]
fn a_session_ends_by_signing_out_by_its_end_and_by_a_reset() {
    let world = world(Access::Open);
    let mut browser = Browser::signed_in(&world);
    let other = Browser::signed_in(&world).cookies().clone();
    let cookies = browser.cookies().clone();
    let count = world.events().len();
    let done = browser.submit("repositories", "sign-out", &[]);
    assert_eq!((done.status, done.header("location")), (303, Some("/_console/sign-in")));
    assert_eq!(names_after(&world, count), ["ListRepositories"], "signing out leaves no record");
    assert_eq!(browser.get("repositories").status, 303);
    browser.set_cookies(cookies);
    assert_eq!(browser.get("repositories").status, 303, "the old cookie is of no use");
    browser.set_cookies(other);
    assert_eq!(browser.get("repositories").status, 200, "other browsers stay signed in");
    world.move_clock(8 * 3600);
    assert_eq!(browser.get("repositories").status, 303);
    let mut browser = Browser::signed_in(&world);
    assert_eq!(browser.get("repositories").status, 200);
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(browser.get("repositories").status, 303);
}

#[test]
fn a_restart_keeps_sessions() {
    let mut world = world(Access::Open);
    let cookies = Browser::signed_in(&world).cookies().clone();
    world.restart();
    let mut browser = Browser::new(&world);
    browser.set_cookies(cookies);
    assert_eq!(browser.get("repositories").status, 200);
}

#[test]
fn the_cookie_is_sent_to_pages_of_the_console_only() {
    let world = world(Access::Open);
    let mut browser = Browser::new(&world);
    let done = browser.submit("sign-in", "sign-in", &[("arn", "arn:aws:iam::111122223333:user/class/Ana")]);
    let cookies: Vec<_> =
        done.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("codecommit-local-session=ASIA"));
    let session = session.expect("the session has a cookie");
    let (_, attributes) = session.split_once("; ").expect("a cookie has attributes");
    assert_eq!(attributes, "Path=/_console; Max-Age=28800; HttpOnly; SameSite=Strict");
    let forwarded = [("x-forwarded-proto", "https")];
    let reply = browser.send("GET", "sign-in", &forwarded, b"");
    assert!(!reply.headers.iter().any(|(name, value)| name == "set-cookie" && value.contains("Secure")), "not trusted");
}

#[test]
fn cookies_are_secure_over_tls() {
    let world = World::with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")]);
    let reply = Browser::new(&world).send("GET", "sign-in", &[("x-forwarded-proto", "https")], b"");
    let cookie = reply.header("set-cookie").expect("the page sets a cookie");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
}

#[test]
fn no_other_page_can_sign_a_browser_in() {
    let world = world(Access::Open);
    let mut browser = Browser::new(&world);
    let token = between(&browser.page("sign-in"), "name=\"csrf\" value=\"", "\"").to_owned();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let arn = "arn=arn%3Aaws%3Aiam%3A%3A111122223333%3Auser%2FAna";
    let body = format!("csrf={token}&{arn}");
    let own = ("sec-fetch-site", "same-origin");
    let mut stranger = Browser::new(&world);
    assert_eq!(stranger.send("POST", "sign-in", &[form, own], body.as_bytes()).status, 403, "without the cookie");
    let endpoint = world.endpoint();
    for (headers, body, status) in [
        (vec![form], body.as_str(), 403),
        (vec![form, ("sec-fetch-site", "cross-site")], &body, 403),
        (vec![form, ("origin", "http://localhost:3000")], &body, 403),
        (vec![form, ("origin", "null")], &body, 403),
        (vec![form, own], arn, 403),
        (vec![form, own], &format!("csrf=&{arn}"), 403),
        (vec![form, own], &format!("csrf={}&{arn}", "x".repeat(43)), 403),
        (vec![("content-type", "text/plain"), own], &body, 403),
        (vec![form, ("origin", endpoint.as_str())], &body, 303),
    ] {
        assert_eq!(browser.send("POST", "sign-in", &headers, body.as_bytes()).status, status, "{headers:?} {body}");
    }
    let count = world.events().len();
    for (method, path) in [("GET", "sign-out"), ("GET", "exit-role"), ("GET", "preferences"), ("PUT", "sign-in")] {
        let status = browser.send(method, path, &[], b"").status;
        assert!([404, 405].contains(&status), "{method} {path}: {status}");
    }
    assert_eq!(browser.get("repositories").status, 200, "GET changes nothing");
    assert_eq!(names_after(&world, count), ["ListRepositories"]);
    let rebound = browser.send("GET", "sign-in", &[("host", "evil.example")], b"");
    assert!(rebound.status == 403 && rebound.header("set-cookie").is_none());
}

#[test]
fn nothing_leads_to_another_site() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    let own = format!("{}/_console/repositories?q=x", world.endpoint());
    for (to, location) in [
        ("/_console/repositories?q=x", "/_console/repositories?q=x"),
        (own.as_str(), "/_console/repositories?q=x"),
        ("https://evil.example/_console/", "/_console/repositories"),
        ("//evil.example/_console/", "/_console/repositories"),
        ("/_console/../x", "/_console/repositories"),
        ("/_console\\@evil.example", "/_console/repositories"),
        ("/_console/\r\nset-cookie: a=b", "/_console/repositories"),
        ("javascript:alert(1)", "/_console/repositories"),
        ("/v1/repos/x", "/_console/repositories"),
    ] {
        let arn = ("arn", "arn:aws:iam::111122223333:user/Mary_Major");
        let signed_in = browser.submit("sign-in", "sign-in", &[arn, ("to", to)]);
        assert_eq!((signed_in.status, signed_in.header("location")), (303, Some(location)), "{to}");
        let chosen = browser.submit("repositories", "preferences", &[("region", "eu-west-1"), ("here", to)]);
        let expected = if to == own { "/_console/repositories" } else { location };
        assert_eq!((chosen.status, chosen.header("location")), (303, Some(expected)), "{to}");
    }
}

#[test]
fn region_and_colours_are_kept_by_cookies() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    let chosen = [("region", "eu-west-1"), ("scheme", "dark")];
    assert_eq!(browser.submit("repositories", "preferences", &chosen).status, 303);
    let page = browser.page("repositories");
    assert!(page.contains("data-scheme=\"dark\"") && page.contains("<option selected>eu-west-1</option>"), "{page}");
    assert_eq!(world.last_event()["awsRegion"], "eu-west-1");
    assert_eq!(browser.submit("repositories", "preferences", &[("scheme", "")]).status, 303);
    assert!(!browser.page("repositories").contains("data-scheme"));
    for region in ["nowhere", "<script>", "eu-west-1; Path=/"] {
        assert_eq!(browser.submit("repositories", "preferences", &[("region", region)]).status, 400, "{region}");
    }
}
