//! Links that sign in: those of `console-url`, and those of AWS's federation endpoint.

use std::process::{Command, Output};

use serde_json::{Value, json};
use server::settings::Access;
use tests::{Reply, World, binary, sts};

use super::sign_in::world;
use super::{Browser, escape, names_after};

fn console_url(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary::path());
    command.env_clear().args(["console-url", "--endpoint", &world.endpoint()]).args(arguments);
    command.output().expect("the program is built")
}

/// Returns the path of the link that the program prints.
fn link(world: &World, arguments: &[&str]) -> String {
    let output = console_url(world, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("a link is text");
    let path = printed.trim_end().strip_prefix(&world.endpoint());
    path.expect("the link leads to the server").to_owned()
}

/// Opens a link as from another site, which sends no cookies, and returns the reply.
fn open(browser: &mut Browser<'_>, link: &str) -> Reply {
    browser.send("GET", link, &[("sec-fetch-site", "cross-site")], b"")
}

#[test]
fn a_printed_link_signs_its_user_in_until_it_ends() {
    for access in [Access::Open, Access::Signed, Access::Enforced] {
        let world = world(access);
        let link = link(&world, &["--user", "Ana", "--valid", "1h"]);
        for _ in 0..2 {
            let mut browser = Browser::new(&world);
            let reply = open(&mut browser, &link);
            assert_eq!((reply.status, reply.header("location")), (200, None));
            let page = reply.text();
            assert!(page.contains("<meta http-equiv=\"refresh\" content=\"0;url=/_console/repositories\">"), "{page}");
            assert!(page.contains("You are signed in as Ana"), "{page}");
            let record = world.last_event();
            assert_eq!(record["eventName"], "ConsoleLogin");
            assert_eq!(record["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/class/Ana");
            assert!(browser.page("repositories").contains("Ana"));
        }
        world.move_clock(3600);
        let count = world.events().len();
        let mut browser = Browser::new(&world);
        let reply = open(&mut browser, &link);
        assert!(reply.status == 403 && reply.text().contains("The link is not valid any more"), "{}", reply.text());
        assert_eq!(browser.get("repositories").status, 303);
        assert_eq!(names_after(&world, count), [""; 0]);
    }
}

#[test]
fn a_link_is_refused_for_an_unknown_user_and_a_wrong_time() {
    let world = world(Access::Signed);
    for (arguments, message) in [
        (["--user", "Absent", "--valid", "1h"], "Account 111122223333 has no user 'Absent'."),
        (["--user", "Ana", "--account", "12"], "'12' is not an account of 12 digits."),
        (["--user", "Ana", "--valid", "91d"], "A link is valid for 90d at most."),
        (["--user", "Ana", "--valid", "soon"], "valid: 'soon' is not a time"),
    ] {
        let output = console_url(&world, &arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(message), "{arguments:?}: {error}");
    }
    let shown = console_url(&world, &["--user", "Ana", "--url", "https://git.example.com/"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.starts_with("https://git.example.com/_console/federation?Action=login&SigninToken="), "{shown}");
    assert_eq!(world.send("GET", "/_local/sign-in-links?user=Ana", &[], b"").status, 405);
}

#[test]
fn other_tokens_are_refused() {
    let world = world(Access::Open);
    let link = link(&world, &["--user", "Ana"]);
    let mut browser = Browser::new(&world);
    let changed = format!("{}A", &link[..link.len() - 1]);
    for path in [
        "/_console/federation?Action=login".to_owned(),
        "/_console/federation?Action=login&SigninToken=".to_owned(),
        format!("/_console/federation?Action=login&SigninToken={}", "x".repeat(5_000)),
        format!("{link}x"),
        if changed == link { format!("{}B", &link[..link.len() - 1]) } else { changed },
    ] {
        assert_eq!(open(&mut browser, &path).status, 403, "{path}");
    }
    for path in ["/_console/federation", "/_console/federation?Action=x"] {
        assert_eq!(open(&mut browser, path).status, 400, "{path}");
    }
    assert_eq!(browser.send("HEAD", &link, &[], b"").header("set-cookie"), None, "a preview does not sign in");
    assert_eq!(browser.get("repositories").status, 303);
}

/// Assumes the role as the default user, and returns its credentials in the form of the federation endpoint.
fn credentials(world: &World, form: &str) -> Value {
    let role = escape("arn:aws:iam::111122223333:role/ci/Build");
    let form = format!("AssumeRole&RoleArn={role}&RoleSessionName=student{form}");
    let reply = sts::query(world, None, &form);
    assert_eq!(reply.status, 200, "{}", reply.text());
    json!({
        "sessionId": sts::element(&reply, "AccessKeyId"),
        "sessionKey": sts::element(&reply, "SecretAccessKey"),
        "sessionToken": sts::element(&reply, "SessionToken"),
    })
}

fn sign_in_token(world: &World, session: &Value, more: &str) -> Reply {
    let session = escape(&session.to_string());
    let path = format!("/_console/federation?Action=getSigninToken&Session={session}{more}");
    world.send("GET", &path, &[], b"")
}

#[test]
fn temporary_credentials_sign_in_by_the_federation_endpoint() {
    let world = world(Access::Open);
    let session = credentials(&world, "");
    let reply = sign_in_token(&world, &session, "&SessionDuration=1800");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let record = world.last_event();
    assert_eq!(record["eventName"], "GetSigninToken");
    assert_eq!(record["userIdentity"]["arn"], "arn:aws:sts::111122223333:assumed-role/Build/student");
    assert_eq!(record["userIdentity"]["accessKeyId"], session["sessionId"]);
    let token = reply.json()["SigninToken"].as_str().expect("the reply has a token").to_owned();
    let login =
        format!("/_console/federation?Action=login&Issuer=https%3A%2F%2Fexample.com&SigninToken={token}&Destination=");
    let mut browser = Browser::new(&world);
    let events = escape(&format!("{}/_console/repositories?q=Git", world.endpoint()));
    let page = open(&mut browser, &format!("{login}{events}")).text();
    assert!(page.contains("content=\"0;url=/_console/repositories?q=Git\""), "{page}");
    browser.page("repositories");
    let record = world.last_event();
    assert_eq!(record["userIdentity"]["arn"], "arn:aws:sts::111122223333:assumed-role/Build/student");
    for elsewhere in
        ["https%3A%2F%2Fconsole.aws.amazon.com%2Fcodesuite", "https%3A%2F%2Fevil.example%2F_console%2F", "%2F%2Fevil"]
    {
        let page = open(&mut browser, &format!("{login}{elsewhere}")).text();
        assert!(page.contains("content=\"0;url=/_console/repositories\""), "{elsewhere}: {page}");
    }
    world.move_clock(900);
    assert_eq!(
        open(&mut browser, &format!("{login}{events}")).status,
        403,
        "a token is valid for a quarter of an hour"
    );
    assert_eq!(browser.get("repositories").status, 200, "the session lasts half an hour");
    world.move_clock(900);
    assert_eq!(browser.get("repositories").status, 303);
}

#[test]
fn wrong_credentials_give_no_sign_in_token() {
    let world = world(Access::Open);
    let session = credentials(&world, "");
    let changed = |name: &str, value: &str| {
        let mut session = session.clone();
        session[name] = value.into();
        session
    };
    let count = world.events().len();
    let invalid = "The security token included in the request is invalid.\n";
    for (session, more, message) in [
        (changed("sessionKey", "x"), "", invalid),
        (changed("sessionToken", "x"), "", invalid),
        (changed("sessionId", "AKIAANA0000000000000"), "", invalid),
        (json!("text"), "", "Session must be a JSON object with sessionId, sessionKey and sessionToken.\n"),
        (json!({}), "", "Session must be a JSON object with sessionId, sessionKey and sessionToken.\n"),
        (session.clone(), "&SessionDuration=x", "SessionDuration must be a number of seconds.\n"),
        (session.clone(), "&SessionDuration=60", "SessionDuration must be between 900 and 43200 seconds\n"),
        (
            session.clone(),
            "&SessionDuration=7200",
            "SessionDuration is longer than the maximum session duration of the role\n",
        ),
    ] {
        let reply = sign_in_token(&world, &session, more);
        assert_eq!((reply.status, reply.text().as_str()), (400, message), "{session} {more}");
    }
    assert_eq!(names_after(&world, count), [""; 0]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("Action=getSigninToken&Session={}", escape(&session.to_string()));
    assert_eq!(world.send("POST", "/_console/federation", &form, body.as_bytes()).status, 200, "AWS takes POST, too");
}
