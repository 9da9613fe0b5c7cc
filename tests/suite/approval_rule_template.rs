//! Approval rule templates and their associations, with raw requests and the SDK.

use serde_json::{Value, json};
use tests::World;
use tests::wire::signed;

use crate::trail::recorded;

const CONTENT: &str = r#"{"Version":"2018-11-08","Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":1}]}"#;

fn repository(world: &World, name: &str) {
    world.ok("CreateRepository", &json!({ "repositoryName": name }));
}

fn template(world: &World, name: &str) -> Value {
    let input = json!({ "approvalRuleTemplateName": name, "approvalRuleTemplateContent": CONTENT });
    world.ok("CreateApprovalRuleTemplate", &input)["approvalRuleTemplate"].clone()
}

fn associate(world: &World, template: &str, repository: &str) -> Value {
    let input = json!({ "approvalRuleTemplateName": template, "repositoryName": repository });
    world.call("AssociateApprovalRuleTemplateWithRepository", &input).failure()["__type"].clone()
}

fn templates_of(world: &World, repository: &str) -> Value {
    let input = json!({ "repositoryName": repository });
    world.ok("ListAssociatedApprovalRuleTemplatesForRepository", &input)["approvalRuleTemplateNames"].clone()
}

fn repositories_of(world: &World, template: &str) -> Value {
    let input = json!({ "approvalRuleTemplateName": template });
    world.ok("ListRepositoriesForApprovalRuleTemplate", &input)["repositoryNames"].clone()
}

#[test]
fn the_sdk_creates_changes_and_deletes_a_template() {
    let world = World::new();
    let mary = world.sdk();
    let create = mary.create_approval_rule_template().approval_rule_template_name("Two eyes");
    let create = create.approval_rule_template_content(CONTENT).approval_rule_template_description("Somebody looks.");
    let created =
        world.run(create.send()).expect("the name is free").approval_rule_template.expect("the output has the member");
    assert_eq!(created.creation_date(), created.last_modified_date());
    assert_eq!(created.last_modified_user(), Some("arn:aws:iam::111122223333:user/Mary_Major"));
    assert_eq!(created.approval_rule_template_description(), Some("Somebody looks."));

    let li = world.sdk_as("Li_Juan", "us-east-1");
    let rename = li.update_approval_rule_template_name().old_approval_rule_template_name("Two eyes");
    let renamed = world.run(rename.new_approval_rule_template_name("Four eyes").send()).expect("the name is free");
    let renamed = renamed.approval_rule_template.expect("the output has the member");
    assert_eq!(renamed.approval_rule_template_id(), created.approval_rule_template_id());
    assert_eq!(renamed.approval_rule_template_name(), Some("Four eyes"));
    assert_eq!(renamed.last_modified_user(), Some("arn:aws:iam::111122223333:user/Li_Juan"));
    assert_eq!(renamed.creation_date(), created.creation_date());
    assert!(renamed.last_modified_date() > created.last_modified_date());

    let content = CONTENT.replace(":1", ":2");
    let update = li.update_approval_rule_template_content().approval_rule_template_name("Four eyes");
    let update = update.set_existing_rule_content_sha256(created.rule_content_sha256.clone());
    let update = update.new_rule_content(&content);
    let updated = world.run(update.clone().send()).expect("the hash is right").approval_rule_template;
    assert_eq!(updated.expect("the output has the member").approval_rule_template_content(), Some(content.as_str()));
    let again = world.run(update.send()).expect_err("the content is another now").into_service_error();
    assert!(again.is_invalid_rule_content_sha256_exception());

    let describe = li.update_approval_rule_template_description().approval_rule_template_name("Four eyes");
    let described =
        world.run(describe.approval_rule_template_description("").send()).expect("a description may be empty");
    assert_eq!(
        described.approval_rule_template.expect("the output has the member").approval_rule_template_description(),
        None
    );

    let get = |name: &str| mary.get_approval_rule_template().approval_rule_template_name(name).send();
    let got = world
        .run(get("Four eyes"))
        .expect("the element exists")
        .approval_rule_template
        .expect("the output has the member");
    assert_eq!(got.approval_rule_template_content(), Some(content.as_str()));
    let missing = world.run(get("Two eyes")).expect_err("the resource was renamed").into_service_error();
    assert!(missing.is_approval_rule_template_does_not_exist_exception());

    let delete = || mary.delete_approval_rule_template().approval_rule_template_name("Four eyes").send();
    let deleted = world.run(delete()).expect("nothing uses it");
    assert_eq!(Some(deleted.approval_rule_template_id()), created.approval_rule_template_id());
    let again = world.run(delete()).expect("that it is gone is no failure");
    assert_eq!(again.approval_rule_template_id(), "");
}

#[test]
fn associations_are_listed_from_both_ends() {
    let world = World::new();
    for name in ["MyDemoRepo", "MyOtherRepo"] {
        repository(&world, name);
    }
    for name in ["Two eyes", "Four eyes", "Unused"] {
        template(&world, name);
    }
    for (template, repository) in [
        ("Two eyes", "MyOtherRepo"),
        ("Two eyes", "MyDemoRepo"),
        ("Four eyes", "MyDemoRepo"),
        ("Two eyes", "MyDemoRepo"),
    ] {
        assert_eq!(associate(&world, template, repository), Value::Null);
    }
    assert_eq!(templates_of(&world, "MyDemoRepo"), json!(["Four eyes", "Two eyes"]));
    assert_eq!(templates_of(&world, "MyOtherRepo"), json!(["Two eyes"]));
    assert_eq!(repositories_of(&world, "Two eyes"), json!(["MyDemoRepo", "MyOtherRepo"]));
    assert_eq!(repositories_of(&world, "Unused"), json!([]));

    // Associations follow renamed templates and repositories.
    world.ok("UpdateRepositoryName", &json!({ "oldName": "MyDemoRepo", "newName": "Renamed" }));
    let rename = json!({ "oldApprovalRuleTemplateName": "Two eyes", "newApprovalRuleTemplateName": "One person" });
    world.ok("UpdateApprovalRuleTemplateName", &rename);
    assert_eq!(templates_of(&world, "Renamed"), json!(["Four eyes", "One person"]));
    assert_eq!(repositories_of(&world, "One person"), json!(["MyOtherRepo", "Renamed"]));
}

#[test]
fn a_template_is_kept_while_a_repository_is_associated() {
    let world = World::new();
    template(&world, "Two eyes");
    for name in ["MyDemoRepo", "MyOtherRepo"] {
        repository(&world, name);
        associate(&world, "Two eyes", name);
    }
    let delete = || {
        let input = json!({ "approvalRuleTemplateName": "Two eyes" });
        world.call("DeleteApprovalRuleTemplate", &input).failure()["__type"].clone()
    };
    assert_eq!(delete(), "ApprovalRuleTemplateInUseException");
    let other = json!({ "approvalRuleTemplateName": "Two eyes", "repositoryName": "MyOtherRepo" });
    world.ok("DisassociateApprovalRuleTemplateFromRepository", &other);
    world.ok("DisassociateApprovalRuleTemplateFromRepository", &other);
    assert_eq!(delete(), "ApprovalRuleTemplateInUseException");
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(repositories_of(&world, "Two eyes"), json!([]));
    assert_eq!(delete(), Value::Null);
    assert_eq!(world.ok("ListApprovalRuleTemplates", &json!({})), json!({ "approvalRuleTemplateNames": [] }));
}

#[test]
fn a_batch_applies_valid_items_and_reports_the_others() {
    let world = World::new();
    template(&world, "Two eyes");
    repository(&world, "MyDemoRepo");
    repository(&world, "MyOtherRepo");
    let names = json!(["MyOtherRepo", "Missing", "no/name", "MyDemoRepo", "MyOtherRepo", ""]);
    let input = json!({ "approvalRuleTemplateName": "Two eyes", "repositoryNames": names });
    let returned = |reply: &Value| {
        let errors = reply["errors"].as_array().expect("the value is a list").iter();
        errors.map(|error| (error["repositoryName"].clone(), error["errorCode"].clone())).collect::<Vec<_>>()
    };
    let refused = [
        (json!("Missing"), json!("RepositoryDoesNotExistException")),
        (json!("no/name"), json!("InvalidRepositoryNameException")),
        (json!(""), json!("InvalidRepositoryNameException")),
    ];
    let associated = world.ok("BatchAssociateApprovalRuleTemplateWithRepositories", &input);
    assert_eq!(associated["associatedRepositoryNames"], json!(["MyOtherRepo", "MyDemoRepo"]));
    assert_eq!(returned(&associated), refused);
    assert_eq!(repositories_of(&world, "Two eyes"), json!(["MyDemoRepo", "MyOtherRepo"]));
    let disassociated = world.ok("BatchDisassociateApprovalRuleTemplateFromRepositories", &input);
    assert_eq!(disassociated["disassociatedRepositoryNames"], json!(["MyOtherRepo", "MyDemoRepo"]));
    assert_eq!(returned(&disassociated), refused);
    assert_eq!(repositories_of(&world, "Two eyes"), json!([]));
}

#[test]
fn a_repository_has_twenty_five_templates_at_most() {
    let world = World::new();
    repository(&world, "MyDemoRepo");
    for number in 0..26 {
        template(&world, &format!("Template {number:02}"));
    }
    for number in 0..25 {
        assert_eq!(associate(&world, &format!("Template {number:02}"), "MyDemoRepo"), Value::Null);
    }
    let limit = "MaximumRuleTemplatesAssociatedWithRepositoryException";
    assert_eq!(associate(&world, "Template 25", "MyDemoRepo"), limit);
    assert_eq!(associate(&world, "Template 24", "MyDemoRepo"), Value::Null);
    let batch = json!({ "approvalRuleTemplateName": "Template 25", "repositoryNames": ["MyDemoRepo"] });
    let batch = world.ok("BatchAssociateApprovalRuleTemplateWithRepositories", &batch);
    assert_eq!(batch["errors"][0]["errorCode"], limit);
    assert_eq!(templates_of(&world, "MyDemoRepo").as_array().map(Vec::len), Some(25));
}

#[test]
fn templates_belong_to_their_account_and_region() {
    let world = World::new();
    template(&world, "Two eyes");
    let other_region = [("authorization", signed("AKIAIOSFODNN7EXAMPLE", "us-east-2"))];
    let other_region = other_region.each_ref().map(|(name, value)| (*name, value.as_str()));
    let named = json!({ "approvalRuleTemplateName": "Two eyes" });
    let missing = world.call_as("GetApprovalRuleTemplate", &named, &other_region);
    assert_eq!(missing.json()["__type"], "ApprovalRuleTemplateDoesNotExistException");
    let created = json!({ "approvalRuleTemplateName": "Two eyes", "approvalRuleTemplateContent": CONTENT });
    assert_eq!(world.call_as("CreateApprovalRuleTemplate", &created, &other_region).status, 200);
    let listed = world.call_as("ListApprovalRuleTemplates", &json!({}), &other_region);
    assert_eq!(listed.json(), json!({ "approvalRuleTemplateNames": ["Two eyes"] }));
}

#[test]
fn listings_are_paged() {
    let world = World::new();
    repository(&world, "MyDemoRepo");
    for number in 0..5 {
        template(&world, &format!("Template {number}"));
        associate(&world, &format!("Template {number}"), "MyDemoRepo");
        repository(&world, &format!("Repository{number}"));
        associate(&world, "Template 0", &format!("Repository{number}"));
    }
    let templates = json!(["Template 0", "Template 1", "Template 2", "Template 3", "Template 4"]);
    let repositories = json!(["MyDemoRepo", "Repository0", "Repository1", "Repository2", "Repository3", "Repository4"]);
    for (operation, input, list, expected) in [
        ("ListApprovalRuleTemplates", json!({}), "approvalRuleTemplateNames", &templates),
        (
            "ListAssociatedApprovalRuleTemplatesForRepository",
            json!({ "repositoryName": "MyDemoRepo" }),
            "approvalRuleTemplateNames",
            &templates,
        ),
        (
            "ListRepositoriesForApprovalRuleTemplate",
            json!({ "approvalRuleTemplateName": "Template 0" }),
            "repositoryNames",
            &repositories,
        ),
    ] {
        let (mut input, mut found, mut pages) = (input, Vec::new(), 0);
        input["maxResults"] = json!(2);
        loop {
            let page = world.ok(operation, &input);
            let items = page[list].as_array().expect("the value is a list").clone();
            assert!((1..=2).contains(&items.len()), "{operation}");
            found.extend(items);
            pages += 1;
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!((json!(found), pages), (expected.clone(), 3), "{operation}");
    }
}

#[test]
fn templates_and_associations_are_there_after_a_restart() {
    let mut world = World::new();
    repository(&world, "MyDemoRepo");
    let created = template(&world, "Two eyes");
    associate(&world, "Two eyes", "MyDemoRepo");
    world.restart();
    let got = world.ok("GetApprovalRuleTemplate", &json!({ "approvalRuleTemplateName": "Two eyes" }));
    assert_eq!(got["approvalRuleTemplate"], created);
    assert_eq!(templates_of(&world, "MyDemoRepo"), json!(["Two eyes"]));
}

#[test]
fn a_reset_deletes_templates() {
    let world = World::with(|settings| settings.allow_reset = true);
    repository(&world, "MyDemoRepo");
    template(&world, "Two eyes");
    associate(&world, "Two eyes", "MyDemoRepo");
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(world.ok("ListApprovalRuleTemplates", &json!({})), json!({ "approvalRuleTemplateNames": [] }));
}

#[test]
fn the_record_of_a_new_template_has_it_with_the_trail_s_dates() {
    let world = World::new();
    let input = json!({ "approvalRuleTemplateName": "Two eyes", "approvalRuleTemplateContent": CONTENT });
    let (reply, record) = recorded(&world, "CreateApprovalRuleTemplate", &input);
    assert_eq!((&record["readOnly"], &record["requestParameters"]), (&json!(false), &input));
    let mut expected = reply.json()["approvalRuleTemplate"].clone();
    for date in ["creationDate", "lastModifiedDate"] {
        expected[date] = json!("Dec 14, 2016 6:19:14 PM");
    }
    assert_eq!(record["responseElements"], json!({ "approvalRuleTemplate": expected }));
    assert_eq!(record.get("resources"), None);
}

#[test]
fn the_record_of_an_association_concerns_the_repository() {
    let world = World::new();
    repository(&world, "MyDemoRepo");
    template(&world, "Two eyes");
    let input = json!({ "approvalRuleTemplateName": "Two eyes", "repositoryName": "MyDemoRepo" });
    let (_, record) = recorded(&world, "AssociateApprovalRuleTemplateWithRepository", &input);
    assert_eq!((&record["requestParameters"], &record["responseElements"]), (&input, &Value::Null));
    let arn = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
    assert_eq!(record["resources"][0]["ARN"], arn);
    let listed = json!({ "repositoryName": "MyDemoRepo" });
    let (_, record) = recorded(&world, "ListAssociatedApprovalRuleTemplatesForRepository", &listed);
    assert_eq!((&record["readOnly"], &record["responseElements"]), (&json!(true), &Value::Null));
    assert_eq!(record["resources"][0]["ARN"], arn);
}
