//! Values under texts, found by a longer text that begins with them.

use std::collections::BTreeMap;

/// An index from prefixes to values.
///
/// **Invariant:** the entries are sorted by prefix, and each refers to the entry with the longest prefix of its own. Sorted texts between a
/// prefix and a text that begins with it begin with the prefix too, so all prefixes of a text are above the last entry that is not
/// greater than the text.
#[derive(Debug, Clone)]
pub(crate) struct PrefixIndex<T> {
    entries: Vec<Entry<T>>,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    prefix: Box<str>,
    /// The entry with the longest prefix of this prefix.
    parent: Option<usize>,
    values: Box<[T]>,
}

impl<T> Default for PrefixIndex<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> PrefixIndex<T> {
    pub(crate) fn new(values: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut sorted: BTreeMap<String, Vec<T>> = BTreeMap::new();
        for (prefix, value) in values {
            sorted.entry(prefix).or_default().push(value);
        }
        let mut entries: Vec<Entry<T>> = Vec::with_capacity(sorted.len());
        for (prefix, values) in sorted {
            let last = entries.len().checked_sub(1);
            let parent = prefix_of(&entries, last, &prefix).next().map(|(at, _)| at);
            entries.push(Entry { prefix: prefix.into(), parent, values: values.into() });
        }
        Self { entries }
    }

    /// Returns the values whose prefixes begin a text.
    pub(crate) fn find(&self, text: &str) -> impl Iterator<Item = &T> {
        let last = self.entries.partition_point(|entry| *entry.prefix <= *text).checked_sub(1);
        prefix_of(&self.entries, last, text).flat_map(|(_, entry)| &entry.values)
    }
}

/// Returns the entries from `last` upwards whose prefixes begin a text, with their numbers.
fn prefix_of<'e, T>(
    entries: &'e [Entry<T>],
    last: Option<usize>,
    text: &str,
) -> impl Iterator<Item = (usize, &'e Entry<T>)> {
    let upwards = std::iter::successors(last, |at| entries[*at].parent).map(|at| (at, &entries[at]));
    upwards.filter(move |(_, entry)| text.starts_with(&*entry.prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_index_finds_every_prefix(prefixes in prop::collection::vec("[ab:]{0,5}", 0..20), text in "[ab:]{0,8}") {
            let index = PrefixIndex::new(prefixes.iter().cloned().enumerate().map(|(number, prefix)| (prefix, number)));
            let mut found: Vec<usize> = index.find(&text).copied().collect();
            found.sort_unstable();
            let expected: Vec<usize> = (0..prefixes.len()).filter(|at| text.starts_with(&prefixes[*at])).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
