//! Random histories, sent in random states and in every style.

use std::{collections::HashSet, path::Path};

use gix::ObjectId;

use super::bench::{Bench, Dice, closure, git, ids, pack, reused, take};
use crate::{
    Kind, Repository,
    enumerate::{self, Chosen, Demand, Selection},
    history::History,
    pack_writer::Style,
};

const COMMITS: usize = 60;

/// Makes commits `c0` to `c59` with up to three parents and files of which each commit changes some lines.
fn history(path: &Path, dice: &mut Dice) {
    let mut stream = String::new();
    for number in 0..COMMITS {
        let seconds = 1_700_000_000 + number * 60;
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
            let (folder, file, length) = (dice.below(4), dice.below(5), 20 + dice.below(200));
            let lines = (0..length).map(|line| {
                let value = if dice.below(30) == 0 { dice.below(9) } else { folder };
                format!("line {line} {value}\n")
            });
            let text = lines.collect::<String>();
            stream.extend([format!("M 644 inline d{folder}/f{file}\ndata {}\n{text}", text.len())]);
        }
    }
    stream.push_str("tag t1\nfrom :7\ntagger A <a@b> 1700000000 +0000\ndata 1\nx\n");
    git(path, &["fast-import", "--quiet"], stream.as_bytes());
}

/// Makes a repository that got the commits of `work` by pushes, some of them thin, and by loose objects.
fn pushed(work: &Path, served: &Path, dice: &mut Dice) {
    let mut had = Vec::new();
    for number in (3..COMMITS).step_by(4).chain([COMMITS - 1]) {
        let mut revisions = format!("c{number}\n");
        revisions.extend(had.iter().map(|known| format!("^c{known}\n")));
        let offsets = ["--delta-base-offset", "--no-reuse-object"][dice.below(2)];
        let thin = ["--thin", "--no-reuse-delta"][dice.below(2)];
        let pack = git(work, &["pack-objects", "--stdout", "--revs", "-q", thin, offsets], revisions.as_bytes());
        match dice.below(4) {
            0 => git(served, &["unpack-objects", "-q"], &pack),
            _ => git(served, &["index-pack", "--stdin", "--fix-thin"], &pack),
        };
        had.push(number);
    }
    let tags = git(work, &["for-each-ref", "--format=create %(refname) %(objectname)"], b"");
    let all = closure(served, &["--all"]);
    assert!(all.is_empty());
    let there: Vec<_> = String::from_utf8(tags)
        .expect("plain names")
        .lines()
        .filter(|line| has(served, line.rsplit(' ').next().expect("an id")))
        .map(|line| format!("{line}\n"))
        .collect();
    git(served, &["update-ref", "--stdin"], there.concat().as_bytes());
}

fn has(path: &Path, id: &str) -> bool {
    let answer = git(path, &["cat-file", "--batch-check"], format!("{id}\n").as_bytes());
    !answer.ends_with(b"missing\n")
}

/// Adds what the client has in the trees of its commits as bases.
fn add_bases(path: &Path, selection: &mut Selection, haves: &[ObjectId]) {
    for have in haves {
        let listed =
            git(path, &["ls-tree", "-rt", "--format=%(objectname) %(objecttype) %(path)", &have.to_string()], b"");
        for line in String::from_utf8(listed).expect("plain names").lines() {
            let mut parts = line.split(' ');
            let id = ObjectId::from_hex(parts.next().expect("an id").as_bytes()).expect("an id");
            let kind = if parts.next() == Some("tree") { Kind::Tree } else { Kind::Blob };
            let name = line.rsplit('/').next().expect("a name");
            selection.places.entry(id).or_insert(Selection::KNOWN);
            selection.bases.push(Chosen { id, kind, name: enumerate::name_hash(0, name.as_bytes()) });
        }
    }
}

/// Moves those of the objects that lie in the largest pack to what is reused.
fn reuse(repository: &Repository, selection: &mut Selection) {
    let reader = repository.reader();
    let Some(pack) = reader.packs().iter().max_by_key(|pack| pack.data.num_objects()) else { return };
    let (moved, kept): (Vec<_>, Vec<_>) =
        selection.objects.drain(..).partition(|object| pack.position(&object.id).is_some());
    for object in &moved {
        selection.places.remove(&object.id);
    }
    for (place, object) in (0..).zip(&kept) {
        selection.places.insert(object.id, place);
    }
    selection.objects = kept;
    let moved: HashSet<_> = moved.iter().map(|object| object.id).collect();
    selection.reused = Some(reused(pack, |id| moved.contains(id)));
}

/// Every style, for `round` of one history after the other.
fn style(round: usize) -> Style {
    let bit = |bit: usize| round >> bit & 1 != 0;
    Style { thin: bit(0), offsets: bit(1), search: bit(2), index: bit(3) && !bit(0), threads: 2 }
}

#[test]
fn git_takes_what_is_sent_and_has_what_it_asked_for() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let bench = Bench::new();
    for story in 0..3 {
        let work = bench.repository(&format!("work{story}"));
        history(&work, &mut dice);
        let served = bench.repository(&format!("served{story}"));
        pushed(&work, &served, &mut dice);
        if story == 2 {
            git(&served, &["repack", "-adq"], b"");
        }
        let repository = Repository::open(&served).expect("a repository");
        let tags = ids(&served, &["for-each-ref", "--format=%(objectname)", "refs/tags/c*"], b"");
        for round in 0..24 {
            let mut choose = |count: usize| (0..count).map(|_| tags[dice.below(tags.len())]).collect::<Vec<_>>();
            let (wants, haves) = (choose(2), choose(round % 3));
            let demand = Demand { wants: wants.clone(), haves: haves.clone(), tags: Vec::new() };
            let mut reader = repository.reader();
            let mut selection =
                enumerate::select(&mut reader, &mut History::default(), &demand).expect("a sound repository");
            if selection.objects.is_empty() {
                continue;
            }
            add_bases(&served, &mut selection, &haves);
            if round % 6 >= 3 {
                reuse(&repository, &mut selection);
            }
            let count = selection.objects.len() + selection.reused.as_ref().map_or(0, |reused| reused.chosen.count());
            let sent = pack(&served, &selection, style(round));
            assert_eq!(sent[8..12], u32::try_from(count).expect("few").to_be_bytes());

            let client = bench.repository(&format!("client{story}-{round}"));
            let known = haves.iter().map(|id| format!("{id}\n")).collect::<Vec<_>>().concat();
            let known = git(&served, &["pack-objects", "--stdout", "--revs", "-q"], known.as_bytes());
            take(&client, &known);
            take(&client, &sent);
            let wants: Vec<_> = wants.iter().map(ToString::to_string).collect();
            let wants: Vec<_> = wants.iter().map(String::as_str).collect();
            assert_eq!(closure(&client, &wants), closure(&served, &wants));
            std::fs::remove_dir_all(client).expect("a writable folder");
        }
    }
}
