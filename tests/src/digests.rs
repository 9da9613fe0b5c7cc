//! Digests: created on demand, read, and verified by the program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use serde_json::Value;

use crate::clients::{Outcome, outcome};
use crate::{World, binary, files};

/// The file of the signing key of all test servers: creating a key takes longer than most tests.
static KEY: LazyLock<PathBuf> = LazyLock::new(|| {
    let tests = std::env::current_exe().expect("the path of a test is known");
    let path = tests.with_file_name("signing-key.der");
    if !path.exists() {
        let key = RsaPrivateKey::new(&mut UnwrapErr(SysRng), 2_048).expect("the system has random numbers");
        let partial = path.with_extension(std::process::id().to_string());
        std::fs::write(&partial, key.to_pkcs8_der().expect("the key can be encoded").as_bytes())
            .expect("the folder is writable");
        std::fs::rename(&partial, &path).expect("the folder is writable");
    }
    path
});

/// The content of a digest file.
#[derive(Debug)]
pub struct Digest {
    /// The path of the file.
    pub path: PathBuf,
    /// The JSON content.
    pub content: Value,
    /// The metadata of the object.
    pub metadata: Value,
}

/// Returns the file of the signing key, which all tests share.
pub fn signing_key() -> PathBuf {
    KEY.clone()
}

impl World {
    /// Delivers log files and creates the digests that cover them.
    pub fn digest(&self) {
        let reply = self.send("POST", "/_local/digest", &[], b"");
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Returns the digests in the folder of the trail, by key.
    pub fn digests(&self) -> Vec<Digest> {
        digests(&self.trail_folder())
    }

    /// Verifies the folder of the trail.
    pub fn verify(&self) -> Outcome {
        verify(&self.trail_folder(), &[])
    }
}

/// Reads the digests in the folder of a bucket, by key.
pub fn digests(folder: &Path) -> Vec<Digest> {
    let paths = files(folder).into_iter().filter(|path| {
        let metadata = folder.join(".metadata");
        is_digest(path) && !path.starts_with(metadata) && path.extension().is_some_and(|end| end == "gz")
    });
    let read = |path: PathBuf| {
        let key = path.strip_prefix(folder).expect("the path is below the folder").to_str().expect("a key is ASCII");
        let file = std::fs::File::open(&path).expect("the file was listed");
        let content = serde_json::from_reader(GzDecoder::new(file)).expect("a digest is JSON in gzip");
        let metadata = std::fs::read(folder.join(format!(".metadata/{key}.json"))).expect("a digest has metadata");
        let metadata = serde_json::from_slice(&metadata).expect("metadata is JSON");
        Digest { path, content, metadata }
    };
    paths.map(read).collect()
}

/// Returns whether a path in a bucket is that of a digest.
pub fn is_digest(path: &Path) -> bool {
    path.iter().any(|part| part == "CloudTrail-Digest")
}

/// Runs `codecommit-local verify` on the folder of a bucket.
pub fn verify(folder: &Path, arguments: &[&str]) -> Outcome {
    outcome(Command::new(binary::path()).env_clear().arg("verify").arg(folder).args(arguments))
}
