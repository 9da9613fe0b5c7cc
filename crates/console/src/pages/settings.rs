//! The settings of a repository: name, description, default branch, encryption key, tags and deletion.

use std::collections::BTreeMap;

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::frame::{Frame, Section};
use crate::text::Time;
use crate::visit::{Page, Visit};
use crate::{reply, url};

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage<'p> {
    frame: Frame,
    failure: Option<&'p Failure>,
    repository: Metadata,
    branches: Vec<String>,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    repository_name: String,
    repository_id: String,
    account_id: String,
    #[serde(default)]
    repository_description: String,
    #[serde(default)]
    default_branch: String,
    #[serde(rename = "Arn")]
    arn: String,
    kms_key_id: String,
    creation_date: Time,
    last_modified_date: Time,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundRepository {
    repository_metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Branches {
    branches: Vec<String>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Tags {
    tags: BTreeMap<String, String>,
}

/// Shows the settings.
pub(crate) fn show(visit: &Visit<'_>, name: &str) -> Page {
    write(visit, name, None)
}

/// Changes one setting, which the field `do` names.
pub(crate) fn change(visit: &Visit<'_>, name: &str) -> Page {
    let (form, settings) = (&visit.form, url::repository(name, "settings"));
    let input = |members: Value| {
        let mut input = json!({ "repositoryName": name });
        input.as_object_mut().expect("the value is an object").extend(members.as_object().cloned().unwrap_or_default());
        input
    };
    let changed: Result<(String, &str), Failure> = match form.get("do") {
        "name" => {
            let new_name = form.get("name");
            visit
                .run("UpdateRepositoryName", &json!({ "oldName": name, "newName": new_name }))
                .map(|()| (url::repository(new_name, "settings"), "The repository has its new name."))
        }
        "description" => visit
            .run("UpdateRepositoryDescription", &input(json!({ "repositoryDescription": form.get("description") })))
            .map(|()| (settings, "The description was changed.")),
        "default-branch" => visit
            .run("UpdateDefaultBranch", &input(json!({ "defaultBranchName": form.get("branch") })))
            .map(|()| (settings, "The default branch was changed.")),
        "key" => visit
            .run("UpdateRepositoryEncryptionKey", &input(json!({ "kmsKeyId": form.get("key") })))
            .map(|_: Value| (settings, "The encryption key was changed.")),
        "tag" => visit
            .run(
                "TagResource",
                &json!({ "resourceArn": form.get("arn"), "tags": { form.get("tag"): form.get("value") } }),
            )
            .map(|()| (settings, "The tag was set.")),
        "untag" => visit
            .run("UntagResource", &json!({ "resourceArn": form.get("arn"), "tagKeys": [form.raw("tag")] }))
            .map(|()| (settings, "The tag was removed.")),
        "delete" if form.get("name") == name => visit
            .run("DeleteRepository", &input(json!({})))
            .map(|_: Value| (url::page("repositories"), "The repository was deleted.")),
        "delete" => Err(Failure::new("", "Type the name of the repository to delete it. Nothing was deleted.", 400)),
        _ => Err(Failure::new("", "The form does not name a setting.", 400)),
    };
    match changed {
        Ok((location, notice)) => Ok(reply::done(&location, notice)),
        Err(failure) => write(visit, name, Some(&failure)),
    }
}

fn write(visit: &Visit<'_>, name: &str, failure: Option<&Failure>) -> Page {
    let found: FoundRepository = visit.run("GetRepository", &json!({ "repositoryName": name }))?;
    let repository = found.repository_metadata;
    let branches = branches(visit, name)?;
    let Tags { tags } = visit.run("ListTagsForResource", &json!({ "resourceArn": repository.arn }))?;
    let frame = visit.frame(format!("Settings of {name}"), Section::Repositories).of_repository(name, "settings");
    visit.form_page(&SettingsPage { frame, failure, repository, branches, tags }, failure)
}

fn branches(visit: &Visit<'_>, name: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut input = json!({ "repositoryName": name });
    loop {
        let list: Branches = visit.run("ListBranches", &input)?;
        names.extend(list.branches);
        let Some(token) = list.next_token else { return Ok(names) };
        input["nextToken"] = token.into();
    }
}
