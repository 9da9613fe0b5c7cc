//! ARNs of resources without a region, such as those of IAM and S3.

use std::fmt;

use crate::arn::ArnParts;
use crate::{AccountId, Partition};

/// The ARN of a resource without a region: `arn:PARTITION:SERVICE::[ACCOUNT]:RESOURCE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalArn {
    /// The partition.
    pub partition: Partition,
    /// The service's short name, such as `iam`.
    pub service: String,
    /// The account that owns the resource; ARNs of buckets and identity stores have none.
    pub account: Option<AccountId>,
    /// The name of the resource, which may contain colons.
    pub resource: String,
}

impl GlobalArn {
    /// Creates the ARN of a resource of IAM, such as `role/Build`.
    pub fn iam(partition: Partition, account: &AccountId, resource: impl Into<String>) -> Self {
        Self::new(partition, "iam", Some(account), resource.into())
    }

    /// Creates the ARN of a session of STS, such as `assumed-role/Build/session`.
    pub fn sts(partition: Partition, account: &AccountId, resource: impl Into<String>) -> Self {
        Self::new(partition, "sts", Some(account), resource.into())
    }

    /// Creates the ARN of a bucket, or of an object as `BUCKET/KEY`.
    pub fn s3(partition: Partition, resource: impl Into<String>) -> Self {
        Self::new(partition, "s3", None, resource.into())
    }

    /// Creates the ARN of a user of an identity store, `user/ID`.
    pub fn identity_store(partition: Partition, resource: impl Into<String>) -> Self {
        Self::new(partition, "identitystore", None, resource.into())
    }

    fn new(partition: Partition, service: &str, account: Option<&AccountId>, resource: String) -> Self {
        Self { partition, service: service.to_owned(), account: account.cloned(), resource }
    }

    /// Parses the ARN of a resource without a region; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let ArnParts { partition, service, region: "", account, resource } = ArnParts::split(text)? else {
            return None;
        };
        let account = if account.is_empty() { None } else { Some(account.parse().ok()?) };
        if service.is_empty() || resource.is_empty() {
            return None;
        }
        let partition = partition.parse().ok()?;
        Some(Self { partition, service: service.to_owned(), account, resource: resource.to_owned() })
    }

    /// Returns the resource of an IAM ARN that AWS itself owns, such as a managed policy: `arn:PARTITION:iam::aws:RESOURCE`.
    pub fn iam_resource_of_aws(text: &str) -> Option<&str> {
        let ArnParts { partition, service: "iam", region: "", account: "aws", resource } = ArnParts::split(text)?
        else {
            return None;
        };
        partition.parse::<Partition>().is_ok().then_some(resource)
    }

    /// Returns whether two texts are equal, or are ARNs that differ in the partition only.
    pub fn is_same_except_partition(one: &str, other: &str) -> bool {
        one == other
            || Self::parse(one)
                .zip(Self::parse(other))
                .is_some_and(|(one, other)| one == Self { partition: one.partition, ..other })
    }
}

impl fmt::Display for GlobalArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.account.as_ref().map_or("", AccountId::as_str);
        write!(f, "arn:{}:{}::{account}:{}", self.partition, self.service, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::GlobalArn;

    #[test]
    fn an_arn_is_written_as_it_was_parsed() {
        for text in
            ["arn:aws:iam::111122223333:role/ci/Build", "arn:aws-cn:s3:::bucket/a:b", "arn:aws:sts::111122223333:x"]
        {
            assert_eq!(GlobalArn::parse(text).map(|arn| arn.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_text_that_is_no_global_arn_is_refused() {
        for text in [
            "",
            "codepipeline.amazonaws.com",
            "arn:aws:iam:us-east-1:111122223333:role/Build",
            "arn:aws:iam::1:role/Build",
            "arn:aws:iam::111122223333:",
            "arn:aws-mars:iam::111122223333:root",
            "arn:aws:::111122223333:root",
        ] {
            assert_eq!(GlobalArn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_iam_arns_of_aws_have_a_resource_of_aws() {
        let resource = GlobalArn::iam_resource_of_aws;
        assert_eq!(resource("arn:aws:iam::aws:policy/root-task/X"), Some("policy/root-task/X"));
        for other in
            ["arn:aws-mars:iam::aws:policy/X", "arn:aws:iam::111122223333:policy/X", "arn:aws:s3::aws:x", "aws"]
        {
            assert_eq!(resource(other), None, "{other}");
        }
    }

    #[test]
    fn arns_are_compared_without_their_partitions() {
        let same = GlobalArn::is_same_except_partition;
        assert!(same("arn:aws:iam::111122223333:root", "arn:aws-cn:iam::111122223333:root"));
        assert!(!same("arn:aws:iam::111122223333:root", "arn:aws-cn:iam::444455556666:root"));
        assert!(same("*", "*") && !same("111122223333", "444455556666"));
    }
}
