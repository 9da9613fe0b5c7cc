//! A server of `SeaweedFS`, which stands in for S3.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::clients::{Outcome, aws};
use crate::{wait_until, workspace};

/// The access key of the only user, which clients of the tests have.
const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// Its secret.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A running server, which checks signatures; it is killed when this value is dropped.
pub struct SeaweedFs {
    child: Child,
    url: String,
    folder: TempDir,
}

impl SeaweedFs {
    /// Starts the server and waits until it has a bucket of each name.
    pub fn start(buckets: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let credentials = json!([{ "accessKey": ACCESS_KEY, "secretKey": SECRET }]);
        let identity = json!({ "name": "test", "credentials": credentials, "actions": ["Admin"] });
        let identities = folder.path().join("identities.json");
        fs::write(&identities, json!({ "identities": [identity] }).to_string()).expect("the folder is writable");

        let mut command = Command::new(workspace().join(".tools/seaweedfs/bin/weed"));
        // Without a key it refuses to encrypt objects.
        command
            .env_clear()
            .env("HOME", folder.path())
            .env("WEED_S3_SSE_KEY", "a secret of the tests")
            .arg("-logdir")
            .arg(folder.path())
            .arg("server");
        command.args(["-filer", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]);
        // A bucket takes some volumes when its first object comes.
        command.args(["-volume.max=100", "-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
        command.arg(format!("-dir={}", folder.path().display()));
        command.arg(format!("-s3.config={}", identities.display()));
        let names =
            ["master", "volume", "filer", "s3"].map(|part| [format!("{part}.port"), format!("{part}.port.grpc")]);
        let ports = free_ports(names.as_flattened().len());
        for (name, port) in names.as_flattened().iter().zip(&ports) {
            command.arg(format!("-{name}={port}"));
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("scripts/clients has installed SeaweedFS");
        let server = Self { child, url: format!("http://127.0.0.1:{}", ports[6]), folder };
        for bucket in buckets {
            wait_until("SeaweedFS creates a bucket", || {
                server.aws(&["s3api", "create-bucket", "--bucket", bucket]).success
            });
        }
        // Its parts start one after the other, the one that stores objects last.
        let object = ["--bucket", buckets[0], "--key", "probe"];
        wait_until("SeaweedFS stores an object", || {
            server.aws(&[&["s3api", "put-object"], &object[..]].concat()).success
        });
        server.aws(&[&["s3api", "delete-object"], &object[..]].concat()).ok();
        server
    }

    /// Returns the URL of S3.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the table of a bucket in the settings file.
    pub fn table(&self, bucket: &str) -> String {
        let Self { url, .. } = self;
        format!(
            "[buckets.{bucket}]\nendpoint = \"{url}\"\naccess-key-id = \"{ACCESS_KEY}\"\nsecret-access-key = \"{SECRET}\"\n"
        )
    }

    /// Runs the AWS CLI against the server.
    pub fn aws(&self, arguments: &[&str]) -> Outcome {
        aws(self.folder.path(), &self.url, arguments)
    }

    /// Copies the objects of a bucket into a folder.
    pub fn download(&self, bucket: &str, folder: &Path) {
        let folder = folder.to_str().expect("the path is UTF-8");
        self.aws(&["s3", "cp", "--quiet", "--recursive", &format!("s3://{bucket}/"), folder]).ok();
    }
}

impl Drop for SeaweedFs {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds ports that are free now: the server can choose none itself.
fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a port is free")).collect();
    listeners.iter().map(|listener| listener.local_addr().expect("the listener is bound").port()).collect()
}
