//! Dialogues that end early.

use std::io::{self, Write};

use gix::ObjectId;

use super::*;
use crate::{CopyOutput, Kind, Limits, Object, Reference, Service, advertise, pktline};

/// A repository with unrelated commits, each with a branch.
struct Server {
    _folder: tempfile::TempDir,
    repository: Repository,
    references: References,
    options: Options,
}

impl Server {
    fn new(commits: u32, request_bytes: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let tree = Object { kind: Kind::Tree, data: Vec::new() };
        let tree_id = tree.id().expect("a small object has an id");
        let commit = |number| {
            let person = format!("a <a@b> {number} +0000");
            let data = format!("tree {tree_id}\nauthor {person}\ncommitter {person}\n\ncommit\n").into_bytes();
            Object { kind: Kind::Commit, data }
        };
        let objects: Vec<_> = (0..commits).map(commit).chain([tree]).collect();
        let ids = repository.add(&objects, &repository.use_objects(), false).expect("a fully connected set");
        let branch = |(number, id): (usize, &ObjectId)| {
            let name = format!("refs/heads/b{number:03}").into();
            Reference { name, target: *id, peeled: None }
        };
        let references = ids[..ids.len() - 1].iter().enumerate().map(branch).collect();
        let options = Options { limits: Limits { request_bytes, ..Limits::default() }, ..Options::default() };
        Self { _folder: folder, repository, references: References { references, ..References::default() }, options }
    }

    fn id(&self, number: usize) -> ObjectId {
        self.references.references[number].target
    }

    /// Serves a client in version 0 without an advertisement.
    fn serve(
        &self,
        lines: &[String],
        output: &mut dyn Write,
        before_response: &mut BeforeResponse<'_>,
    ) -> Result<(), ProtocolError> {
        let mut input = Vec::new();
        for line in lines {
            match line.as_str() {
                "" => input.extend_from_slice(pktline::FLUSH),
                line => pktline::write(&mut input, line.as_bytes()),
            }
        }
        let Self { repository, references, options, .. } = self;
        let dialogue = Dialogue { repository, references, version: Version::V0, options };
        let advertisement = advertise(Service::UploadPack, Version::V0, references, options);
        dialogue.serve(&advertisement, &mut input.as_slice(), &mut CopyOutput(output), before_response)
    }
}

#[test]
fn the_common_objects_are_limited() {
    let server = Server::new(8, 256);
    let mut lines = vec![format!("want {}", server.id(0)), String::new()];
    for number in 1..8 {
        lines.extend([format!("have {}", server.id(number)), String::new()]);
    }
    lines.push("done".to_owned());
    let mut output = Vec::new();
    let error = server.serve(&lines, &mut output, &mut |_| Ok(())).expect_err("more objects than the limit allows");
    assert_eq!(error.to_string(), "protocol error: the request is too large");
    assert!(output.ends_with(&error.packet()));
    lines.drain(4..14);
    let mut output = Vec::new();
    server.serve(&lines, &mut output, &mut |_| Ok(())).expect("few objects");
    assert!(output.windows(4).any(|bytes| bytes == b"PACK"));
}

#[test]
fn a_refused_response_is_not_sent() {
    let server = Server::new(1, 1 << 20);
    let lines = [format!("want {}", server.id(0)), String::new(), "done".to_owned()];
    let mut output = Vec::new();
    let mut refuse = |response: &Response| {
        assert!(response.sends_pack() && response.is_fetch() && !response.is_shallow());
        Err(ProtocolError::new("not now"))
    };
    let error = server.serve(&lines, &mut output, &mut refuse).expect_err("a refusal");
    assert!(output.ends_with(b"0000000fERR not now"), "{error}");
}

#[test]
fn a_client_that_stops_reading_ends_the_dialogue() {
    /// Fails after some bytes.
    struct Closing(usize);
    impl Write for Closing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let written = bytes.len().min(self.0);
            self.0 -= written;
            if written == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(written) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let server = Server::new(2, 1 << 20);
    let lines = [
        format!("want {}", server.id(0)),
        String::new(),
        format!("have {}", server.id(1)),
        String::new(),
        "done".into(),
    ];
    let mut whole = Vec::new();
    server.serve(&lines, &mut whole, &mut |_| Ok(())).expect("a dialogue");
    for bytes in 0..whole.len() {
        server.serve(&lines, &mut Closing(bytes), &mut |_| Ok(())).expect("a disconnected client is no error");
    }
}
