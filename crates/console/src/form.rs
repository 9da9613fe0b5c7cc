//! Parameters of a request: those of its URL, and the fields of a form.

use std::borrow::Cow;

use bytes::Bytes;

use crate::multipart::Part;

/// Names and values, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    files: Vec<UploadedFile>,
}

/// A file of a form.
#[derive(Debug)]
pub(crate) struct UploadedFile {
    /// Name that the browser gives; empty if no file was chosen.
    pub(crate) name: String,
    pub(crate) content: Bytes,
}

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Self { fields: form_urlencoded::parse(encoded).map(owned).collect(), files: Vec::new() }
    }

    /// Creates a form of the parts of `multipart/form-data`.
    pub(crate) fn of_parts(parts: Vec<Part>) -> Self {
        let mut form = Self::default();
        for Part { name, file_name, content } in parts {
            match file_name {
                Some(file_name) => form.files.push(UploadedFile { name: file_name, content }),
                None => form.fields.push((name, String::from_utf8_lossy(&content).into_owned())),
            }
        }
        form
    }

    /// Returns the files of the form.
    pub(crate) fn files(&self) -> &[UploadedFile] {
        &self.files
    }

    /// Returns the first value of a name without the spaces around it; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// Returns the first value of a name as it was sent; empty if there is none.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Returns the first value of a name, unless it is empty.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Returns the first value of a name as a text of lines; browsers send them with carriage returns.
    pub(crate) fn text(&self, name: &str) -> String {
        self.raw(name).replace("\r\n", "\n")
    }

    /// Returns all values of a name that are not empty.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.fields
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Returns whether a name is there, such as that of a checked box.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(key, _)| key == name)
    }

    /// Returns all names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
