//! The cache of packs.

use std::io::{self, Write};

use git::{
    Cache, CacheMemory, ObjectId, Offers, Options, PackPermits, Reference, References, Repository,
    upload_pack::{self, Request},
};

use crate::{
    bench::{Bench, feed, run},
    craft,
    random::{Dice, history},
};

fn request(tip: &str, have: Option<&str>) -> Vec<u8> {
    let mut lines = vec![format!("want {tip} thin-pack ofs-delta\n"), String::new()];
    lines.extend(have.map(|have| format!("have {have}\n")));
    lines.push("done\n".into());
    craft::lines(&lines)
}

/// A client that disconnects after some bytes.
struct BrokenClient(usize);

impl Write for BrokenClient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_same_request_gets_the_same_pack() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    history(&work, &mut Dice(11), 120);
    work.git(&["push", "--quiet", bench.url(), "c119:refs/heads/main", "c70:refs/heads/old"]);
    let tips = ["c119", "c70"].map(|name| work.git(&["rev-parse", name]));
    let tips = [tips[0].as_str(), tips[1].as_str()];
    let repository = Repository::open(&bench.served()).expect("the repository");
    let cache = Cache::open(&bench.path("cache"), 8 << 20).expect("a writable folder");
    let plain = Options { offers: Offers::FULL, ..Options::default() };
    let kept = Options { cache: Some(cache.clone()), pack_permits: PackPermits::new(1), ..plain.clone() };

    let whole = request(tips[0], None);
    let fresh = craft::fetch(&repository, &tips, &whole, &plain).expect("a pack");
    // A pack for a client that disconnects is not cached.
    let id = ObjectId::from_hex(tips[0].as_bytes()).expect("forty digits");
    let reference = Reference { name: "refs/heads/main".into(), target: id, peeled: None };
    let references = References { references: vec![reference], ..References::default() };
    let read =
        Request::read(&mut whole.as_slice(), git::Version::V0, &kept).expect("a sound request").expect("a request");
    let answer = upload_pack::respond(&repository, &references, read, &kept).expect("a pack");
    answer.write(&mut BrokenClient(fresh.len() - 30)).expect_err("the client is gone");
    assert_eq!(cache.bytes(), 0);

    let mut bytes = 0;
    for request in [whole, request(tips[0], Some(tips[1])), request(tips[1], None)] {
        let plain = craft::fetch(&repository, &tips, &request, &plain).expect("a pack");
        let first = craft::fetch(&repository, &tips, &request, &kept).expect("a pack");
        assert!(cache.bytes() > bytes);
        bytes = cache.bytes();
        let second = craft::fetch(&repository, &tips, &request, &kept).expect("a pack");
        assert_eq!(bytes, cache.bytes());
        assert_eq!(first, plain);
        assert_eq!(first, second);
    }
    let client = bench.work("client");
    let again = craft::fetch(&repository, &tips, &request(tips[0], None), &kept).expect("a pack");
    feed(&client.path, &["index-pack", "--stdin", "--strict"], again.strip_prefix(b"0008NAK\n").expect("no haves"));
    run(&client.path, &["update-ref", "refs/heads/main", tips[0]]);
    client.git(&["fsck", "--full", "--strict"]);
}

#[test]
fn without_memory_for_caches_the_answers_are_the_same() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    history(&work, &mut Dice(13), 200);
    work.git(&["push", "--quiet", bench.url(), "c199:refs/heads/main", "c100:refs/heads/old"]);
    let copy = bench.path("copy");
    let [from, to] = [bench.served(), copy.clone()].map(|path| path.to_string_lossy().into_owned());
    run(&work.path, &["clone", "--quiet", "--bare", &from, &to]);
    let tips = ["c199", "c100"].map(|name| work.git(&["rev-parse", name]));
    let tips = [tips[0].as_str(), tips[1].as_str()];
    let memory = CacheMemory::new(0);
    let lean = Repository::open_or_create_with(&copy, &memory).expect("the repository");
    let usual = Repository::open(&bench.served()).expect("the repository");
    let options = Options { offers: Offers::FULL, ..Options::default() };
    for _ in 0..2 {
        for request in [request(tips[0], None), request(tips[0], Some(tips[1]))] {
            let answer = |repository| craft::fetch(repository, &tips, &request, &options).expect("a pack");
            assert_eq!(answer(&lean).len(), answer(&usual).len());
        }
        lean.write_graph().expect("a writable folder");
    }
    assert_eq!(memory.bytes(), 0);
}

#[test]
fn simultaneous_equal_requests_get_the_same_pack() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    history(&work, &mut Dice(12), 200);
    work.git(&["push", "--quiet", bench.url(), "c199:refs/heads/main", "c100:refs/heads/old"]);
    let tip = work.git(&["rev-parse", "c199"]);
    let repository = Repository::open(&bench.served()).expect("the repository");
    let cache = Cache::open(&bench.path("cache"), 8 << 20).expect("a writable folder");
    let options =
        Options { cache: Some(cache), pack_permits: PackPermits::new(1), offers: Offers::FULL, ..Options::default() };
    let fetch = || craft::fetch(&repository, &[&tip], &request(&tip, None), &options).expect("a pack");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(fetch)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a pack")).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}
