//! Random histories, fetched by clients with random parts of them.

use git::{Offers, Options, Repository};

use crate::{
    bench::{Bench, Work, feed, objects},
    craft,
};

/// A reproducible source of random numbers.
pub struct Dice(pub u64);

impl Dice {
    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

const COMMITS: usize = 60;

/// Creates commits `c0`, `c1` and so on with up to three parents, wrong clocks, and contents that recur.
pub fn history(work: &Work, dice: &mut Dice, commits: usize) {
    let mut stream = String::new();
    for number in 0..commits {
        let seconds = 1_700_000_000 + number * 60 - dice.below(4000);
        stream.extend([format!(
            "commit refs/tags/c{number}\nmark :{}\ncommitter A <a@b> {seconds} +0000\ndata 1\nx\n",
            number + 1
        )]);
        if number > 0 && dice.below(15) > 0 {
            stream.extend([format!("from :{}\n", number - dice.below(number.min(6)))]);
            for _ in 0..dice.below(3) {
                stream.extend([format!("merge :{}\n", 1 + dice.below(number))]);
            }
        }
        for _ in 0..=dice.below(3) {
            let (folder, file) = (dice.below(4), dice.below(5));
            let lines = (0..30).map(|line| format!("line {line} {}\n", if line == 3 { dice.below(6) } else { folder }));
            let text = lines.collect::<Vec<_>>().concat();
            stream.extend([format!("M 644 inline d{folder}/f{file}\ndata {}\n{text}", text.len())]);
        }
    }
    feed(&work.path, &["fast-import", "--quiet"], stream.as_bytes());
}

#[test]
fn fetches_send_everything_that_the_client_lacks() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for offers in [Offers::AWS, Offers::FULL] {
        let bench = Bench::new(offers);
        let work = bench.work("work");
        history(&work, &mut dice, COMMITS);
        for number in (0..COMMITS).step_by(5).chain([COMMITS - 1]) {
            work.git(&["push", "--quiet", "--force", bench.url(), &format!("c{number}:refs/heads/b{number}")]);
        }
        bench.check();
        let repository = Repository::open(&bench.served()).expect("the repository");
        let options = Options { offers, ..Options::default() };
        let tips: Vec<_> = bench_tips(&bench);
        let tips: Vec<_> = tips.iter().map(String::as_str).collect();
        let reachable = objects(&bench.served(), &["--all"]);
        for round in 0..15 {
            let mut choose = |count: usize| {
                let names = (0..count).map(|_| work.git(&["rev-parse", &format!("c{}^0", dice.below(COMMITS))]));
                names.filter(|id| reachable.contains(id)).collect::<Vec<_>>()
            };
            let (mut wants, haves) = (choose(3), choose(2));
            wants.push(tips[round % tips.len()].to_owned());
            let client = bench.work(&format!("client{round}"));
            let revisions = haves.iter().map(|id| format!("{id}\n")).collect::<Vec<_>>().concat();
            let known = feed(&work.path, &["pack-objects", "--stdout", "--revs", "-q"], revisions.as_bytes());
            feed(&client.path, &["index-pack", "--stdin"], &known);
            let mut lines: Vec<_> = wants.iter().map(|id| format!("want {id}\n")).collect();
            lines[0] = lines[0].replace('\n', " thin-pack ofs-delta\n");
            lines.push(String::new());
            lines.extend(haves.iter().map(|id| format!("have {id}\n")));
            lines.push("done\n".into());
            let answer = craft::fetch(&repository, &tips, &craft::lines(&lines), &options).expect("a pack");
            let head = haves.first().map_or("0008NAK\n".into(), |id| format!("0031ACK {id}\n"));
            let pack = answer.strip_prefix(head.as_bytes()).expect("one acknowledgement");
            feed(&client.path, &["index-pack", "--stdin", "--fix-thin"], pack);
            let tips_wanted: Vec<_> = wants.iter().map(String::as_str).collect();
            assert_eq!(objects(&client.path, &tips_wanted), objects(&work.path, &tips_wanted));
        }
    }
}

#[test]
fn shallow_fetches_send_everything_that_the_client_lacks() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    history(&work, &mut dice, COMMITS);
    for number in (9..COMMITS).step_by(10) {
        work.git(&["push", "--quiet", bench.url(), &format!("c{number}:refs/heads/b{number}")]);
    }
    for round in 0..6 {
        let clone = bench.clone(&format!("clone{round}"), &["--bare", "--depth", &(1 + dice.below(3)).to_string()]);
        for _ in 0..4 {
            let depth = (1 + dice.below(12)).to_string();
            let branch = format!("refs/heads/b{}:refs/heads/x", 9 + 10 * dice.below(5));
            clone.git(&["fetch", "--quiet", "--force", "--depth", &depth, bench.url(), &branch]);
            clone.git(&["fsck", "--connectivity-only"]);
        }
        clone.git(&["fetch", "--quiet", "--force", "--depth", "2147483647", bench.url(), "refs/heads/*:refs/heads/*"]);
        clone.git(&["fsck", "--full"]);
        assert_eq!(clone.objects(), objects(&bench.served(), &["--all"]));
    }
}

#[test]
fn many_clients_push_and_clone_at_once() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    history(&work, &mut Dice(7), COMMITS);
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (bench, work) = (&bench, &work);
            scope.spawn(move || {
                for number in (part..COMMITS).step_by(4) {
                    work.git(&["push", "--quiet", bench.url(), &format!("c{number}:refs/heads/b{number}")]);
                }
                bench.clone(&format!("clone{part}"), &["--bare"]).git(&["fsck", "--full"]);
            });
        }
    });
    bench.check();
    assert_eq!(bench.clone("clone", &["--mirror"]).objects(), work.objects());
}

fn bench_tips(bench: &Bench) -> Vec<String> {
    let text = crate::bench::run(&bench.served(), &["for-each-ref", "--format=%(objectname)"]);
    text.lines().map(str::to_owned).collect()
}
