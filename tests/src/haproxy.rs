//! HAProxy as a load balancer, with the configuration of the repository.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use crate::workspace;

/// The addresses of a node.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The address for HTTP.
    pub http: SocketAddr,
    /// The address for SSH.
    pub ssh: SocketAddr,
}

/// A running HAProxy in front of two nodes; it is killed when this value is dropped.
pub struct HaProxy {
    child: Child,
    at: Node,
}

impl HaProxy {
    /// Starts it at free ports.
    pub fn start(nodes: [Node; 2]) -> Self {
        // It takes listeners of its parent, and its standard input and output can be such. So no port is given to another program
        // between the choice and the use of it.
        let [http, ssh] = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).expect("a port is free"));
        let [http_address, ssh_address] =
            [&http, &ssh].map(|listener| listener.local_addr().expect("the listener is bound"));
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(workspace().join("docker/haproxy.cfg")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("BALANCER_HTTP", "fd@0").env("BALANCER_SSH", "fd@1");
        for (number, node) in (1..).zip(nodes) {
            command.env(format!("NODE_{number}"), node.http.to_string());
            command.env(format!("NODE_{number}_SSH"), node.ssh.to_string());
        }
        let [http, ssh] = [http, ssh].map(|listener| Stdio::from(OwnedFd::from(listener)));
        let spawned = command.stdin(http).stdout(ssh).stderr(Stdio::null()).spawn();
        let child = spawned.expect("scripts/check has installed haproxy");
        Self { child, at: Node { http: http_address, ssh: ssh_address } }
    }

    /// Returns the URL for calls and Git over HTTP.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.at.http)
    }

    /// Returns the port for SSH.
    pub fn ssh_port(&self) -> u16 {
        self.at.ssh.port()
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
