//! Statements over lists of values.

/// Maximum number of rows that a statement inserts, or looks for.
const ROWS_PER_STATEMENT: usize = 32;

/// Divides rows into parts for one statement each; their lengths are powers of two, so that few statements are prepared.
pub(super) fn parts<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut left = rows;
    std::iter::from_fn(move || {
        let count = ROWS_PER_STATEMENT.min(1 << left.len().checked_ilog2()?);
        let (part, rest) = left.split_at(count);
        left = rest;
        Some(part)
    })
}

/// Returns one text several times, between commas: the placeholders of a list.
pub(super) fn list(text: &str, count: usize) -> String {
    vec![text; count].join(", ")
}
