//! Users with new random keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Maximum number of users of an account at AWS.
const USERS_MAX: u32 = 5_000;

/// Maximum length of the name of a user or group.
const NAME_LENGTH_MAX: usize = 64;

/// Letters and digits of the ids of AWS's access keys.
const ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Letters and digits of an access key id after `AKIA`.
const ID_LENGTH: usize = 16;

/// A user with new keys.
pub(super) struct NewUser {
    pub(super) name: String,
    /// `AKIA` and 16 letters and digits.
    pub(super) access_key_id: String,
    /// 40 characters of base64.
    pub(super) secret_access_key: String,
    /// 32 random bytes in base64.
    pub(super) git_password: String,
}

/// The names of users: a prefix and a number, all with the same number of digits, so that they sort.
pub(super) struct Numbering<'n> {
    prefix: &'n str,
    first: u32,
    last: u32,
}

impl<'n> Numbering<'n> {
    /// Creates the names; fails for names that IAM would refuse, and for numbers that make none or too many.
    pub(super) fn new(prefix: &'n str, first: u32, users: u32) -> Result<Self, String> {
        if !(1..=USERS_MAX).contains(&users) {
            return Err(format!("--users: write 1 to {USERS_MAX}"));
        }
        let last = first.checked_add(users - 1).ok_or(format!("--first: write at most {}", u32::MAX - users + 1))?;
        let numbering = Self { prefix, first, last };
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        if !prefix.starts_with(|letter: char| letter.is_ascii_alphanumeric())
            || !prefix.bytes().all(is_allowed)
            || numbering.name(last).len() > NAME_LENGTH_MAX
        {
            return Err(format!(
                "--prefix: '{prefix}' cannot begin a user's name; write a letter or digit, and then letters, digits and characters of \
                 +=,.@_-, so that a name has {NAME_LENGTH_MAX} at most"
            ));
        }
        Ok(numbering)
    }

    /// Returns the name of the group of all users.
    pub(super) fn group(&self) -> String {
        format!("{}s", self.prefix)
    }

    /// Creates all users, each with keys of its own.
    pub(super) fn users(&self) -> Vec<NewUser> {
        (self.first..=self.last).map(|number| NewUser::create(self.name(number))).collect()
    }

    fn name(&self, number: u32) -> String {
        let digits = self.last.to_string().len().max(2);
        format!("{}{number:0digits$}", self.prefix)
    }
}

impl NewUser {
    fn create(name: String) -> Self {
        let letters = random::<ID_LENGTH>().map(|byte| char::from(ID_LETTERS[usize::from(byte % 32)]));
        Self {
            name,
            access_key_id: format!("AKIA{}", letters.iter().collect::<String>()),
            secret_access_key: STANDARD.encode(random::<30>()),
            git_password: STANDARD.encode(random::<32>()),
        }
    }

    /// Returns the user name of the static Git credentials.
    pub(super) fn git_user_name(&self, account: &aws::AccountId) -> String {
        format!("{}-at-{account}", self.name)
    }
}

fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system provides random numbers");
    bytes
}
