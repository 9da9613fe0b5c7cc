//! Archives of a commit: the server writes a ZIP file of its files to a bucket, as it does for CodePipeline.

use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::frame::{Frame, Section};
use crate::visit::{Page, Visit};
use crate::{reply, text, url};

/// The bucket that the form proposes.
const BUCKET: &str = "archives";

#[derive(Template)]
#[template(path = "archive.html")]
struct ArchivePage<'p> {
    frame: Frame,
    repository: &'p str,
    commit: &'p str,
    bucket: String,
    key: String,
    upload: Option<UploadReply>,
}

impl ArchivePage<'_> {
    /// Returns the URL of the object in the bucket, which the same server serves.
    fn object(&self) -> String {
        let key: Vec<String> = self.key.split('/').map(url::escape).collect();
        format!("/{}/{}", url::escape(&self.bucket), key.join("/"))
    }

    fn commit_url(&self) -> String {
        url::repository_with(self.repository, "commit", &[("id", self.commit)])
    }
}

/// An upload, as `GetUploadArchiveStatus` has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadReply {
    upload_id: String,
    status: String,
    #[serde(default)]
    status_message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartedReply {
    upload_id: String,
}

/// Shows the form for an archive of the commit `id`, or the state of an upload by `GetUploadArchiveStatus`.
pub(crate) fn show(visit: &Visit<'_>, repository: &str) -> Page {
    let query = &visit.query;
    let commit = query.get("id");
    let upload = query.optional("upload").map(|id| {
        let input = json!({ "repositoryName": repository, "uploadId": id });
        visit.run::<UploadReply>("GetUploadArchiveStatus", &input)
    });
    let upload = upload.transpose()?;
    let bucket = query.optional("bucket").unwrap_or(BUCKET).to_owned();
    let proposed = format!("{repository}-{}.zip", text::short_id(commit));
    let key = query.optional("key").map_or(proposed, str::to_owned);
    let frame = visit.frame("Archive", Section::Repositories).of_repository(repository, "commits");
    visit.page(&ArchivePage { frame, repository, commit, bucket, key, upload })
}

/// Starts an upload by `UploadArchive`, or cancels one by `CancelUploadArchive`.
pub(crate) fn save(visit: &Visit<'_>, repository: &str) -> Page {
    let form = &visit.form;
    let (commit, bucket, key) = (form.get("id"), form.get("bucket"), form.get("key"));
    let id = if form.get("action") == "cancel" {
        let input = json!({ "repositoryName": repository, "uploadId": form.get("upload") });
        let _: Value = visit.run("CancelUploadArchive", &input)?;
        form.get("upload").to_owned()
    } else {
        let input = json!({
            "repositoryName": repository, "commitId": commit, "archiveType": "ZIP", "s3Bucket": bucket, "s3Key": key,
        });
        visit.run::<StartedReply>("UploadArchive", &input)?.upload_id
    };
    let parameters = [("id", commit), ("upload", id.as_str()), ("bucket", bucket), ("key", key)];
    Ok(reply::redirect(&url::repository_with(repository, "archive", &parameters)))
}
