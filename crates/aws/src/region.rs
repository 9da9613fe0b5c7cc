//! AWS region names.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::Partition;

/// An AWS region, such as `us-east-2`.
///
/// Every lower-case name of letters, digits and single dashes is accepted, so that new regions of AWS work without a new version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(Arc<str>);

/// The services whose host names contain a region.
const SERVICES: [&str; 5] = ["codecommit", "git-codecommit", "sts", "cloudtrail", "tagging"];
/// The regions in which AWS has CodeCommit.
const CODECOMMIT: [&str; 29] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "cn-north-1",
    "cn-northwest-1",
    "us-gov-east-1",
    "us-gov-west-1",
];

impl Region {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the region of global services such as IAM, in the scope of signatures and in records.
    pub fn of_global_services(partition: Partition) -> Self {
        Self(Arc::from(match partition {
            Partition::Aws => "us-east-1",
            Partition::China => "cn-north-1",
            Partition::GovCloud => "us-gov-west-1",
            Partition::European => "eusc-de-east-1",
            Partition::Iso => "us-iso-east-1",
            Partition::IsoB => "us-isob-east-1",
            Partition::IsoE => "eu-isoe-west-1",
            Partition::IsoF => "us-isof-south-1",
        }))
    }

    /// Returns the region in an AWS host name, with or without a port. Network aliases of containers have such host names.
    ///
    /// Recognizes `codecommit.REGION.amazonaws.com`, the same of the other services that have no region in their requests without a
    /// signature, their `-fips` forms, a `vpce-….` prefix with its `.vpce` infix, and the same below the domains of all partitions.
    pub fn from_host(host: &str) -> Option<Self> {
        let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
        // Names below `localhost` resolve to this machine everywhere, without a hosts file.
        let name = name.strip_suffix(".localhost").unwrap_or(name);
        let mut suffixes = Partition::dns_suffixes();
        let name = suffixes.find_map(|suffix| name.strip_suffix(suffix)?.strip_suffix('.'))?;
        let name = name.strip_suffix(".vpce").unwrap_or(name);
        let (service, region) = name.rsplit_once('.')?;
        let service = service.rsplit('.').next().unwrap_or(service);
        let service = service.strip_suffix("-fips").unwrap_or(service);
        if SERVICES.contains(&service) { region.parse().ok() } else { None }
    }

    /// Lists the regions in which AWS has CodeCommit.
    pub fn of_codecommit() -> impl Iterator<Item = Self> {
        CODECOMMIT.iter().map(|name| Self((*name).into()))
    }

    /// Returns the partition of the region.
    pub fn partition(&self) -> Partition {
        Partition::of_region(&self.0)
    }
}

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if text.len() <= 32 && text.contains('-') && text.split('-').all(word) {
            Ok(Self(text.into()))
        } else {
            Err(format!("'{text}' is not a region: write a name such as us-east-1"))
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn an_aws_host_name_contains_its_region() {
        let region = |host| Region::from_host(host).map(|region| region.to_string());
        let ohio = Some("us-east-2".to_owned());
        assert_eq!(region("codecommit.us-east-2.amazonaws.com"), ohio);
        assert_eq!(region("git-codecommit.us-east-2.amazonaws.com:4599"), ohio);
        assert_eq!(region("git-codecommit-fips.us-east-2.amazonaws.com"), ohio);
        assert_eq!(region("vpce-0a-1b.git-codecommit.us-east-2.vpce.amazonaws.com"), ohio);
        assert_eq!(region("sts.us-east-2.amazonaws.com:443"), ohio);
        assert_eq!(region("cloudtrail.us-east-2.amazonaws.com"), ohio);
        assert_eq!(region("tagging.us-east-2.amazonaws.com"), ohio);
        assert_eq!(region("codecommit.cn-north-1.amazonaws.com.cn"), Some("cn-north-1".to_owned()));
        assert_eq!(region("git-codecommit.us-east-2.amazonaws.com.localhost:4599"), ohio);
    }

    #[test]
    fn other_host_names_contain_no_region() {
        for host in ["127.0.0.1:4599", "localhost", "s3.us-east-2.amazonaws.com", "sts.amazonaws.com", "[::1]:80", ""] {
            assert_eq!(Region::from_host(host), None, "{host}");
        }
    }

    #[test]
    fn malformed_names_are_refused() {
        for name in ["", "useast1", "us--east-1", "US-EAST-1", "us-east-1/..", "-us"] {
            assert!(name.parse::<Region>().is_err(), "{name}");
        }
    }
}
