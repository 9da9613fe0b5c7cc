//! Approval rule templates, and the repositories that use them.

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::form::Form;
use crate::frame::{Frame, Section};
use crate::text::Time;
use crate::visit::{Page, Visit};
use crate::{reply, url};

#[derive(Template)]
#[template(path = "templates.html")]
struct TemplatesPage<'p> {
    frame: Frame,
    failure: Option<&'p Failure>,
    names: Vec<String>,
    next: Option<String>,
    /// What was typed into the form that was refused.
    form: &'p Form,
}

#[derive(Template)]
#[template(path = "template.html")]
struct TemplatePage<'p> {
    frame: Frame,
    failure: Option<&'p Failure>,
    template: RuleTemplate,
    repositories: Vec<String>,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleTemplate {
    approval_rule_template_name: String,
    #[serde(default)]
    approval_rule_template_description: String,
    approval_rule_template_content: String,
    creation_date: Time,
    last_modified_date: Time,
    #[serde(default)]
    last_modified_user: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    approval_rule_template: RuleTemplate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    approval_rule_template_names: Vec<String>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repositories {
    repository_names: Vec<String>,
    next_token: Option<String>,
}

/// Shows the templates.
pub(crate) fn list(visit: &Visit<'_>) -> Page {
    write_list(visit, None)
}

/// Creates a template.
pub(crate) fn create(visit: &Visit<'_>) -> Page {
    let form = &visit.form;
    let mut input =
        json!({ "approvalRuleTemplateName": form.get("name"), "approvalRuleTemplateContent": content(form) });
    if let Some(description) = form.optional("description") {
        input["approvalRuleTemplateDescription"] = description.into();
    }
    match visit.run::<Value>("CreateApprovalRuleTemplate", &input) {
        Ok(_) => Ok(reply::done(&page_of(form.get("name")), "The template was created.")),
        Err(failure) => write_list(visit, Some(&failure)),
    }
}

/// Shows a template; the parameter `name` names it.
pub(crate) fn show(visit: &Visit<'_>) -> Page {
    write(visit, visit.query.raw("name"), None)
}

/// Changes, associates or deletes a template, as the field `do` says.
pub(crate) fn change(visit: &Visit<'_>) -> Page {
    let (form, name) = (&visit.form, visit.query.raw("name"));
    let one = |repository: &str| json!({ "approvalRuleTemplateName": name, "repositoryName": repository });
    let result: Result<(String, &str), Failure> = match form.get("do") {
        "name" => {
            let new_name = form.get("name");
            let input = json!({ "oldApprovalRuleTemplateName": name, "newApprovalRuleTemplateName": new_name });
            let renamed = visit.run::<Value>("UpdateApprovalRuleTemplateName", &input);
            renamed.map(|_| (page_of(new_name), "The template has its new name."))
        }
        "description" => {
            let description = form.get("description");
            let input = json!({ "approvalRuleTemplateName": name, "approvalRuleTemplateDescription": description });
            let changed = visit.run::<Value>("UpdateApprovalRuleTemplateDescription", &input);
            changed.map(|_| (page_of(name), "The description was changed."))
        }
        "content" => {
            let input = json!({ "approvalRuleTemplateName": name, "newRuleContent": form.get("content") });
            let changed = visit.run::<Value>("UpdateApprovalRuleTemplateContent", &input);
            changed.map(|_| (page_of(name), "The rule was changed."))
        }
        "associate" => {
            let associated = visit.run("AssociateApprovalRuleTemplateWithRepository", &one(form.get("repository")));
            associated.map(|()| (page_of(name), "New pull requests of the repository get the rule."))
        }
        "disassociate" => {
            let removed = visit.run("DisassociateApprovalRuleTemplateFromRepository", &one(form.get("repository")));
            removed.map(|()| (page_of(name), "New pull requests of the repository do not get the rule any more."))
        }
        "delete" => {
            let input = json!({ "approvalRuleTemplateName": name });
            let deleted = visit.run::<Value>("DeleteApprovalRuleTemplate", &input);
            deleted.map(|_| (url::page("templates"), "The template was deleted."))
        }
        _ => Err(Failure::new("", "The form does not say what to do with the template.", 400)),
    };
    match result {
        Ok((location, notice)) => Ok(reply::done(&location, notice)),
        Err(failure) => write(visit, name, Some(&failure)),
    }
}

/// Returns the URL of the page of a template.
pub(crate) fn page_of(name: &str) -> String {
    url::with(&url::page("templates/template"), &[("name", name)])
}

/// Writes the rule of the fields: a number of approvals, who may approve, and the branches that the rule is for.
fn content(form: &Form) -> String {
    let words = |name: &str| -> Vec<String> { form.get(name).split_whitespace().map(str::to_owned).collect() };
    // What is no number is passed on, so that the answer is AWS's.
    let approvals = form.get("approvals");
    let approvals = approvals.parse::<i64>().map_or_else(|_| Value::from(approvals), Value::from);
    let mut statement = json!({ "Type": "Approvers", "NumberOfApprovalsNeeded": approvals });
    if !words("members").is_empty() {
        statement["ApprovalPoolMembers"] = words("members").into();
    }
    let mut content = json!({ "Version": "2018-11-08" });
    if !words("branches").is_empty() {
        let references = words("branches").iter().map(|branch| reference(branch)).collect::<Vec<_>>();
        content["DestinationReferences"] = references.into();
    }
    content["Statements"] = json!([statement]);
    content.to_string()
}

fn reference(branch: &str) -> String {
    if branch.starts_with("refs/") { branch.to_owned() } else { format!("refs/heads/{branch}") }
}

fn write_list(visit: &Visit<'_>, failure: Option<&Failure>) -> Page {
    let mut input = json!({});
    if let Some(token) = visit.query.optional("token") {
        input["nextToken"] = token.into();
    }
    let names: Names = visit.run("ListApprovalRuleTemplates", &input)?;
    let next = names.next_token.map(|token| url::with(&url::page("templates"), &[("token", &token)]));
    let frame = visit.frame("Approval rule templates", Section::Templates);
    let names = names.approval_rule_template_names;
    visit.form_page(&TemplatesPage { frame, failure, names, next, form: &visit.form }, failure)
}

fn write(visit: &Visit<'_>, name: &str, failure: Option<&Failure>) -> Page {
    let mut input = json!({ "approvalRuleTemplateName": name });
    let Found { approval_rule_template: mut template } = visit.run("GetApprovalRuleTemplate", &input)?;
    if let Some(token) = visit.query.optional("token") {
        input["nextToken"] = token.into();
    }
    let found: Repositories = visit.run("ListRepositoriesForApprovalRuleTemplate", &input)?;
    if failure.is_some() && visit.form.get("do") == "content" {
        visit.form.get("content").clone_into(&mut template.approval_rule_template_content);
    }
    let more = |token: String| url::with(&url::page("templates/template"), &[("name", name), ("token", &token)]);
    let (repositories, next) = (found.repository_names, found.next_token.map(more));
    let frame = visit.frame(name, Section::Templates);
    visit.form_page(&TemplatePage { frame, failure, template, repositories, next }, failure)
}
