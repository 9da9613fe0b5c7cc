//! The buckets that trails write to, and what AWS demands of them if they are strict: a bucket exists, and its policy lets CloudTrail write.

use std::io;
use std::sync::Arc;

use aws::{Arn, GlobalArn, Region};
use bucket::{BucketLocation, Buckets};
use policy::{Context, Principal, Request, ResourcePolicy, Trust};
use store::{Error, Store};

use crate::trails::validate;

/// The name of CloudTrail in policies.
const SERVICE: &str = "cloudtrail.amazonaws.com";

/// The part of a bucket's configuration with its policy.
pub const BUCKET_POLICY: &str = "policy";

/// The buckets of trails.
#[derive(Clone)]
pub(crate) struct Destinations {
    pub(crate) store: Arc<Store>,
    pub(crate) buckets: Arc<Buckets>,
    /// Whether a bucket must exist and let CloudTrail write.
    pub(crate) strict: bool,
}

impl Destinations {
    /// Checks that a trail, given by its row id, may put a file into a bucket.
    ///
    /// The bucket of the trail directory is the server's own, which needs no policy for the files of its default trails.
    pub(crate) fn check_row(&self, trail: i64, bucket: &str, key: &str) -> io::Result<()> {
        if !self.strict || bucket == self.buckets.primary_name() {
            return Ok(());
        }
        let arn = self.arn(trail).map_err(io::Error::other)?;
        self.check(&arn, bucket, key)
    }

    /// Checks that a trail may put an object into a bucket; remote buckets decide by themselves.
    ///
    /// Fails with `NotFound` if the bucket does not exist, and with `PermissionDenied` if its policy does not let CloudTrail write.
    pub(crate) fn check(&self, trail: &Arn, bucket: &str, key: &str) -> io::Result<()> {
        let missing = |reason: &str| io::Error::new(io::ErrorKind::NotFound, reason.to_owned());
        match self.buckets.find(bucket) {
            _ if !self.strict => Ok(()),
            Some(BucketLocation::Remote) => Ok(()),
            None => Err(missing("there is no such bucket")),
            Some(BucketLocation::Folder(folder)) => {
                let policy = folder.configuration()?.remove(BUCKET_POLICY);
                may_write(policy.as_deref(), trail, bucket, key)
                    .map_err(|reason| io::Error::new(io::ErrorKind::PermissionDenied, reason))
            }
        }
    }

    fn arn(&self, trail: i64) -> Result<Arn, Error> {
        let row = self.store.read(|transaction| {
            let query = "SELECT home_region, account, name FROM trails WHERE id = ?1";
            transaction.query_one(query, &[trail.into()], |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?)))
        })?;
        let (region, account, name) = row.ok_or(Error::Damaged("the trail of a file is missing"))?;
        let region: Region = region.parse().map_err(|_| Error::Damaged("the home region of a trail is not valid"))?;
        let account = account.parse().map_err(|_| Error::Damaged("the account of a trail is not valid"))?;
        Ok(validate::arn(region, account, &name))
    }
}

/// Checks that the policy of a bucket lets CloudTrail read the ACL of the bucket and put an object for a trail; returns what it does not.
fn may_write(policy: Option<&str>, trail: &Arn, bucket: &str, key: &str) -> Result<(), String> {
    let policy = policy.ok_or("the bucket has no policy")?;
    let policy =
        ResourcePolicy::parse(policy).map_err(|error| format!("the policy of the bucket is malformed: {error}"))?;
    let mut facts = Context::default();
    facts.set("aws:SourceArn", trail.to_string());
    facts.set("aws:SourceAccount", trail.account.as_str());
    facts.set("aws:PrincipalIsAWSService", "true");
    facts.set("aws:PrincipalServiceName", SERVICE);
    facts.set("aws:SecureTransport", "true");
    let mut facts_of_put = facts.clone();
    facts_of_put.set("s3:x-amz-acl", "bucket-owner-full-control");
    let arn = |name: String| GlobalArn::s3(trail.region.partition(), name).to_string();
    let permissions = [
        ("s3:GetBucketAcl", arn(bucket.to_owned()), &facts),
        ("s3:PutObject", arn(format!("{bucket}/{key}")), &facts_of_put),
    ];
    for (action, resource, facts) in permissions {
        let request = Request::new(action, &resource, facts);
        if policy.decide(&request, &Principal::Service(SERVICE)) != Some(Trust::Principal) {
            return Err(format!("the policy of the bucket does not let {SERVICE} perform {action} on {resource}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policy of the user guide, with the source ARN of the trail and a prefix.
    fn policy(acl_resource: &str, put_resource: &str, source: &str, acl: &str) -> String {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [
                {{"Effect": "Allow", "Principal": {{"Service": "cloudtrail.amazonaws.com"}}, "Action": "s3:GetBucketAcl",
                  "Resource": "{acl_resource}", "Condition": {{"StringEquals": {{"aws:SourceArn": "{source}"}}}}}},
                {{"Effect": "Allow", "Principal": {{"Service": "cloudtrail.amazonaws.com"}}, "Action": "s3:PutObject",
                  "Resource": "{put_resource}", "Condition": {{"StringEquals": {{
                    "s3:x-amz-acl": "{acl}", "aws:SourceArn": "{source}"}}}}}}]}}"#
        )
    }

    #[test]
    fn the_policy_of_the_user_guide_lets_one_trail_write_below_its_prefix() {
        let trail = "arn:aws:cloudtrail:us-east-1:111122223333:trail/MyTrail";
        let arn = Arn::parse(trail).expect("the ARN is valid");
        let (bucket, all) = ("arn:aws:s3:::my-logs", "arn:aws:s3:::my-logs/team/AWSLogs/111122223333/*");
        let full = "bucket-owner-full-control";
        let key = "team/AWSLogs/111122223333/CloudTrail/";
        let check = |policy: &str, key: &str| may_write(Some(policy), &arn, "my-logs", key);
        assert_eq!(check(&policy(bucket, all, trail, full), key), Ok(()));
        assert!(check(&policy(bucket, all, trail, full), "AWSLogs/111122223333/CloudTrail/").is_err());
        for (wrong, reason) in [
            (policy("arn:aws:s3:::other", all, trail, full), "s3:GetBucketAcl"),
            (policy(bucket, "arn:aws:s3:::my-logs/AWSLogs/*", trail, full), "s3:PutObject"),
            (policy(bucket, all, &trail.replace("MyTrail", "Other"), full), "s3:GetBucketAcl"),
            (policy(bucket, all, trail, "private"), "s3:PutObject"),
            ("{}".to_owned(), "malformed"),
        ] {
            let refused = check(&wrong, key).expect_err("the policy is not sufficient");
            assert!(refused.contains(reason), "{refused}");
        }
        assert!(may_write(None, &arn, "my-logs", key).is_err());
    }
}
