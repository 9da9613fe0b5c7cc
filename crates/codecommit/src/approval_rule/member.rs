//! Members of approval pools: the callers whose approvals count.

use aws::arn::ArnParts;
use aws::{AccountId, GlobalArn, Pattern};

/// Member of a pool. Both forms may have wildcards and so stand for several callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// ARN of a user, a federated user or a role session; `*` alone stands for everyone.
    Arn(Pattern),
    /// `CodeCommitApprovers:ACCOUNT:NAME`: an IAM user or federated user of this name, or sessions named `ROLE/SESSION`.
    Approver {
        /// Account.
        account: AccountId,
        /// Name.
        name: Pattern,
    },
}

impl Member {
    /// Parses a member; returns `None` for any other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(approver) = text.strip_prefix("CodeCommitApprovers:") {
            let (account, name) = approver.split_once(':')?;
            let account = account.parse().ok()?;
            return (!name.is_empty()).then(|| Self::Approver { account, name: Pattern::new(name) });
        }
        let is_arn = match ArnParts::split(text) {
            Some(ArnParts { partition, service: "iam" | "sts", region: "", account, resource }) => {
                let known = account == "*" || account.parse::<AccountId>().is_ok();
                known && !partition.is_empty() && !resource.is_empty()
            }
            _ => text == "*",
        };
        is_arn.then(|| Self::Arn(Pattern::new(text)))
    }

    /// Returns whether the caller with an ARN is included.
    pub(crate) fn includes(&self, arn: &str) -> bool {
        let (expected, name) = match self {
            Self::Arn(pattern) => return pattern.matches(arn),
            Self::Approver { account, name } => (account, name),
        };
        let Some(GlobalArn { account: Some(account), resource, .. }) = GlobalArn::parse(arn) else { return false };
        let short = match resource.split_once('/') {
            // Names of users are unique in an account, independent of their paths.
            Some(("user", path)) => path.rsplit_once('/').map_or(path, |(_, name)| name),
            Some((_, short)) => short,
            None => &resource,
        };
        account == *expected && [resource.as_str(), short].iter().any(|text| name.matches(text))
    }
}

#[cfg(test)]
mod tests {
    use super::Member;

    const USER: &str = "arn:aws:iam::111122223333:user/Mary_Major";
    const USER_BELOW_A_PATH: &str = "arn:aws:iam::111122223333:user/team/Mary_Major";
    const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/Mary_Major";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/CodeCommitReview/Mary_Major";

    fn included(member: &str) -> Vec<&'static str> {
        let member = Member::parse(member).expect("the text is a member");
        [USER, USER_BELOW_A_PATH, FEDERATED, SESSION].into_iter().filter(|arn| member.includes(arn)).collect()
    }

    #[test]
    fn an_approver_is_a_user_or_a_federated_user() {
        assert_eq!(included("CodeCommitApprovers:111122223333:Mary_Major"), [USER, USER_BELOW_A_PATH, FEDERATED]);
        assert_eq!(included("CodeCommitApprovers:111122223333:Mary"), [""; 0]);
        assert_eq!(included("CodeCommitApprovers:444455556666:Mary_Major"), [""; 0]);
    }

    #[test]
    fn an_approver_with_a_wildcard_can_be_a_session() {
        assert_eq!(included("CodeCommitApprovers:111122223333:CodeCommitReview/*"), [SESSION]);
        assert_eq!(included("CodeCommitApprovers:111122223333:CodeCommitReview/Mary_Major"), [SESSION]);
        assert_eq!(included("CodeCommitApprovers:111122223333:*Mary_Major").len(), 4);
        assert_eq!(included("CodeCommitApprovers:111122223333:user/*"), [USER, USER_BELOW_A_PATH]);
    }

    #[test]
    fn an_arn_includes_whom_it_names() {
        assert_eq!(included(USER), [USER]);
        assert_eq!(included("arn:aws:iam::111122223333:user/*"), [USER, USER_BELOW_A_PATH]);
        assert_eq!(included("arn:aws:sts::111122223333:assumed-role/CodeCommitReview/*"), [SESSION]);
        assert_eq!(included("arn:aws:sts::111122223333:assumed-role/CodeCommitReview"), [""; 0]);
        assert_eq!(included("arn:aws:iam::*:user/Mary_Major"), [USER]);
        assert_eq!(included("*").len(), 4);
    }

    #[test]
    fn other_texts_are_not_members() {
        for text in [
            "",
            "Mary_Major",
            "CodeCommitApprovers:",
            "CodeCommitApprovers:111122223333",
            "CodeCommitApprovers:111122223333:",
            "CodeCommitApprovers:1234:Mary_Major",
            "CodeCommitApprovers:*:Mary_Major",
            "codecommitapprovers:111122223333:Mary_Major",
            "arn:aws:iam::111122223333",
            "arn:aws:iam::111122223333:",
            "arn:aws:iam::1234:user/Mary_Major",
            "arn:aws:iam:us-east-1:111122223333:user/Mary_Major",
            "arn:aws:s3::111122223333:user/Mary_Major",
            "arn::iam::111122223333:user/Mary_Major",
            "arn:*",
        ] {
            assert_eq!(Member::parse(text), None, "{text}");
        }
    }
}
