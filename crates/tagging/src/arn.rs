//! Lists of ARNs in requests.

use aws::{Arn, Call};

use crate::Exception;

/// Maximum length of an ARN, in characters.
const LENGTH_MAX: usize = 1_011;

/// Parses the list of ARNs of a request; returns each once, in their order. An invalid one fails the request.
pub(crate) fn list(texts: Vec<String>, call: &Call, count_max: usize) -> Result<Vec<Arn>, Exception> {
    if texts.is_empty() || texts.len() > count_max {
        return Err(Exception::invalid(format!("ResourceARNList must have 1 to {count_max} ARNs.")));
    }
    let mut arns = Vec::new();
    for text in texts {
        let arn = Some(&text).filter(|text| text.chars().count() <= LENGTH_MAX).and_then(|text| Arn::parse(text));
        let arn = arn.ok_or_else(|| Exception::invalid(format!("{text} is not a valid AmazonResourceName (ARN)")))?;
        if arn.region.partition() != call.region.partition() {
            return Err(Exception::invalid(format!("{text} is not of the partition {}.", call.region.partition())));
        }
        if !arns.contains(&arn) {
            arns.push(arn);
        }
    }
    Ok(arns)
}
