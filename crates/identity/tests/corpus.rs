//! Replays the inputs that the fuzzers have found, without building the fuzzers.

use proptest::prelude::*;

#[path = "../fuzz/entries.rs"]
mod entries;

#[test]
fn inputs_for_signatures_do_no_harm() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/signature");
    let mut count = 0;
    for file in std::fs::read_dir(folder).expect("the corpus exists") {
        let path = file.expect("a readable entry").path();
        let data = std::fs::read(&path).expect("a readable file");
        // Printed first, so that a panic shows the input.
        println!("{}", path.display());
        entries::signature(&data);
        count += 1;
    }
    assert!(count > 10, "{folder} has {count} inputs");
}

/// Requests that resemble signed ones.
const REQUEST: &str = concat!(
    "(GET|POST) /[a-z%/.]{0,6}\\?",
    "(X-Amz-(Algorithm|Credential|Date|Expires|Signature|SignedHeaders)=[A-Z0-9a-z%/-]{0,12}&){0,6}\n",
    "(authorization|host|x-amz-date|date): (AWS4-HMAC-SHA256 |Basic |AWS )?[ -~]{0,40}\n\n.{0,8}",
);

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_requests_are_refused(text in REQUEST) {
        entries::signature(text.as_bytes());
    }
}
