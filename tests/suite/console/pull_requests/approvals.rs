//! Approvals and approval rules by forms.

use serde_json::{Value, json};

use super::{create_as, page_of, submitted};
use crate::console::{Browser, between, names_after};
use crate::pull_request::{create, feature, get};

fn rules(world: &tests::World) -> Value {
    get(world, &"1".into())["approvalRules"].clone()
}

#[test]
fn rules_are_created_changed_satisfied_and_deleted() {
    let (world, ..) = feature();
    create_as(&world, "Li_Juan", "feature");
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(&page_of("approvals"));
    assert_eq!(names_after(&world, recorded), ["GetPullRequest", "GetPullRequestApprovalStates"]);
    assert!(page.contains("No approval rules"), "{page}");
    let members = "CodeCommitApprovers:111122223333:Mary_Major\r\narn:aws:iam::111122223333:user/Saanvi";
    let fields = [("name", "One approval"), ("approvals", "1"), ("members", members)];
    let page = submitted(&mut browser, "approvals", "rules", &fields);
    assert!(page.contains("One approval") && page.contains("not satisfied"), "{page}");
    assert!(page.contains("user/Saanvi"), "{page}");
    let content: Value = serde_json::from_str(rules(&world)[0]["approvalRuleContent"].as_str().expect("a text"))
        .expect("the content is JSON");
    assert_eq!(content["Statements"][0]["ApprovalPoolMembers"].as_array().map(Vec::len), Some(2));
    let details = browser.page(&page_of(""));
    assert!(details.contains("approval pending") && details.contains("0 of 1 approval rules"), "{details}");
    assert!(browser.page("repositories/MyDemoRepo/pull-requests").contains("approval pending"));

    let revision = get(&world, &"1".into())["revisionId"].as_str().expect("a text").to_owned();
    let approve = |state| [("revision", revision.as_str()), ("state", state)];
    let recorded = world.events().len();
    let page = submitted(&mut browser, "approvals", "approve", &approve("APPROVE"));
    assert!(page.contains("Mary_Major</bdi></a> approved") && page.contains("Revoke approval"), "{page}");
    let names = names_after(&world, recorded);
    assert!(names.ends_with(&[
        "UpdatePullRequestApprovalState".to_owned(),
        "GetPullRequest".to_owned(),
        "GetPullRequestApprovalStates".to_owned(),
        "GetPullRequestOverrideState".to_owned(),
        "EvaluatePullRequestApprovalRules".to_owned(),
    ]));
    let page = submitted(&mut browser, "approvals", "approve", &approve("REVOKE"));
    assert!(page.contains("Nobody has approved"), "{page}");

    let form = browser.page(&page_of("rules?name=One%20approval"));
    let sha256 = between(&form, "name=\"sha256\" value=\"", "\"").to_owned();
    let fields = [("name", "One approval"), ("sha256", sha256.as_str()), ("approvals", "2"), ("members", "")];
    let page = submitted(&mut browser, "approvals", "rules/edit", &fields);
    assert!(page.contains("class=\"amount\">2</td>") && page.contains(">everyone</td>"), "{page}");
    let stale = browser.submit(&page_of("approvals"), &page_of("rules/edit"), &fields);
    assert_eq!(stale.status, 400);
    assert!(stale.text().contains("InvalidRuleContentSha256Exception"), "{}", stale.text());

    let page = submitted(&mut browser, "approvals", "rules/delete", &[("name", "One approval")]);
    assert!(page.contains("No approval rules"), "{page}");
    assert_eq!(rules(&world), json!([]));
}

#[test]
fn rules_are_overridden_and_a_merge_without_approval_is_refused() {
    let (world, main, feature) = feature();
    create(&world, "feature");
    let mut browser = Browser::signed_in(&world);
    submitted(&mut browser, "approvals", "rules", &[("name", "Two"), ("approvals", "2"), ("members", "")]);
    let page = browser.page(&page_of("approvals"));
    assert!(page.contains("you cannot approve it") && !page.contains("value=\"APPROVE\""), "{page}");
    let merge = [("strategy", "fast-forward"), ("source-commit", &feature), ("destination-commit", &main)];
    let refused = browser.submit(&page_of("merge"), &page_of("merge"), &merge);
    assert!(refused.text().contains("PullRequestApprovalRulesNotSatisfiedException"), "{}", refused.text());
    let revision = get(&world, &"1".into())["revisionId"].as_str().expect("a text").to_owned();
    let approved = [("revision", revision.as_str()), ("state", "APPROVE")];
    let own = browser.submit(&page_of("approvals"), &page_of("approve"), &approved);
    assert!(own.text().contains("PullRequestCannotBeApprovedByAuthorException"), "{}", own.text());
    let fields = [("revision", revision.as_str()), ("status", "OVERRIDE")];
    let page = submitted(&mut browser, "approvals", "override", &fields);
    assert!(page.contains("Overridden by") && page.contains("Revoke override"), "{page}");
    assert!(submitted(&mut browser, "merge", "merge", &merge).contains("badge merged"));
}

#[test]
fn a_rule_that_aws_refuses_keeps_what_was_typed() {
    let (world, ..) = feature();
    create(&world, "feature");
    let mut browser = Browser::signed_in(&world);
    let fields = [("name", "Zero"), ("approvals", "0"), ("members", "nobody\r\n\"<b>")];
    let refused = browser.submit(&page_of("approvals"), &page_of("rules"), &fields);
    assert_eq!(refused.status, 400);
    let text = refused.text();
    assert!(text.contains("InvalidApprovalRuleContentException") && text.contains("value=\"Zero\""), "{text}");
    assert!(text.contains("nobody\n&#34;&#60;b&#62;</textarea>"), "{text}");
}
