//! The tables of operations as their sources have them: nothing else lists them, the tests neither.

use tests::workspace;

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The operation.
    pub name: String,
    /// What makes it, whether its shapes are the SDK's or ours: `read`, `write` or `write_without_output`.
    pub maker: String,
    /// Whether its shapes are ours.
    pub is_unpublished: bool,
}

/// Reads the rows of CodeCommit out of the source.
pub fn rows() -> Vec<Row> {
    read("crates/codecommit/src/operations.rs")
}

/// Reads the rows of CloudTrail out of the source, without those of features that are not there.
pub fn cloudtrail() -> Vec<Row> {
    read("crates/trail/src/operations.rs")
}

/// Reads the rows of all services.
pub fn all() -> Vec<Row> {
    let sts = read("crates/identity/src/operations.rs");
    rows().into_iter().chain(cloudtrail()).chain(tagging()).chain(sts).collect()
}

/// Reads the rows of the Resource Groups Tagging API out of the source, without those for organizations.
pub fn tagging() -> Vec<Row> {
    read("crates/tagging/src/operations.rs")
}

/// The row of an operation of any of them.
pub fn row(operation: &str) -> Row {
    let mut rows = rows().into_iter().chain(cloudtrail()).chain(tagging());
    rows.find(|row| row.name == operation).unwrap_or_else(|| panic!("{operation} is in no table"))
}

fn read(source: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(workspace().join(source)).expect("the table is there");
    let rows = text.split("Row::").skip(1).filter_map(|row| {
        let (maker, rest) = row.split_once('(')?;
        let (name, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        let (is_unpublished, maker) = match maker.strip_prefix("unpublished_") {
            Some(maker) => (true, maker),
            None => (false, maker),
        };
        Some(Row { name: name.to_owned(), maker: maker.to_owned(), is_unpublished })
    });
    rows.collect()
}

/// The names of the operations of CodeCommit.
pub fn names() -> Vec<String> {
    rows().into_iter().map(|row| row.name).collect()
}

#[test]
fn every_row_is_read() {
    assert_eq!((rows().len(), cloudtrail().len(), tagging().len()), (89, 18, 6));
}
