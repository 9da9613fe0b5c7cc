//! Encrypted connections, to an end of TLS before the server's socket.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use super::{notes, open, url};
use crate::postgres::ServerSettings;
use crate::{Cause, Durability, Error, Store};

/// The request of a client that wants TLS: its length and its code.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Serves one connection.
async fn serve(mut client: TcpStream, acceptor: TlsAcceptor, server: PathBuf) -> io::Result<()> {
    let mut request = [0; 8];
    client.read_exact(&mut request).await?;
    assert_eq!(request, TLS_REQUEST, "nothing is sent before");
    client.write_all(b"S").await?;
    let (mut client, mut server) = (acceptor.accept(client).await?, UnixStream::connect(server).await?);
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

#[test]
fn a_certificate_of_a_trusted_authority_is_needed() {
    let Some(url) = url() else { return };
    let (_, host) = url.split_once("host=").expect("the tests use a socket");
    let (host, schema) = host.split_once('&').expect("the URL names a schema");
    let server = PathBuf::from(host).join(".s.PGSQL.5432");
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("the name is valid");
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, certified.cert.pem()).expect("the folder is writable");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("the key fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let runtime = Runtime::new().expect("threads can be started");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    runtime.spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, acceptor.clone(), server.clone()));
        }
    });
    let base = format!("postgres://postgres@localhost:{port}/postgres?sslmode=verify-full&{schema}");

    let store = open(&format!("{base}&sslrootcert={}", authority.display()));
    let written: Result<_, Error> = store.write(|transaction| {
        let sql = "SELECT COUNT(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND NOT ssl";
        transaction.execute("INSERT INTO notes (text) VALUES ('encrypted')", &[])?;
        transaction.query_one(sql, &[], |row| row.integer(0))
    });
    assert_eq!(written.expect("the certificate is trusted"), Some(1), "the server itself sees a socket");
    assert_eq!(notes(&store), ["encrypted"]);

    let settings = ServerSettings::parse(&base).expect("the URL is valid");
    let Err(error) = Store::connect(settings, Durability::Normal) else { panic!("nobody trusts the certificate") };
    assert!(matches!(error, Error::Database { cause: Cause::Refused, .. }), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
}
