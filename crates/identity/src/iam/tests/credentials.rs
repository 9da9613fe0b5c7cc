//! Access keys, Git credentials and SSH keys: they work from the next call on, and until they end.

use crate::ssh_public_key::tests::line;

use super::{ACCOUNT, Account};

const SERVICE: (&str, &str) = ("ServiceName", "codecommit.amazonaws.com");

#[test]
fn an_access_key_names_its_user_until_it_ends() {
    let account = Account::new();
    account.create_user("Ana");
    let created = account.ok("CreateAccessKey", &[("UserName", "Ana")]);
    let id = aws::xml::read(&created, "AccessKeyId").expect("a key has an id");
    let secret = aws::xml::read(&created, "SecretAccessKey").expect("a key has a secret");
    let sts = account.world.sts();
    let known = || sts.identities().access_key(&id, sts.root_key());
    let (caller, known_secret) = known().expect("the key is active");
    assert_eq!((caller.arn.as_str(), known_secret.as_str()), ("arn:aws:iam::111122223333:user/Ana", secret.as_str()));
    assert_eq!(account.world.caller(&id).caller.access_key_id.as_deref(), Some(id.as_str()));
    let key = [("UserName", "Ana"), ("AccessKeyId", id.as_str())];
    account.ok("UpdateAccessKey", &[key[0], key[1], ("Status", "Inactive")]);
    assert!(known().is_none());
    assert_eq!(account.element("ListAccessKeys", &[("UserName", "Ana")], "Status"), "Inactive");
    account.ok("UpdateAccessKey", &[key[0], key[1], ("Status", "Active")]);
    assert!(known().is_some());
    account.key_of("Ana");
    assert_eq!(
        account.failed("CreateAccessKey", &[("UserName", "Ana")]),
        "LimitExceeded 409: Cannot exceed quota for AccessKeysPerUser: 2"
    );
    assert!(account.failed("DeleteUser", &[("UserName", "Ana")]).contains("must delete access keys first"));
    account.ok("DeleteAccessKey", &key);
    assert!(known().is_none());
    assert!(account.failed("DeleteAccessKey", &key).starts_with("NoSuchEntity 404: The Access Key with id AKIA"));
}

#[test]
fn a_deleted_key_ends_even_if_the_identities_cannot_be_read_after_the_commit() {
    let account = Account::new();
    account.create_user("Ana");
    let (mut succeeded, mut number) = (0, 0);
    loop {
        number += 1;
        let id = account.element("CreateAccessKey", &[("UserName", "Ana")], "AccessKeyId");
        account.world.store().fail_statement(number);
        let deleted = account.reply("DeleteAccessKey", &[("UserName", "Ana"), ("AccessKeyId", &id)]).is_ok();
        let is_over = account.world.store().fail_statement(0) > 0;
        let sts = account.world.sts();
        assert_eq!(sts.identities().access_key(&id, sts.root_key()).is_none(), deleted, "statement {number}");
        if !deleted {
            account.ok("DeleteAccessKey", &[("UserName", "Ana"), ("AccessKeyId", &id)]);
        }
        succeeded += u32::from(deleted);
        if is_over {
            break assert!(deleted && succeeded > 3, "{succeeded} of {number} calls succeeded");
        }
    }
}

#[test]
fn a_key_without_a_user_name_is_that_of_the_caller() {
    let account = Account::new();
    account.create_user("Ana");
    account.ok("PutUserPolicy", &[("UserName", "Ana"), ("PolicyName", "P"), ("PolicyDocument", super::ALLOW_ALL)]);
    let ana = account.key_of("Ana");
    for operation in ["CreateAccessKey", "ListAccessKeys", "GetUser"] {
        let reply = super::text(account.world.iam(&ana, operation, &[]).expect("Ana calls for herself"));
        assert_eq!(aws::xml::read(&reply, "UserName").as_deref(), Some("Ana"), "{operation}");
    }
    assert_eq!(
        account.failed("CreateAccessKey", &[]),
        "ValidationError 400: Must specify userName when calling with non-User credentials"
    );
    assert_eq!(account.element("GetUser", &[], "Arn"), "arn:aws:iam::111122223333:root");
}

#[test]
fn the_last_use_of_a_key_is_known() {
    let account = Account::new();
    account.create_user("Ana");
    let id = account.element("CreateAccessKey", &[("UserName", "Ana")], "AccessKeyId");
    let form = [("AccessKeyId", id.as_str())];
    let unused = account.ok("GetAccessKeyLastUsed", &form);
    assert!(unused.contains("<UserName>Ana</UserName>") && unused.contains("<Region>N/A</Region>"), "{unused}");
    account.world.sts().note_key_use(&account.world.caller(&id).call(), "codecommit");
    let used = account.ok("GetAccessKeyLastUsed", &form);
    assert!(used.contains("<LastUsedDate>20") && used.contains("<ServiceName>codecommit</ServiceName>"), "{used}");
    assert!(used.contains("<Region>us-east-2</Region>"), "{used}");
    let unknown = account.failed("GetAccessKeyLastUsed", &[("AccessKeyId", "AKIA0000000000000000")]);
    assert!(unknown.starts_with("NoSuchEntity 404"), "{unknown}");
}

#[test]
fn git_credentials_have_numbered_user_names_and_can_be_reset() {
    let account = Account::new();
    account.create_user("Ana");
    let create = || account.ok("CreateServiceSpecificCredential", &[("UserName", "Ana"), SERVICE]);
    let [first, second] = [create(), create()];
    let element = |reply: &str, name: &str| aws::xml::read(reply, name).expect("the reply has the element");
    assert_eq!(element(&first, "ServiceUserName"), format!("Ana-at-{ACCOUNT}"));
    assert_eq!(element(&second, "ServiceUserName"), format!("Ana+1-at-{ACCOUNT}"));
    let password = element(&first, "ServicePassword");
    assert!(password.len() == 44 && password.ends_with('=') && password != element(&second, "ServicePassword"));
    let matches = |user_name: &str, password: &str| {
        let identities = account.world.sts().identities();
        identities
            .git_credential(user_name)
            .is_some_and(|(caller, hash)| caller.user_name.as_deref() == Some("Ana") && hash.matches(password))
    };
    let user_name = element(&first, "ServiceUserName");
    assert!(matches(&user_name, &password) && !matches(&user_name, "another"));
    let quota = "LimitExceeded 409: Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2";
    assert_eq!(account.failed("CreateServiceSpecificCredential", &[("UserName", "Ana"), SERVICE]), quota);
    let id = element(&first, "ServiceSpecificCredentialId");
    let credential = [("UserName", "Ana"), ("ServiceSpecificCredentialId", id.as_str())];
    let reset = account.element("ResetServiceSpecificCredential", &credential, "ServicePassword");
    assert!(matches(&user_name, &reset) && !matches(&user_name, &password));
    account.ok("UpdateServiceSpecificCredential", &[credential[0], credential[1], ("Status", "Inactive")]);
    assert!(!matches(&user_name, &reset));
    let list = account.ok("ListServiceSpecificCredentials", &[("UserName", "Ana")]);
    assert!(list.matches("<ServiceUserName>").count() == 2 && !list.contains("Password"), "{list}");
    account.ok("DeleteServiceSpecificCredential", &credential);
    assert!(account.failed("DeleteServiceSpecificCredential", &credential).starts_with("NoSuchEntity 404"));
    assert_eq!(
        account.failed(
            "CreateServiceSpecificCredential",
            &[("UserName", "Ana"), ("ServiceName", "cassandra.amazonaws.com")]
        ),
        "NotSupportedService 404: Service cassandra.amazonaws.com is not supported by this API"
    );
}

#[test]
fn an_ssh_key_is_uploaded_in_two_forms_and_ends() {
    let account = Account::new();
    account.create_user("Ana");
    let line = line(2_048);
    let uploaded = account.ok("UploadSSHPublicKey", &[("UserName", "Ana"), ("SSHPublicKeyBody", &line)]);
    let id = aws::xml::read(&uploaded, "SSHPublicKeyId").expect("a key has an id");
    assert!(id.starts_with("APKA") && id.len() == 21, "{id}");
    assert_eq!(aws::xml::read(&uploaded, "Fingerprint").map(|text| text.len()), Some(47));
    let owner = || account.world.sts().ssh_key_owner(&id);
    assert_eq!(owner().expect("the key is active").caller.arn, "arn:aws:iam::111122223333:user/Ana");
    let key = [("UserName", "Ana"), ("SSHPublicKeyId", id.as_str())];
    let body = |encoding: &str| {
        account.element("GetSSHPublicKey", &[key[0], key[1], ("Encoding", encoding)], "SSHPublicKeyBody")
    };
    assert!(line.starts_with(&body("SSH")));
    let pem = body("PEM");
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{pem}");
    for same in [line.as_str(), &pem] {
        let refused = account.failed("UploadSSHPublicKey", &[("UserName", "Ana"), ("SSHPublicKeyBody", same)]);
        assert!(refused.starts_with("DuplicateSSHPublicKey 400"), "{refused}");
    }
    for (body, code) in [
        ("ssh-ed25519 AAAA", "UnrecognizedPublicKeyEncoding 400"),
        ("ssh-rsa AAAA", "InvalidPublicKey 400"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "InvalidPublicKey 400"),
    ] {
        let refused = account.failed("UploadSSHPublicKey", &[("UserName", "Ana"), ("SSHPublicKeyBody", body)]);
        assert!(refused.starts_with(code), "{body}: {refused}");
    }
    account.ok("UpdateSSHPublicKey", &[key[0], key[1], ("Status", "Inactive")]);
    assert!(owner().is_none());
    account.ok("DeleteSSHPublicKey", &key);
    assert!(account.ok("ListSSHPublicKeys", &[("UserName", "Ana")]).contains("<SSHPublicKeys></SSHPublicKeys>"));
    account.ok("UploadSSHPublicKey", &[("UserName", "Ana"), ("SSHPublicKeyBody", &pem)]);
}

#[test]
fn a_session_does_not_get_the_permissions_of_another_user_of_its_name() {
    let account = Account::new();
    account.create_user("Ana");
    let id = account.element("CreateAccessKey", &[("UserName", "Ana")], "AccessKeyId");
    let ana = account.world.caller(&id);
    let reply = account.world.run(&ana, "GetSessionToken", &[]).expect("a user has sessions");
    let element = |name: &str| aws::xml::read(&reply, name).expect("the reply has credentials");
    let session = || account.world.session_of(&element("AccessKeyId"), &element("SessionToken"));
    let policy = [("UserName", "Ana"), ("PolicyName", "P"), ("PolicyDocument", super::ALLOW_ALL)];
    account.ok("PutUserPolicy", &policy);
    assert_eq!(session().message("codecommit:GitPull", "*"), "");
    account.ok("UpdateUser", &[("UserName", "Ana"), ("NewUserName", "Eva")]);
    account.create_user("Ana");
    account.ok("PutUserPolicy", &policy);
    assert_ne!(session().message("codecommit:GitPull", "*"), "");
}

#[test]
fn the_sessions_of_a_deleted_user_end() {
    let account = Account::new();
    account.create_user("Ana");
    let id = account.element("CreateAccessKey", &[("UserName", "Ana")], "AccessKeyId");
    let ana = account.world.caller(&id);
    let reply = account.world.run(&ana, "GetSessionToken", &[]).expect("a user has sessions");
    let key = aws::xml::read(&reply, "AccessKeyId").expect("a session has a key");
    let token = aws::xml::read(&reply, "SessionToken").expect("a session has a token");
    assert_eq!(account.world.session_of(&key, &token).caller.arn, "arn:aws:iam::111122223333:user/Ana");
    account.ok("DeleteAccessKey", &[("UserName", "Ana"), ("AccessKeyId", &id)]);
    account.ok("DeleteUser", &[("UserName", "Ana")]);
    assert_ne!(account.world.session_of(&key, &token).caller.arn, "arn:aws:iam::111122223333:user/Ana");
}
