//! Settings with several values, which the file has as one text or as a list.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, SeqAccess, Visitor};

/// Reads a text, whose parts commas separate as in a flag, or a list of texts.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    deserializer.deserialize_any(Texts).map(Some)
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.split(',').map(str::to_owned).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use crate::Options;

    #[test]
    fn a_setting_is_one_text_or_a_list() {
        for (file, expected) in [
            ("listen = \"127.0.0.1:1\"", &["127.0.0.1:1"][..]),
            ("listen = \"127.0.0.1:1,[::1]:2\"", &["127.0.0.1:1", "[::1]:2"]),
            ("listen = [\"127.0.0.1:1\", \"[::1]:2\"]", &["127.0.0.1:1", "[::1]:2"]),
        ] {
            let options: Options = toml::from_str(file).expect("the file is valid");
            assert_eq!(options.listen.expect("the setting is there"), expected);
            assert!(options.tls_name.is_none());
        }
    }
}
