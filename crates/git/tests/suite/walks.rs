//! A few objects can make any number of paths, and any depth; work on them is bounded by the objects, or ends early.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use git::{
    Differences, Error, Interrupt, Kind, MergeError, MergeLimits, MergeOptions, Object, ObjectId, Offers, Options,
    Repository, TreeWalk, maintenance::MaintenanceOptions,
};

use crate::craft;

/// A stack that no walk may outgrow, however deep the trees are.
const STACK_BYTES: usize = 256 << 10;

/// A repository and what is to be added to it.
struct Histories {
    folder: tempfile::TempDir,
    repository: Repository,
    objects: Vec<Object>,
}

impl Histories {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        Self { folder, repository, objects: Vec::new() }
    }

    fn put(&mut self, kind: Kind, data: Vec<u8>) -> ObjectId {
        let id = ObjectId::from_hex(craft::id(kind, &data).as_bytes()).expect("forty digits");
        self.objects.push(Object { kind, data });
        id
    }

    fn file(&mut self, text: &str) -> ObjectId {
        self.put(Kind::Blob, text.as_bytes().to_vec())
    }

    /// Makes a tree of files and folders, whose names end with a slash; they are given in Git's order.
    fn tree(&mut self, entries: &[(&str, ObjectId)]) -> ObjectId {
        let mut data = Vec::new();
        for (name, id) in entries {
            let (mode, name) = name.strip_suffix('/').map_or(("100644", *name), |name| ("40000", name));
            data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            data.extend_from_slice(id.as_slice());
        }
        self.put(Kind::Tree, data)
    }

    fn commit(&mut self, tree: ObjectId, parents: &[ObjectId], seconds: u32) -> ObjectId {
        let parents = parents.iter().map(|parent| format!("parent {parent}\n")).collect::<Vec<_>>().concat();
        let by = format!("x <x@x> {seconds} +0000");
        self.put(Kind::Commit, format!("tree {tree}\n{parents}author {by}\ncommitter {by}\n\nx\n").into_bytes())
    }

    /// Makes folders in each other that all hold ten times the same: one more object a level, ten times as many paths.
    fn bomb(&mut self, leaf: &[(&str, ObjectId)], levels: usize) -> ObjectId {
        let names: Vec<String> = (0..10).map(|number| format!("{number}/")).collect();
        let leaf = self.tree(leaf);
        (0..levels).fold(leaf, |below, _| {
            let entries: Vec<_> = names.iter().map(|name| (name.as_str(), below)).collect();
            self.tree(&entries)
        })
    }

    /// Makes folders in each other, with a file at the bottom.
    fn chain(&mut self, text: &str, levels: usize) -> ObjectId {
        let file = self.file(text);
        let bottom = self.tree(&[("file", file)]);
        (0..levels).fold(bottom, |below, _| self.tree(&[("d/", below)]))
    }

    fn add(&mut self) {
        let in_use = self.repository.use_objects();
        self.repository.add(&std::mem::take(&mut self.objects), &in_use, false).expect("a fully connected set");
    }
}

/// Runs something on a small stack.
fn on_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        thread.expect("a thread").join().expect("it does not panic")
    })
}

/// Two commits, each of a bomb of ten levels; the second one's files are others.
fn bombs() -> (Histories, [ObjectId; 2]) {
    let mut all = Histories::new();
    let [one, two] = ["one", "two"].map(|text| {
        let file = all.file(text);
        all.bomb(&[("file", file)], 10)
    });
    let first = all.commit(one, &[], 1);
    let second = all.commit(two, &[first], 2);
    all.add();
    (all, [first, second])
}

/// Asks for a commit with another one at hand; gives the number of objects in the pack.
fn fetched(repository: &Repository, want: ObjectId, have: Option<ObjectId>) -> Result<u32, String> {
    let mut lines = vec![format!("want {want} ofs-delta\n"), String::new()];
    lines.extend(have.map(|have| format!("have {have}\n")));
    lines.push("done\n".to_owned());
    let request = craft::lines(&lines);
    let options = Options { offers: Offers::FULL, threads: 1, ..Options::default() };
    let answer = craft::fetch(repository, &[&want.to_string()], &request, &options)?;
    let start = answer.windows(4).position(|bytes| bytes == b"PACK").expect("a pack");
    Ok(u32::from_be_bytes(answer[start + 8..start + 12].try_into().expect("four bytes")))
}

#[test]
fn a_fetch_of_many_paths_costs_as_much_as_its_objects() {
    let (all, [first, second]) = bombs();
    assert_eq!(fetched(&all.repository, second, Some(first)), Ok(13));
    all.repository.write_graph().expect("it is not worth it");
}

#[test]
fn maintenance_of_many_paths_costs_as_much_as_its_objects() {
    let (all, [_, second]) = bombs();
    let outcome = all.repository.repack(&mut || Ok(vec![second]), &MaintenanceOptions::default());
    assert_eq!(outcome.expect("it is done").removed, 1);
}

#[test]
fn a_tree_in_many_places_is_compared_once_and_sent_whole() {
    let mut all = Histories::new();
    // What the parent has in one place only is new in the other one.
    let [kept, gone, new] = ["kept", "gone", "new"].map(|text| all.file(text));
    let before = all.tree(&[("file", kept), ("other", gone)]);
    let empty = all.tree(&[("other", gone)]);
    let after = all.tree(&[("file", kept), ("new", new)]);
    let one = all.tree(&[("a/", before), ("b/", empty)]);
    let two = all.tree(&[("a/", after), ("b/", after)]);
    let first = all.commit(one, &[], 1);
    let second = all.commit(two, &[first], 2);
    all.add();
    assert_eq!(fetched(&all.repository, second, Some(first)), Ok(4));
    assert_eq!(fetched(&all.repository, second, None), Ok(10));
}

#[test]
fn files_in_more_paths_than_can_be_compared_are_not_merged() {
    let mut all = Histories::new();
    let [base, one, two] = ["base", "one", "two"].map(|text| {
        let file = all.file(text);
        all.bomb(&[("file", file)], 10)
    });
    let base = all.commit(base, &[], 1);
    let [one, two] = [one, two].map(|tree| all.commit(tree, &[base], 2));
    all.add();
    for by_line in [true, false] {
        let options = MergeOptions { by_line, ..MergeOptions::default() };
        let merged = all.repository.reader().merge(&one, &two, &options);
        assert!(matches!(merged, Err(MergeError::Items)), "{:?}", merged.map(|merged| merged.is_clean));
    }
}

#[test]
fn folders_without_files_differ_in_nothing_however_many_they_are() {
    let mut all = Histories::new();
    let one = all.bomb(&[], 12);
    let below = all.bomb(&[], 11);
    let two = all.tree(&[("other/", below)]);
    all.add();
    let mut reader = all.repository.reader();
    let mut differences = Differences::new(&mut reader, Some(one), Some(two), "".into()).expect("trees");
    assert_eq!(differences.next(&mut reader).expect("it ends"), None);
}

#[test]
fn no_depth_is_too_deep_for_a_walk() {
    let mut all = Histories::new();
    let levels = 6_000;
    let [base, one, two] = ["base", "one", "two"].map(|text| all.chain(text, levels));
    let [base_tree, one_tree] = [base, one];
    let base = all.commit(base, &[], 1);
    let [one, two] = [one, two].map(|tree| all.commit(tree, &[base], 2));
    all.add();
    on_small_stack(|| {
        let mut reader = all.repository.reader();
        for by_line in [true, false] {
            let options = MergeOptions { by_line, ..MergeOptions::default() };
            match reader.merge(&one, &two, &options) {
                Ok(merged) => assert!(!merged.is_clean),
                Err(error) => assert!(matches!(error, MergeError::Items | MergeError::Time), "{error}"),
            }
        }
        let mut walk = TreeWalk::new(&mut reader, &base_tree, true).expect("a tree");
        let mut met = 0;
        while walk.advance(&mut reader).expect("it ends").is_some() {
            met += 1;
        }
        assert_eq!((met, walk.path().len()), (levels + 1, 2 * levels + "file".len()));
        let found = reader.differences(Some(&base_tree), Some(&one_tree)).expect("trees");
        assert_eq!(found.len(), 1);
        assert_eq!(fetched(&all.repository, one, Some(base)), Ok(3 + u32::try_from(levels).expect("few")));
    });
}

#[test]
fn no_row_of_crosswise_merges_is_too_long() {
    let mut all = Histories::new();
    let mut trees = Vec::new();
    for text in ["one", "two", "three"] {
        let file = all.file(text);
        trees.push(all.tree(&[("file", file)]));
    }
    let root = all.commit(trees[0], &[], 1);
    let mut sides = [all.commit(trees[1], &[root], 2), all.commit(trees[2], &[root], 2)];
    for seconds in 3..5_000 {
        let [one, two] = sides;
        sides = [all.commit(trees[1], &[one, two], seconds), all.commit(trees[2], &[two, one], seconds)];
    }
    all.add();
    let limits = MergeLimits { time: Duration::from_secs(2), ..MergeLimits::default() };
    let options = MergeOptions { limits, ..MergeOptions::default() };
    on_small_stack(|| match all.repository.reader().merge(&sides[0], &sides[1], &options) {
        Ok(_) | Err(MergeError::Time) => {}
        Err(error) => panic!("{error}"),
    });
}

#[test]
fn no_text_has_too_many_parts() {
    let mut all = Histories::new();
    // Each run of lines that both texts have is longer than the one before, so what comes before it is compared next.
    let text = |mark: &str| -> String {
        let run = |number: usize| {
            let lines = (0..number).map(|line| format!("{number} {line}\n"));
            lines.chain([format!("{mark} {number}\n")]).collect::<Vec<_>>().concat()
        };
        (1..120).map(run).collect::<Vec<_>>().concat()
    };
    let [base, one, two] = ["base", "one", "two"].map(|mark| {
        let file = all.file(&text(mark));
        all.tree(&[("file", file)])
    });
    let base = all.commit(base, &[], 1);
    let [one, two] = [one, two].map(|tree| all.commit(tree, &[base], 2));
    all.add();
    on_small_stack(|| {
        let merged = all.repository.reader().merge(&one, &two, &MergeOptions::default()).expect("it is not too large");
        assert_eq!(merged.conflicts.len(), 1);
    });
}

#[test]
fn files_of_too_many_lines_are_not_merged() {
    let mut all = Histories::new();
    let [base, one, two] = ["base", "one", "two"].map(|mark| {
        let file = all.file(&("\n".repeat(git::LINES_MAX / 3) + mark + "\n"));
        all.tree(&[("file", file)])
    });
    let base = all.commit(base, &[], 1);
    let [one, two] = [one, two].map(|tree| all.commit(tree, &[base], 2));
    all.add();
    let merged = all.repository.reader().merge(&one, &two, &MergeOptions::default());
    assert!(matches!(merged, Err(MergeError::Content)));
}

#[test]
fn work_ends_when_nobody_waits_for_it() {
    let (all, [first, second]) = bombs();
    let flag = Arc::new(AtomicBool::new(false));
    let repository = all.repository.interrupted_by(Interrupt::on([Arc::clone(&flag)]));
    let mut reader = repository.reader();
    let tree = reader.commit(&second).expect("a commit").tree;
    let mut walk = TreeWalk::new(&mut reader, &tree, true).expect("a tree");
    assert!(walk.advance(&mut reader).is_ok());
    flag.store(true, Ordering::Relaxed);
    // What it has read already it may still give.
    let ended = (0..1_000).find_map(|_| walk.advance(&mut reader).err());
    assert!(matches!(ended, Some(Error::Interrupted)));
    assert!(matches!(repository.kind(&first), Err(Error::Interrupted)));
    assert!(matches!(reader.differences(None, Some(&tree)), Err(Error::Interrupted)));
    let merged = reader.merge(&first, &second, &MergeOptions::default());
    assert!(matches!(merged, Err(MergeError::Read(Error::Interrupted))));
    // The others go on, and nothing is left of what ended.
    let maintenance = MaintenanceOptions { stop: Arc::clone(&flag), ..MaintenanceOptions::default() };
    assert!(all.repository.repack(&mut || Ok(vec![second]), &maintenance).is_err());
    let mut entries = std::fs::read_dir(all.folder.path().join("objects")).expect("a folder");
    assert!(!entries.any(|entry| entry.expect("readable").file_name().to_string_lossy().starts_with("incoming-")));
    assert_eq!(fetched(&all.repository, second, Some(first)), Ok(13));
}

#[test]
fn work_ends_when_its_time_is_up() {
    let (all, [first, _]) = bombs();
    let repository = all.repository.interrupted_by(Interrupt::default().or_after(Duration::ZERO));
    assert!(matches!(repository.kind(&first), Err(Error::Time)));
    let limits = MergeLimits { time: Duration::ZERO, ..MergeLimits::default() };
    let options = MergeOptions { limits, ..MergeOptions::default() };
    let mut reader = all.repository.reader();
    assert!(matches!(reader.merge(&first, &first, &options), Err(MergeError::Time)));
    assert!(reader.commit(&first).is_ok(), "the reader itself has time");
}
