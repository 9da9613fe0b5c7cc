//! The table of operations as its source has it: nothing else lists them, the tests neither.

use tests::workspace;

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The operation.
    pub name: String,
    /// What makes it: `read`, `write` or `write_silently`.
    pub maker: String,
}

/// Reads the rows out of the source.
pub fn rows() -> Vec<Row> {
    let source = workspace().join("crates/codecommit/src/operations.rs");
    let text = std::fs::read_to_string(source).expect("the table is there");
    let rows = text.lines().filter_map(|line| {
        let (maker, rest) = line.trim().strip_prefix("Row::")?.split_once("(\"")?;
        let (name, _) = rest.split_once('"')?;
        Some(Row { name: name.to_owned(), maker: maker.to_owned() })
    });
    rows.collect()
}

/// The names of the operations.
pub fn names() -> Vec<String> {
    rows().into_iter().map(|row| row.name).collect()
}

#[test]
fn every_row_is_read() {
    assert_eq!(rows().len(), 80);
}
