//! AWS partitions: groups of regions with their own ARN prefix and host names.

use std::fmt;
use std::str::FromStr;

/// A partition, such as `aws` or `aws-cn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    China,
    /// AWS `GovCloud` (US).
    GovCloud,
    /// The European Sovereign Cloud.
    European,
    /// AWS ISO (US).
    Iso,
    /// AWS ISOB (US).
    IsoB,
    /// AWS ISOE (Europe).
    IsoE,
    /// AWS ISOF.
    IsoF,
}

/// Each partition: its name in ARNs, the prefix of its region names, and the domain of its host names.
const ALL: [(Partition, &str, &str, &str); 8] = [
    (Partition::China, "aws-cn", "cn-", "amazonaws.com.cn"),
    (Partition::GovCloud, "aws-us-gov", "us-gov-", "amazonaws.com"),
    (Partition::European, "aws-eusc", "eusc-", "amazonaws.eu"),
    (Partition::Iso, "aws-iso", "us-iso-", "c2s.ic.gov"),
    (Partition::IsoB, "aws-iso-b", "us-isob-", "sc2s.sgov.gov"),
    (Partition::IsoE, "aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"),
    (Partition::IsoF, "aws-iso-f", "us-isof-", "csp.hci.ic.gov"),
    // The prefixes of its regions vary, so it has every region that is in no other partition.
    (Partition::Aws, "aws", "", "amazonaws.com"),
];

impl Partition {
    /// Returns the partition of a region name.
    pub(crate) fn of_region(region: &str) -> Self {
        let found = ALL.iter().find(|(_, _, prefix, _)| region.starts_with(prefix));
        found.map_or(Self::Aws, |(partition, ..)| *partition)
    }

    /// Returns the name in ARNs.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Returns the domain of the partition's host names at AWS.
    pub fn dns_suffix(self) -> &'static str {
        self.row().3
    }

    /// Returns the host name domains of all partitions.
    pub(crate) fn dns_suffixes() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|(.., suffix)| *suffix)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        ALL.iter().find(|(partition, ..)| *partition == self).expect("every partition has a row")
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = ALL.iter().find(|(_, name, ..)| *name == text);
        found
            .map(|(partition, ..)| *partition)
            .ok_or_else(|| format!("'{text}' is not a partition of AWS: write a name such as aws or aws-cn"))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Arn, Caller, GlobalArn, Region};

    #[test]
    fn every_region_has_the_arns_and_host_names_of_its_partition() {
        let cases = [
            ("us-east-1", "aws", "amazonaws.com"),
            ("eu-central-2", "aws", "amazonaws.com"),
            ("mx-central-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
        ];
        for (name, partition, suffix) in cases {
            let region: Region = name.parse().expect("the name is that of a region");
            assert_eq!((region.partition().as_str(), region.partition().dns_suffix()), (partition, suffix), "{name}");
            assert_eq!(Region::from_host(&format!("git-codecommit.{name}.{suffix}:443")), Some(region.clone()));
            let account: crate::AccountId = "111122223333".parse().expect("an account id has twelve digits");
            let repository = format!("arn:{partition}:codecommit:{name}:{account}:Demo");
            assert_eq!(Arn::parse(&repository).map(|arn| arn.to_string()), Some(repository));
            let user =
                Caller::iam_user(account.clone(), "Ana", "AIDA".to_owned(), None).in_partition(region.partition());
            assert_eq!(user.arn, format!("arn:{partition}:iam::{account}:user/Ana"));
            let root = Caller::root(account.clone(), None, None).in_partition(region.partition());
            assert_eq!(root.arn, format!("arn:{partition}:iam::{account}:root"));
            let service = Caller::service(account, "codepipeline.amazonaws.com");
            assert_eq!(service.clone().in_partition(region.partition()), service);
            let object = GlobalArn::s3(region.partition(), "bucket/key").to_string();
            assert_eq!(object, format!("arn:{partition}:s3:::bucket/key"));
        }
    }
}
