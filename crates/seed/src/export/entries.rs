//! Converts rows of the database to entries of `seed.toml`.

use std::collections::HashMap;

use aws::{AccountId, Region, Timestamp};
use codecommit::export::{ExportedComment, ExportedPullRequest, ExportedRepository, ExportedTemplate};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;
use trail::export::ExportedTrail;

use crate::Location;
use crate::document::{
    ApprovalRuleEntry, CommentEntry, Date, FileVersion, MergeOption, PullRequestEntry, ReplyEntry, RepositoryEntry,
    Status, TemplateEntry, TrailEntry, TriggerEntry,
};

/// Returns the account and region of an entry, unless they are the default.
fn location(account: &str, region: &str, default: &Location) -> (Option<AccountId>, Option<Region>) {
    let account = account.parse().ok().filter(|account| *account != default.account);
    (account, region.parse().ok().filter(|region| *region != default.region))
}

fn date(millis: i64) -> Date {
    Date(Timestamp::from_millis(millis))
}

fn name(name: &str) -> Spanned<String> {
    Spanned::new(0..0, name.to_owned())
}

/// Returns the short name of a branch.
fn branch(name: &git::BString) -> String {
    let name = name.to_string();
    name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned()
}

/// A trigger as it is stored.
#[derive(Deserialize)]
struct StoredTrigger {
    name: String,
    destination: String,
    custom_data: Option<String>,
    branches: Vec<String>,
    events: Vec<String>,
}

pub(super) fn repository(row: &ExportedRepository, default: &Location) -> RepositoryEntry {
    let (account, region) = location(&row.account, &row.region, default);
    let stored: Vec<StoredTrigger> =
        row.triggers.as_deref().and_then(|triggers| serde_json::from_str(triggers).ok()).unwrap_or_default();
    let triggers = stored.into_iter().map(|trigger| TriggerEntry {
        name: trigger.name,
        destination: trigger.destination,
        events: trigger.events,
        branches: trigger.branches,
        custom_data: trigger.custom_data,
    });
    RepositoryEntry {
        name: name(&row.name),
        account,
        region,
        description: row.description.clone(),
        default_branch: None,
        encryption_key: Some(row.kms_key_id.clone()).filter(|key| !key.ends_with(":alias/aws/codecommit")),
        tags: row.tags.iter().cloned().collect(),
        triggers: triggers.collect(),
        created: Some(date(row.created)),
        author: None,
    }
}

pub(super) fn pull_request(row: &ExportedPullRequest, default: &Location) -> PullRequestEntry {
    let (account, region) = location(&row.account, &row.region, default);
    let merge = row.end.as_ref().and_then(|end| end.merge.as_ref());
    let merge_option = merge.and_then(|(_, option)| match option.as_deref() {
        Some("FAST_FORWARD_MERGE") => Some(MergeOption::FastForward),
        Some("SQUASH_MERGE") => Some(MergeOption::Squash),
        Some("THREE_WAY_MERGE") => Some(MergeOption::ThreeWay),
        _ => None,
    });
    let is_past = row.end.is_some();
    let rule = |(name, content): &(String, String)| ApprovalRuleEntry { name: name.clone(), content: content.clone() };
    PullRequestEntry {
        repository: name(&row.repository),
        account,
        region,
        source: branch(&row.source),
        destination: Some(branch(&row.destination)),
        title: row.title.clone(),
        description: row.description.clone(),
        author: Some(row.author.clone()),
        created: Some(date(row.created)),
        status: match (is_past, merge) {
            (false, _) => Status::Open,
            (true, None) => Status::Closed,
            (true, Some(_)) => Status::Merged,
        },
        ended: row.end.as_ref().map(|end| date(end.time)),
        ended_by: row.end.as_ref().map(|end| end.by.clone()),
        merge_option,
        source_commit: is_past.then_some(row.source_commit),
        destination_commit: is_past.then_some(row.destination_commit),
        merge_commit: merge.map(|(commit, _)| *commit),
        approval_rules: row.rules.iter().map(rule).collect(),
        approvals: row.approvals.clone(),
        overridden_by: row.overridden_by.clone(),
        comments: comments(row),
    }
}

/// Returns the comments, each with its replies.
fn comments(row: &ExportedPullRequest) -> Vec<CommentEntry> {
    let mut replies: HashMap<&str, Vec<&ExportedComment>> = HashMap::new();
    for comment in &row.comments {
        if let Some(id) = &comment.in_reply_to {
            replies.entry(id).or_default().push(comment);
        }
    }
    let first = row.comments.iter().filter(|comment| comment.in_reply_to.is_none());
    first
        .map(|comment| CommentEntry {
            author: Some(comment.author.clone()),
            content: comment.content.clone(),
            created: Some(date(comment.created)),
            file: comment.path.clone(),
            line: comment.line.and_then(|line| u32::try_from(line).ok()),
            version: if comment.version == "BEFORE" { FileVersion::Before } else { FileVersion::After },
            before_commit: Some(comment.before_commit).filter(|commit| *commit != row.destination_commit),
            after_commit: Some(comment.after_commit).filter(|commit| *commit != row.source_commit),
            replies: replies_to(&comment.id, &replies),
        })
        .collect()
}

fn replies_to(id: &str, all: &HashMap<&str, Vec<&ExportedComment>>) -> Vec<ReplyEntry> {
    let replies = all.get(id).map_or(&[][..], Vec::as_slice);
    let reply = |comment: &&ExportedComment| ReplyEntry {
        author: Some(comment.author.clone()),
        content: comment.content.clone(),
        created: Some(date(comment.created)),
        replies: replies_to(&comment.id, all),
    };
    replies.iter().map(reply).collect()
}

pub(super) fn template(row: ExportedTemplate, default: &Location) -> TemplateEntry {
    let (account, region) = location(&row.account, &row.region, default);
    TemplateEntry {
        name: name(&row.name),
        account,
        region,
        description: row.description,
        content: row.content,
        repositories: row.repositories,
        author: Some(row.author),
        created: Some(date(row.created)),
    }
}

pub(super) fn trail(row: ExportedTrail, default: &Location) -> TrailEntry {
    let (account, region) = location(&row.account, &row.region, default);
    let selectors: Value = serde_json::from_str(&row.selectors).unwrap_or_default();
    let selected = |kind: &str| selectors.get(kind).map(Value::to_string);
    TrailEntry {
        name: name(&row.name),
        account,
        region,
        bucket: row.bucket,
        prefix: row.prefix,
        topic: row.topic,
        multi_region: row.multi_region,
        global_service_events: Some(row.global_events),
        validation: row.validation,
        logging: Some(row.logging),
        event_selectors: selected("Basic"),
        advanced_event_selectors: selected("Advanced"),
        tags: row.tags.into_iter().collect(),
        author: None,
        created: Some(date(row.created)),
    }
}
