//! The repositories and references that a call names.

use aws::arn::ArnParts;
use serde_json::Value;

/// Members of inputs that hold names of repositories, alone or in a list.
const REPOSITORY_MEMBERS: [&str; 4] = ["repositoryName", "repositoryNames", "oldName", "newName"];

/// Members of inputs that hold names of references or branches.
const REFERENCE_MEMBERS: [&str; 11] = [
    "branchName",
    "defaultBranchName",
    "targetBranch",
    "sourceReference",
    "destinationReference",
    "commitSpecifier",
    "beforeCommitSpecifier",
    "afterCommitSpecifier",
    "sourceCommitSpecifier",
    "destinationCommitSpecifier",
    "reference",
];

/// Folders of references whose names can be written without the folder.
const FOLDERS: [&str; 2] = ["refs/heads/", "refs/tags/"];

/// The repositories and references that a call names in its input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(super) repositories: Vec<String>,
    /// Names in full and without their folder.
    pub(super) references: Vec<String>,
}

impl Subject {
    /// Collects the names of an input in record form.
    pub(super) fn of_input(input: &Value) -> Self {
        let mut subject = Self::default();
        subject.collect("", input);
        subject
    }

    /// Collects the names of a Git request.
    pub(super) fn of_git(repository: &str, references: impl IntoIterator<Item = String>) -> Self {
        let mut subject = Self { repositories: vec![repository.to_owned()], ..Self::default() };
        references.into_iter().for_each(|name| subject.add_reference(&name));
        subject
    }

    fn collect(&mut self, member: &str, value: &Value) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| self.collect(name, value)),
            Value::Array(items) => items.iter().for_each(|item| self.collect(member, item)),
            Value::String(text) if REPOSITORY_MEMBERS.contains(&member) => self.repositories.push(text.clone()),
            Value::String(text) if REFERENCE_MEMBERS.contains(&member) => self.add_reference(text),
            // The tags of a repository are changed by its ARN.
            Value::String(text) if member.to_ascii_lowercase().starts_with("resourcearn") => {
                self.repositories.extend(ArnParts::split(text).map(|arn| arn.resource.to_owned()));
            }
            _ => {}
        }
    }

    /// Adds the name of a reference, which is that of a branch if it has no folder.
    fn add_reference(&mut self, name: &str) {
        match FOLDERS.iter().find_map(|folder| name.strip_prefix(folder)) {
            Some(short) => self.references.extend([name.to_owned(), short.to_owned()]),
            None if name.starts_with("refs/") => self.references.push(name.to_owned()),
            None => self.references.extend([format!("refs/heads/{name}"), name.to_owned()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_names_of_an_input_are_collected() {
        let targets = json!({
            "title": "x",
            "targets": [{ "repositoryName": "One", "sourceReference": "topic", "destinationReference": "refs/heads/main" }],
        });
        let subject = Subject::of_input(&targets);
        assert_eq!(subject.repositories, ["One"]);
        let references = ["refs/heads/main", "main", "refs/heads/topic", "topic"];
        assert!(references.iter().all(|name| subject.references.iter().any(|found| found == name)), "{subject:?}");
        let names = Subject::of_input(&json!({ "repositoryNames": ["One", "Two"] }));
        assert_eq!(names.repositories, ["One", "Two"]);
        let arn = "arn:aws:codecommit:us-east-1:111122223333:One";
        assert_eq!(Subject::of_input(&json!({ "resourceArn": arn })).repositories, ["One"]);
        assert_eq!(Subject::of_input(&json!({ "resourceARNList": [arn] })).repositories, ["One"]);
        assert_eq!(Subject::of_input(&json!({ "pullRequestId": "1" })), Subject::default());
    }

    #[test]
    fn the_names_of_a_push_are_collected() {
        let subject = Subject::of_git("One", ["refs/tags/v1".to_owned(), "refs/notes/commits".to_owned()]);
        assert_eq!(subject.repositories, ["One"]);
        assert_eq!(subject.references, ["refs/tags/v1", "v1", "refs/notes/commits"]);
    }
}
