//! What the fuzzer learned to send does no harm; a release build of the fuzzer is not needed to see it.

use proptest::prelude::*;

use crate::entries;

fn replay(target: &str, entry: fn(&[u8])) {
    let folder = format!("{}/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for file in std::fs::read_dir(&folder).expect("the corpus is there") {
        let path = file.expect("it can be listed").path();
        let data = std::fs::read(&path).expect("it was listed");
        // The name tells which input it was, should it panic.
        println!("{}", path.display());
        entry(&data);
        count += 1;
    }
    assert!(count > 10, "{folder} has {count} inputs");
}

#[test]
fn pkt_lines() {
    replay("pkt_line", entries::pkt_line);
}

#[test]
fn upload_requests() {
    replay("upload_request", entries::upload_request);
}

#[test]
fn dialogues() {
    replay("dialogue", entries::dialogue);
}

#[test]
fn receive_requests() {
    replay("receive_request", entries::receive_request);
}

#[test]
fn trees() {
    replay("trees", entries::trees);
}

#[test]
fn merges() {
    replay("merge", entries::merge);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_trees_are_compared_and_merged(data in proptest::collection::vec(any::<u8>(), 0..120)) {
        entries::trees(&data);
        entries::merge(&data);
    }
}

#[test]
fn packs() {
    replay("pack_input", entries::pack_input);
}
