//! The comparison of two commits.

use tests::World;

use super::{Browser, names_after};
use crate::pull_request::{feature, push};

const COMPARE: &str = "repositories/MyDemoRepo/compare";

/// Starts a server with diverged branches: `main` has a commit that `feature` has not, and the reverse.
fn diverged() -> (World, String) {
    let (world, main, feature) = feature();
    world.git("work", &["checkout", "--quiet", "-B", "main", &main]).ok();
    world.git_commit("work", "main.txt", "Of main.\n");
    world.git("work", &["tag", "v1", &feature]).ok();
    push(&world, &["main", "v1"]);
    (world, feature)
}

#[test]
fn commits_differences_and_merge_options_are_shown() {
    let (world, feature) = diverged();
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(COMPARE);
    assert_eq!(names_after(&world, recorded), ["GetReferences"]);
    for name in ["main", "feature", "v1"] {
        assert!(page.contains(&format!("<option value=\"{name}\">")), "{page}");
    }
    for after in ["feature", "v1", "refs/heads/feature", &feature] {
        let recorded = world.events().len();
        let page = browser.page(&format!("{COMPARE}?before=main&after={after}"));
        let names = names_after(&world, recorded);
        assert_eq!(names[..3], ["GetReferences", "GetCommitsFromMergeBase", "GetDifferences"], "{after}");
        assert_eq!(names.last().map(String::as_str), Some("GetMergeOptions"), "{after}");
        assert!(page.contains("1 commit ahead and 1 behind") && page.contains(&feature), "{after}: {page}");
        assert!(page.contains("mergeable") && page.contains("squash, three-way"), "{after}: {page}");
        assert!(page.contains("A feature.") && page.contains("feature.txt"), "{after}: {page}");
        assert!(page.contains("pull-requests/new?destination=main&#38;source="), "{after}: {page}");
    }
    let split = browser.page(&format!("{COMPARE}?before=main&after=feature&view=split&whitespace=ignore"));
    assert!(split.contains("diff split"), "{split}");
    let same = browser.page(&format!("{COMPARE}?before=main&after=main"));
    assert!(same.contains("there is nothing to merge") && same.contains("No commits"), "{same}");
}

#[test]
fn a_commit_that_does_not_exist_is_named_and_what_was_typed_stays() {
    let (world, _) = diverged();
    let mut browser = Browser::signed_in(&world);
    let reply = browser.get(&format!("{COMPARE}?before=main&after=%22%3E%3Cscript%3E"));
    let text = reply.text();
    assert!(reply.status >= 400 && text.contains("Exception</strong>"), "{text}");
    assert!(text.contains("value=\"&#34;&#62;&#60;script&#62;\"") && !text.contains("\"><script>"), "{text}");
    let missing = browser.get(&format!("{COMPARE}?before=absent&after=main"));
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("CommitDoesNotExistException"), "{}", missing.text());
}

#[test]
fn conflicts_are_announced() {
    let (world, _) = diverged();
    world.git("work", &["checkout", "--quiet", "-B", "other", "main"]).ok();
    world.git_commit("work", "feature.txt", "Another feature.\n");
    push(&world, &["other"]);
    let mut browser = Browser::signed_in(&world);
    let page = browser.page(&format!("{COMPARE}?before=other&after=feature"));
    assert!(page.contains("changed the same lines or files"), "{page}");
}
