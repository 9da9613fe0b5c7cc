//! Random histories, kept and sent in random ways: Git takes what is sent, and has what it asked for.

use std::{collections::HashSet, path::Path};

use gix::ObjectId;
use proptest::{
    bool::weighted,
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
    sample::Index,
    test_runner::{Config, TestRunner},
};

use super::bench::{Bench, closure, git, ids, pack, reused, take};
use crate::{
    Kind, Repository,
    enumerate::{self, Demand},
    history::History,
    pack_writer::Style,
    selection::{self, SelectedObject, Selection},
};

/// How many stories are tried; `PROPTEST_CASES` in the environment says otherwise.
const STORIES: u32 = 8;

/// A repository, how it came to be, and what is fetched from it.
#[derive(Debug)]
struct Story {
    /// The commits `c0`, `c1` and so on.
    commits: Vec<Commit>,
    /// How the commits came: some at a time, as often as they last.
    pushes: Vec<Push>,
    /// Whether it was all packed anew.
    repacked: bool,
    fetches: Vec<Fetch>,
}

#[derive(Debug)]
struct Commit {
    /// How many commits before it each parent is.
    parents: Vec<usize>,
    files: Vec<File>,
}

/// A file that is written: lines that tell its folder, but for some.
#[derive(Debug)]
struct File {
    folder: usize,
    name: usize,
    lines: usize,
    /// Which lines tell something else, and what.
    other: (usize, usize),
}

#[derive(Debug)]
struct Push {
    commits: usize,
    /// Whether deltas may lie on objects that came before.
    thin: bool,
    /// Whether deltas name their bases by offsets.
    offsets: bool,
    /// Whether the objects were unpacked.
    loose: bool,
}

#[derive(Debug)]
struct Fetch {
    wants: Vec<Index>,
    haves: Vec<Index>,
    style: Style,
    /// Whether what lies in the largest pack is sent as it lies there.
    reuse: bool,
}

fn stories() -> impl Strategy<Value = Story> {
    let file = (0..4_usize, 0..5_usize, 20..220_usize, (1..40_usize, 0..9_usize));
    let file = file.prop_map(|(folder, name, lines, other)| File { folder, name, lines, other });
    let parents = prop_oneof![14 => vec(1..6_usize, 1..4), 1 => vec(1..2_usize, 0)];
    let commit = (parents, vec(file, 1..5)).prop_map(|(parents, files)| Commit { parents, files });
    let push = (1..8_usize, any::<bool>(), any::<bool>(), weighted(0.25));
    let push = push.prop_map(|(commits, thin, offsets, loose)| Push { commits, thin, offsets, loose });
    let style = any::<[bool; 4]>().prop_map(|[thin, offsets, search, index]| Style {
        thin,
        offsets,
        search,
        // A pack that does not stand alone has no index.
        index: index && !thin,
        threads: 2,
    });
    let fetch = (vec(any::<Index>(), 1..3), vec(any::<Index>(), 0..3), style, any::<bool>());
    let fetch = fetch.prop_map(|(wants, haves, style, reuse)| Fetch { wants, haves, style, reuse });
    let story = (vec(commit, 1..60), vec(push, 1..12), any::<bool>(), vec(fetch, 1..12));
    story.prop_map(|(commits, pushes, repacked, fetches)| Story { commits, pushes, repacked, fetches })
}

impl Story {
    /// Makes a repository with all the commits, each with a tag.
    fn write(&self, path: &Path) {
        let mut stream = String::new();
        for (number, commit) in self.commits.iter().enumerate() {
            let seconds = 1_700_000_000 + number * 60;
            stream.extend([format!(
                "commit refs/tags/c{number}\nmark :{}\ncommitter A <a@b> {seconds} +0000\ndata 1\nx\n",
                number + 1
            )]);
            // The mark of the commit before it is its own number.
            let parents =
                commit.parents.iter().filter_map(|back| (number + 1).checked_sub(*back).filter(|mark| *mark > 0));
            for (word, mark) in ["from", "merge", "merge"].iter().zip(parents) {
                stream.extend([format!("{word} :{mark}\n")]);
            }
            stream.extend(commit.files.iter().map(File::command));
        }
        stream.push_str("tag t1\nfrom :1\ntagger A <a@b> 1700000000 +0000\ndata 1\nx\n");
        git(path, &["fast-import", "--quiet"], stream.as_bytes());
    }

    /// Makes a repository that got the commits of `work` by pushes.
    fn push(&self, work: &Path, served: &Path) {
        let mut had = 0;
        for push in self.pushes.iter().cycle() {
            let has = (had + push.commits).min(self.commits.len());
            // A merge may lead to more than the last commit does.
            let mut revisions = (had..has).map(|number| format!("c{number}\n")).collect::<Vec<_>>().concat();
            revisions.extend((0..had).map(|known| format!("^c{known}\n")));
            let offsets = if push.offsets { "--delta-base-offset" } else { "--no-reuse-object" };
            let thin = if push.thin { "--thin" } else { "--no-reuse-delta" };
            let pack = git(work, &["pack-objects", "--stdout", "--revs", "-q", thin, offsets], revisions.as_bytes());
            let into =
                if push.loose { &["unpack-objects", "-q"][..] } else { &["index-pack", "--stdin", "--fix-thin"] };
            git(served, into, &pack);
            had = has;
            if had == self.commits.len() {
                break;
            }
        }
        let tags = git(work, &["for-each-ref", "--format=create %(refname) %(objectname)", "refs/tags/c*"], b"");
        git(served, &["update-ref", "--stdin"], &tags);
        if self.repacked {
            git(served, &["repack", "-adq"], b"");
        }
    }
}

impl File {
    fn command(&self) -> String {
        let (every, told) = self.other;
        let line =
            |line: usize| format!("line {line} {}\n", if line.is_multiple_of(every) { told } else { self.folder });
        let text: String = (0..self.lines).map(line).collect();
        format!("M 644 inline d{}/f{}\ndata {}\n{text}", self.folder, self.name, text.len())
    }
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
            selection.bases.push(SelectedObject { id, kind, name: selection::name_hash(0, name.as_bytes()) });
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

#[test]
fn git_takes_what_is_sent_and_has_what_it_asked_for() {
    let cases = std::env::var("PROPTEST_CASES").map_or(STORIES, |cases| cases.parse().expect("a number of cases"));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let told = TestRunner::new(config).run(&stories(), |story| {
        let bench = Bench::new();
        let (work, served) = (bench.repository("work"), bench.repository("served"));
        story.write(&work);
        story.push(&work, &served);
        for (number, fetch) in story.fetches.iter().enumerate() {
            fetch.check(&served, &bench.repository(&format!("client{number}")));
        }
        Ok(())
    });
    told.unwrap_or_else(|failure| panic!("{failure}"));
}

impl Fetch {
    /// Sends what is asked for to a new `client`, which takes it and has it all then.
    fn check(&self, served: &Path, client: &Path) {
        let repository = Repository::open(served).expect("a repository");
        let tags = ids(served, &["for-each-ref", "--format=%(objectname)", "refs/tags/c*"], b"");
        let chosen = |these: &[Index]| these.iter().map(|index| *index.get(&tags)).collect::<Vec<_>>();
        let (wants, haves) = (chosen(&self.wants), chosen(&self.haves));
        let demand = Demand { wants: wants.clone(), haves: haves.clone(), tags: Vec::new() };
        let selection = enumerate::select(&mut repository.reader(), &mut History::default(), &demand);
        let mut selection = selection.expect("a sound repository");
        if selection.objects.is_empty() {
            return;
        }
        add_bases(served, &mut selection, &haves);
        if self.reuse {
            reuse(&repository, &mut selection);
        }
        let sent = pack(served, &selection, self.style);
        assert_eq!(sent[8..12], u32::try_from(selection.count()).expect("few").to_be_bytes());

        let known = haves.iter().map(|id| format!("{id}\n")).collect::<Vec<_>>().concat();
        take(client, &git(served, &["pack-objects", "--stdout", "--revs", "-q"], known.as_bytes()));
        take(client, &sent);
        let wants: Vec<_> = wants.iter().map(ToString::to_string).collect();
        let wants: Vec<_> = wants.iter().map(String::as_str).collect();
        assert_eq!(closure(client, &wants), closure(served, &wants));
    }
}
