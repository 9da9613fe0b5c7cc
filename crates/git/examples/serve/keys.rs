//! Values of the configuration, as Git reads them.

use bstr::{BStr, BString, ByteSlice};
use gix::config::File;

/// The configuration of one repository, with that of the system and of the user.
pub struct Keys<'f>(pub &'f File);

impl Keys<'_> {
    /// Reads a boolean; `None` if the key is missing. Keys are in lower case, as in Git's messages.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        let Some(value) = self.0.string_implicit(key) else { return Ok(None) };
        let Some(value) = value else { return Ok(Some(true)) };
        flag_of(value.as_bstr()).map(Some).ok_or_else(|| format!("bad boolean config value '{value}' for '{key}'"))
    }

    /// Reads a number with a unit of `k`, `m` or `g`.
    pub fn number(&self, key: &str) -> Result<Option<i64>, String> {
        let Some(value) = self.0.string_implicit(key) else { return Ok(None) };
        let value = value.unwrap_or_default();
        let bad = || format!("bad numeric config value '{value}' for '{key}': invalid unit");
        number_of(value.as_bstr()).map(Some).ok_or_else(bad)
    }

    /// Reads a text.
    pub fn text(&self, key: &str) -> Result<Option<BString>, String> {
        let Some(value) = self.0.string_implicit(key) else { return Ok(None) };
        value.map(Some).ok_or_else(|| missing(key))
    }

    /// Visits the values of the key `name` in the sections, in the order of the configuration.
    pub fn visit(&self, sections: &[&str], name: &str, mut visitor: impl FnMut(&BStr)) -> Result<(), String> {
        for section in self.0.sections() {
            let header = section.header();
            let known = sections.iter().find(|known| header.name().eq_ignore_ascii_case(known.as_bytes()));
            let (Some(known), None) = (known, header.subsection_name()) else { continue };
            let values = section.values(name);
            let names = section.value_names().filter(|found| found.eq_ignore_ascii_case(name)).count();
            if values.len() < names || section.value_implicit(name) == Some(None) {
                return Err(missing(&format!("{known}.{}", name.to_ascii_lowercase())));
            }
            for value in &values {
                visitor(value.as_bstr());
            }
        }
        Ok(())
    }

    /// Lists the names and the values in a subsection, in the order of the configuration.
    pub fn entries(&self, section: &str, subsection: &str) -> Vec<(String, BString)> {
        let found = self.0.sections().filter(|found| {
            let header = found.header();
            let name = header.subsection_name();
            header.name().eq_ignore_ascii_case(section.as_bytes()) && name.is_some_and(|name| name == subsection)
        });
        let entries = found.flat_map(|found| {
            let names: Vec<_> = found.value_names().collect();
            names.into_iter().map(move |name| (found.value(&name).unwrap_or_default(), name))
        });
        entries.map(|(value, name)| (name, value)).collect()
    }

    /// Lists the subsections of a section that have a value of the key `name`, in the order of the configuration.
    pub fn subsections(&self, section: &str, name: &str) -> Vec<(BString, Option<BString>)> {
        let sections = self.0.sections().filter(|found| found.header().name().eq_ignore_ascii_case(section.as_bytes()));
        let values = sections
            .filter_map(|found| Some((found.header().subsection_name()?.to_owned(), found.value_implicit(name)?)));
        values.collect()
    }
}

fn missing(key: &str) -> String {
    format!("missing value for '{key}'")
}

/// Parses Git's forms of a boolean.
pub fn flag_of(value: &BStr) -> Option<bool> {
    match value.to_ascii_lowercase().as_slice() {
        b"true" | b"yes" | b"on" => Some(true),
        b"false" | b"no" | b"off" | b"" => Some(false),
        _ => number_of(value).map(|number| number != 0),
    }
}

fn number_of(value: &BStr) -> Option<i64> {
    let (unit, digits) = value.split_last()?;
    let (digits, shift) = match unit.to_ascii_lowercase() {
        b'k' => (digits, 10),
        b'm' => (digits, 20),
        b'g' => (digits, 30),
        _ => (value.as_bytes(), 0),
    };
    digits.to_str().ok()?.trim_start().parse::<i64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_git_reads_them() {
        let file: File =
            "[a]\nyes\nempty =\nword = ON\nnumber = 2k\nbad = maybe\n".parse().expect("a well-formed file");
        let keys = Keys(&file);
        assert_eq!(keys.flag("a.yes"), Ok(Some(true)));
        assert_eq!(keys.flag("a.empty"), Ok(Some(false)));
        assert_eq!(keys.flag("a.word"), Ok(Some(true)));
        assert_eq!(keys.flag("a.number"), Ok(Some(true)));
        assert_eq!(keys.number("a.number"), Ok(Some(2048)));
        assert_eq!(keys.flag("a.none"), Ok(None));
        assert_eq!(keys.flag("a.bad"), Err("bad boolean config value 'maybe' for 'a.bad'".into()));
        assert_eq!(keys.number("a.bad"), Err("bad numeric config value 'maybe' for 'a.bad': invalid unit".into()));
        assert_eq!(keys.text("a.yes"), Err("missing value for 'a.yes'".into()));
    }

    #[test]
    fn values_are_visited_in_their_order() {
        let file = "[Transfer]\nhideRefs = a\n[receive]\nhiderefs = b\nhideRefs = c\n[transfer]\nHIDEREFS = d\n[x]\nhideRefs = e\n";
        let file: File = file.parse().expect("a well-formed file");
        let mut found = Vec::new();
        let visited = Keys(&file).visit(&["transfer", "receive"], "hideRefs", |value| found.push(value.to_owned()));
        assert_eq!((visited, found), (Ok(()), vec!["a".into(), "b".into(), "c".into(), "d".into()]));
        let file: File = "[transfer]\nhideRefs\n".parse().expect("a well-formed file");
        let visited = Keys(&file).visit(&["transfer"], "hideRefs", |_| ());
        assert_eq!(visited, Err("missing value for 'transfer.hiderefs'".into()));
    }
}
