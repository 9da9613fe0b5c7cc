//! Text patterns in which `*` matches any number of characters.

/// A pattern; its `*` matches slashes and colons too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Creates a pattern from its text.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns whether a text matches; see [`matches()`].
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.0, text)
    }
}

/// Returns whether a text matches a pattern in which `*` matches any number of characters.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(start) = rest.find(part) else { return false };
        rest = &rest[start + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_matches_any_characters() {
        for (pattern, text) in [
            ("main", "main"),
            ("*", ""),
            ("*", "a/b:c"),
            ("refs/heads/release*", "refs/heads/release/1"),
            ("refs/heads/release*", "refs/heads/release"),
            ("*Major", "Mary_Major"),
            ("a*b*c", "a-b-b-c"),
            ("a**b", "ab"),
            ("*b*", "abc"),
            ("a*a", "aa"),
        ] {
            assert!(Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn the_text_around_the_stars_must_match() {
        for (pattern, text) in [
            ("main", "mainline"),
            ("main", "Main"),
            ("", "a"),
            ("a*a", "a"),
            ("a*b*c", "a-c-b"),
            ("*ab*b", "ab"),
            ("refs/heads/release*", "refs/heads/main"),
            ("*Major", "Mary_Major_2"),
            ("a?c", "abc"),
        ] {
            assert!(!Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
    }
}
