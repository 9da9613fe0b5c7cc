//! The AWS CLI command that makes the call of an event.

use serde_json::{Map, Value};

/// Services with a command of the CLI, by the event source.
const SERVICES: [(&str, &str); 5] = [
    ("codecommit.amazonaws.com", "codecommit"),
    ("cloudtrail.amazonaws.com", "cloudtrail"),
    ("sts.amazonaws.com", "sts"),
    ("iam.amazonaws.com", "iam"),
    ("tagging.amazonaws.com", "resourcegroupstaggingapi"),
];

/// Events that no command makes: Git requests.
const WITHOUT_COMMAND: [&str; 2] = ["GitPull", "GitPush"];

/// Beginnings of values that the CLI replaces by the content of a file or page.
const REFERENCES: [&str; 4] = ["file://", "fileb://", "http://", "https://"];

/// The largest command that is shown, in bytes; shells have limits.
const BYTES_MAX: usize = 64 << 10;

/// Returns the command that makes the call of a record, for a POSIX shell; `None` if there is none.
///
/// Records do not have the contents of files and secrets, so the command has none either.
pub(crate) fn of(record: &Value) -> Option<String> {
    let source = record["eventSource"].as_str()?;
    let (_, service) = SERVICES.iter().find(|(name, _)| *name == source)?;
    let name = record["eventName"].as_str().filter(|name| is_name(name) && !WITHOUT_COMMAND.contains(name))?;
    let none = Map::new();
    let parameters = match &record["requestParameters"] {
        Value::Object(parameters) => parameters,
        Value::Null => &none,
        _ => return None,
    };
    let mut words = vec!["aws".to_owned(), (*service).to_owned(), kebab(name)];
    let has_own_case = *service == "codecommit";
    if parameters.iter().all(|(name, value)| is_option(name, value)) {
        for (name, value) in parameters {
            words.extend(option(name, value, has_own_case));
        }
    } else {
        let input = wire(&Value::Object(parameters.clone()), has_own_case);
        words.extend(["--cli-input-json".to_owned(), quoted(&input.to_string())]);
    }
    if let Some(region) = record["awsRegion"].as_str() {
        words.extend(["--region".to_owned(), quoted(region)]);
    }
    Some(words.join(" ")).filter(|command| command.len() <= BYTES_MAX && !command.contains('\0'))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns whether a parameter can be written as an option: the CLI and terminals would change other texts.
fn is_option(name: &str, value: &Value) -> bool {
    let is_plain = |text: &str| {
        !REFERENCES.iter().any(|beginning| text.starts_with(beginning)) && !text.chars().any(char::is_control)
    };
    is_name(name) && value.as_str().is_none_or(is_plain) && !value.is_null()
}

/// Returns the words of an option.
fn option(name: &str, value: &Value, has_own_case: bool) -> Vec<String> {
    let name = kebab(name);
    let text = match value {
        Value::Bool(true) => return vec![format!("--{name}")],
        Value::Bool(false) => return vec![format!("--no-{name}")],
        Value::String(text) => text.clone(),
        other => wire(other, has_own_case).to_string(),
    };
    // A value that begins with a dash would be taken for an option.
    if text.starts_with('-') {
        vec![format!("--{name}={}", quoted(&text))]
    } else {
        vec![format!("--{name}"), quoted(&text)]
    }
}

/// Returns a value with the names of members as the service has them: records begin them with small letters.
fn wire(value: &Value, has_own_case: bool) -> Value {
    let name = |name: &str| match name.chars().next() {
        Some(first) if !has_own_case => first.to_ascii_uppercase().to_string() + &name[first.len_utf8()..],
        _ => name.to_owned(),
    };
    match value {
        Value::Object(members) => {
            members.iter().map(|(key, member)| (name(key), wire(member, has_own_case))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(|item| wire(item, has_own_case)).collect(),
        other => other.clone(),
    }
}

/// Returns a name of the API as the CLI writes it: `CreateBranch` becomes `create-branch`, `SAMLProviderArn` `saml-provider-arn`.
fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut written = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(index + 1);
        let begins_word = before.is_some_and(|before| {
            letter.is_ascii_uppercase() && (!before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase))
        });
        if begins_word {
            written.push('-');
        }
        written.push(letter.to_ascii_lowercase());
    }
    written
}

/// Returns a text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+,-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use serde_json::json;

    use super::*;

    fn command(name: &str, parameters: &Value) -> String {
        let record = json!({
            "eventSource": "codecommit.amazonaws.com", "eventName": name, "awsRegion": "us-east-1", "requestParameters": parameters,
        });
        of(&record).expect("the call has a command")
    }

    #[test]
    fn a_call_becomes_a_command() {
        let parameters = json!({ "repositoryName": "MyDemoRepo", "branchName": "it's", "commitId": "a1b2" });
        let expected = r"aws codecommit create-branch --repository-name MyDemoRepo --branch-name 'it'\''s' --commit-id a1b2 --region us-east-1";
        assert_eq!(command("CreateBranch", &parameters), expected);
        let parameters = json!({ "repositoryNames": ["one", "two"], "isOn": true, "isOff": false, "filePath": "-rf" });
        let expected = r#"aws codecommit batch-get --repository-names '["one","two"]' --is-on --no-is-off --file-path=-rf --region us-east-1"#;
        assert_eq!(command("BatchGet", &parameters), expected);
        assert_eq!(command("ListRepositories", &Value::Null), "aws codecommit list-repositories --region us-east-1");
    }

    #[test]
    fn names_are_those_of_the_cli_and_members_those_of_the_service() {
        for (name, expected) in
            [("GetBranch", "get-branch"), ("CreateSAMLProvider", "create-saml-provider"), ("kmsKeyId", "kms-key-id")]
        {
            assert_eq!(kebab(name), expected);
        }
        let record = json!({
            "eventSource": "cloudtrail.amazonaws.com", "eventName": "LookupEvents",
            "requestParameters": { "lookupAttributes": [{ "attributeKey": "EventName", "attributeValue": "GitPush" }] },
        });
        let expected = r#"aws cloudtrail lookup-events --lookup-attributes '[{"AttributeKey":"EventName","AttributeValue":"GitPush"}]'"#;
        assert_eq!(of(&record).as_deref(), Some(expected));
    }

    #[test]
    fn git_requests_and_other_services_have_no_command() {
        for (source, name) in [
            ("codecommit.amazonaws.com", "GitPush"),
            ("codecommit.amazonaws.com", "rm -rf ~"),
            ("s3.amazonaws.com", "GetObject"),
            ("signin.amazonaws.com", "ConsoleLogin"),
        ] {
            assert_eq!(of(&json!({ "eventSource": source, "eventName": name })), None);
        }
    }

    #[test]
    fn hostile_values_stay_single_words_of_the_shell() {
        let hostile = [
            "$(touch /tmp/x)",
            "`id`",
            "a'b\"c",
            "; rm -rf ~ #",
            "--output text",
            "",
            "~",
            "*",
            "\\",
            "!!",
            "a\nb",
            "file:///etc/passwd",
            "\u{202e}x",
        ];
        for text in hostile {
            let line = command("CreateBranch", &json!({ "repositoryName": text }));
            let printed = Command::new("sh").arg("-c").arg(line.replacen("aws ", "printf '%s\\0' ", 1)).output();
            let printed = String::from_utf8(printed.expect("there is a shell").stdout).expect("the output is text");
            let words: Vec<&str> = printed.split_terminator('\0').collect();
            let expected = match words[2] {
                "--cli-input-json" => json!({ "repositoryName": text }).to_string(),
                word if word.starts_with("--repository-name=") => {
                    assert_eq!(word, format!("--repository-name={text}"));
                    continue;
                }
                _ => text.to_owned(),
            };
            assert_eq!(words, ["codecommit", "create-branch", words[2], &expected, "--region", "us-east-1"], "{line}");
        }
    }
}
