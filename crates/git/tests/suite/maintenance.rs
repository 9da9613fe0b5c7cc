//! Maintenance: what is reachable stays, what is not goes in time, and nobody notices.

use std::{
    fs, io,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use git::{
    Kind, Object, ObjectId, Offers, Repository,
    maintenance::{MaintenanceOptions, Outcome, Work as Done},
};

use crate::bench::{Bench, Work, objects, run};

const DAY: Duration = Duration::from_hours(24);

/// Maintenance that finds work early, some days from now.
fn maintenance(days: u32) -> MaintenanceOptions {
    MaintenanceOptions {
        packs_max: 4,
        loose_max: 4,
        now: SystemTime::now() + DAY * days,
        sync: true,
        ..MaintenanceOptions::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "maintenance asks in this way")]
fn tips(bench: &Bench) -> io::Result<Vec<ObjectId>> {
    let text = run(&bench.served(), &["for-each-ref", "--format=%(objectname)"]);
    Ok(text.lines().map(id).collect())
}

fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.as_bytes()).expect("forty digits")
}

fn packs(bench: &Bench) -> Vec<PathBuf> {
    let packs = fs::read_dir(bench.served().join("objects/pack")).expect("a folder");
    let packs = packs.map(|entry| entry.expect("readable").path());
    packs.filter(|path| path.extension().is_some_and(|extension| extension == "pack")).collect()
}

/// Checks the served repository with git; our own files beside packs are expected.
fn sound(bench: &Bench) {
    run(&bench.served(), &["fsck", "--full", "--strict"]);
    let odd = crate::bench::leftovers(&bench.served());
    let ours = |name: &String| [".mtimes", ".graph", ".keep"].iter().any(|ending| name.ends_with(ending));
    assert!(odd.iter().all(ours), "{odd:?}");
}

fn push_many(bench: &Bench, work: &Work, count: usize) {
    for round in 0..count {
        let number = work.git(&["rev-list", "--count", "--all"]);
        work.commit(format!("folder {}/file", round % 3), &format!("content {number}"));
        work.git(&["push", "--quiet", bench.url(), "main"]);
    }
}

#[test]
fn many_packs_are_combined_into_few() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let repository = Repository::open(&bench.served()).expect("a repository");
    let mut references = || tips(&bench);
    push_many(&bench, &work, 4);
    assert!(!repository.needs_maintenance(&maintenance(0)).expect("readable"));
    assert_eq!(repository.maintain(&mut references, &maintenance(0)).expect("nothing to do"), Outcome::default());
    push_many(&bench, &work, 3);
    assert!(repository.needs_maintenance(&maintenance(0)).expect("readable"));
    let outcome = repository.maintain(&mut references, &maintenance(0)).expect("maintenance");
    assert_eq!((outcome.work, outcome.dropped, packs(&bench).len()), (Done::Repacked, 0, 1));
    sound(&bench);

    // Beside a large pack, small packs and loose objects are combined.
    let noise = (0..200_000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string());
    let noise = noise.collect::<Vec<_>>().join("\n");
    work.commit("noise", &noise);
    push_many(&bench, &work, 8);
    for number in 0..3 {
        crate::bench::feed(&bench.served(), &["hash-object", "-w", "--stdin"], format!("loose {number}").as_bytes());
    }
    let outcome = repository.maintain(&mut references, &maintenance(0)).expect("maintenance");
    assert_eq!((outcome.work, packs(&bench).len()), (Done::RolledUp, 2));
    assert!(run(&bench.served(), &["count-objects"]).starts_with("0 objects"));
    sound(&bench);
    let clone = bench.clone("clone", &["--bare"]);
    assert_eq!(clone.objects(), objects(&work.path, &["main"]));
    assert!(!repository.needs_maintenance(&maintenance(0)).expect("readable"));
}

#[test]
fn unreachable_objects_are_removed_after_some_time() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let repository = Repository::open(&bench.served()).expect("a repository");
    let mut references = || tips(&bench);
    push_many(&bench, &work, 2);
    work.git(&["checkout", "--quiet", "-b", "side"]);
    let tip = work.commit("side", "side");
    work.git(&["push", "--quiet", bench.url(), "side"]);
    let blob = work.git(&["rev-parse", "HEAD:side"]);
    work.git(&["push", "--quiet", bench.url(), ":side"]);
    let exists = |hex: &str| repository.kind(&id(hex)).expect("readable").is_some();

    let outcome = repository.repack(&mut references, &maintenance(0)).expect("maintenance");
    assert_eq!((outcome.dropped, packs(&bench).len()), (0, 2));
    assert!(exists(&tip) && exists(&blob));
    assert!(!repository.needs_maintenance(&maintenance(13)).expect("readable"));
    sound(&bench);
    run(&bench.served(), &["count-objects", "-v"]);

    // A new object that refers to an old one makes the old one new again.
    let in_use = repository.use_objects();
    let data = work.git(&["cat-file", "commit", &tip]).replace("a change", "another") + "\n";
    repository
        .add(&[Object { kind: Kind::Commit, data: data.into_bytes() }], &in_use, false)
        .expect("a fully connected set");
    assert!(repository.needs_maintenance(&maintenance(15)).expect("readable"));
    let outcome = repository.maintain(&mut references, &maintenance(15)).expect("maintenance");
    // The first commit could be removed, but the objects are in use, so the work is postponed.
    assert_eq!((outcome.dropped, outcome.postponed), (0, true));
    drop(in_use);
    let outcome = repository.maintain(&mut references, &maintenance(15)).expect("maintenance");
    assert_eq!((outcome.dropped, outcome.postponed), (1, false));
    assert!(!exists(&tip) && exists(&blob));
    assert!(!repository.needs_maintenance(&maintenance(16)).expect("readable"));
    let outcome = repository.maintain(&mut references, &maintenance(30)).expect("maintenance");
    assert_eq!((outcome.work, packs(&bench).len()), (Done::Repacked, 1));
    assert!(!exists(&blob));
    sound(&bench);
}

#[test]
fn objects_that_became_unreachable_are_searched_for_in_time() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let repository = Repository::open(&bench.served()).expect("a repository");
    push_many(&bench, &work, 1);
    assert!(!git::maintenance::has_unreachable(&bench.served()));
    let tip = work.commit("late", "late");
    work.git(&["push", "--quiet", bench.url(), "main"]);
    assert!(!git::maintenance::has_unreachable(&bench.served()));
    work.git(&["push", "--quiet", "--force", bench.url(), "main~1:main"]);
    assert!(git::maintenance::has_unreachable(&bench.served()));
    let mut references = || tips(&bench);
    let outcome = repository.maintain(&mut references, &maintenance(13)).expect("maintenance");
    assert!(outcome.work <= Done::GraphWritten, "{outcome:?}");
    let outcome = repository.maintain(&mut references, &maintenance(15)).expect("maintenance");
    assert_eq!((outcome.work, outcome.dropped), (Done::Repacked, 3));
    assert_eq!(repository.kind(&id(&tip)).expect("readable"), None);
    assert!(!git::maintenance::has_unreachable(&bench.served()));
    sound(&bench);
}

#[test]
fn objects_kept_for_a_new_object_become_as_new() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let repository = Repository::open(&bench.served()).expect("a repository");
    let mut references = || tips(&bench);
    push_many(&bench, &work, 2);
    work.commit("side", "side");
    work.git(&["push", "--quiet", bench.url(), "main:side"]);
    work.git(&["push", "--quiet", bench.url(), ":side"]);
    repository.repack(&mut references, &maintenance(0)).expect("maintenance");
    work.commit("more", "more");
    work.git(&["push", "--quiet", bench.url(), "main:side"]);
    run(&bench.served(), &["update-ref", "-d", "refs/heads/side"]);
    // The new unreachable objects refer to all old ones.
    let outcome = repository.repack(&mut references, &maintenance(20)).expect("maintenance");
    assert_eq!((outcome.work, outcome.dropped), (Done::Repacked, 0));
    assert!(!repository.needs_maintenance(&maintenance(21)).expect("readable"));
    let outcome = repository.maintain(&mut references, &maintenance(40)).expect("maintenance");
    assert_eq!(outcome.dropped, 6);
    sound(&bench);
}

#[test]
fn objects_that_become_reachable_again_stay() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let repository = Repository::open(&bench.served()).expect("a repository");
    push_many(&bench, &work, 2);
    let tip = work.commit("late", "late");
    work.git(&["push", "--quiet", bench.url(), "main:late", ":main"]);
    work.git(&["push", "--quiet", bench.url(), "main~1:refs/heads/main", ":late"]);
    repository.repack(&mut || tips(&bench), &maintenance(0)).expect("maintenance");
    let mut calls = 0;
    let mut moved = || {
        calls += 1;
        if calls == 2 {
            // Another process, which takes no lock, restores the branch.
            run(&bench.served(), &["update-ref", "refs/heads/late", &tip]);
        }
        tips(&bench)
    };
    let outcome = repository.maintain(&mut moved, &maintenance(20)).expect("maintenance");
    assert_eq!((outcome.dropped, outcome.postponed), (0, true));
    assert_eq!(repository.kind(&id(&tip)).expect("readable"), Some(Kind::Commit));
    sound(&bench);
    repository.repack(&mut || tips(&bench), &maintenance(40)).expect("maintenance");
    assert_eq!(bench.clone("clone", &["--branch", "late"]).git(&["rev-parse", "HEAD"]), tip);
}

#[test]
fn borrowed_and_kept_packs_are_not_changed() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    work.fill();
    work.git(&["clone", "--quiet", "--bare", "--no-tags", ".", bench.path("pool").to_str().expect("plain")]);
    fs::write(bench.served().join("objects/info/alternates"), "../../../pool/objects\n").expect("a writable folder");
    let pool = || fs::read_dir(bench.path("pool/objects/pack")).expect("a folder").count();
    let repository = Repository::open(&bench.served()).expect("a repository");
    work.git(&["push", "--quiet", bench.url(), "main"]);
    push_many(&bench, &work, 1);
    let kept = packs(&bench).remove(0);
    fs::write(kept.with_extension("keep"), "").expect("a writable folder");
    push_many(&bench, &work, 7);
    run(&bench.served(), &["multi-pack-index", "write"]);
    let before = pool();
    let outcome = repository.repack(&mut || tips(&bench), &maintenance(0)).expect("maintenance");
    assert_eq!(outcome.work, Done::Repacked);
    assert!(kept.exists());
    assert_eq!((packs(&bench).len(), pool()), (2, before));
    sound(&bench);
    let clone = bench.clone("clone", &["--bare"]);
    assert_eq!(clone.objects(), objects(&work.path, &["main"]));
}

#[test]
fn the_repository_can_be_maintained_with_git_too() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let repository = Repository::open(&bench.served()).expect("a repository");
    push_many(&bench, &work, 6);
    work.git(&["push", "--quiet", "--force", bench.url(), "main~2:main"]);
    repository.repack(&mut || tips(&bench), &maintenance(0)).expect("maintenance");
    run(&bench.served(), &["config", "--unset", "extensions.preciousObjects"]);
    for command in [&["gc", "--quiet"][..], &["repack", "-adq", "--cruft"], &["gc", "--quiet", "--prune=now"]] {
        run(&bench.served(), command);
        push_many(&bench, &work, 1);
        repository.repack(&mut || tips(&bench), &maintenance(0)).expect("maintenance");
        sound(&bench);
    }
}

#[test]
fn maintenance_does_not_disturb_clients() {
    let bench = Bench::new(Offers::AWS);
    let repository = Repository::open(&bench.served()).expect("a repository");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|client| {
                let bench = &bench;
                scope.spawn(move || {
                    let work = bench.work(&format!("work{client}"));
                    let branch = format!("b{client}");
                    for round in 0..8 {
                        work.commit(format!("{client}/{}", round % 3), &format!("{client} {round}"));
                        work.git(&["push", "--quiet", "--force", bench.url(), &format!("HEAD:{branch}")]);
                        if round % 3 == 2 {
                            // One commit of the deleted branch becomes reachable again, the other does not.
                            work.git(&["push", "--quiet", bench.url(), &format!(":{branch}")]);
                            work.git(&["push", "--quiet", bench.url(), &format!("HEAD~1:refs/heads/{branch}")]);
                        }
                        // Only its own branch: others may be deleted between advertisement and request.
                        let arguments = ["--bare", "--single-branch", "--branch", &branch];
                        let clone = bench.clone(&format!("clone{client}-{round}"), &arguments);
                        clone.git(&["fsck", "--full"]);
                    }
                })
            })
            .collect();
        let maintenance =
            MaintenanceOptions { packs_max: 2, prune_age: Duration::ZERO, threads: 2, ..MaintenanceOptions::default() };
        let (bench, done, repository) = (&bench, &done, &repository);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let now = MaintenanceOptions { now: SystemTime::now(), ..maintenance.clone() };
                repository.repack(&mut || tips(bench), &now).expect("maintenance");
            }
        });
        let ended: Vec<_> = clients.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        for client in ended {
            client.expect("no client fails");
        }
    });
    sound(&bench);
    repository.repack(&mut || tips(&bench), &maintenance(0)).expect("maintenance");
    sound(&bench);
}
