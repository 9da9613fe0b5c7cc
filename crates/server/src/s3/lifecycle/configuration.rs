//! The lifecycle configuration of a bucket.

#![expect(clippy::needless_pass_by_value, reason = "the table of operations gives each function its request")]

use std::collections::HashSet;

use s3s::dto::{
    BucketLifecycleConfiguration, DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput,
    GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput, LifecycleRule,
    PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput, TransitionDefaultMinimumObjectSize,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use crate::s3::configuration::{LIFECYCLE, load, xml};
use crate::s3::endpoint::Endpoint;
use crate::s3::fault::{failed, fault, invalid_argument};

/// The part of a bucket's configuration that tells which objects are too small to be moved.
pub(super) const MINIMUM_SIZE: &str = "lifecycle-minimum-size";

/// The most rules of a bucket.
const RULES_MAX: usize = 1000;

pub(in crate::s3) fn get(
    endpoint: &Endpoint,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    let bucket = endpoint.bucket(&request.input.bucket)?;
    let kept = load::<BucketLifecycleConfiguration>(&bucket, LIFECYCLE)?.value();
    let message = "The lifecycle configuration does not exist";
    let kept = kept.ok_or_else(|| fault(S3ErrorCode::NoSuchLifecycleConfiguration, message))?;
    let size = bucket.configuration().map_err(failed)?.remove(MINIMUM_SIZE);
    let size = size.unwrap_or_else(|| TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K.to_owned());
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(kept.rules),
        transition_default_minimum_object_size: Some(size.into()),
    })
}

pub(in crate::s3) fn put(
    endpoint: &Endpoint,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<PutBucketLifecycleConfigurationOutput> {
    let input = request.input;
    let Some(mut configuration) = input.lifecycle_configuration else { return Err(malformed()) };
    if configuration.rules.is_empty() || configuration.rules.len() > RULES_MAX {
        return Err(malformed());
    }
    let mut ids = HashSet::new();
    for (position, rule) in configuration.rules.iter_mut().enumerate() {
        check(rule)?;
        // S3 gives a rule without an id one.
        let id = rule.id.get_or_insert_with(|| format!("rule-{}", position + 1));
        if !ids.insert(id.clone()) {
            return Err(invalid_argument(format!(
                "Rule ID must be unique. Found same ID for more than one rule: {id}"
            )));
        }
    }
    let size = input.transition_default_minimum_object_size.clone();
    endpoint.set(&input.bucket, LIFECYCLE, Some(xml(&configuration)?))?;
    endpoint.set(&input.bucket, MINIMUM_SIZE, size.as_ref().map(|size| size.as_str().to_owned()))?;
    Ok(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: size })
}

pub(in crate::s3) fn delete(
    endpoint: &Endpoint,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<DeleteBucketLifecycleOutput> {
    endpoint.set(&request.input.bucket, LIFECYCLE, None)?;
    endpoint.set(&request.input.bucket, MINIMUM_SIZE, None)?;
    Ok(DeleteBucketLifecycleOutput {})
}

fn check(rule: &LifecycleRule) -> S3Result<()> {
    let acts = rule.expiration.is_some()
        || rule.transitions.as_ref().is_some_and(|transitions| !transitions.is_empty())
        || rule.abort_incomplete_multipart_upload.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.noncurrent_version_transitions.as_ref().is_some_and(|transitions| !transitions.is_empty());
    if !acts {
        let message = "At least one action needs to be specified in a rule";
        return Err(fault(S3ErrorCode::InvalidRequest, message));
    }
    if rule.filter.is_some() == rule.prefix.is_some() {
        return Err(malformed());
    }
    let expiration = rule.expiration.as_ref();
    let expires = expiration.and_then(|expiration| expiration.days);
    if expires.is_some_and(|days| days < 1) {
        return Err(invalid_argument("'Days' for Expiration action must be a positive integer"));
    }
    let moves = rule.transitions.iter().flatten();
    for days in moves.filter_map(|transition| transition.days) {
        if days < 0 {
            return Err(invalid_argument("'Days' in Transition action must be nonnegative"));
        }
        if expires.is_some_and(|expires| expires <= days) {
            let message =
                "'Days' in the Expiration action for filter must be greater than 'Days' in the Transition action";
            return Err(invalid_argument(message));
        }
    }
    Ok(())
}

fn malformed() -> S3Error {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    fault(S3ErrorCode::MalformedXML, message)
}
