//! Listings of several pages.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};
use tests::World;
use tests::wire::signed;

/// Number of repositories: more than a page, and a prime, so that steps of any length reach every name.
const COUNT: usize = 1_009;

/// Creates the repositories in an order other than that of their names, and returns the names in the order of creation.
fn many_repositories() -> (World, Vec<String>) {
    let world = World::with(|settings| settings.codecommit.repositories_max = 2_000);
    let names: Vec<String> = (0..COUNT).map(|number| format!("Repo{:04}", number * 400 % COUNT)).collect();
    for name in &names {
        world.ok("CreateRepository", &json!({ "repositoryName": name }));
    }
    (world, names)
}

fn pages(world: &World, operation: &str, input: &Value, list: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut input = input.clone();
    loop {
        let page = world.ok(operation, &input);
        pages.push(page[list].as_array().expect("the value is a list").clone());
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => return pages,
        }
    }
}

#[test]
fn all_repositories_are_listed_once_in_each_of_the_four_orders() {
    let (world, by_date) = many_repositories();
    let mut by_name = by_date.clone();
    by_name.sort();
    for (sort_by, ascending) in [("repositoryName", by_name), ("lastModifiedDate", by_date)] {
        let descending: Vec<_> = ascending.iter().rev().cloned().collect();
        for (order, expected) in [("ascending", ascending), ("descending", descending)] {
            let input = json!({ "sortBy": sort_by, "order": order });
            let pages = pages(&world, "ListRepositories", &input, "repositories");
            assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, COUNT - 1_000]);
            let listed: Vec<_> = pages.iter().flatten().map(|pair| pair["repositoryName"].clone()).collect();
            assert_eq!(listed, expected, "{sort_by} {order}");
            let ids: BTreeSet<_> = pages.iter().flatten().map(|pair| pair["repositoryId"].to_string()).collect();
            assert_eq!(ids.len(), COUNT);
        }
    }
    let mut paginator = world.sdk().list_repositories().into_paginator().items().send();
    let counted = world.run(async {
        let mut counted = 0;
        while let Some(item) = paginator.next().await {
            item.expect("each page comes");
            counted += 1;
        }
        counted
    });
    assert_eq!(counted, COUNT);

    // A token continues after the last entry of a page, even if that entry was deleted.
    let first = world.ok("ListRepositories", &json!({}));
    let last = &first["repositories"][999]["repositoryName"];
    world.ok("DeleteRepository", &json!({ "repositoryName": last }));
    let second = world.ok("ListRepositories", &json!({ "nextToken": first["nextToken"] }));
    assert_eq!(second["repositories"].as_array().map(Vec::len), Some(COUNT - 1_000));

    // A token is invalid for other listings.
    let refused = |input: &Value, region: &str| {
        let signature = signed("AKIAIOSFODNN7EXAMPLE", region);
        let reply = world.call_as("ListRepositories", input, &[("authorization", &signature)]);
        assert_eq!(reply.json()["__type"], "InvalidContinuationTokenException", "{input}");
    };
    let token = &first["nextToken"];
    refused(&json!({ "nextToken": token, "order": "descending" }), "us-east-1");
    refused(&json!({ "nextToken": token, "sortBy": "lastModifiedDate" }), "us-east-1");
    refused(&json!({ "nextToken": token }), "us-east-2");
    for bad in ["", "x", "AAAA", "AAAAAAAAAAA=", "////////////", "\u{e9}"] {
        refused(&json!({ "nextToken": bad }), "us-east-1");
    }
    let text = token.as_str().expect("the member is a string");
    refused(&json!({ "nextToken": &text[..text.len() / 2] }), "us-east-1");
    let branches = world.call("ListBranches", &json!({ "repositoryName": "Repo0001", "nextToken": token }));
    assert_eq!(branches.json()["__type"], "InvalidContinuationTokenException");
}

#[test]
fn exactly_a_page_of_repositories_has_no_token() {
    let world = World::new();
    for number in 0..1_000 {
        world.ok("CreateRepository", &json!({ "repositoryName": format!("Repo{number:04}") }));
    }
    let page = world.ok("ListRepositories", &json!({}));
    assert_eq!(page["repositories"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(page.get("nextToken"), None);
    let one_more = world.call("CreateRepository", &json!({ "repositoryName": "OneMore" }));
    assert_eq!(one_more.json()["__type"], "RepositoryLimitExceededException");
}

#[test]
fn all_branches_are_listed_once_in_alphabetical_order() {
    let world = World::new();
    let commit_id = world.git_repository("work");
    let mut names: Vec<String> = (1..COUNT).map(|number| format!("feature/{number:04}")).collect();
    names.push("main".to_owned());
    let packed = names[..COUNT - 1].iter().fold(
        "# pack-refs with: peeled fully-peeled sorted \n".to_owned(),
        |mut text, name| {
            writeln!(text, "{commit_id} refs/heads/{name}").expect("writing to memory never fails");
            text
        },
    );
    std::fs::write(world.folder().join("work/.git/packed-refs"), packed).expect("the folder is writable");
    for name in ["MyDemoRepo", "MySecondRepo"] {
        world.ok("CreateRepository", &json!({ "repositoryName": name }));
        world.git("work", &["push", "--quiet", "--all", &world.repository_url(name)]).ok();
    }
    // A tag is not a branch.
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "HEAD:refs/tags/aaa"]).ok();

    let input = json!({ "repositoryName": "MyDemoRepo" });
    let pages = pages(&world, "ListBranches", &input, "branches");
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, COUNT - 1_000]);
    assert_eq!(pages.concat(), names);

    let token = &world.ok("ListBranches", &input)["nextToken"];
    for (operation, input) in [
        ("ListBranches", json!({ "repositoryName": "MySecondRepo", "nextToken": token })),
        ("ListBranches", json!({ "repositoryName": "MyDemoRepo", "nextToken": "x" })),
        ("ListBranches", json!({ "repositoryName": "MyDemoRepo", "nextToken": "" })),
        ("ListRepositories", json!({ "nextToken": token })),
    ] {
        let reply = world.call(operation, &input);
        assert_eq!(reply.json()["__type"], "InvalidContinuationTokenException", "{operation} {input}");
    }
    // A token stays valid after the rename.
    world.ok("UpdateRepositoryName", &json!({ "oldName": "MyDemoRepo", "newName": "Renamed" }));
    let second = world.ok("ListBranches", &json!({ "repositoryName": "Renamed", "nextToken": token }));
    assert_eq!(second["branches"].as_array().map(Vec::len), Some(COUNT - 1_000));
}

#[test]
fn the_paginators_of_the_sdk_for_python_go_through_all_pages() {
    let operations =
        ["ListBranches", "ListRepositories", "ListPullRequests", "DescribePullRequestEvents", "GetDifferences"];
    let world = World::with(|settings| {
        settings.codecommit.page_sizes = operations.map(|operation| (operation.to_owned(), 2)).into();
    });
    let program = "
import boto3
client = boto3.client('codecommit')
for name in 'abcde':
    client.create_repository(repositoryName=name)
tip = {}
for name in 'vwxyz':
    made = client.put_file(repositoryName='a', branchName='main', filePath=name, fileContent=b'x', **tip)
    tip = {'parentCommitId': made['commitId']}
    client.create_branch(repositoryName='a', branchName=name, commitId=made['commitId'])
client.put_file(repositoryName='a', branchName='z', filePath='side', fileContent=b'x', **tip)
targets = [{'repositoryName': 'a', 'sourceReference': 'z', 'destinationReference': 'main'}]
for title in 'pqrst':
    client.create_pull_request(title=title, targets=targets)
for title in 'uvwx':
    client.update_pull_request_title(pullRequestId='1', title=title)
client.update_pull_request_status(pullRequestId='1', pullRequestStatus='CLOSED')
for rule in 'kl':
    content = '{\"Version\": \"2018-11-08\", \"Statements\": [{\"Type\": \"Approvers\", \"NumberOfApprovalsNeeded\": 1}]}'
    client.create_pull_request_approval_rule(pullRequestId='2', approvalRuleName=rule, approvalRuleContent=content)
def items(operation, member, **parameters):
    pages = list(client.get_paginator(operation).paginate(**parameters))
    found = [item for page in pages for item in page.get(member, [])]
    print(operation, len(pages), len(found))
items('list_repositories', 'repositories')
items('list_branches', 'branches', repositoryName='a')
items('list_pull_requests', 'pullRequestIds', repositoryName='a')
items('describe_pull_request_events', 'pullRequestEvents', pullRequestId='2')
items('get_differences', 'differences', repositoryName='a', afterCommitSpecifier='main')
";
    let expected = "list_repositories 3 5\nlist_branches 3 6\nlist_pull_requests 3 5\n\
                    describe_pull_request_events 2 3\nget_differences 3 5";
    assert_eq!(world.python(program).ok(), expected);
}
