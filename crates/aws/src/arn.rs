//! Amazon Resource Names.

use std::fmt;

use crate::{AccountId, Region};

/// Names a resource of a service in a region of an account: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    /// The service's short name, such as `codecommit`.
    pub service: String,
    /// The region that the resource is in.
    pub region: Region,
    /// The account that owns the resource.
    pub account: AccountId,
    /// What is left: the resource's own name, which may hold colons.
    pub resource: String,
}

impl Arn {
    /// Reads a regional resource's ARN; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let partition = parts.next()?;
        let service = parts.next()?.to_owned();
        let region: Region = parts.next()?.parse().ok()?;
        let account = parts.next()?.parse().ok()?;
        let resource = parts.next()?.to_owned();
        (partition == region.partition().as_str() && !service.is_empty() && !resource.is_empty()).then_some(Self {
            service,
            region,
            account,
            resource,
        })
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
    fn an_arn_reads_back_as_it_was_written() {
        let text = "arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo";
        let arn = Arn::parse(text).expect("it is well formed");
        assert_eq!(arn.resource, "MyDemoRepo");
        assert_eq!(arn.to_string(), text);
    }

    #[test]
    fn what_is_no_regional_arn_is_refused() {
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
