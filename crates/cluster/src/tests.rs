//! Tests of nodes on a server with PostgreSQL; without one they have nothing to look at.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use store::Durability;
use store::postgres::ServerSettings;
use worker::{Stop, Work};

use super::*;
use crate::membership::announced;
use crate::role::RoleState;

const ROLES: &[&str] = &["delivery", "digests"];

/// A schema of its own.
struct Schema(ServerSettings);

impl Schema {
    /// Takes a new schema on the server of `CODECOMMIT_LOCAL_TEST_DATABASE`, which `scripts/postgres` sets.
    fn take() -> Option<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let Ok(url) = std::env::var("CODECOMMIT_LOCAL_TEST_DATABASE") else {
            eprintln!("not run with SQLite: there is no server; scripts/postgres starts one");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}schema=cluster_{}_{number}", std::process::id());
        Some(Self(ServerSettings::parse(&url).expect("the URL is valid")))
    }

    fn store(&self) -> Arc<Store> {
        Arc::new(Store::connect(self.0.clone(), Durability::Normal).expect("the server of the tests runs"))
    }

    fn join(&self, name: &str) -> Cluster {
        Cluster::join(&self.store(), settings(name)).expect("no other node has the name")
    }

    /// A node whose worker does not run, so that it beats only when the test wants it.
    fn node(&self, name: &str) -> Membership {
        let store = self.store();
        store.migrate("cluster", schema::STEPS).expect("the statements are valid");
        Membership::new(store, settings(name))
    }
}

fn settings(name: &str) -> NodeSettings {
    NodeSettings {
        name: name.to_owned(),
        instance: format!("instance of {name}"),
        version: "1.0".to_owned(),
        address: format!("http://{name}:4599"),
        roles: ROLES,
        machine_time: Arc::new(|| 0),
    }
}

fn wait_until(condition: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "not within a minute: {condition}");
        thread::park_timeout(Duration::from_millis(3));
    }
}

fn execute(store: &Store, sql: &'static str) {
    let executed: Result<_, Error> = store.write(move |transaction| transaction.execute_all(sql));
    executed.expect("the statement is valid");
}

fn held(node: &Membership) -> Vec<bool> {
    ROLES.iter().map(|role| node.role(role).is_held()).collect()
}

#[test]
fn a_server_with_a_database_of_its_own_has_every_role() {
    let cluster = Cluster::alone();
    assert!(!cluster.is_shared() && cluster.node_name().is_none());
    assert_eq!(cluster.role("delivery").term(), Some(0));
    assert_eq!(cluster.nodes().expect("nothing is read"), []);
    cluster.leave();
    assert!(cluster.role("delivery").is_held());
}

#[test]
fn roles_go_to_the_next_node_when_their_node_leaves() {
    let Some(schema) = Schema::take() else { return };
    let (first, second) = (schema.join("first"), schema.join("second"));
    assert!(ROLES.iter().all(|role| first.role(role).is_held() && !second.role(role).is_held()));
    let nodes = second.nodes().expect("the tables exist");
    let found: Vec<_> = nodes.iter().map(|node| (node.name.as_str(), node.status, node.roles.len())).collect();
    assert_eq!(found, [("first", NodeStatus::Running, 2), ("second", NodeStatus::Running, 0)]);
    assert_eq!((nodes[0].version.as_str(), nodes[0].address.as_str()), ("1.0", "http://first:4599"));
    assert!(nodes[0].clock_offset < -1_000_000_000_000, "its clock is at the epoch: {}", nodes[0].clock_offset);
    first.leave();
    assert!(!first.role("delivery").is_held());
    wait_until("the second node has the roles", || ROLES.iter().all(|role| second.role(role).is_held()));
    let nodes = second.nodes().expect("the tables exist");
    assert_eq!(nodes[0].status, NodeStatus::Stopped);
    assert_eq!(nodes[1].roles, ROLES);
}

#[test]
fn a_lease_that_has_ended_is_taken_and_the_former_node_has_the_role_no_longer() {
    let Some(schema) = Schema::take() else { return };
    let (first, second) = (schema.node("first"), schema.node("second"));
    let wait = first.beat().expect("the database works");
    assert_eq!((held(&first), wait), (vec![true; 2], Duration::from_secs(3)));
    second.beat().expect("the database works");
    assert_eq!(held(&second), [false; 2]);
    let terms = first.role("delivery").term();
    first.beat().expect("the database works");
    assert_eq!(first.role("delivery").term(), terms, "a renewal is not a new term");
    execute(&schema.store(), "UPDATE leases SET until = 0 WHERE role = 'delivery'");
    second.beat().expect("the database works");
    first.beat().expect("the database works");
    assert_eq!((held(&first), held(&second)), (vec![false, true], vec![true, false]));
    execute(&schema.store(), "UPDATE leases SET until = 0 WHERE role = 'delivery'");
    first.beat().expect("the database works");
    assert_ne!(first.role("delivery").term(), terms, "the role was lost meanwhile");
}

#[test]
fn the_next_beat_is_when_a_lease_of_another_node_ends() {
    let Some(schema) = Schema::take() else { return };
    let (first, second) = (schema.node("first"), schema.node("second"));
    first.beat().expect("the database works");
    execute(
        &schema.store(),
        "UPDATE leases SET until = CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + 60000; \
         UPDATE leases SET until = until - 58000 WHERE role = 'digests'",
    );
    let wait = second.beat().expect("the database works");
    assert!(wait <= Duration::from_millis(2_020), "{wait:?}");
}

#[test]
fn a_name_is_refused_while_its_node_runs() {
    let Some(schema) = Schema::take() else { return };
    let running = schema.join("first");
    let other = NodeSettings { instance: "another".to_owned(), ..settings("first") };
    let refused = Cluster::join(&schema.store(), other.clone()).err().expect("a node with the name runs");
    let message = refused.to_string();
    assert!(message.contains("http://first:4599") && message.contains("--node-name"), "{message}");
    running.leave();
    let joined = Cluster::join(&schema.store(), other).expect("the node has left");
    assert!(joined.role("delivery").is_held());
}

#[test]
fn a_later_process_of_a_node_takes_its_name_and_roles_at_once() {
    let Some(schema) = Schema::take() else { return };
    let killed = schema.node("first");
    killed.beat().expect("the database works");
    let again = schema.join("first");
    assert!(ROLES.iter().all(|role| again.role(role).is_held()));
}

#[test]
fn a_node_that_lost_its_name_has_no_role() {
    let Some(schema) = Schema::take() else { return };
    let hung = schema.node("first");
    hung.beat().expect("the database works");
    execute(&schema.store(), "UPDATE nodes SET seen = 0; UPDATE leases SET until = 0");
    let other = NodeSettings { instance: "another".to_owned(), ..settings("first") };
    let _other = Cluster::join(&schema.store(), other).expect("the node was not seen for long");
    hung.beat().expect("the database works");
    assert_eq!(held(&hung), [false; 2]);
    hung.leave();
    let nodes = hung.nodes().expect("the tables exist");
    assert_eq!((nodes.len(), nodes[0].status), (1, NodeStatus::Running), "the other one still has the name");
}

#[test]
fn other_nodes_notice_an_announcement() {
    let Some(schema) = Schema::take() else { return };
    let nodes = [schema.node("first"), schema.node("second")];
    let noticed = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    for (index, node) in nodes.iter().enumerate() {
        let noticed = Arc::clone(&noticed);
        node.on_change(
            "data",
            Box::new(move || {
                noticed[index].fetch_add(1, Ordering::SeqCst);
            }),
        );
    }
    let counts = || [noticed[0].load(Ordering::SeqCst), noticed[1].load(Ordering::SeqCst)];
    let nodes = Arc::new(nodes);
    let announce = || {
        let announcing = Arc::clone(&nodes);
        let announced: Result<(), Error> =
            nodes[0].store().write(move |transaction| announcing[0].announce(transaction, "data"));
        announced.expect("the database works");
        nodes.iter().for_each(|node| node.look().expect("the database works"));
    };
    announce();
    announce();
    assert_eq!(counts(), [0, 2]);
    let number = nodes[0].store().read(|transaction| announced(transaction, "data"));
    assert_eq!(number.expect("the table exists"), 2);
}

#[test]
fn times_are_in_order_over_nodes_whose_clocks_differ() {
    let Some(schema) = Schema::take() else { return };
    let store = schema.store();
    store.migrate("cluster", schema::STEPS).expect("the statements are valid");
    let time = |node: &'static str, clock| {
        let time: Result<_, Error> = store.write(move |transaction| time::after_others(transaction, node, clock));
        time.expect("the table exists")
    };
    assert_eq!(time("first", 1_000), 1_000);
    assert_eq!(time("first", 900), 900, "the clock of the only node may be set back");
    assert_eq!(time("second", 1_500), 1_500);
    assert_eq!(time("first", 901), 1_500);
    assert_eq!(time("first", 1_499), 1_500, "until its clock has passed it");
    assert_eq!(time("first", 1_501), 1_501);
    assert_eq!(time("second", 1_501), 1_501);
}

/// Work that counts its rounds and its end.
struct Counted(Arc<Mutex<(usize, usize)>>);

impl Work for Counted {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        self.0.lock().0 += 1;
        Ok(None)
    }

    fn finish(&mut self) -> Result<(), worker::Error> {
        self.0.lock().1 += 1;
        Ok(())
    }
}

#[test]
fn work_runs_only_while_the_node_has_its_role() {
    let state = Arc::new(RoleState::new("delivery"));
    let (role, counted) = (Role::of(Arc::clone(&state)), Arc::new(Mutex::new((0, 0))));
    let mut work = role.work(&Waker::default(), Counted(Arc::clone(&counted)));
    let stop = Stop::default();
    let mut round = || work.round(&stop).expect("the work does not fail");
    assert_eq!((round(), counted.lock().0), (Some(LOOK_INTERVAL), 0));
    state.hold(Instant::now() + Duration::from_hours(1));
    assert_eq!((round(), counted.lock().0), (Some(LOOK_INTERVAL), 1), "it looks for what others have left");
    state.hold(Instant::now());
    assert!(!role.is_held(), "the time has passed");
    assert_eq!((round(), counted.lock().0), (Some(LOOK_INTERVAL), 1));
    work.finish().expect("the work does not fail");
    assert_eq!(counted.lock().1, 0);
    let mut always = Role::always().work(&Waker::default(), Counted(Arc::clone(&counted)));
    assert_eq!(always.round(&stop).expect("the work does not fail"), None);
    always.finish().expect("the work does not fail");
    assert_eq!(*counted.lock(), (2, 1));
}

#[test]
fn a_worker_is_woken_when_its_node_gets_the_role() {
    let state = Arc::new(RoleState::new("delivery"));
    let (counted, waker) = (Arc::new(Mutex::new((0, 0))), Waker::default());
    let work = Role::of(Arc::clone(&state)).work(&waker, Counted(Arc::clone(&counted)));
    let worker = Worker::start("test", waker, work).expect("a thread can be started");
    state.hold(Instant::now() + Duration::from_hours(1));
    wait_until("the work has run", || counted.lock().0 > 0);
    worker.stop();
}

#[test]
fn a_running_node_that_does_not_tell_its_steps_or_has_fewer_is_older() {
    let Some(schema) = Schema::take() else { return };
    let node = schema.node("new");
    node.beat().expect("the database runs");
    let older = |owner: &'static str, steps: usize| {
        let found: Result<_, Error> = node.store().read(move |transaction| older::find(transaction, owner, steps));
        found.expect("the tables exist")
    };
    let steps = schema::STEPS.len();
    assert_eq!(older("cluster", steps), Vec::<String>::new());
    assert_eq!(older("cluster", steps + 1), ["new"]);
    assert_eq!(older("trail", 1), ["new"], "it has none of this owner");

    // As the version before these columns does it.
    execute(
        node.store(),
        "INSERT INTO nodes (name, instance, version, address, started, seen, clock_offset) \
         SELECT 'old', 'x', '0.1', 'http://old:1', seen, seen, 0 FROM nodes",
    );
    assert_eq!(older("cluster", 1), ["old"]);
    execute(node.store(), "UPDATE nodes SET seen = seen - 31000 WHERE name = 'old'");
    assert_eq!(older("cluster", 1), Vec::<String>::new(), "it was not seen for 30 seconds");
    execute(node.store(), "UPDATE nodes SET seen = seen + 31000, stopped = seen WHERE name = 'old'");
    assert_eq!(older("cluster", 1), Vec::<String>::new(), "it has stopped");
}
