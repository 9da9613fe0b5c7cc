use std::os::unix::fs::symlink;

use super::*;
use crate::folders::buckets_folder;

/// The settings of a case: paths below the folder of the test; an empty text is a setting that is not given.
struct Case {
    data: &'static str,
    trail: &'static str,
    buckets: &'static str,
    archive: &'static str,
    key: &'static str,
}

const APART: Case = Case { data: "data", trail: "", buckets: "", archive: "", key: "" };

/// Checks a case, and returns the two settings that the error names.
fn refused(root: &Path, case: &Case) -> Option<[&'static str; 2]> {
    let path = |name: &str| (!name.is_empty()).then(|| root.join(name));
    let data = root.join(case.data);
    let trail = path(case.trail).unwrap_or_else(|| data.join("trail"));
    let settings = Settings {
        buckets_dir: path(case.buckets),
        signing_key: path(case.key),
        retention: trail::Retention { archive: path(case.archive), ..trail::Retention::default() },
        ..Settings::default()
    };
    let buckets = buckets_folder(&settings, &trail).expect("the paths can be read");
    match check(&settings, &data, &trail, &buckets) {
        Ok(()) => None,
        Err(StartError::Overlap(overlap)) => {
            let text = overlap.to_string();
            assert!(text.contains(overlap.inner.0) && text.contains(overlap.outer.0), "{text}");
            Some([overlap.inner.0, overlap.outer.0])
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn folders_that_lie_in_each_other_are_refused_by_the_names_of_their_settings() {
    let root = tempfile::tempdir().expect("the temporary folder is writable");
    let root = root.path();
    std::fs::create_dir_all(root.join("data/repositories")).expect("the folder is writable");
    std::fs::create_dir_all(root.join("elsewhere")).expect("the folder is writable");
    symlink(root.join("data"), root.join("link-to-data")).expect("links can be made");
    symlink(root.join("elsewhere"), root.join("link-elsewhere")).expect("links can be made");
    let [data, trail, buckets, archive, key] =
        ["--data-dir", "--trail-dir", "--buckets-dir", "--trail-archive", "--signing-key"];
    for (case, expected) in [
        (APART, None),
        (Case { trail: "trail", ..APART }, None),
        (Case { trail: "data/other", ..APART }, None),
        (Case { trail: "data/a/b", buckets: "data/c", archive: "data/d", ..APART }, None),
        (Case { trail: "link-elsewhere/trail", archive: "archive", ..APART }, None),
        (Case { trail: "database", ..APART }, None),
        (Case { key: "data/key.pem", ..APART }, None),
        (Case { trail: "new/../trail", ..APART }, None),
        (Case { trail: "data", ..APART }, Some([trail, data])),
        (Case { trail: "data/new/..", ..APART }, Some([trail, data])),
        (Case { trail: "link-to-data", ..APART }, Some([trail, data])),
        (Case { trail: ".", ..APART }, Some([data, trail])),
        (Case { trail: "data/repositories", ..APART }, Some([trail, data])),
        (Case { trail: "link-to-data/cache/x", ..APART }, Some([trail, data])),
        (Case { buckets: "data", ..APART }, Some([buckets, data])),
        (Case { buckets: "link-to-data", ..APART }, Some([buckets, data])),
        (Case { buckets: ".", ..APART }, Some([data, buckets])),
        (Case { buckets: "data/archives", ..APART }, Some([buckets, data])),
        (Case { buckets: "data/trail", ..APART }, Some([trail, buckets])),
        (Case { buckets: "data/trail/b", ..APART }, Some([buckets, trail])),
        (Case { trail: "b/trail", buckets: "b", ..APART }, Some([trail, buckets])),
        (Case { trail: "buckets", ..APART }, Some([trail, buckets])),
        (Case { archive: "data/trail/old", ..APART }, Some([archive, trail])),
        (Case { archive: "data/buckets/old", ..APART }, Some([archive, buckets])),
        (Case { trail: "old/trail", archive: "old", ..APART }, Some([trail, archive])),
        (Case { archive: "data", ..APART }, Some([data, archive])),
        (Case { key: "data/trail/key.pem", ..APART }, Some([key, trail])),
        (Case { key: "link-to-data/buckets/b/key.pem", ..APART }, Some([key, buckets])),
        (Case { key: "data/archives/key.pem", ..APART }, Some([key, data])),
    ] {
        let Case { data, trail, buckets, archive, key } = case;
        let paths = [data, trail, buckets, archive, key];
        let sorted = |pair: Option<[&'static str; 2]>| {
            pair.map(|mut pair| {
                pair.sort_unstable();
                pair
            })
        };
        assert_eq!(sorted(refused(root, &case)), sorted(expected), "{paths:?}");
    }
}
