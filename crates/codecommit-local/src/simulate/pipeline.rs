//! The source action of a pipeline, as AWS CodePipeline runs it: `AssumeRole`, `GetBranch`, `GetCommit`, `UploadArchive`, and
//! `GetUploadArchiveStatus` until the artifact is in its bucket.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use aws::{AccountId, Clock, GlobalArn, Region, SystemClock};
use clap::Args;
use serde_json::{Value, json};
use trail::terminal::printable_lines;

use super::client::{Client, Key};

/// The service that assumes the role.
const SERVICE: &str = "codepipeline.amazonaws.com";

/// First time between checks of an upload; it doubles with each check.
const POLL_INTERVAL_MIN: Duration = Duration::from_millis(50);

/// Longest time between checks of an upload.
const POLL_INTERVAL_MAX: Duration = Duration::from_secs(2);

/// Arguments of the source action.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Repository
    #[arg(long, value_name = "NAME")]
    repository: String,
    /// Branch
    #[arg(long, value_name = "NAME")]
    branch: String,
    /// URL of the server
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL", default_value = "http://127.0.0.1:4599")]
    endpoint: String,
    /// Account of the pipeline
    #[arg(long, env = "CODECOMMIT_LOCAL_ACCOUNT", value_name = "ACCOUNT", default_value = "111122223333")]
    account: AccountId,
    /// Region of the pipeline [env: `AWS_REGION`, else `AWS_DEFAULT_REGION`] [default: us-east-1]
    #[arg(long, value_name = "REGION")]
    region: Option<Region>,
    /// ARN of the pipeline's role [default: AWSCodePipelineServiceRole-REGION-REPOSITORY of the account]
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// Bucket of the artifact [default: codepipeline-REGION-ACCOUNT]
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// Key of the artifact [default: REPOSITORY/SourceArti/ and the beginning of the commit's id]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Access key id of the service, which the identities file declares for a server that verifies signatures
    #[arg(long, value_name = "ID", default_value = SERVICE)]
    access_key_id: String,
    /// Secret of the service's access key
    #[arg(long, env = "CODECOMMIT_LOCAL_PIPELINE_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret_access_key: Option<String>,
    /// File to which the artifact is copied
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Seconds after which the upload is cancelled
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
}

/// Runs the source action, and prints its output variables.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let Arguments { repository, branch, account, .. } = arguments;
    let region = &arguments.region.clone().map_or_else(region_of_environment, Ok)?;
    let default_role = || {
        let role = format!("role/service-role/AWSCodePipelineServiceRole-{region}-{repository}");
        GlobalArn::iam(region.partition(), account, role).to_string()
    };
    let role = arguments.role.clone().unwrap_or_else(default_role);
    let key = Key {
        id: arguments.access_key_id.clone(),
        // A server with open access verifies no secret.
        secret: arguments.secret_access_key.clone().unwrap_or_default(),
        session_token: None,
    };
    let client = Client::new(&arguments.endpoint, region.clone(), SERVICE, key);
    let mut client = client.map_err(|error| error.to_string())?;
    client.assume_role(&role, &SystemClock.now().millis().to_string())?;
    let found = client.call("GetBranch", &json!({ "repositoryName": repository, "branchName": branch }))?;
    let commit_id = text(&found["branch"]["commitId"]);
    let commit = client.call("GetCommit", &json!({ "repositoryName": repository, "commitId": commit_id }))?;
    let bucket = arguments.bucket.clone().unwrap_or_else(|| format!("codepipeline-{region}-{account}"));
    let default_key = || format!("{repository}/SourceArti/{}", commit_id.get(..7).unwrap_or(commit_id));
    let key = arguments.key.clone().unwrap_or_else(default_key);
    let input = json!({
        "repositoryName": repository, "commitId": commit_id, "archiveType": "ZIP", "s3Bucket": bucket, "s3Key": key,
    });
    let begun = client.call("UploadArchive", &input)?;
    await_upload(&client, arguments, text(&begun["uploadId"]))?;
    let commit = &commit["commit"];
    for (variable, value) in [
        ("RepositoryName", repository.as_str()),
        ("BranchName", branch),
        ("CommitId", commit_id),
        ("CommitMessage", text(&commit["message"]).trim_end()),
        ("AuthorDate", text(&commit["author"]["date"])),
        ("CommitterDate", text(&commit["committer"]["date"])),
        ("Artifact", &format!("s3://{bucket}/{key}")),
    ] {
        println!("{variable:<15} {}", printable_lines(value));
    }
    let Some(output) = &arguments.output else { return Ok(()) };
    let mut object = client.object(&bucket, &key)?;
    let mut copy = || io::copy(&mut object, &mut File::create(output)?);
    copy().map_err(|error| format!("cannot copy the artifact to {}: {error}", output.display()))?;
    println!("{:<15} {}", "Copy", output.display());
    Ok(())
}

/// Reads the region from the environment as the SDKs do, which prefer `AWS_REGION`; an empty variable is not set.
fn region_of_environment() -> Result<Region, String> {
    for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if let Some(value) = std::env::var(variable).ok().filter(|value| !value.is_empty()) {
            return value.parse().map_err(|error| format!("{variable}: {error}"));
        }
    }
    "us-east-1".parse()
}

/// Waits until an upload has succeeded; cancels it after the timeout.
fn await_upload(client: &Client, arguments: &Arguments, upload_id: &str) -> Result<(), String> {
    let input = json!({ "repositoryName": arguments.repository, "uploadId": upload_id });
    let begun = Instant::now();
    let mut wait = POLL_INTERVAL_MIN;
    loop {
        let status = client.call("GetUploadArchiveStatus", &input)?;
        match text(&status["status"]) {
            "SUCCEEDED" => return Ok(()),
            "IN_PROGRESS" if begun.elapsed() < Duration::from_secs(arguments.timeout) => {}
            "IN_PROGRESS" => {
                client.call("CancelUploadArchive", &input)?;
                let timeout = arguments.timeout;
                return Err(format!(
                    "the upload took more than {timeout} seconds and was cancelled; give it more with --timeout"
                ));
            }
            "FAILED" => return Err(format!("the upload failed: {}", text(&status["statusMessage"]))),
            other => return Err(format!("the upload has the status {other}: another client ended it")),
        }
        thread::sleep(wait);
        wait = (wait * 2).min(POLL_INTERVAL_MAX);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
