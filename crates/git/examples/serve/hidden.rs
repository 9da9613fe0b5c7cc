//! References that are hidden from clients: `transfer.hideRefs` and similar keys.

use bstr::{BStr, BString, ByteSlice};

/// The rules of a repository for one service, in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden(Vec<BString>);

impl Hidden {
    /// Adds a rule: the start of a name up to a slash, with `!` before it to show the references.
    pub fn add(&mut self, rule: &BStr) {
        let rule = rule.trim_end_with(|char| char == '/');
        self.0.push(rule.into());
    }

    /// Returns whether a reference is hidden: the last matching rule decides.
    ///
    /// A `^` matches the name with its namespace; there are no namespaces here, so it has no effect.
    pub fn covers(&self, name: &BStr) -> bool {
        for rule in self.0.iter().rev() {
            let (shown, start) = match rule.strip_prefix(b"!") {
                Some(start) => (true, start),
                None => (false, rule.as_slice()),
            };
            let start = start.strip_prefix(b"^").unwrap_or(start);
            if name.strip_prefix(start).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/')) {
                return !shown;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_fits_decides() {
        let mut hidden = Hidden::default();
        for rule in ["refs/changes/", "refs/heads", "!refs/heads/main", "^refs/tags/a", "!^refs/tags/a/b"] {
            hidden.add(rule.into());
        }
        for (name, expected) in [
            ("refs/changes/1", true),
            ("refs/changesx", false),
            ("refs/heads", true),
            ("refs/heads/x", true),
            ("refs/heads/main", false),
            ("refs/heads/main/x", false),
            ("refs/heads/mainx", true),
            ("refs/tags/a", true),
            ("refs/tags/a/b", false),
            ("HEAD", false),
        ] {
            assert_eq!(hidden.covers(name.into()), expected, "{name}");
        }
    }
}
