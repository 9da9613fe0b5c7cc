//! Few objects can have any number of paths, and any depth. The work on them is bounded by the number of objects, or ends
//! early.

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

/// The size of the stack for all walks, even through deep trees, in bytes.
const STACK_BYTES: usize = 256 << 10;

/// A repository, and objects to add to it.
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

    fn object(&mut self, kind: Kind, data: Vec<u8>) -> ObjectId {
        let id = ObjectId::from_hex(craft::id(kind, &data).as_bytes()).expect("forty digits");
        self.objects.push(Object { kind, data });
        id
    }

    fn file(&mut self, text: &str) -> ObjectId {
        self.object(Kind::Blob, text.as_bytes().to_vec())
    }

    /// Creates a tree of files and folders, given in Git's order; names of folders end with a slash.
    fn tree(&mut self, entries: &[(&str, ObjectId)]) -> ObjectId {
        let mut data = Vec::new();
        for (name, id) in entries {
            let (mode, name) = name.strip_suffix('/').map_or(("100644", *name), |name| ("40000", name));
            data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            data.extend_from_slice(id.as_slice());
        }
        self.object(Kind::Tree, data)
    }

    fn commit(&mut self, tree: ObjectId, parents: &[ObjectId], seconds: u32) -> ObjectId {
        let parents = parents.iter().map(|parent| format!("parent {parent}\n")).collect::<Vec<_>>().concat();
        let by = format!("x <x@x> {seconds} +0000");
        self.object(Kind::Commit, format!("tree {tree}\n{parents}author {by}\ncommitter {by}\n\nx\n").into_bytes())
    }

    /// Creates nested folders that contain the same folder ten times: each level has one object more, and ten times as many
    /// paths.
    fn bomb(&mut self, leaf: &[(&str, ObjectId)], levels: usize) -> ObjectId {
        let names: Vec<String> = (0..10).map(|number| format!("{number}/")).collect();
        let leaf = self.tree(leaf);
        (0..levels).fold(leaf, |below, _| {
            let entries: Vec<_> = names.iter().map(|name| (name.as_str(), below)).collect();
            self.tree(&entries)
        })
    }

    /// Creates nested folders with a file in the innermost one.
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

/// Runs a closure on a small stack.
fn on_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        thread.expect("a thread").join().expect("no panic")
    })
}

/// Creates two commits, each with a bomb of ten levels; the files of the second one differ.
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

/// Fetches a commit; the client may have another one. Returns the number of objects in the pack.
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
fn the_cost_of_a_fetch_depends_on_objects_not_on_paths() {
    let (all, [first, second]) = bombs();
    assert_eq!(fetched(&all.repository, second, Some(first)), Ok(13));
    all.repository.write_graph().expect("no graph for a small pack");
}

#[test]
fn maintenance_of_many_paths_costs_as_much_as_its_objects() {
    let (all, [_, second]) = bombs();
    let outcome = all.repository.repack(&mut || Ok(vec![second]), &MaintenanceOptions::default());
    assert_eq!(outcome.expect("a finished repack").removed, 1);
}

#[test]
fn a_tree_at_several_paths_is_compared_once_and_sent_with_all_entries() {
    let mut all = Histories::new();
    // A file that the parent has at one path only is new at the other one.
    let [kept, removed, new] = ["kept", "removed", "new"].map(|text| all.file(text));
    let before = all.tree(&[("file", kept), ("other", removed)]);
    let empty = all.tree(&[("other", removed)]);
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
fn a_merge_with_too_many_differing_paths_fails() {
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
fn trees_without_files_have_no_differences() {
    let mut all = Histories::new();
    let one = all.bomb(&[], 12);
    let below = all.bomb(&[], 11);
    let two = all.tree(&[("other/", below)]);
    all.add();
    let mut reader = all.repository.reader();
    let mut differences = Differences::new(&mut reader, Some(one), Some(two), "".into()).expect("trees");
    assert_eq!(differences.next(&mut reader).expect("a readable tree"), None);
}

#[test]
fn deep_trees_do_not_overflow_the_stack() {
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
        let mut entries = 0;
        while walk.advance(&mut reader).expect("a readable tree").is_some() {
            entries += 1;
        }
        assert_eq!((entries, walk.path().len()), (levels + 1, 2 * levels + "file".len()));
        let found = reader.differences(Some(&base_tree), Some(&one_tree)).expect("trees");
        assert_eq!(found.len(), 1);
        assert_eq!(fetched(&all.repository, one, Some(base)), Ok(3 + u32::try_from(levels).expect("few")));
    });
}

#[test]
fn a_long_series_of_criss_cross_merges_does_not_overflow_the_stack() {
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
fn texts_with_many_common_ranges_do_not_overflow_the_stack() {
    let mut all = Histories::new();
    // Each common range is longer than the one before, so the rest before it is compared next.
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
        let merged = all.repository.reader().merge(&one, &two, &MergeOptions::default()).expect("a small enough merge");
        assert_eq!(merged.conflicts.len(), 1);
    });
}

#[test]
fn a_merge_of_files_with_too_many_lines_fails() {
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
fn work_ends_when_it_is_interrupted() {
    let (all, [first, second]) = bombs();
    let flag = Arc::new(AtomicBool::new(false));
    let repository = all.repository.interrupted_by(Interrupt::on([Arc::clone(&flag)]));
    let mut reader = repository.reader();
    let tree = reader.commit(&second).expect("a commit").tree;
    let mut walk = TreeWalk::new(&mut reader, &tree, true).expect("a tree");
    assert!(walk.advance(&mut reader).is_ok());
    flag.store(true, Ordering::Relaxed);
    // Entries that were read before may still be returned.
    let ended = (0..1_000).find_map(|_| walk.advance(&mut reader).err());
    assert!(matches!(ended, Some(Error::Interrupted)));
    assert!(matches!(repository.kind(&first), Err(Error::Interrupted)));
    assert!(matches!(reader.differences(None, Some(&tree)), Err(Error::Interrupted)));
    let merged = reader.merge(&first, &second, &MergeOptions::default());
    assert!(matches!(merged, Err(MergeError::Read(Error::Interrupted))));
    // Other work goes on, and the interrupted work leaves no files.
    let maintenance = MaintenanceOptions { stop: Arc::clone(&flag), ..MaintenanceOptions::default() };
    assert!(all.repository.repack(&mut || Ok(vec![second]), &maintenance).is_err());
    let mut entries = std::fs::read_dir(all.folder.path().join("objects")).expect("a folder");
    assert!(!entries.any(|entry| entry.expect("readable").file_name().to_string_lossy().starts_with("incoming-")));
    assert_eq!(fetched(&all.repository, second, Some(first)), Ok(13));
}

#[test]
fn work_ends_at_its_time_limit() {
    let (all, [first, _]) = bombs();
    let repository = all.repository.interrupted_by(Interrupt::default().or_after(Duration::ZERO));
    assert!(matches!(repository.kind(&first), Err(Error::Time)));
    let limits = MergeLimits { time: Duration::ZERO, ..MergeLimits::default() };
    let options = MergeOptions { limits, ..MergeOptions::default() };
    let mut reader = all.repository.reader();
    assert!(matches!(reader.merge(&first, &first, &options), Err(MergeError::Time)));
    assert!(reader.commit(&first).is_ok(), "the reader itself has no limit");
}
