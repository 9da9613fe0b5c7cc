//! HAProxy in front of a server, with the configuration of the repository, and proxies that pass on connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use serde_json::{Value, json};
use tests::World;
use tests::clients::{git, git_command, outcome};
use tests::haproxy::{HaProxy, Node};
use tests::ssh::KEY_ID;

/// The address of the client, another one than HAProxy's.
const CLIENT: &str = "127.0.0.2";

fn trust(settings: &mut server::Settings, network: &str) {
    settings.trusted_proxies = vec![network.parse().expect("the text is a network")];
}

fn addresses(events: &[Value], name: &str) -> Vec<Value> {
    let named = events.iter().filter(|event| event["eventName"] == name);
    named.map(|event| event["sourceIPAddress"].clone()).collect()
}

#[test]
fn records_have_the_address_of_the_client_of_a_balancer() {
    let world = World::with_ssh(|settings| trust(settings, "127.0.0.1/32"));
    let node = Node { http: world.addresses()[0], ssh: SocketAddr::from(([127, 0, 0, 1], world.ssh_port())) };
    let balancer = HaProxy::start([node; 2]);
    let curl = |arguments: &[&str]| {
        outcome(Command::new("curl").args(["--silent", "--interface", CLIENT]).args(arguments)).ok()
    };
    let target = "X-Amz-Target: CodeCommit_20150413.CreateRepository";
    let body = json!({ "repositoryName": "MyDemoRepo" }).to_string();
    let created: Value = serde_json::from_str(&curl(&["--header", target, "--data", &body, &balancer.endpoint()]))
        .expect("the reply is JSON");
    let url = format!("{}/v1/repos/MyDemoRepo", balancer.endpoint());
    assert_eq!(created["repositoryMetadata"]["cloneUrlHttp"], url);
    assert_eq!(addresses(&world.events(), "CreateRepository"), [CLIENT]);

    world.git_repository("work");
    let id = world.git_commit("work", "file", "content\n");
    world.git("work", &["push", "--quiet", &url, "main"]).ok();
    let mut options = world.ssh_options("declared");
    options.extend([format!("-oHostKeyAlias=[127.0.0.1]:{}", world.ssh_port()), format!("-oBindAddress={CLIENT}")]);
    let url = format!("ssh://{KEY_ID}@127.0.0.1:{}/v1/repos/MyDemoRepo", balancer.ssh_port());
    let mut clone = git_command(world.folder(), &["clone", "--quiet", &url, "clone"]);
    outcome(clone.env("GIT_SSH_COMMAND", format!("ssh {}", options.join(" ")))).ok();
    assert_eq!(git(&world.folder().join("clone"), &["rev-parse", "HEAD"]).ok(), id);
    assert_eq!(addresses(&world.events(), "GitPull"), [CLIENT; 2]);
    assert!(curl(&[&format!("{}/_local/events", balancer.endpoint())]).contains("403"));
}

/// Sends the header of a connection from 203.0.113.9 to 198.51.100.7 and a call; returns the reply.
fn call_through_proxy(server: SocketAddr) -> String {
    let mut stream = TcpStream::connect(server).expect("the server listens");
    let addresses = [203, 0, 113, 9, 198, 51, 100, 7, 4, 210, 1, 187];
    let body = json!({ "repositoryName": "MyDemoRepo" }).to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {server}\r\nX-Amz-Target: CodeCommit_20150413.CreateRepository\r\n\
         X-Forwarded-For: 192.0.2.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let sent = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &addresses, request.as_bytes()].concat();
    stream.write_all(&sent).expect("the server reads");
    let mut reply = String::new();
    // A connection that is refused can be reset.
    let _ = stream.read_to_string(&mut reply);
    reply
}

#[test]
fn the_header_of_the_proxy_protocol_is_believed_of_trusted_proxies_only() {
    let world = World::with(|settings| trust(settings, "127.0.0.1/32"));
    let reply = call_through_proxy(world.addresses()[0]);
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert_eq!(
        world.last_event()["sourceIPAddress"],
        "203.0.113.9",
        "and the client is no proxy that could name another one"
    );

    let world = World::with(|settings| trust(settings, "192.0.2.0/24"));
    assert_eq!(call_through_proxy(world.addresses()[0]), "");
    assert_eq!(world.events(), Vec::<Value>::new());
}
