//! The text of the identities file.

use std::fmt::Write;

use aws::AccountId;

use super::new_user::NewUser;

/// An account with a group and its users.
pub(super) struct Declaration<'d> {
    pub(super) account: &'d AccountId,
    pub(super) group: &'d str,
    pub(super) policies: &'d [String],
    pub(super) users: &'d [NewUser],
}

impl Declaration<'_> {
    /// Returns the TOML text; fails for a policy whose name IAM would refuse.
    pub(super) fn text(&self) -> Result<String, String> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-:/".contains(&byte);
        if let Some(policy) = self.policies.iter().find(|name| !name.bytes().all(is_allowed)) {
            return Err(format!("--policy: '{policy}' is not the name or the ARN of a managed policy"));
        }
        let policies: Vec<_> = self.policies.iter().map(|policy| format!("\"{policy}\"")).collect();
        let (account, group, policies) = (self.account, self.group, policies.join(", "));
        let mut text = format!(
            "# Users with their secrets: codecommit-local --access enforced --identities FILE\n\
             [[account]]\nid = \"{account}\"\n\n[[account.group]]\nname = \"{group}\"\npolicies = [{policies}]\n"
        );
        for NewUser { name, access_key_id, secret_access_key, git_password } in self.users {
            write!(
                text,
                "\n[[account.user]]\nname = \"{name}\"\ngroups = [\"{group}\"]\n\
                 access_keys = [{{ id = \"{access_key_id}\", secret = \"{secret_access_key}\" }}]\n\
                 git_credentials = [{{ password = \"{git_password}\" }}]\n"
            )
            .expect("a string can be extended");
        }
        Ok(text)
    }
}
