//! ARNs of resources that are in no region, such as those of IAM and S3.

use std::fmt;

use crate::{AccountId, Partition};

/// Names a resource that is in no region: `arn:PARTITION:SERVICE::[ACCOUNT]:RESOURCE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalArn {
    /// The partition.
    pub partition: Partition,
    /// The service's short name, such as `iam`.
    pub service: String,
    /// The account that owns the resource; buckets and the like name none.
    pub account: Option<AccountId>,
    /// What is left: the resource's own name, which may hold colons.
    pub resource: String,
}

impl GlobalArn {
    /// Names a resource of IAM, such as `role/Build`.
    pub fn iam(partition: Partition, account: &AccountId, resource: impl Into<String>) -> Self {
        Self::new(partition, "iam", Some(account), resource.into())
    }

    /// Names a session of STS, such as `assumed-role/Build/session`.
    pub fn sts(partition: Partition, account: &AccountId, resource: impl Into<String>) -> Self {
        Self::new(partition, "sts", Some(account), resource.into())
    }

    /// Names a bucket, or an object as `BUCKET/KEY`.
    pub fn s3(partition: Partition, resource: impl Into<String>) -> Self {
        Self::new(partition, "s3", None, resource.into())
    }

    /// Names a person of an identity store, `user/ID`.
    pub fn identity_store(partition: Partition, resource: impl Into<String>) -> Self {
        Self::new(partition, "identitystore", None, resource.into())
    }

    fn new(partition: Partition, service: &str, account: Option<&AccountId>, resource: String) -> Self {
        Self { partition, service: service.to_owned(), account: account.cloned(), resource }
    }

    /// Reads such an ARN; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = parts.as_slice() else { return None };
        let account = if account.is_empty() { None } else { Some(account.parse().ok()?) };
        if service.is_empty() || resource.is_empty() {
            return None;
        }
        Some(Self {
            partition: partition.parse().ok()?,
            service: (*service).to_owned(),
            account,
            resource: (*resource).to_owned(),
        })
    }

    /// Says whether two texts are the same ARN, or differ in their partitions only.
    pub fn is_same_but_for_partition(one: &str, other: &str) -> bool {
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
    fn an_arn_reads_back_as_it_was_written() {
        for text in
            ["arn:aws:iam::111122223333:role/ci/Build", "arn:aws-cn:s3:::bucket/a:b", "arn:aws:sts::111122223333:x"]
        {
            assert_eq!(GlobalArn::parse(text).map(|arn| arn.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_such_arn_is_refused() {
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
    fn arns_are_compared_without_their_partitions() {
        let same = GlobalArn::is_same_but_for_partition;
        assert!(same("arn:aws:iam::111122223333:root", "arn:aws-cn:iam::111122223333:root"));
        assert!(!same("arn:aws:iam::111122223333:root", "arn:aws-cn:iam::444455556666:root"));
        assert!(same("*", "*") && !same("111122223333", "444455556666"));
    }
}
