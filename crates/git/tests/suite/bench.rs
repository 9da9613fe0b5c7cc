//! The server of the example in this process, and the git command line.

use std::{
    cell::Cell,
    ffi::OsStr,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use git::{Offers, Options, Repository};
use tempfile::TempDir;

use crate::serve::{
    repositories::{Policy, Repositories},
    service,
};

/// A server with a folder of repositories, and a folder for clones beside it.
pub struct Bench {
    folder: TempDir,
    url: String,
}

impl Bench {
    /// Serves an empty repository `r.git`.
    pub fn new(offers: Offers) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("root");
        Repository::open_or_create(&root.join("r.git")).expect("a new repository");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let url = format!("http://{}/smart/r.git", listener.local_addr().expect("a bound port"));
        let options = Options { offers, ..Options::default() };
        std::thread::spawn(move || service_of(&listener, &root, &options));
        Self { folder, url }
    }

    /// Returns the URL of the served repository.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns a path beside the served repositories.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the folder of the served repository.
    pub fn served(&self) -> PathBuf {
        self.path("root/r.git")
    }

    /// Creates a repository beside the served ones.
    pub fn work(&self, name: &str) -> Work {
        let path = self.path(name);
        run(self.folder.path(), &["init", "--quiet", path.to_str().expect("a plain path")]);
        Work { path }
    }

    /// Clones the served repository.
    pub fn clone(&self, name: &str, arguments: &[&str]) -> Work {
        let path = self.path(name);
        let mut all = vec!["clone", "--quiet"];
        all.extend_from_slice(arguments);
        all.extend_from_slice(&[&self.url, path.to_str().expect("a plain path")]);
        run(self.folder.path(), &all);
        Work { path }
    }

    /// Checks that the served repository is sound and contains no leftovers of pushes.
    pub fn check(&self) {
        let served = self.served();
        run(&served, &["fsck", "--full", "--strict"]);
        assert_eq!(leftovers(&served), Vec::<String>::new());
    }
}

fn service_of(listener: &TcpListener, root: &Path, options: &Options) {
    let repositories = Repositories::new(root, Policy::Fixed, options);
    service::run(listener, repositories).expect("a listening socket");
}

/// Lists the files in the objects folder that do not belong to a finished push.
pub fn leftovers(repository: &Path) -> Vec<String> {
    let names = |path: PathBuf| {
        std::fs::read_dir(path)
            .expect("a readable folder")
            .map(|entry| entry.expect("a readable entry").file_name().to_string_lossy().into_owned())
            .collect::<Vec<_>>()
    };
    let objects = names(repository.join("objects")).into_iter().filter(|name| name != "pack" && name != "info");
    let packs = names(repository.join("objects/pack"));
    let odd = packs.clone().into_iter().filter(move |name| match name.rsplit_once('.') {
        Some((stem, "pack")) => !packs.contains(&format!("{stem}.idx")),
        Some((stem, "graph" | "idx")) => !packs.contains(&format!("{stem}.pack")),
        _ => true,
    });
    objects.chain(odd).collect()
}

/// A repository with a working tree.
pub struct Work {
    pub path: PathBuf,
}

impl Work {
    /// Runs git, which must succeed; returns its output.
    pub fn git(&self, arguments: &[&str]) -> String {
        run(&self.path, arguments)
    }

    /// Runs git, which must fail; returns its error output.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = try_git(&self.path, arguments, b"");
        assert!(!output.status.success(), "git {arguments:?} succeeds");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Writes a file and commits all changes; returns the id of the commit.
    pub fn commit(&self, file: impl AsRef<OsStr>, content: &str) -> String {
        let path = self.path.join(Path::new(file.as_ref()));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        std::fs::write(path, content).expect("a writable folder");
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "a change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Creates a history with folders, merges, many kinds of tags, unusual names, links and a submodule.
    pub fn fill(&self) {
        for round in 0..12 {
            let lines = (0..60)
                .map(|line| format!("line {} {line}\n", if line % 7 == round % 7 { round } else { 0 }))
                .collect::<Vec<_>>()
                .concat();
            self.commit(format!("folder {}/deep/file", round % 3), &lines);
            self.commit("top", &lines);
            if round % 4 == 3 {
                self.git(&["checkout", "--quiet", "-B", &format!("side{round}"), "HEAD~3"]);
                self.commit(format!("side/{round}"), &lines);
                self.git(&["checkout", "--quiet", "main"]);
                self.git(&["merge", "--quiet", "--message", "merge", &format!("side{round}")]);
            }
        }
        self.commit("\u{fc}ml\u{e4}ut \"quoted\" \\", "odd");
        #[cfg(unix)]
        {
            let name: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"not \xff\xfe text");
            self.commit(name, "odd");
            std::os::unix::fs::symlink("top", self.path.join("link")).expect("a writable folder");
        }
        let head = self.git(&["rev-parse", "HEAD"]);
        self.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},module", "1".repeat(40))]);
        self.git(&["add", "link"]);
        self.git(&["commit", "--quiet", "--message", "a link and a submodule"]);
        self.git(&["tag", "light", "HEAD~5"]);
        self.git(&["tag", "--annotate", "--message", "t", "v1", "HEAD~2"]);
        self.git(&["tag", "--annotate", "--message", "t", "of-tag", "v1"]);
        self.git(&["tag", "--annotate", "--message", "t", "of-tree", &format!("{head}^{{tree}}")]);
        self.git(&["tag", "--annotate", "--message", "t", "of-blob", "HEAD:top"]);
        self.git(&["tag", "bare-blob", "HEAD~4:top"]);
        self.git(&["tag", "bare-tree", "HEAD~6^{tree}"]);
    }

    /// Lists all objects reachable from the references, sorted.
    pub fn objects(&self) -> Vec<String> {
        objects(&self.path, &["--all"])
    }
}

/// Lists the objects of a revision range, sorted.
pub fn objects(path: &Path, range: &[&str]) -> Vec<String> {
    let mut arguments = vec!["rev-list", "--objects", "--no-object-names"];
    arguments.extend_from_slice(range);
    let mut all: Vec<_> = run(path, &arguments).lines().map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

thread_local! {
    /// The time of this thread's next command, in seconds since 1970; `None` gives all commits the same time.
    static CLOCK: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Makes each later commit of this thread newer than the one before.
pub fn advance_clock() {
    CLOCK.set(Some(1_700_000_000));
}

/// Runs git, which must succeed; returns its output.
pub fn run(path: &Path, arguments: &[&str]) -> String {
    String::from_utf8_lossy(&feed(path, arguments, b"")).trim_end().to_owned()
}

/// Runs git with an input, which must succeed; returns its output.
pub fn feed(path: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = try_git(path, arguments, input);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs git with an input.
pub fn try_git(path: &Path, arguments: &[&str], input: &[u8]) -> Output {
    try_git_with(path, arguments, input, &[])
}

/// Runs git with an input and further environment variables.
pub fn try_git_with(path: &Path, arguments: &[&str], input: &[u8], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new("git");
    command.env_remove("GIT_PROTOCOL").envs(variables.iter().copied());
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_TRACE", "http_proxy", "HTTP_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "A"),
        ("GIT_AUTHOR_EMAIL", "a@example.com"),
        ("GIT_AUTHOR_DATE", "1700000000 +0100"),
        ("GIT_COMMITTER_NAME", "C"),
        ("GIT_COMMITTER_EMAIL", "c@example.com"),
    ] {
        command.env(name, value);
    }
    let seconds = CLOCK.get().unwrap_or(1_700_000_000);
    CLOCK.set(CLOCK.get().map(|seconds| seconds + 1));
    command.env("GIT_COMMITTER_DATE", format!("{seconds} +0100"));
    let settings = [
        "init.defaultBranch=main",
        "fetch.fsckObjects=true",
        "gc.auto=0",
        "maintenance.auto=false",
        "advice.detachedHead=false",
    ];
    let settings = settings.iter().flat_map(|setting| ["-c", setting]);
    let mut child = command
        .args(settings)
        .args(arguments)
        .current_dir(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git is installed");
    let mut stdin = child.stdin.take().expect("a piped input");
    std::thread::scope(|scope| {
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("a running child")
    })
}
