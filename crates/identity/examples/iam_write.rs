//! Measures a writing call of IAM in an account with 1,000 users, and the start: `cargo run --release -p identity --example iam_write`

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::call::Origin;
use aws::{AccountId, Call, Caller, Clock, Step, SystemClock};
use identity::{Iam, Identities, Sts};
use store::{Durability, Store};

/// Number of users; each has a key, an inline policy, a group and an attached policy.
const USERS: usize = 1_000;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["codecommit:GitPull","codecommit:GitPush"],
    "Resource":"arn:aws:codecommit:*:*:${aws:username}-*"}]}"#;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = Store::open(&folder.path().join("database"), Durability::Normal).expect("the store can be opened");
    let store = Arc::new(store);
    let empty = Instant::now();
    drop(open(&store));
    println!("opening with new tables: {:?}", empty.elapsed());
    let empty = Instant::now();
    let sts = open(&store);
    println!("opening without users: {:?}", empty.elapsed());
    let iam = sts.iam();
    println!("first write: {:?}", timed(|| run(&iam, &store, "CreateGroup", &[("GroupName", "Students")])));
    for number in 0..USERS {
        let name = format!("student-{number}");
        let user = ("UserName", name.as_str());
        // Every document is another one, so that each is parsed.
        let policy = POLICY.replace("-*", &format!("-{number}-*"));
        run(&iam, &store, "CreateUser", &[user]);
        run(&iam, &store, "CreateAccessKey", &[user]);
        run(&iam, &store, "PutUserPolicy", &[user, ("PolicyName", "Own"), ("PolicyDocument", &policy)]);
        run(&iam, &store, "AddUserToGroup", &[user, ("GroupName", "Students")]);
        let arn = "arn:aws:iam::aws:policy/AWSCodeCommitReadOnly";
        run(&iam, &store, "AttachUserPolicy", &[user, ("PolicyArn", arn)]);
    }
    let mut writes: Vec<Duration> = (0..100)
        .map(|number| {
            let (key, value) = (("Tags.member.1.Key", "Number"), number.to_string());
            timed(|| run(&iam, &store, "TagUser", &[("UserName", "student-7"), key, ("Tags.member.1.Value", &value)]))
        })
        .collect();
    writes.sort();
    println!("a write with {USERS} users: median {:?}, 95th of 100 {:?}", writes[50], writes[95]);
    let get = || run(&iam, &store, "GetUser", &[("UserName", "student-7")]);
    println!("a read with {USERS} users: {:?}", timed(get));
    println!("opening with {USERS} users: {:?}", timed(|| drop(open(&store))));
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn account() -> AccountId {
    "111122223333".parse().expect("an account id has twelve digits")
}

fn open(store: &Arc<Store>) -> Sts {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Sts::open(Arc::clone(store), Identities::new(account()), clock).expect("the tables can be created")
}

/// Runs an operation as the root of the account.
fn run(iam: &Iam, store: &Store, operation: &str, form: &[(&str, &str)]) {
    let origin = Origin {
        account: account(),
        region: "us-east-1".parse().expect("the name is that of a region"),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: None,
        host: None,
        clone_url_base: String::new(),
        ssh_clone_url_base: String::new(),
        is_secure: false,
        tls: None,
        is_console: false,
    };
    let call = Arc::new(Call::begin(Caller::root(account(), None, None), origin, &SystemClock));
    let row = Iam::operation(operation).expect("the operation exists");
    let body = aws::query::encode(form.iter().copied());
    let step = row.decode(&body).and_then(|decoded| decoded.run(iam, &call)).expect("the input is valid");
    let Step::Change(change) = step else { panic!("operations of IAM run in a transaction") };
    let done = store.write(move |transaction| Ok::<_, store::Error>(change(transaction)));
    done.expect("the store works").unwrap_or_else(|failure| panic!("{operation} succeeds, but: {failure:?}"));
}
