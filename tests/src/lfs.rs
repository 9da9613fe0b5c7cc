//! Git LFS: raw requests, and git-lfs as `git` runs it.

use std::fs;
use std::process::Command;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::clients::{Outcome, git_command, outcome};
use crate::{Reply, World};

/// The media type of requests and replies.
pub const LFS_TYPE: &str = "application/vnd.git-lfs+json";

/// Configuration of `git` with git-lfs, as `git lfs install` writes it.
const CONFIGURATION: &str = "[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f\n\
                             \tprocess = git-lfs filter-process\n\trequired = true\n[lfs]\n\tlocksverify = true\n";

/// Returns the id of a content.
pub fn id_of(content: &[u8]) -> String {
    aws::hex::encode(digest(&SHA256, content).as_ref())
}

/// Returns the pointer to a content.
pub fn pointer_to(content: &[u8]) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", id_of(content), content.len())
}

/// Returns the input of a batch for some contents.
pub fn batch_of(operation: &str, contents: &[&[u8]]) -> Value {
    let objects = contents.iter().map(|content| json!({ "oid": id_of(content), "size": content.len() }));
    json!({ "operation": operation, "transfers": ["basic"], "objects": objects.collect::<Vec<_>>() })
}

impl World {
    /// Sends a request of Git LFS for a repository with further headers.
    pub fn lfs(&self, name: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let all = [&[("accept", LFS_TYPE), ("content-type", LFS_TYPE)], headers].concat();
        let (method, body) = if body.is_null() { ("GET", String::new()) } else { ("POST", body.to_string()) };
        self.send(method, &format!("/v1/repos/{name}.git/info/lfs/{path}"), &all, body.as_bytes())
    }

    /// Sends a batch for some contents; returns the answered objects.
    pub fn lfs_batch(&self, name: &str, operation: &str, contents: &[&[u8]]) -> Vec<Value> {
        let reply = self.lfs(name, "objects/batch", &[], &batch_of(operation, contents));
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["objects"].as_array().expect("an answer has objects").clone()
    }

    /// Does an action of an answered object: sends a body with a method, and the headers of the action.
    pub fn lfs_action(&self, action: &Value, method: &str, further: &[(&str, &str)], body: &[u8]) -> Reply {
        let header = action["header"].as_object().expect("an action has headers");
        let headers = header.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("a text")));
        let headers: Vec<_> = headers.chain(further.iter().copied()).collect();
        let path = action["href"].as_str().and_then(|href| href.strip_prefix(&self.endpoint()));
        self.send(method, path.expect("an action has a URL of this server"), &headers, body)
    }

    /// Uploads a content to a repository.
    pub fn lfs_upload(&self, name: &str, content: &[u8]) {
        let [object] = &self.lfs_batch(name, "upload", &[content])[..] else { panic!("one object is answered") };
        let reply = self.lfs_action(&object["actions"]["upload"], "PUT", &[], content);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Returns the content of an object of a repository; `None` if it is not there.
    pub fn lfs_download(&self, name: &str, id: &str, bytes: usize) -> Option<Vec<u8>> {
        let batch = json!({ "operation": "download", "objects": [{ "oid": id, "size": bytes }] });
        let answer = self.lfs(name, "objects/batch", &[], &batch).json();
        let action = answer["objects"][0]["actions"].get("download")?;
        let reply = self.lfs_action(action, "GET", &[], b"");
        assert_eq!(reply.status, 200, "{}", reply.text());
        Some(reply.body)
    }

    /// Returns the command of `git` with git-lfs, in a folder below that of the test.
    pub fn git_lfs_command(&self, folder: &str, arguments: &[&str]) -> Command {
        let configuration = self.folder().join("lfs.gitconfig");
        fs::write(&configuration, CONFIGURATION).expect("the folder is writable");
        let mut command = git_command(&self.folder().join(folder), arguments);
        command.env("GIT_CONFIG_GLOBAL", configuration);
        command
    }

    /// Runs `git` with git-lfs in a folder below that of the test.
    pub fn git_lfs(&self, folder: &str, arguments: &[&str]) -> Outcome {
        outcome(&mut self.git_lfs_command(folder, arguments))
    }

    /// Commits a file, of which git-lfs takes those that end in `.bin`.
    pub fn git_lfs_commit(&self, folder: &str, file: &str, content: &[u8]) {
        let path = self.folder().join(folder).join(file);
        fs::create_dir_all(path.parent().expect("the file is in a folder")).expect("the folder is writable");
        fs::write(path, content).expect("the folder is writable");
        self.git_lfs(folder, &["add", "--all"]).ok();
        self.git_lfs(folder, &["commit", "--quiet", "--message", file]).ok();
    }

    /// Creates a work tree whose files that end in `.bin` are large files, with a remote `origin`.
    pub fn git_lfs_repository(&self, folder: &str, url: &str) {
        self.git(".", &["init", "--quiet", "--initial-branch=main", folder]).ok();
        self.git_lfs(folder, &["lfs", "install", "--local"]).ok();
        self.git_lfs(folder, &["lfs", "track", "*.bin"]).ok();
        self.git_lfs(folder, &["remote", "add", "origin", url]).ok();
    }
}
