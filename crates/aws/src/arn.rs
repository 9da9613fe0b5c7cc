//! Amazon Resource Names.

use std::fmt;

use crate::{AccountId, Region};

/// The parts of an ARN as they are written, none of them checked: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArnParts<'a> {
    /// The partition.
    pub partition: &'a str,
    /// The service's short name, such as `codecommit`.
    pub service: &'a str,
    /// The region; empty for resources that are in none.
    pub region: &'a str,
    /// The account; empty for some resources, such as buckets.
    pub account: &'a str,
    /// The name of the resource, which may contain colons.
    pub resource: &'a str,
}

impl<'a> ArnParts<'a> {
    /// Splits a text into the parts of an ARN; `None` if it does not have six parts or does not begin with `arn:`.
    pub fn split(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let mut next = || parts.next();
        Some(Self { partition: next()?, service: next()?, region: next()?, account: next()?, resource: next()? })
    }
}

/// Returns whether a text is meant as an ARN, well formed or not: AWS accepts names in many places where it accepts ARNs.
pub fn has_arn_prefix(text: &str) -> bool {
    text.starts_with("arn:")
}

/// The ARN of a resource in a region of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    /// The service's short name, such as `codecommit`.
    pub service: String,
    /// The region of the resource.
    pub region: Region,
    /// The account that owns the resource.
    pub account: AccountId,
    /// The name of the resource, which may contain colons.
    pub resource: String,
}

impl Arn {
    /// Parses the ARN of a resource in a region; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let ArnParts { partition, service, region, account, resource } = ArnParts::split(text)?;
        let region: Region = region.parse().ok()?;
        if partition != region.partition().as_str() || service.is_empty() || resource.is_empty() {
            return None;
        }
        let account = account.parse().ok()?;
        Some(Self { service: service.to_owned(), region, account, resource: resource.to_owned() })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:{}:{}:{}:{}", self.region.partition(), self.service, self.region, self.account, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn an_arn_is_written_as_it_was_parsed() {
        let text = "arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo";
        let arn = Arn::parse(text).expect("the ARN is well formed");
        assert_eq!(arn.resource, "MyDemoRepo");
        assert_eq!(arn.to_string(), text);
    }

    #[test]
    fn a_text_that_is_no_regional_arn_is_refused() {
        for text in [
            "",
            "MyDemoRepo",
            "arn:aws:codecommit:us-east-2:111122223333",
            "arn:aws:codecommit:us-east-2:111122223333:",
            "arn:aws:codecommit::111122223333:MyDemoRepo",
            "arn:aws:codecommit:us-east-2:1234:MyDemoRepo",
            "arn:aws-cn:codecommit:us-east-2:111122223333:MyDemoRepo",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
