mod credentials;
mod declared;
mod enforced;
mod entities;
mod incremental;
mod policies;
mod simulate;

use aws::Failure;
use aws::operation::Reply;

use crate::permissions::tests::world::{Actor, World};

const ACCOUNT: &str = "111122223333";

const FILE: &str = r#"
    [[account]]
    id = "111122223333"
    [account.root]
    access_keys = ["AKIAROOT"]

    [[account.policy]]
    name = "Declared"
    document = '''{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:*","Resource":"*"}}'''

    [[account.group]]
    name = "Developers"
    policies = ["AWSCodeCommitPowerUser"]

    [[account.user]]
    name = "Mateo"
    access_keys = ["AKIAMATEO"]
    git_credentials = [{ password = "secret" }]
    groups = ["Developers"]
    policies = ["Declared", { name = "Own", document = '''{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}''' }]
    tags = { Team = "Blue" }

    [[account.role]]
    name = "Build"
    trusts = ["444455556666", "codepipeline.amazonaws.com"]

    [[account]]
    id = "444455556666"
"#;

const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const TRUST_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;

type Form<'f> = &'f [(&'f str, &'f str)];

/// A world, and the root of its account, which may do everything.
struct Account {
    world: World,
    root: Actor,
}

impl Account {
    fn new() -> Self {
        Self::of(FILE)
    }

    fn of(file: &str) -> Self {
        let world = World::new(file);
        let root = world.caller("AKIAROOT");
        Self { world, root }
    }

    fn reply(&self, operation: &str, form: Form<'_>) -> Result<Reply, Failure> {
        self.world.iam(&self.root, operation, form)
    }

    /// Runs an operation that succeeds; returns its reply.
    fn ok(&self, operation: &str, form: Form<'_>) -> String {
        let reply = self.reply(operation, form);
        text(reply.unwrap_or_else(|failure| panic!("{operation} {form:?} succeeds, but: {failure:?}")))
    }

    /// Runs an operation that fails; returns its code, status and message.
    fn failed(&self, operation: &str, form: Form<'_>) -> String {
        match self.reply(operation, form) {
            Ok(reply) => panic!("{operation} {form:?} fails, but: {}", text(reply)),
            Err(Failure { name, message, status, .. }) => format!("{name} {status}: {message}"),
        }
    }

    /// Returns an element of the reply of an operation that succeeds.
    fn element(&self, operation: &str, form: Form<'_>, element: &str) -> String {
        let reply = self.ok(operation, form);
        aws::xml::read(&reply, element).unwrap_or_else(|| panic!("no {element} in {reply}"))
    }

    fn create_user(&self, name: &str) -> String {
        self.element("CreateUser", &[("UserName", name)], "UserId")
    }

    /// Creates an access key; returns its caller.
    fn key_of(&self, user: &str) -> Actor {
        self.world.caller(&self.element("CreateAccessKey", &[("UserName", user)], "AccessKeyId"))
    }
}

fn text(reply: Reply) -> String {
    String::from_utf8(reply.body).expect("a reply is text")
}
