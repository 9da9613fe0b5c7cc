mod links;
mod roles;
mod sessions;

use aws::{Clock, SystemClock, Timestamp};

use super::{ConsoleSession, SignInIdentity};
use crate::permissions::tests::world::World;

const ACCOUNT: &str = "111122223333";

const FILE: &str = r#"
    [[account]]
    id = "111122223333"

    [[account.user]]
    name = "Ana"
    path = "/class/"
    access_keys = [{ id = "AKIAI44QH8DHBEXAMPLE", secret = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY" }]
    policies = ["AWSCodeCommitReadOnly", { name = "own", document = '''{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Action":["sts:AssumeRole","iam:*"],"Resource":"*"}}''' }]

    [[account.user]]
    name = "Ben"

    [[account.role]]
    name = "Build"
    path = "/ci/"
    policies = ["AWSCodeCommitPowerUser"]
    trust_policy = '''{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}'''

    [[account.role]]
    name = "Deploy"
    policies = ["AWSCodeCommitFullAccess"]
    trusts = ["111122223333"]
"#;

fn world() -> World {
    World::new(FILE)
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_millis(now().millis() + seconds * 1000)
}

fn user(world: &World, name: &str) -> SignInIdentity {
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    world.sts().identity_of_arn(&arn, now()).expect("the ARN is that of a user")
}

/// Signs an identity in, and returns its cookie.
fn cookie(world: &World, identity: SignInIdentity) -> String {
    let session = world.sts().sign_in_to_console(identity, now()).expect("the store can be read");
    world.store().write(move |transaction| session.store(transaction)).expect("the store can be written")
}

fn session(world: &World, cookie: &str) -> Option<ConsoleSession> {
    world.sts().console_session(cookie, now()).expect("the store can be read")
}
