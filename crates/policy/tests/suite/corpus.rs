//! Replays the inputs of the fuzzer, without building it.

use crate::entries;

#[test]
fn inputs_for_evaluation_do_no_harm() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/policy");
    let mut count = 0;
    for file in std::fs::read_dir(folder).expect("the corpus exists") {
        let path = file.expect("a readable entry").path();
        let data = std::fs::read(&path).expect("a readable file");
        // Printed first, so that a panic shows the input.
        println!("{}", path.display());
        entries::evaluate(&data);
        count += 1;
    }
    assert!(count > 10, "{folder} has {count} inputs");
}
