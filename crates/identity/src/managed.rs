//! The managed policies of AWS.

use aws::GlobalArn;
use policy::Document;

/// A managed policy of AWS, in its default version.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// The name.
    pub name: &'static str,
    /// The ARN in the partition `aws`.
    pub arn: &'static str,
    /// The unique id.
    pub id: &'static str,
    /// The id of the default version.
    pub default_version: &'static str,
    /// The time of creation, in the form of ISO 8601.
    pub created: &'static str,
    /// The time of the last change, in the form of ISO 8601.
    pub updated: &'static str,
    /// The description.
    pub description: &'static str,
    /// The document.
    pub document: &'static str,
}

impl ManagedPolicy {
    /// The path of each of the policies.
    pub const PATH: &str = "/";

    /// The policies, by name. Names, ids, descriptions, default versions and dates are those of AWS in 2026.
    ///
    /// The documents are AWS's; that of `ReadOnlyAccess`, which lists every service, has only the actions of services that are here.
    pub const ALL: [Self; 6] = [
        Self {
            name: "AdministratorAccess",
            arn: "arn:aws:iam::aws:policy/AdministratorAccess",
            id: "ANPAIWMBCKSKIEE64ZLYK",
            default_version: "v1",
            created: "2015-02-06T18:39:46Z",
            updated: "2015-02-06T18:39:46Z",
            description: "Provides full access to AWS services and resources.",
            document: include_str!("managed/AdministratorAccess.json"),
        },
        Self {
            name: "AWSCodeCommitFullAccess",
            arn: "arn:aws:iam::aws:policy/AWSCodeCommitFullAccess",
            id: "ANPAI4VCZ3XPIZLQ5NZV2",
            default_version: "v13",
            created: "2015-07-09T17:02:19Z",
            updated: "2026-02-12T18:00:23Z",
            description: "Provides full access to AWS CodeCommit via the AWS Management Console.",
            document: include_str!("managed/AWSCodeCommitFullAccess.json"),
        },
        Self {
            name: "AWSCodeCommitPowerUser",
            arn: "arn:aws:iam::aws:policy/AWSCodeCommitPowerUser",
            id: "ANPAI4UIINUVGB5SEC57G",
            default_version: "v18",
            created: "2015-07-09T17:06:49Z",
            updated: "2026-02-12T17:57:24Z",
            description: "Provides full access to AWS CodeCommit repositories, but does not allow repository deletion.",
            document: include_str!("managed/AWSCodeCommitPowerUser.json"),
        },
        Self {
            name: "AWSCodeCommitReadOnly",
            arn: "arn:aws:iam::aws:policy/AWSCodeCommitReadOnly",
            id: "ANPAJACNSXR7Z2VLJW3D6",
            default_version: "v14",
            created: "2015-07-09T17:05:06Z",
            updated: "2026-02-12T18:00:25Z",
            description: "Provides read only access to AWS CodeCommit via the AWS Management Console.",
            document: include_str!("managed/AWSCodeCommitReadOnly.json"),
        },
        Self {
            name: "PowerUserAccess",
            arn: "arn:aws:iam::aws:policy/PowerUserAccess",
            id: "ANPAJYRXTHIB4FOVS3ZXS",
            default_version: "v12",
            created: "2015-02-06T18:39:47Z",
            updated: "2026-02-12T17:59:14Z",
            description: "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
            document: include_str!("managed/PowerUserAccess.json"),
        },
        Self {
            name: "ReadOnlyAccess",
            arn: "arn:aws:iam::aws:policy/ReadOnlyAccess",
            id: "ANPAILL3HVNFSB6DCOWYQ",
            default_version: "v190",
            created: "2015-02-06T18:39:48Z",
            updated: "2026-09-24T17:37:08Z",
            description: "Provides read-only access to AWS services and resources.",
            document: include_str!("managed/ReadOnlyAccess.json"),
        },
    ];

    /// Returns the policy with an ARN of any partition.
    pub fn find(arn: &str) -> Option<&'static Self> {
        let name = GlobalArn::iam_resource_of_aws(arn)?.strip_prefix("policy/")?;
        Self::ALL.iter().find(|managed| managed.name == name)
    }

    /// Parses the document.
    pub fn parse(&self) -> Document {
        Document::parse_managed(self.document).expect("the documents are valid, as a test shows")
    }
}

#[cfg(test)]
mod tests {
    use policy::{Context, Effect, Request};

    use super::*;

    const REPOSITORY: &str = "arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo";

    fn allows(name: &str, action: &str, resource: &str) -> bool {
        let managed = ManagedPolicy::ALL.iter().find(|managed| managed.name == name).expect("the policy exists");
        let mut facts = Context::default();
        facts.set("aws:username", "Li_Juan");
        managed.parse().decide(&Request::new(action, resource, &facts)) == Some(Effect::Allow)
    }

    #[test]
    fn every_policy_is_valid_and_has_its_own_names() {
        for managed in &ManagedPolicy::ALL {
            assert!(!managed.parse().statements().is_empty());
            assert!(policy::size(managed.document) <= 6144, "{}", managed.name);
            assert_eq!(managed.arn, format!("arn:aws:iam::aws:policy{}{}", ManagedPolicy::PATH, managed.name));
            assert!(
                managed.id.starts_with("ANPA") && managed.id.len() == 21 && managed.default_version.starts_with('v')
            );
            assert_eq!(
                ManagedPolicy::ALL.iter().filter(|other| other.id == managed.id || other.name == managed.name).count(),
                1
            );
        }
    }

    #[test]
    fn policies_are_found_in_each_partition() {
        let found = |arn| ManagedPolicy::find(arn).map(|managed| managed.name);
        assert_eq!(found("arn:aws:iam::aws:policy/ReadOnlyAccess"), Some("ReadOnlyAccess"));
        assert_eq!(found("arn:aws-cn:iam::aws:policy/ReadOnlyAccess"), Some("ReadOnlyAccess"));
        for other in [
            "arn:x:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::111122223333:policy/ReadOnlyAccess",
            "ReadOnlyAccess",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }

    #[test]
    fn the_power_user_can_delete_no_repository() {
        for action in [
            "codecommit:AssociateApprovalRuleTemplateWithRepository",
            "codecommit:BatchAssociateApprovalRuleTemplateWithRepositories",
            "codecommit:BatchDescribeMergeConflicts",
            "codecommit:BatchDisassociateApprovalRuleTemplateFromRepositories",
            "codecommit:BatchGetRepositories",
            "codecommit:CreateRepository",
            "codecommit:DeleteBranch",
            "codecommit:DeleteFile",
            "codecommit:DescribePullRequestEvents",
            "codecommit:DisassociateApprovalRuleTemplateFromRepository",
            "codecommit:EvaluatePullRequestApprovalRules",
            "codecommit:GetBranch",
            "codecommit:GitPull",
            "codecommit:GitPush",
            "codecommit:ListBranches",
            "codecommit:MergePullRequestBySquash",
            "codecommit:OverridePullRequestApprovalRules",
            "codecommit:PostCommentReply",
            "codecommit:PutFile",
            "codecommit:TagResource",
            "codecommit:TestRepositoryTriggers",
            "codecommit:UntagResource",
            "codecommit:UpdateRepositoryName",
        ] {
            assert!(allows("AWSCodeCommitPowerUser", action, REPOSITORY), "{action}");
            assert!(allows("AWSCodeCommitFullAccess", action, REPOSITORY), "{action}");
        }
        for action in [
            "codecommit:DeleteApprovalRuleTemplate",
            "codecommit:DeleteCommentContent",
            "codecommit:DeletePullRequestApprovalRule",
            "codecommit:DeleteRepository",
        ] {
            assert!(!allows("AWSCodeCommitPowerUser", action, REPOSITORY), "{action}");
            assert!(allows("AWSCodeCommitFullAccess", action, REPOSITORY), "{action}");
        }
    }

    #[test]
    fn readers_cannot_write() {
        for name in ["AWSCodeCommitReadOnly", "ReadOnlyAccess"] {
            for action in [
                "codecommit:BatchGetCommits",
                "codecommit:DescribeMergeConflicts",
                "codecommit:GetFile",
                "codecommit:GitPull",
                "codecommit:ListRepositories",
            ] {
                assert!(allows(name, action, REPOSITORY), "{name} {action}");
            }
            for action in [
                "codecommit:CreateBranch",
                "codecommit:GitPush",
                "codecommit:PutFile",
                "codecommit:DeleteFile",
                "codecommit:TagResource",
                "codecommit:PostCommentReply",
            ] {
                assert!(!allows(name, action, REPOSITORY), "{name} {action}");
            }
        }
        // Only the policy of CodeCommit has these two.
        for action in ["codecommit:BatchDescribeMergeConflicts", "codecommit:EvaluatePullRequestApprovalRules"] {
            assert!(allows("AWSCodeCommitReadOnly", action, REPOSITORY));
            assert!(!allows("ReadOnlyAccess", action, REPOSITORY));
        }
        for action in ["cloudtrail:LookupEvents", "iam:SimulatePrincipalPolicy", "s3:GetObject", "tag:GetResources"] {
            assert!(allows("ReadOnlyAccess", action, "*"), "{action}");
        }
        assert!(!allows("ReadOnlyAccess", "sts:AssumeRole", "*"));
    }

    #[test]
    fn users_manage_their_own_git_credentials() {
        let (own, other) = ("arn:aws:iam::111122223333:user/Li_Juan", "arn:aws:iam::111122223333:user/Mary_Major");
        let reads = [
            "iam:ListAccessKeys",
            "iam:ListSSHPublicKeys",
            "iam:ListServiceSpecificCredentials",
            "iam:GetSSHPublicKey",
        ];
        let writes = ["iam:UploadSSHPublicKey", "iam:DeleteSSHPublicKey", "iam:CreateServiceSpecificCredential"];
        for name in ["AWSCodeCommitFullAccess", "AWSCodeCommitPowerUser", "AWSCodeCommitReadOnly"] {
            for action in reads {
                assert!(allows(name, action, own) && !allows(name, action, other), "{name} {action}");
            }
            for action in writes {
                assert_eq!(allows(name, action, own), name != "AWSCodeCommitReadOnly", "{name} {action}");
                assert!(!allows(name, action, other), "{name} {action}");
            }
            assert!(allows(name, "iam:ListUsers", "*") && !allows(name, "iam:CreateAccessKey", own));
        }
    }

    #[test]
    fn administrators_and_power_users_differ_in_iam() {
        for action in ["codecommit:DeleteRepository", "sts:AssumeRole", "iam:ListRoles"] {
            assert!(allows("AdministratorAccess", action, REPOSITORY) && allows("PowerUserAccess", action, REPOSITORY));
        }
        assert!(
            allows("AdministratorAccess", "iam:CreateUser", "*") && !allows("PowerUserAccess", "iam:CreateUser", "*")
        );
    }
}
