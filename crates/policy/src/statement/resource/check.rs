//! The form of resources, as AWS checks it when a document is created.

use crate::arn::PARTS;
use crate::malformed::Fault;

const PARTITIONS: [&str; 9] =
    ["*", "aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];

/// The types of IAM's resources that AWS's message names.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Checks the form of a resource.
pub(crate) fn check(resource: &str) -> Result<(), Fault> {
    if resource == "*" {
        return Ok(());
    }
    let mut parts: Vec<&str> = resource.splitn(PARTS, ':').collect();
    let count = parts.len();
    if count == 1 {
        return Err(Fault::NotArn(resource.to_owned()));
    }
    parts.resize(PARTS, "*");
    let [scheme, partition, service, region, account, path] = parts[..] else { return Err(Fault::LegacyParsing) };
    // AWS names the partition first even if the text does not begin with `arn`.
    if !PARTITIONS.contains(&partition) {
        let resource = format!("arn:{partition}:{service}:{region}:{account}:{path}");
        return Err(Fault::InvalidPartition { partition: partition.to_owned(), resource });
    }
    if count == 2 || service.contains(['*', '?']) {
        return Err(Fault::InvalidResourceVendor);
    }
    if scheme != "arn" || service.is_empty() || (count < PARTS && resource.contains("::")) {
        return Err(Fault::LegacyParsing);
    }
    // Missing parts have no region.
    let has_region = count > 3 && !region.is_empty();
    match service {
        "iam" if has_region => Err(Fault::IamRegion(resource.to_owned())),
        "iam" if !is_iam_path(path) => Err(Fault::InvalidIamPath(IAM_PATHS.join(", "))),
        "s3" if has_region && !path.starts_with("accesspoint/") => Err(Fault::S3Region(resource.to_owned())),
        _ => Ok(()),
    }
}

/// `root` is the resource of `sts:AssumeRoot`, and `u2f/` a newer type.
fn is_iam_path(path: &str) -> bool {
    ["*", "root"].contains(&path) || path.starts_with("u2f/") || IAM_PATHS.iter().any(|known| path.starts_with(known))
}
