//! One trail: its state and selectors, its files of a day with their validation, and the forms that change it.

use std::collections::HashMap;

use askama::Template;
use aws::{Failure, Timestamp};
use serde_json::{Value, json};
use trail::verify::Finding;
use trail::{Coverage, DigestFile, LogFile, LogFilePage};

use crate::export::{self, Format};
use crate::frame::{Frame, Section};
use crate::history;
use crate::json_tree::JsonTree;
use crate::pages::trails::{self, Status, Trail};
use crate::visit::{Page, Visit};
use crate::{reply, url};

/// Log files of a page.
const FILES: usize = 50;

const DAY: i64 = 86_400_000;

#[derive(Template)]
#[template(path = "trail.html")]
struct TrailPage {
    frame: Frame,
    trail: Trail,
    status: Result<Status, Failure>,
    selectors: Result<Value, Failure>,
    /// The day of the files, as `2026-01-31`.
    day: String,
    files: Result<LogFilePage, Failure>,
    digests: Result<Vec<DigestFile>, Failure>,
    /// The judgement of each file, by key; `None` if the reader has not asked for it.
    judgements: Option<Judgements>,
    verify: String,
    /// The next page of log files.
    next: Option<String>,
    newer: Option<String>,
    older: Option<String>,
    csv: String,
    json: String,
    form: String,
}

/// The findings of the validation of a day.
struct Judgements {
    by_key: HashMap<String, Judgement>,
    /// Findings about times and other buckets.
    remarks: Vec<String>,
    valid: usize,
    invalid: usize,
}

/// The finding about a file.
#[derive(Clone)]
struct Judgement {
    class: &'static str,
    text: String,
}

impl Judgements {
    fn of(findings: Vec<Finding>) -> Self {
        let mut judgements = Self { by_key: HashMap::new(), remarks: Vec::new(), valid: 0, invalid: 0 };
        for finding in findings {
            let (key, class, text) = match finding {
                Finding::ValidDigest(key) | Finding::ValidLogFile(key) => (key, "good", "valid".to_owned()),
                Finding::InvalidDigest(key, reason) | Finding::InvalidLogFile(key, reason) => {
                    (key, "bad", format!("INVALID: {reason}"))
                }
                Finding::Uncovered(key) => (key, "muted", "not covered by a digest yet".to_owned()),
                Finding::Elsewhere(key) => (key, "muted", "in another bucket, not validated".to_owned()),
                Finding::Gap(end, begin) => {
                    judgements
                        .remarks
                        .push(format!("A chain of digests ended at {end}, and another begins at {begin}."));
                    continue;
                }
                Finding::NotCovered(from, until) => {
                    let text = |time: Option<String>| time.unwrap_or_else(|| "an unknown time".to_owned());
                    judgements.remarks.push(format!("No valid digest covers {} to {}.", text(from), text(until)));
                    continue;
                }
            };
            judgements.valid += usize::from(class == "good");
            judgements.invalid += usize::from(class == "bad");
            judgements.by_key.insert(key, Judgement { class, text });
        }
        judgements
    }

    fn get(&self, key: &str) -> Judgement {
        self.by_key.get(key).cloned().unwrap_or_else(|| Judgement { class: "muted", text: "not validated".to_owned() })
    }
}

/// Shows a trail, given by its name or ARN.
pub(crate) fn show(visit: &Visit<'_>, name: &str) -> Page {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Got {
        trail: Trail,
    }
    let Got { trail } = visit.run("GetTrail", &json!({ "Name": name }))?;
    let status = visit.run("GetTrailStatus", &json!({ "Name": trail.arn }));
    let selectors = visit.run("GetEventSelectors", &json!({ "TrailName": trail.arn }));
    // Reads that AWS has no calls for; they leave no record.
    let call = visit.begin()?;
    let service = visit.services.trail;
    let day = history::time(visit.query.get("day"))?.unwrap_or(call.time);
    let files = service.log_files(&call, &trail.arn, day, visit.query.optional("token"), FILES);
    let digests = service.digests(&call, &trail.arn, day);
    let judgements = if visit.query.has("verify") {
        Some(Judgements::of(service.verify_day(&call, &trail.arn, day)?))
    } else {
        None
    };
    match Format::of(visit.query.get("format")) {
        Format::Page => {}
        Format::Csv => {
            let header = ["key", "bucket", "region", "delivered", "events", "sha256", "digest", "judgement"];
            let row = |file: &LogFile| row(file, judgements.as_ref());
            return Ok(export::csv("log-files", &header, files?.files.iter().map(row)));
        }
        Format::Json => {
            let file = |file: &LogFile| {
                json!({
                    "key": file.key, "bucket": file.bucket, "region": file.region, "delivered": file.delivered.map(Timestamp::iso),
                    "events": file.events, "sha256": file.hash, "digest": digest_key(file),
                    "judgement": judgements.as_ref().map(|judgements| judgements.get(&file.key).text),
                })
            };
            return Ok(export::json("log-files", &files?.files.iter().map(file).collect::<Vec<_>>().into()));
        }
    }
    let other_day = |offset: i64| {
        let day = day_of(Timestamp::from_millis(day.millis() + offset));
        visit.address(&[("day", &day), ("token", ""), ("verify", "")])
    };
    let is_today = day.millis().div_euclid(DAY) >= call.time.millis().div_euclid(DAY);
    visit.page(&TrailPage {
        frame: visit.frame(trail.name.clone(), Section::Trails),
        day: day_of(day),
        next: files.as_ref().ok().and_then(|page| page.next.as_ref()).map(|token| visit.address(&[("token", token)])),
        newer: (!is_today).then(|| other_day(DAY)),
        older: Some(other_day(-DAY)),
        verify: visit.address(&[("verify", "1")]),
        csv: visit.address(&[("format", "csv")]),
        json: visit.address(&[("format", "json")]),
        form: trail.url(),
        trail,
        status,
        selectors,
        files,
        digests,
        judgements,
    })
}

fn row(file: &LogFile, judgements: Option<&Judgements>) -> Vec<String> {
    vec![
        file.key.clone(),
        file.bucket.clone(),
        file.region.clone(),
        file.delivered.map(Timestamp::iso).unwrap_or_default(),
        file.events.map(|events| events.to_string()).unwrap_or_default(),
        file.hash.clone().unwrap_or_default(),
        digest_key(file).unwrap_or_default().to_owned(),
        judgements.map(|judgements| judgements.get(&file.key).text).unwrap_or_default(),
    ]
}

fn digest_key(file: &LogFile) -> Option<&str> {
    match &file.coverage {
        Coverage::Digest(digest) => Some(&digest.key),
        Coverage::None | Coverage::Due => None,
    }
}

fn day_of(time: Timestamp) -> String {
    time.iso().chars().take(10).collect()
}

/// Changes a trail as one of the forms of its page asks for.
pub(crate) fn change(visit: &Visit<'_>, name: &str, action: &str) -> Page {
    let input = json!({ "Name": name });
    let run = |operation: &str, input: &Value| visit.run::<Value>(operation, input);
    let here = trails::url_of(name);
    let notice = match action {
        "start" => run("StartLogging", &input).map(|_| "The trail logs.")?,
        "stop" => run("StopLogging", &input).map(|_| "The trail does not log any more.")?,
        "delete" => {
            run("DeleteTrail", &input)?;
            return Ok(reply::done(&url::page("trails"), "The trail was deleted. Its files stay in the bucket."));
        }
        _ => {
            let mut input = trails::settings(&visit.form);
            input["Name"] = name.into();
            // An empty field removes the setting.
            for (field, member) in [("prefix", "S3KeyPrefix"), ("topic", "SnsTopicName")] {
                input[member] = visit.form.get(field).into();
            }
            run("UpdateTrail", &input).map(|_| "The trail was updated.")?
        }
    };
    Ok(reply::done(&here, notice))
}
