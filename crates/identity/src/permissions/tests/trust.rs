//! Trust policies of roles, and whom they let assume the roles.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::world::World;

/// Returns a world with a role of account 111122223333 whose trust policy has a statement, and callers of two accounts.
fn world(principal: &str, more: &str) -> World {
    World::new(&format!(
        r#"
        [[account]]
        id = "111122223333"
        [account.root]
        access_keys = ["AKIAROOT"]
        [[account.role]]
        name = "Cross"
        trust_policy = '''{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},
            "Action":["sts:AssumeRole","sts:TagSession"]{more}}}]}}'''
        {}
        [[account]]
        id = "444455556666"
        {}
        "#,
        users(),
        users()
    ))
}

/// Declares a user who may assume roles, one who has no policies, and one who may not assume roles.
fn users() -> String {
    let policy = |effect: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"sts:*","Resource":"arn:aws:iam::111122223333:role/*"}}}}"#
        )
    };
    let user = |name: &str, effect: &str| {
        format!(
            "[[account.user]]\nname = \"{name}\"\npolicies = [{{ name = \"own\", document = '''{}''' }}]\n",
            policy(effect)
        )
    };
    format!("{}{}[[account.user]]\nname = \"Plain\"\n", user("Allowed", "Allow"), user("Denied", "Deny"))
}

/// Lists those who can assume the role, as `ACCOUNT/USER` with the first digit of the account.
fn assumers(world: &World, form: &[(&str, &str)]) -> Vec<String> {
    let form = [&[("RoleArn", "arn:aws:iam::111122223333:role/Cross"), ("RoleSessionName", "one")], form].concat();
    let mut names = Vec::new();
    for account in ["111122223333", "444455556666"] {
        for user in ["Allowed", "Plain", "Denied"] {
            match world.run(&world.user_of(account, user), "AssumeRole", &form) {
                Ok(_) => names.push(format!("{}/{user}", &account[..1])),
                Err(message) => {
                    let arn = format!("User: arn:aws:iam::{account}:user/{user} is not authorized to perform: sts:");
                    let resource = " on resource: arn:aws:iam::111122223333:role/Cross";
                    assert!(message.starts_with(&arn) && message.ends_with(resource), "{message}");
                }
            }
        }
    }
    names
}

#[test]
fn the_trust_policy_and_the_policies_of_the_caller_decide_together() {
    let cases: [(&str, &[&str]); 7] = [
        (r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, &["1/Allowed"]),
        (r#"{"AWS":"444455556666"}"#, &["4/Allowed"]),
        (r#"{"AWS":"arn:aws:iam::111122223333:user/Plain"}"#, &["1/Plain"]),
        (r#"{"AWS":"arn:aws:iam::111122223333:user/Denied"}"#, &[]),
        (r#"{"AWS":"arn:aws:iam::444455556666:user/Plain"}"#, &[]),
        (r#"{"AWS":"*"}"#, &["1/Allowed", "1/Plain", "4/Allowed"]),
        (r#"{"Service":"codepipeline.amazonaws.com"}"#, &[]),
    ];
    for (principal, expected) in cases {
        assert_eq!(assumers(&world(principal, ""), &[]), expected, "{principal}");
    }
}

#[test]
fn a_service_assumes_the_roles_that_trust_it() {
    let form = [("RoleArn", "arn:aws:iam::111122223333:role/Cross"), ("RoleSessionName", "one")];
    for (service, is_trusted) in [("codepipeline.amazonaws.com", true), ("codebuild.amazonaws.com", false)] {
        let world = world(r#"{"Service":"codepipeline.amazonaws.com"}"#, "");
        assert_eq!(world.run(&world.caller(service), "AssumeRole", &form).is_ok(), is_trusted, "{service}");
    }
}

#[test]
fn conditions_of_a_trust_policy_see_the_request() {
    let conditions: [(&str, &[(&str, &str)]); 5] = [
        (r#"{"StringEquals":{"sts:ExternalId":"secret"}}"#, &[("ExternalId", "secret")]),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            &[("SerialNumber", "arn:aws:iam::1:mfa/a"), ("TokenCode", "123456")],
        ),
        (
            r#"{"StringLike":{"aws:RequestTag/Team":"B*"}}"#,
            &[("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "Blue")],
        ),
        (
            r#"{"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"Team"}}"#,
            &[("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "Blue"), ("TransitiveTagKeys.member.1", "Team")],
        ),
        (
            r#"{"StringEquals":{"sts:RoleSessionName":"one"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/Pl*"}}"#,
            &[],
        ),
    ];
    for (condition, form) in conditions {
        let world = world(r#"{"AWS":"arn:aws:iam::111122223333:user/Plain"}"#, &format!(",\"Condition\":{condition}"));
        assert_eq!(assumers(&world, form), ["1/Plain"], "{condition}");
        if !form.is_empty() {
            assert!(assumers(&world, &[]).is_empty(), "{condition}");
        }
    }
}

#[test]
fn a_source_identity_needs_a_permission_of_its_own() {
    let world = world(r#"{"AWS":"arn:aws:iam::111122223333:user/Plain"}"#, "");
    assert!(assumers(&world, &[("SourceIdentity", "ana")]).is_empty());
    assert_eq!(assumers(&world, &[("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "Blue")]), ["1/Plain"]);
}

#[test]
fn a_list_of_trusted_identities_decides_as_a_trust_policy() {
    let cases: [(&str, &[&str]); 5] = [
        (r#"["111122223333"]"#, &["1/Allowed"]),
        (r#"["arn:aws:iam::111122223333:user/Plain"]"#, &["1/Plain"]),
        (r#"["arn:aws:iam::444455556666:root"]"#, &["4/Allowed"]),
        (r#"["*"]"#, &["1/Allowed", "1/Plain", "4/Allowed"]),
        ("[]", &[]),
    ];
    for (trusts, expected) in cases {
        let role = format!("[[account.role]]\nname = \"Cross\"\ntrusts = {trusts}\n");
        let of = |account: &str, more: &str| format!("[[account]]\nid = \"{account}\"\n{more}{}", users());
        let world = World::new(&(of("111122223333", &role) + &of("444455556666", "")));
        assert_eq!(assumers(&world, &[]), expected, "{trusts}");
    }
}

#[test]
fn a_web_identity_assumes_a_role_by_its_trust_policy() {
    let trusted = |condition: &str| {
        let world = World::new(&format!(
            r#"
            [[account]]
            id = "111122223333"
            [[account.web_identity]]
            token = "opaque-token"
            provider = "accounts.google.com"
            subject = "ana"
            audience = "client"
            [[account.role]]
            name = "Web"
            policies = ["AWSCodeCommitReadOnly"]
            trust_policy = '''{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Federated":"accounts.google.com"}},
                "Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringEquals":{condition}}}}}}}'''
            "#
        ));
        let form = [
            ("RoleArn", "arn:aws:iam::111122223333:role/Web"),
            ("RoleSessionName", "one"),
            ("WebIdentityToken", "opaque-token"),
        ];
        let caller = world.user("Nobody");
        let session = world.session(&caller, "AssumeRoleWithWebIdentity", &form)?;
        assert_eq!(session.reason("codecommit:GetBranch", super::REPOSITORY, ""), "");
        assert_eq!(session.call().authority().federated_provider(), Some("accounts.google.com"));
        Ok::<_, String>(())
    };
    assert_eq!(trusted(r#"{"accounts.google.com:sub":"ana","accounts.google.com:aud":"client"}"#), Ok(()));
    let denied = trusted(r#"{"accounts.google.com:sub":"bob"}"#);
    assert_eq!(denied, Err("Not authorized to perform sts:AssumeRoleWithWebIdentity".to_owned()));
}

#[test]
fn a_saml_user_assumes_a_role_by_its_trust_policy() {
    let provider = "arn:aws:iam::111122223333:saml-provider/Corp";
    let role = "arn:aws:iam::111122223333:role/Saml";
    let attribute = |name: &str, value: &str| {
        let name = format!("https://aws.amazon.com/SAML/Attributes/{name}");
        format!("<Attribute Name=\"{name}\"><AttributeValue>{value}</AttributeValue></Attribute>")
    };
    let attributes = attribute("Role", &format!("{role},{provider}"))
        + &attribute("RoleSessionName", "ana")
        + &attribute("PrincipalTag:Team", "Blue");
    let assertion = format!(
        "<Response><Assertion ID=\"_1\"><Issuer>https://idp</Issuer><Subject><NameID>ana</NameID><SubjectConfirmationData \
         Recipient=\"https://signin.aws.amazon.com/saml\"/></Subject>{attributes}</Assertion></Response>"
    );
    let assertion = STANDARD.encode(assertion);
    let form = [("RoleArn", role), ("PrincipalArn", provider), ("SAMLAssertion", &*assertion)];
    let assumed = |actions: &str| {
        let world = World::new(&format!(
            r#"
            [[account]]
            id = "111122223333"
            [[account.role]]
            name = "Saml"
            trust_policy = '''{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Federated":"{provider}"}},
                "Action":{actions},"Condition":{{"StringEquals":{{"saml:aud":"https://signin.aws.amazon.com/saml"}}}}}}}}'''
            "#
        ));
        let session = world.session(&world.user("Nobody"), "AssumeRoleWithSAML", &form)?;
        let call = session.call();
        assert_eq!(call.authority().federated_provider(), Some(provider));
        Ok::<_, String>(call.authority().principal_tags()["Team"].clone())
    };
    assert_eq!(assumed(r#"["sts:AssumeRoleWithSAML","sts:TagSession"]"#), Ok("Blue".to_owned()));
    let denied = assumed(r#"["sts:AssumeRoleWithSAML"]"#);
    assert_eq!(denied, Err("Not authorized to perform sts:AssumeRoleWithSAML".to_owned()), "its tags are not allowed");
}
