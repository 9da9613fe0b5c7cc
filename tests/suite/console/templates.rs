//! Approval rule templates.

use serde_json::json;
use tests::World;

use super::Browser;

const PAGE: &str = "templates/template?name=Two%20eyes";

#[test]
fn a_template_is_created_associated_changed_and_deleted() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut browser = Browser::signed_in(&world);
    assert!(browser.page("templates").contains("There are no templates."));
    let fields = [("name", "Two eyes"), ("description", "At least one."), ("approvals", "1"), ("branches", "main")];
    let created = browser.submit("templates", "templates", &fields);
    assert_eq!(created.header("location"), Some("/_console/templates/template?name=Two%20eyes"));
    let name = json!({ "approvalRuleTemplateName": "Two eyes" });
    let template = world.ok("GetApprovalRuleTemplate", &name)["approvalRuleTemplate"].clone();
    assert_eq!(
        template["approvalRuleTemplateContent"],
        r#"{"Version":"2018-11-08","DestinationReferences":["refs/heads/main"],"Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":1}]}"#
    );
    assert_eq!(browser.submit(PAGE, PAGE, &[("do", "associate"), ("repository", "MyDemoRepo")]).status, 303);
    assert!(browser.page(PAGE).contains("/_console/repositories/MyDemoRepo/code"));
    assert_eq!(browser.submit(PAGE, PAGE, &[("do", "disassociate"), ("repository", "MyDemoRepo")]).status, 303);
    assert!(browser.page(PAGE).contains("No repository uses the template."));
    assert_eq!(browser.submit(PAGE, PAGE, &[("do", "description"), ("description", "Four eyes.")]).status, 303);
    assert!(browser.page(PAGE).contains("Four eyes."));
    let refused = browser.submit(PAGE, PAGE, &[("do", "content"), ("content", "{ typed")]);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("{ typed</textarea>"), "{}", refused.text());
    let renamed = browser.submit(PAGE, PAGE, &[("do", "name"), ("name", "Renamed")]);
    assert_eq!(renamed.header("location"), Some("/_console/templates/template?name=Renamed"));
    let page = "templates/template?name=Renamed";
    assert_eq!(browser.submit(page, page, &[("do", "delete")]).header("location"), Some("/_console/templates"));
    assert_eq!(browser.get(page).status, 404);
}
