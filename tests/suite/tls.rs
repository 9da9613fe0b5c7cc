//! TLS on the ports of plain HTTP: certificates, refusals, records, and requests of the server to https.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use server::settings::{Destination, RemoteSettings, Secret, TlsMode, TlsNames};
use tests::binary::Running;
use tests::clients::{Outcome, outcome};
use tests::moto::Moto;
use tests::{World, wait_until};

use crate::settings::{folder, program, refused};

/// Runs `curl` quietly in an empty environment; a status of 400 or more is not an error.
fn curl(arguments: &[&str]) -> Outcome {
    outcome(Command::new("curl").env_clear().args(["--silent", "--show-error"]).args(arguments))
}

/// Requests a path over TLS, with further arguments of `curl`.
fn get(authority: &Path, url: &str, arguments: &[&str]) -> Outcome {
    let authority = authority.to_str().expect("the path is plain");
    curl(&[&["--cacert", authority, url], arguments].concat())
}

fn openssl(folder: &Path, arguments: &[&str]) -> Outcome {
    outcome(Command::new("openssl").current_dir(folder).args(arguments))
}

/// Creates a certificate for 127.0.0.1 that signs itself, as NAME.pem and NAME.key.
fn certificate(folder: &Path, name: &str) {
    let (key, file, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let files = ["-keyout", &key, "-out", &file, "-subj", &subject, "-addext", "subjectAltName=IP:127.0.0.1"];
    openssl(folder, &[&new[..], &files].concat()).ok();
}

/// Returns the last record after a call of `GetRepository` over TLS.
fn record_over(world: &World, arguments: &[&str]) -> Value {
    let target = "X-Amz-Target: CodeCommit_20150413.GetRepository";
    let call = ["--header", target, "--data", "{\"repositoryName\": \"MyDemoRepo\"}"];
    let reply = get(&world.authority_file(), &world.tls_endpoint(), &[&call, arguments].concat()).ok();
    assert!(reply.contains("RepositoryDoesNotExistException"), "{reply}");
    world.events().pop().expect("the call was recorded")
}

fn modern_world() -> World {
    World::with(|settings| settings.event_version = trail::EventVersion::V1_11)
}

#[test]
fn tls_and_plain_http_share_a_port() {
    let world = World::new();
    let health = format!("{}/_local/health", world.tls_endpoint());
    for version in [&["--tlsv1.3"][..], &["--tlsv1.2", "--tls-max", "1.2"], &["--http2"], &["--http1.1"]] {
        assert_eq!(get(&world.authority_file(), &health, version).ok(), "{\"status\":\"ready\"}", "{version:?}");
    }
    assert_eq!(world.send("GET", "/_local/health", &[], b"").status, 200);
}

#[test]
fn a_record_shows_the_session_of_its_call() {
    let world = modern_world();
    let host = world.endpoint().replace("http://", "");
    let record = record_over(&world, &["--tlsv1.3", "--tls13-ciphers", "TLS_AES_256_GCM_SHA384"]);
    let details = json!({
        "tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_256_GCM_SHA384", "clientProvidedHostHeader": host,
    });
    assert_eq!(record["tlsDetails"].to_string(), details.to_string());
    let cipher = "ECDHE-ECDSA-AES128-GCM-SHA256";
    let record = record_over(&world, &["--tlsv1.2", "--tls-max", "1.2", "--ciphers", cipher]);
    assert_eq!(
        (&record["tlsDetails"]["tlsVersion"], &record["tlsDetails"]["cipherSuite"]),
        (&json!("TLSv1.2"), &json!(cipher))
    );
    world.call("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let plain = world.events().pop().expect("the call was recorded");
    assert_eq!(plain["tlsDetails"], json!({ "clientProvidedHostHeader": host }));
}

#[test]
fn older_records_have_no_session_and_those_of_s3_have_the_cipher_suite() {
    let world = World::new();
    assert_eq!(record_over(&world, &[]).get("tlsDetails"), None);
    let cipher = ["--tls13-ciphers", "TLS_AES_128_GCM_SHA256"];
    let object = format!("{}/codecommit-local-trail/none", world.tls_endpoint());
    assert!(get(&world.authority_file(), &object, &cipher).ok().contains("NoSuchKey"));
    let record = world.events().pop().expect("the call was recorded");
    assert_eq!(record["additionalEventData"]["CipherSuite"], "TLS_AES_128_GCM_SHA256");
}

#[test]
fn clone_urls_and_token_issuers_have_the_scheme_of_the_call() {
    let world = World::new();
    let target = "X-Amz-Target: CodeCommit_20150413.CreateRepository";
    let call = ["--header", target, "--data", "{\"repositoryName\": \"MyDemoRepo\"}"];
    let created: Value = serde_json::from_str(&get(&world.authority_file(), &world.tls_endpoint(), &call).ok())
        .expect("the reply is JSON");
    let url = format!("{}/v1/repos/MyDemoRepo", world.tls_endpoint());
    assert_eq!(created["repositoryMetadata"]["cloneUrlHttp"], url);
    let plain = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(plain["repositoryMetadata"]["cloneUrlHttp"], world.repository_url("MyDemoRepo"));
    let configuration = "_local/tokens/111122223333/.well-known/openid-configuration";
    let text = get(&world.authority_file(), &format!("{}/{configuration}", world.tls_endpoint()), &[]).ok();
    assert!(text.contains(&format!("\"issuer\":\"{}/_local/tokens", world.tls_endpoint())), "{text}");
}

#[test]
fn a_trusted_proxy_tells_the_scheme_over_tls_too() {
    let world = World::with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("the text is a network")];
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let target = "X-Amz-Target: CodeCommit_20150413.GetRepository";
    let data = "{\"repositoryName\": \"MyDemoRepo\"}";
    for (header, scheme) in [("X-Forwarded-Proto: http", "http://"), ("X-Other: http", "https://")] {
        let call = ["--header", target, "--header", header, "--data", data];
        let text = get(&world.authority_file(), &world.tls_endpoint(), &call).ok();
        assert!(text.contains(&format!("\"cloneUrlHttp\":\"{scheme}127.0.0.1")), "{text}");
    }
}

#[test]
fn the_authority_is_kept_over_restarts_and_served() {
    let mut world = World::new();
    let read = |world: &World| fs::read_to_string(world.authority_file()).expect("the file exists");
    let first = read(&world);
    let reply = world.send("GET", "/_local/ca.pem", &[], b"");
    assert_eq!((reply.text(), reply.header("content-type")), (first.clone(), Some("application/x-pem-file")));
    fs::remove_file(world.authority_file()).expect("the folder is writable");
    world.restart();
    assert_eq!(read(&world), first);
}

#[test]
fn another_name_needs_a_certificate_of_the_authority_that_older_ones_still_agree_with() {
    let mut world = World::new();
    let old = world.folder().join("old.pem");
    fs::copy(world.authority_file(), &old).expect("the folder is writable");
    let names = TlsNames::parse(vec!["git.example.com".to_owned()]).expect("the name is valid");
    world.restart_with(|settings| settings.tls.names = names);
    let health = format!("{}/_local/health", world.tls_endpoint());
    for authority in [&old, &world.authority_file()] {
        assert_eq!(get(authority, &health, &[]).ok(), "{\"status\":\"ready\"}");
    }
    let port = world.port();
    let (url, resolve) = (format!("https://git.example.com:{port}/"), format!("git.example.com:{port}:127.0.0.1"));
    let reply = get(&world.authority_file(), &url, &["--resolve", &resolve]).ok();
    assert!(reply.contains("--allowed-host git.example.com"), "{reply}");
    // The old certificate of the authority does not permit the name.
    assert!(!get(&old, &url, &["--resolve", &resolve]).success);
}

#[test]
fn names_have_certificates_and_foreign_ones_have_none() {
    let world = World::new();
    let port = world.port();
    let request = |name: &str| {
        let resolve = format!("{name}:{port}:127.0.0.1");
        get(&world.authority_file(), &format!("https://{name}:{port}/_local/health"), &["--resolve", &resolve])
    };
    for name in [
        "localhost",
        "bucket.localhost",
        "git-codecommit.us-east-2.amazonaws.com",
        "vpce-0a-1b.git-codecommit.us-east-2.vpce.amazonaws.com",
        "codecommit.cn-north-1.amazonaws.com.cn",
    ] {
        assert_eq!(request(name).ok(), "{\"status\":\"ready\"}", "{name}");
    }
    for name in ["example.com", "amazonaws.com.example.com"] {
        let error = request(name).failed();
        assert!(error.contains("alert"), "{error}");
    }
}

/// Signs a certificate for a subject alternative name with the key of the server's authority: ca.pem, leaf.pem and leaf.key.
fn sign(world: &World, name: &str) {
    let keys = world
        .store()
        .read(|transaction| transaction.query("SELECT private FROM certificate_authority", &[], |row| row.blob(0)));
    let folder = world.folder();
    fs::write(folder.join("ca.der"), &keys.expect("the database is readable")[0]).expect("the folder is writable");
    fs::copy(world.authority_file(), folder.join("ca.pem")).expect("the folder is writable");
    let names = format!("subjectAltName={name}");
    let request = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let files = ["-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=leaf", "-addext", &names];
    openssl(folder, &[&request[..], &files].concat()).ok();
    let sign = ["x509", "-req", "-in", "leaf.csr", "-copy_extensions", "copy", "-CA", "ca.pem"];
    let files = ["-CAkey", "ca.der", "-CAkeyform", "DER", "-CAcreateserial", "-out", "leaf.pem"];
    openssl(folder, &[&sign[..], &files].concat()).ok();
}

#[test]
fn the_authority_is_not_trusted_for_foreign_names() {
    let world = World::new();
    for (name, expected) in [
        ("DNS:example.com", false),
        ("IP:203.0.113.5", false),
        ("DNS:codecommit.us-east-1.amazonaws.com", true),
        ("IP:192.168.1.5", true),
    ] {
        sign(&world, name);
        let verified = openssl(world.folder(), &["verify", "-x509_strict", "-CAfile", "ca.pem", "leaf.pem"]);
        assert_eq!(verified.success, expected, "{name}: {verified:?}");
        assert!(expected || verified.err.contains("permitted subtree violation"), "{verified:?}");
    }
}

#[test]
fn a_client_that_does_not_trust_the_authority_makes_no_request() {
    let world = World::new();
    assert!(curl(&[&world.tls_endpoint()]).failed().contains("certificate"));
    record_over(&world, &[]);
    assert_eq!(world.events().len(), 1);
}

#[test]
fn plain_http_is_refused_if_tls_is_required() {
    let world = World::with(|settings| settings.tls.mode = TlsMode::Require);
    assert!(world.endpoint().starts_with("https://"));
    let plain = world.endpoint().replace("https://", "http://");
    let git = curl(&["--include", &format!("{plain}/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack")]).ok();
    let git = git.to_ascii_lowercase();
    for expected in ["http/1.1 426", "upgrade: tls/1.2", "text/plain", "this server requires tls: use an https:// url"]
    {
        assert!(git.contains(expected), "{git}");
    }
    let target = "X-Amz-Target: CodeCommit_20150413.ListRepositories";
    let api = curl(&["--header", target, "--data", "{}", &plain]).ok();
    let message: Value = serde_json::from_str(&api).expect("the reply is JSON");
    assert!(
        message["message"].as_str().is_some_and(|message| message.starts_with("This server requires TLS")),
        "{api}"
    );
    assert_eq!(
        world
            .git(".", &["ls-remote", &format!("{plain}/v1/repos/MyDemoRepo")])
            .failed()
            .matches("requires TLS")
            .count(),
        1
    );
    record_over(&world, &[]);
    assert_eq!(world.events().len(), 1);
}

#[test]
fn there_is_no_authority_if_tls_is_off() {
    let world = World::with(|settings| settings.tls.mode = TlsMode::Off);
    assert!(!world.folder().join("data/ca.pem").exists());
    assert_eq!(world.send("GET", "/_local/ca.pem", &[], b"").status, 404);
    assert!(!curl(&["--insecure", &world.tls_endpoint()]).success);
}

#[test]
fn a_client_that_does_not_complete_its_handshake_is_disconnected() {
    let world = World::with(|settings| settings.git.timeout = Duration::from_millis(50));
    for beginning in [&b""[..], &[0x16], &[0x16, 3, 1, 2, 0, 1]] {
        let mut client = TcpStream::connect(("127.0.0.1", world.port())).expect("the server listens");
        client.write_all(beginning).expect("the server accepts");
        // The server may close with unread bytes.
        let mut reply = Vec::new();
        let _ = client.read_to_end(&mut reply);
        assert_eq!(reply, b"", "{beginning:?}");
    }
    assert_eq!(world.send("GET", "/_local/health", &[], b"").status, 200);
}

#[test]
fn a_certificate_of_the_settings_is_used_and_read_again() {
    let folder = folder();
    certificate(folder.path(), "first");
    certificate(folder.path(), "second");
    let replace = |name: &str| {
        for kind in ["key", "pem"] {
            fs::copy(folder.path().join(format!("{name}.{kind}")), folder.path().join(format!("used.{kind}")))
                .expect("the folder is writable");
        }
    };
    replace("first");
    let mut command = program(folder.path());
    command.args(["--listen", "127.0.0.1:0", "--ephemeral", "--tls-cert", "used.pem", "--tls-key", "used.key"]);
    let running = Running::start_command(command);
    let health = format!("{}/_local/health", running.endpoint().replace("http://", "https://"));
    let answers = |name: &str| get(&folder.path().join(format!("{name}.pem")), &health, &[]).success;
    assert!(answers("first") && !answers("second"));
    assert_eq!(
        curl(&[
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            &format!("{}/_local/ca.pem", running.endpoint())
        ])
        .ok(),
        "404"
    );
    let reload = || {
        let id = running.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().expect("kill is installed").success());
    };
    replace("second");
    reload();
    wait_until("the second certificate is used", || answers("second"));
    fs::write(folder.path().join("used.pem"), "no certificate").expect("the folder is writable");
    reload();
    assert!(answers("second"));
}

#[test]
fn an_unusable_certificate_is_refused_with_what_to_do() {
    let folder = folder();
    certificate(folder.path(), "one");
    certificate(folder.path(), "other");
    for (arguments, expected) in [
        (&["--tls-cert", "one.pem"][..], "tls-cert needs tls-key"),
        (&["--tls-key", "one.key"], "tls-key needs tls-cert"),
        (
            &["--tls-cert", "none.pem", "--tls-key", "one.key"],
            "cannot use the file 'none.pem' (--tls-cert): No such file",
        ),
        (
            &["--tls-cert", "one.key", "--tls-key", "one.key"],
            "'one.key' (--tls-cert): it has no certificate; write one in PEM",
        ),
        (
            &["--tls-cert", "one.pem", "--tls-key", "one.pem"],
            "'one.pem' (--tls-key): it has no private key; write a key",
        ),
        (
            &["--tls-cert", "one.pem", "--tls-key", "other.key"],
            "'other.key' (--tls-key): it is not the key of the certificate 'one.pem'",
        ),
        (&["--tls-name", "https://localhost"], "tls-name: 'https://localhost' is not a host name"),
        (
            &["--client-ca", "one.key"],
            "cannot use the certificate authorities (--client-ca): 'one.key': it has no certificate",
        ),
    ] {
        let message = refused(&folder, &[&["--ephemeral"], arguments].concat());
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_server_listens_at_several_addresses() {
    let text = "listen = [\"127.0.0.1:0\", \"127.0.0.2:0\"]";
    let options: codecommit_local::Options = toml::from_str(text).expect("the file is valid");
    let listen = options.settings().expect("the settings are valid").listen;
    let world = World::with(|settings| settings.listen = listen);
    let addresses = world.addresses();
    assert_eq!(world.endpoint(), format!("http://{}", addresses[0]));
    assert!(addresses.len() == 2 && addresses[1].ip().to_string() == "127.0.0.2", "{addresses:?}");
    for address in addresses {
        assert_eq!(curl(&[&format!("http://{address}/_local/health")]).ok(), "{\"status\":\"ready\"}");
        let tls = format!("https://{address}/_local/health");
        assert_eq!(get(&world.authority_file(), &tls, &[]).ok(), "{\"status\":\"ready\"}");
    }
}

#[test]
fn a_trigger_is_sent_over_https_to_a_server_that_is_trusted() {
    let destination = World::new();
    for (trusts, expected) in [(true, "delivered"), (false, "given up")] {
        let world = World::with(|settings| {
            let url = format!("{}/_local/flush", destination.tls_endpoint());
            settings.triggers.destinations = [("arn:aws:sns:".to_owned(), Destination::Url(url))].into();
            settings.triggers.attempts = 1;
            settings.client_ca = trusts.then(|| destination.authority_file());
        });
        world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
        let trigger = json!({
            "name": "One", "destinationArn": "arn:aws:sns:us-east-1:111122223333:MyTopic", "branches": [], "events": ["all"],
        });
        world.ok("PutRepositoryTriggers", &json!({ "repositoryName": "MyDemoRepo", "triggers": [trigger] }));
        let file = json!({
            "repositoryName": "MyDemoRepo", "branchName": "main", "fileContent": "eA==", "filePath": "x",
        });
        world.ok("PutFile", &file);
        let log = world.folder().join("data/triggers.ndjson");
        let text = || fs::read_to_string(&log).unwrap_or_default();
        wait_until("the message is sent", || !text().is_empty());
        assert!(text().contains(expected), "{}", text());
    }
}

#[test]
fn a_trail_is_delivered_to_a_remote_bucket_with_https() {
    let authority = World::new();
    sign(&authority, "IP:127.0.0.1");
    let path = |name: &str| authority.folder().join(name).to_str().expect("the path is plain").to_owned();
    let moto = Moto::start_with_tls(&path("leaf.pem"), &path("leaf.key"));
    let remote = RemoteSettings {
        endpoint: moto.url().to_owned(),
        region: "us-east-1".to_owned(),
        access_key: Some(("AKIAIOSFODNN7EXAMPLE".to_owned(), Secret::new("hidden".to_owned()))),
        encryption: None,
        kms_key_id: None,
    };
    assert!(moto.url().starts_with("https://"), "{}", moto.url());
    let client =
        format!("import boto3; s3 = boto3.client('s3', endpoint_url={:?}, verify={:?})", moto.url(), path("ca.pem"));
    authority.python(&format!("{client}; s3.create_bucket(Bucket='far-logs')")).ok();
    let world = |trusts: bool| {
        World::with(|settings| {
            settings.buckets.insert("far-logs".to_owned(), remote.clone());
            settings.client_ca = trusts.then(|| authority.authority_file());
        })
    };
    let trail = json!({ "Name": "far", "S3BucketName": "far-logs" });
    assert_ne!(world(false).call("CreateTrail", &trail).status, 200);
    let world = world(true);
    world.ok("CreateTrail", &trail);
    world.ok("StartLogging", &json!({ "Name": "far" }));
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
    let list = format!("{client}; print(s3.list_objects_v2(Bucket='far-logs')['KeyCount'] > 1)");
    assert_eq!(authority.python(&list).ok(), "True");
}
