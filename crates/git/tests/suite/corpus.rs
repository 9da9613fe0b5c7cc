//! Replays the inputs that the fuzzers have found, without building the fuzzers.

use proptest::prelude::*;

use crate::entries;

fn replay(target: &str, entry: fn(&[u8])) {
    let folder = format!("{}/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for file in std::fs::read_dir(&folder).expect("the corpus exists") {
        let path = file.expect("a readable entry").path();
        let data = std::fs::read(&path).expect("a readable file");
        // Printed first, so that a panic shows the input.
        println!("{}", path.display());
        entry(&data);
        count += 1;
    }
    assert!(count > 10, "{folder} has {count} inputs");
}

#[test]
fn commands_of_ssh_do_no_harm() {
    replay("ssh_command", entries::ssh_command);
}

#[test]
fn inputs_for_pkt_lines_do_no_harm() {
    replay("pkt_line", entries::pkt_line);
}

#[test]
fn inputs_for_upload_requests_do_no_harm() {
    replay("upload_request", entries::upload_request);
}

#[test]
fn dialogues() {
    replay("dialogue", entries::dialogue);
}

#[test]
fn inputs_for_receive_requests_do_no_harm() {
    replay("receive_request", entries::receive_request);
}

#[test]
fn inputs_for_trees_do_no_harm() {
    replay("trees", entries::trees);
}

#[test]
fn inputs_for_merges_do_no_harm() {
    replay("merge", entries::merge);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_trees_are_compared_and_merged(data in proptest::collection::vec(any::<u8>(), 0..120)) {
        entries::trees(&data);
        entries::merge(&data);
    }
}

#[test]
fn inputs_for_packs_do_no_harm() {
    replay("pack_input", entries::pack_input);
}
