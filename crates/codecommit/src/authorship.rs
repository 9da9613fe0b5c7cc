//! Author and message of commits that the API creates.

use aws::Call;
use git::{Commit, ObjectId, Signature};

use crate::Exception;

/// Maximum length of a name, in characters.
const NAME_MAX: usize = 1_024;

/// Maximum length of an email address, in characters.
const EMAIL_MAX: usize = 256;

/// Maximum length of a message, in bytes.
const MESSAGE_MAX: usize = 256 << 10;

/// Author and message of a commit.
#[derive(Clone, Debug)]
pub(crate) struct Authorship {
    name: Option<String>,
    email: String,
    message: Option<String>,
}

impl Authorship {
    /// Parses the name, address and message that a caller gives; an empty text counts as missing.
    pub(crate) fn parse(
        name: Option<String>,
        email: Option<String>,
        message: Option<String>,
    ) -> Result<Self, Exception> {
        let [name, email, message] = [name, email, message].map(|text| text.filter(|text| !text.is_empty()));
        if name.as_ref().is_some_and(|name| name.chars().count() > NAME_MAX) {
            return Err(Exception::NameLengthExceeded { limit: NAME_MAX });
        }
        let is_valid = |email: &String| email.chars().count() <= EMAIL_MAX && !email.contains(['<', '>', '\n', '\0']);
        if !email.as_ref().is_none_or(is_valid) {
            return Err(Exception::InvalidEmail);
        }
        if message.as_ref().is_some_and(|message| message.len() > MESSAGE_MAX) {
            return Err(Exception::CommitMessageLengthExceeded { limit: MESSAGE_MAX });
        }
        Ok(Self { name, email: email.unwrap_or_default(), message })
    }

    /// Creates the commit object; author and committer are the same, and the time is the call's.
    ///
    /// Without a name the author is the caller's ARN, as the guide says. Names are cleaned as Git does.
    pub(crate) fn commit(&self, call: &Call, tree: ObjectId, parents: Vec<ObjectId>, default_message: &str) -> Commit {
        let name = self.name.as_deref().map(without_crud).filter(|name| !name.is_empty());
        let signature = Signature {
            name: name.unwrap_or_else(|| call.caller.arn.clone()).into(),
            email: without_crud(&self.email).into(),
            date: format!("{} +0000", call.time.millis().div_euclid(1_000)).into(),
        };
        Commit {
            tree,
            parents,
            author: signature.clone(),
            committer: signature,
            extra_headers: git::BString::default(),
            // Git refuses a message with this character.
            message: self.message.as_deref().unwrap_or(default_message).replace('\0', "").into(),
        }
    }
}

/// Removes the characters that Git removes from names and addresses, so that the same author gives the same commit.
fn without_crud(text: &str) -> String {
    let crud = |letter: char| letter <= ' ' || ".,:;<>\"\\'".contains(letter);
    text.trim_matches(crud).replace(['<', '>', '\n', '\0'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_as_git_does() {
        assert_eq!(without_crud(" .Mary <Major>, Jr.\n"), "Mary Major, Jr");
        assert_eq!(without_crud("mary@example.com"), "mary@example.com");
        assert_eq!(without_crud("<>"), "");
    }

    #[test]
    fn lengths_are_checked() {
        let parse = |name: usize, email: &str, message: usize| {
            Authorship::parse(Some("é".repeat(name)), Some(email.to_owned()), Some("m".repeat(message)))
        };
        assert!(parse(NAME_MAX, "a@b", MESSAGE_MAX).is_ok());
        assert!(matches!(parse(NAME_MAX + 1, "", 0), Err(Exception::NameLengthExceeded { .. })));
        assert!(matches!(parse(0, "a>b", 0), Err(Exception::InvalidEmail)));
        assert!(matches!(parse(0, &"e".repeat(257), 0), Err(Exception::InvalidEmail)));
        assert!(matches!(parse(0, "", MESSAGE_MAX + 1), Err(Exception::CommitMessageLengthExceeded { .. })));
    }
}
