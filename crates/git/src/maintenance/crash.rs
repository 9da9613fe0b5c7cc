//! Ends the process before every step of pushes and maintenance in turn, and checks the files that are left.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use gix::ObjectId;

use super::{MaintenanceOptions, Work};
use crate::{Kind, Object, Repository, files, object_links};

/// The variable that holds the folder in which the process of a test works.
const FOLDER: &str = "GIT_TEST_CRASH_FOLDER";

/// The number of rounds of a test, if it is not the short one.
const ROUNDS: &str = "GIT_TEST_CRASH_ROUNDS";

/// Moves a branch, or removes it, as Git does in files.
fn point(folder: &Path, name: &str, id: Option<ObjectId>) {
    let path = folder.join("refs/heads").join(name);
    match id {
        Some(id) => {
            let new = folder.join("new-reference");
            fs::write(&new, format!("{id}\n")).expect("a writable folder");
            fs::rename(new, path).expect("a writable folder");
        }
        None => drop(fs::remove_file(path)),
    }
}

fn tips(folder: &Path) -> Vec<ObjectId> {
    let heads = fs::read_dir(folder.join("refs/heads")).expect("a folder");
    let read = |path| fs::read_to_string(path).expect("a branch").trim().parse().expect("an id");
    heads.map(|entry| read(entry.expect("readable").path())).collect()
}

/// Adds a commit with a file of its own; returns its id.
fn commit(repository: &Repository, folder: &Path, branch: &str, parent: Option<ObjectId>, text: &str) -> ObjectId {
    let in_use = repository.use_objects();
    let hash = |kind, data: &[u8]| gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, data).expect("a hash");
    let blob = text.as_bytes().to_vec();
    let tree = [b"100644 file\0", hash(Kind::Blob, &blob).as_slice()].concat();
    let parent = parent.map(|parent| format!("parent {parent}\n")).unwrap_or_default();
    let who = "A <a@b> 1700000000 +0000";
    let id = hash(Kind::Tree, &tree);
    let data = format!("tree {id}\n{parent}author {who}\ncommitter {who}\n\n{text}\n").into_bytes();
    let objects =
        [(Kind::Commit, data), (Kind::Tree, tree), (Kind::Blob, blob)].map(|(kind, data)| Object { kind, data });
    let ids = repository.add(&objects, &in_use, false).expect("a fully connected set");
    point(folder, branch, Some(ids[0]));
    ids[0]
}

fn maintenance(day: u64) -> MaintenanceOptions {
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * day);
    MaintenanceOptions {
        packs_max: 3,
        loose_max: 3,
        prune_age: Duration::from_hours(72),
        sync: true,
        now,
        ..MaintenanceOptions::default()
    }
}

/// The work of the process that is killed: pushes, deleted branches, loose objects, and maintenance of each kind. It prints
/// each commit as soon as a branch has it.
#[test]
#[ignore = "the other tests of this module run it"]
fn work() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let repository = Repository::open_or_create(folder).expect("a repository");
    let first = tips(folder).len() as u64;
    let mut works = Vec::new();
    // The packs of the later pushes are small beside this one.
    let large: String = (0..9000_u32).map(|number| (number * number).to_string()).collect();
    commit(&repository, folder, "large", None, &large);
    for round in 0..9_u64 {
        let mut parent = None;
        for number in 0..3 {
            let (branch, text) = (format!("b{first}-{round}"), format!("{first} {round} {number}"));
            parent = Some(commit(&repository, folder, &branch, parent, &text));
            // After a kill the reader of the output is gone.
            drop(writeln!(std::io::stdout(), "\n{}", parent.expect("just made")));
        }
        if round % 3 == 2 {
            point(folder, &format!("b{first}-{round}"), None);
            drop(writeln!(std::io::stdout(), "\nremoved"));
        }
        if round % 2 == 0 {
            let store = gix::odb::loose::Store::at(folder.join("objects"), gix::hash::Kind::Sha1);
            let text = format!("loose {round}");
            gix::objs::Write::write_buf(&store, Kind::Blob, text.as_bytes()).expect("a writable folder");
        }
        let mut tips = || Ok(tips(folder));
        let day = 1000 + first * 100 + round;
        let outcome = match round {
            1 | 4 => repository.repack(&mut tips, &maintenance(day)),
            _ => repository.maintain(&mut tips, &maintenance(day)),
        };
        works.push(outcome.expect("maintenance succeeds"));
    }
    for kind in [Work::RolledUp, Work::Repacked] {
        assert!(works.iter().any(|outcome| outcome.work == kind), "{works:?}");
    }
    assert!(works.iter().any(|outcome| outcome.dropped > 0), "{works:?}");
    drop(writeln!(std::io::stdout(), "\nsteps {}", files::crash::steps()));
}

fn start(folder: &Path, crash_before: Option<u64>) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("a running program"));
    command.args(["--exact", "maintenance::crash::work", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(step) = crash_before {
        command.env(files::crash::BEFORE, step.to_string());
    }
    command.spawn().expect("a program that starts")
}

/// Opens a repository again and checks that all printed commits exist, and that no temporary files remain.
fn check(folder: &Path, told: &[String]) {
    let repository = Repository::open_or_create(folder).expect("a sound repository");
    assert_eq!(repository.unusable_packs(), []);
    let mut reader = repository.reader();
    let (mut open, mut seen) = (tips(folder), std::collections::HashSet::new());
    let mut buffer = Vec::new();
    // All packs are fully connected, so their objects include everything reachable.
    for pack in repository.state().packs.iter() {
        open.extend(super::inventory::ids(pack));
    }
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let kind = reader.read(&id, &mut buffer).expect("readable").unwrap_or_else(|| panic!("{id} is lost"));
            object_links::visit(kind, &buffer, &mut |id, _| open.push(id.to_owned())).expect("sound");
        }
    }
    let known = if told.last().is_some_and(|last| last == "removed") { &[] } else { told };
    for id in known.last().into_iter().filter_map(|id| id.parse::<ObjectId>().ok()) {
        let there = seen.contains(&id) && repository.kind(&id).expect("readable") == Some(Kind::Commit);
        assert!(there, "the commit {id} is lost");
    }
    let names = |folder: &str| {
        let names = fs::read_dir(repository.objects().join(folder)).expect("a folder");
        let names = names.map(|entry| entry.expect("readable").file_name().into_string().expect("plain"));
        names.collect::<Vec<_>>()
    };
    assert!(!names(".").iter().any(|name| name.starts_with("incoming-")), "{:?}", names("."));
    let packs = names("pack");
    for name in &packs {
        let (stem, _) = name.split_once('.').expect("an extension");
        assert!(packs.contains(&format!("{stem}.idx")) && packs.contains(&format!("{stem}.pack")), "{name} is left");
    }
}

fn fsck(folder: &Path) {
    let output = Command::new("git").args(["fsck", "--full", "--strict"]).current_dir(folder).output();
    let output = output.expect("git is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn told(child: &mut Child, lines: usize) -> Vec<String> {
    let output = BufReader::new(child.stdout.take().expect("a piped output"));
    let told = output.lines().map_while(Result::ok);
    let told = told.filter(|line| line.len() == 40 || line == "removed" || line.starts_with("steps"));
    told.take(lines).collect()
}

fn rounds(short: u64) -> u64 {
    std::env::var(ROUNDS).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(short)
}

#[test]
fn no_step_before_which_the_process_ends_costs_an_object() {
    let all = tempfile::tempdir().expect("a temporary folder");
    let run = |step: Option<u64>| {
        let folder = all.path().join(step.unwrap_or_default().to_string());
        let mut child = start(&folder, step);
        let told = told(&mut child, usize::MAX);
        assert_eq!(child.wait().expect("a child").success(), step.is_none(), "{step:?}");
        check(&folder, &told);
        (folder, told)
    };
    let (_, told) = run(None);
    let steps = told.last().and_then(|last| last.strip_prefix("steps ")).expect("an end");
    let steps: u64 = steps.parse().expect("a number");
    let every = usize::try_from(steps / rounds(20)).expect("few").max(1);
    for step in (1..=steps).step_by(every) {
        let (folder, _) = run(Some(step));
        if step % 5 == 0 {
            fsck(&folder);
        }
        fs::remove_dir_all(folder).expect("a folder of ours");
    }
}

#[test]
fn no_kill_costs_an_object() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..rounds(20) {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut child = start(folder.path(), None);
        let told = told(&mut child, usize::try_from(seed >> 33).expect("31 bits") % 24);
        child.kill().expect("a child");
        child.wait().expect("a child");
        check(folder.path(), &told);
        if round % 10 == 9 {
            fsck(folder.path());
            for head in fs::read_dir(folder.path().join("refs/heads")).expect("a folder").skip(5) {
                fs::remove_file(head.expect("readable").path()).expect("a writable folder");
            }
        }
    }
}
