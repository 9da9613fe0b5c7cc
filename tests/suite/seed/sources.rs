//! Sources of repositories, and the ids that they give.

use std::os::unix::fs::{PermissionsExt, symlink};

use tests::database::is_sqlite;

use super::*;

/// A seed with a source of each kind.
fn seed_of_all_kinds() -> SeedFolder {
    let seed = SeedFolder::new();
    let work = seed.history();
    let bare = seed.add_bare(&work, "bare.git");
    // A loose object beside the pack of the clone.
    git(&bare, &["update-ref", "refs/notes/x", "refs/heads/trunk"]).ok();
    seed.add_bare(&work, "packed.git");
    git(&seed.path().join("repositories/packed.git"), &["repack", "-a", "-d", "-q"]).ok();
    git(&seed.path().join("repositories/packed.git"), &["pack-refs", "--all"]).ok();
    for (name, version) in [("two", "2"), ("three", "3")] {
        let file = seed.path().join(format!("repositories/{name}.bundle"));
        let version = format!("--version={version}");
        git(&work, &["bundle", "create", "--quiet", &version, file.to_str().expect("UTF-8"), "--all"]).ok();
    }
    let clone = seed.path().join("repositories/clone");
    git(&work, &["clone", "--quiet", ".", clone.to_str().expect("UTF-8")]).ok();
    seed.write("repositories/plain/README.md", "A demonstration.\n");
    seed.write("repositories/plain/empty/.hidden", "");
    let script = seed.write("repositories/plain/bin/run", "#!/bin/sh\n");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    symlink("../outside", seed.path().join("repositories/plain/link")).expect("the folder is writable");
    seed.write("444455556666/us-east-2/repositories/elsewhere/file", "text\n");
    seed.write(
        "seed.toml",
        "[[repository]]\nname = \"empty\"\ndescription = \"Nothing yet\"\ntags = { Team = \"blue\" }\n\n\
         [[repository]]\nname = \"plain\"\ncreated = 2026-02-03T04:05:06Z\n\
         triggers = [{ name = \"ci\", destination = \"arn:aws:sns:us-east-1:111122223333:ci\", events = [\"all\"] }]\n",
    );
    seed
}

#[test]
fn a_source_of_each_kind_becomes_a_repository_with_the_same_ids_each_time() {
    let seed = seed_of_all_kinds();
    let work = seed.0.path().join("work");
    let trunk = git(&work, &["rev-parse", "trunk"]).ok();
    let world = seed.world();
    let first = state(&world);
    assert_eq!(first.len(), 7, "{first:#?}");
    for (name, default) in
        [("bare", "trunk"), ("packed", "trunk"), ("two", "trunk"), ("three", "trunk"), ("clone", "trunk")]
    {
        let line = first.iter().find(|line| line.starts_with(&format!("{name} "))).expect("the repository exists");
        assert!(line.contains(&format!("Some(\"{default}\")")), "{line}");
        assert!(line.contains(&format!("{trunk}\trefs/heads/trunk")), "{line}");
        let has_feature = line.contains("refs/heads/feature") && line.contains("refs/tags/v1^{}");
        assert_eq!(has_feature, name != "clone" || line.contains("refs/heads/feature"), "{line}");
        let clone = format!("of-{name}");
        world.git(".", &["clone", "--quiet", &world.repository_url(name), &clone]).ok();
        world.git(&clone, &["fsck", "--strict"]).ok();
    }
    assert!(first[0].contains("refs/notes/x"), "{}", first[0]);
    assert!(!first.iter().any(|line| line.contains("refs/remotes")));
    world.git(".", &["clone", "--quiet", &world.repository_url("plain"), "plain"]).ok();
    let tree = world.git("plain", &["ls-tree", "-r", "HEAD", "--format=%(objectmode) %(path)"]).ok();
    assert_eq!(tree, "100644 README.md\n100755 bin/run\n100644 empty/.hidden\n120000 link");
    let author = world.git("plain", &["log", "--format=%an <%ae> %aI %s"]).ok();
    assert_eq!(author, "Mary Major <mary_major@example.com> 2026-02-03T04:05:06Z Add files");
    let triggers = world.run(world.sdk().get_repository_triggers().repository_name("plain").send());
    assert_eq!(triggers.expect("the call succeeds").triggers().len(), 1);
    let elsewhere = world.sdk_as("444455556666", "us-east-2");
    let listed = world.run(elsewhere.list_repositories().send()).expect("the call succeeds");
    assert_eq!(listed.repositories()[0].repository_name(), Some("elsewhere"));

    // The other calls of this test are recorded, but none of the seed.
    let names: Vec<_> = world.events().iter().map(|event| event["eventName"].clone()).collect();
    assert!(!names.iter().any(|name| name == "CreateRepository" || name == "GitPush"), "{names:?}");

    world.run(world.sdk().delete_repository().repository_name("two").send()).expect("the call succeeds");
    world.run(world.sdk().create_repository().repository_name("later").send()).expect("the call succeeds");
    reset(&world);
    assert_eq!(state(&world), first);
    let other = seed.world();
    assert_eq!(state(&other), first);
}

#[test]
fn a_seed_survives_restarts_after_resets() {
    let seed = seed_of_all_kinds();
    let mut world = seed.world();
    let first = state(&world);
    reset(&world);
    reset(&world);
    world.restart();
    assert_eq!(state(&world), first);
    world.git(".", &["clone", "--quiet", &world.repository_url("bare"), "again"]).ok();
}

#[test]
fn a_changed_seed_takes_effect_at_the_next_reset_and_a_bad_one_is_refused() {
    let seed = SeedFolder::new();
    seed.write("repositories/one/file", "text\n");
    let world = seed.world();
    let first = state(&world);
    seed.write("seed.toml", "[[repository]]\nnam = \"two\"\n");
    let reply = world.send("POST", "/_local/reset", &[], b"");
    assert_eq!(reply.status, 500);
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(text.contains("line 2: unknown key `nam`; did you mean `name`?"), "{text}");
    assert_eq!(state(&world), first, "nothing was removed");
    seed.write("seed.toml", "[[repository]]\nname = \"two\"\n");
    reset(&world);
    assert_eq!(state(&world).len(), 2);
}

#[test]
fn records_are_those_that_the_calls_would_leave() {
    let seed = SeedFolder::new();
    let work = seed.history();
    seed.add_bare(&work, "one.git");
    let start = || {
        World::with(|settings| {
            seed.settings(settings);
            settings.seed_events = true;
        })
    };
    let (one, other) = (start(), start());
    let events = one.events();
    let names: Vec<_> = events.iter().map(|event| event["eventName"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["CreateRepository", "GitPush", "UpdateDefaultBranch"]);
    assert_eq!(events[1]["requestParameters"]["references"].as_array().map(Vec::len), Some(3));
    let ids = |world: &World| world.events().iter().map(|event| event["eventID"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&one), ids(&other));
}

#[test]
fn a_data_folder_with_data_is_left_as_it_is() {
    let seed = SeedFolder::new();
    seed.write("repositories/one/file", "text\n");
    let mut world = World::new();
    world.run(world.sdk().create_repository().repository_name("own").send()).expect("the call succeeds");
    let before = state(&world);
    world.restart_with(|settings| seed.settings(settings));
    assert_eq!(state(&world), before);

    let mut seeded = seed.world();
    seeded.run(seeded.sdk().delete_repository().repository_name("one").send()).expect("the call succeeds");
    seeded.restart();
    assert!(state(&seeded).is_empty(), "a seed is applied once");
}

#[test]
fn identities_of_the_seed_are_used() {
    let seed = SeedFolder::new();
    seed.write(
        "identities.toml",
        "[[account]]\nid = \"111122223333\"\n\n[[account.user]]\nname = \"Li_Juan\"\naccess_keys = [\"AKIAI44QH8DHBEXAMPLE\"]\n",
    );
    let world = seed.world();
    world.run(world.sdk_as("AKIAI44QH8DHBEXAMPLE", "us-east-1").list_repositories().send()).expect("the call succeeds");
    assert_eq!(world.last_event()["userIdentity"]["userName"], "Li_Juan");
}

#[test]
fn an_unfinished_seed_is_begun_anew_and_refused_without_a_seed() {
    if !is_sqlite("the program is started with its database in the data folder") {
        return;
    }
    let seed = seed_of_all_kinds();
    let mut world = seed.world();
    let expected = state(&world);
    world.run(world.sdk().create_repository().repository_name("later").send()).expect("the call succeeds");
    let unfinish = |world: &World| {
        let written = world.store().write(|transaction| transaction.execute("UPDATE seed SET is_finished = 0", &[]));
        assert_eq!(written.map_err(|error: store::Error| error.to_string()), Ok(1));
    };
    unfinish(&world);
    world.restart();
    assert_eq!(state(&world), expected);

    unfinish(&world);
    world.stop();
    let settings = Settings {
        listen: vec![([127, 0, 0, 1], 0).into()],
        data_dir: Some(world.folder().join("data")),
        ..Settings::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let started = runtime.block_on(async { Server::start(settings).await.map(|_server| ()) });
    let message = started.expect_err("the data folder is refused").to_string();
    assert!(message.contains("holds a part of a seed"), "{message}");
}

#[test]
fn a_start_that_is_killed_while_it_seeds_is_repeated() {
    if !is_sqlite("the program is started with its database in the data folder") {
        return;
    }
    let seed = seed_of_all_kinds();
    let expected = state(&seed.world());
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let mut command = Command::new(tests::binary::path());
    command.args(["--listen", "127.0.0.1:0", "--quiet", "--data-dir"]).arg(&data).arg("--seed").arg(seed.path());
    let mut child = command.stdout(Stdio::null()).spawn().expect("the program is built");
    // From here on, every moment of the kill has the same result.
    tests::wait_until("a repository is being received", || {
        fs::read_dir(data.join("repositories")).is_ok_and(|mut entries| entries.next().is_some())
    });
    child.kill().expect("the program was not waited for");
    child.wait().expect("the program is a child of this process");
    let world = World::with(|settings| {
        seed.settings(settings);
        settings.data_dir = Some(data.clone());
    });
    assert_eq!(state(&world), expected);
}
