//! Tables whose rows are numbered in the order of their commits, without gaps.

/// A table whose rows have the numbers 1, 2, 3 and so on, in the order of their commits.
///
/// A change that is rolled back leaves no gap, because the number is the greatest one plus 1 and one transaction writes at a time. PostgreSQL
/// inserts all rows of a commit in one statement.
#[derive(Debug)]
pub struct NumberedTable {
    /// Name of the table.
    pub name: &'static str,
    /// Name of the column with the number.
    pub number: &'static str,
    /// The other columns that are inserted, in the order of the values.
    pub columns: &'static [(&'static str, ColumnType)],
    /// The statement for SQLite, which numbers the rows by itself.
    pub insert: &'static str,
}

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// An integer.
    Integer,
    /// A text.
    Text,
    /// Bytes.
    Blob,
}
