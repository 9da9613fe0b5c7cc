//! Lines and columns of a document's text.

/// A place in the text of a document, as AWS IAM counts: the first line and the first column are 1, columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The number of the line.
    pub line: usize,
    /// The number of the column.
    pub column: usize,
}

/// The offsets at which the lines of a text begin.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Whether each character is one byte.
    is_ascii: bool,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_breaks).collect(), is_ascii: text.is_ascii() }
    }

    /// Returns the position of a byte; the offset is that of a character or the end of the text.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let before = self.text.get(self.starts[line - 1]..offset).unwrap_or_default();
        let characters = if self.is_ascii { before.len() } else { before.chars().count() };
        Position { line, column: characters + 1 }
    }
}
