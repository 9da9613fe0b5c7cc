//! AWS query's replies: an output or a failure as XML; and the texts of such replies and of S3's.

use std::fmt::Write;

use serde_json::Value;

use crate::Failure;

/// Writes the reply of an operation: its result, and the id of the request.
pub fn reply(operation: &str, namespace: &str, output: &Value, request_id: &str) -> Vec<u8> {
    let mut text = format!("<{operation}Response xmlns=\"{namespace}\">\n");
    element(&mut text, &format!("{operation}Result"), output);
    let _ = write!(text, "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>");
    let _ = write!(text, "\n</{operation}Response>\n");
    text.into_bytes()
}

/// Writes the reply of a failure.
pub fn failure(failure: &Failure, namespace: &str, request_id: &str) -> Vec<u8> {
    let side = if failure.status < 500 { "Sender" } else { "Receiver" };
    let mut text = format!("<ErrorResponse xmlns=\"{namespace}\">\n<Error><Type>{side}</Type>");
    element(&mut text, "Code", &failure.name.as_str().into());
    element(&mut text, "Message", &failure.message.as_str().into());
    let _ = write!(text, "</Error>\n<RequestId>{request_id}</RequestId>\n</ErrorResponse>\n");
    text.into_bytes()
}

/// Reads the text of the first element of a name that holds nothing else.
pub fn read(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter)))
}

/// Writes a member; what is not there is left out.
fn element(text: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    // The entries of a map stand side by side, and nothing is around them.
    if let ("entry", Value::Array(entries)) = (name, value) {
        return entries.iter().for_each(|entry| element(text, name, entry));
    }
    let _ = write!(text, "<{name}>");
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| element(text, name, member)),
        Value::Array(elements) => elements.iter().for_each(|it| element(text, "member", it)),
        Value::String(content) => escape(text, content),
        plain => {
            let _ = write!(text, "{plain}");
        }
    }
    let _ = write!(text, "</{name}>");
}

fn escape(text: &mut String, content: &str) {
    for character in content.chars() {
        match character {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '\r' => text.push_str("&#xD;"),
            '\t' | '\n' => text.push(character),
            // XML cannot have these at all.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => text.push(char::REPLACEMENT_CHARACTER),
            _ => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{failure, reply};
    use crate::Failure;

    #[test]
    fn an_output_is_the_result_of_its_operation() {
        let map = json!({ "entry": [{ "key": "a" }, { "key": "b" }] });
        let output = json!({ "Name": "a<b>&\u{1}", "Size": 7, "Tags": [{ "Key": "k" }], "Left": null, "Map": map });
        let xml = reply("Get", "urn:x", &output, "id");
        let expected = "<GetResponse xmlns=\"urn:x\">\n<GetResult><Name>a&lt;b&gt;&amp;\u{fffd}</Name><Size>7</Size>\
            <Tags><member><Key>k</Key></member></Tags>\
            <Map><entry><key>a</key></entry><entry><key>b</key></entry></Map></GetResult>\
            <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>\n</GetResponse>\n";
        assert_eq!(String::from_utf8_lossy(&xml), expected);
    }

    #[test]
    fn a_failure_says_whose_fault_it_is() {
        let text = |it: &Failure| String::from_utf8_lossy(&failure(it, "urn:x", "id")).into_owned();
        assert!(text(&Failure::client("AccessDenied", "no")).contains("<Type>Sender</Type><Code>AccessDenied</Code>"));
        assert!(text(&Failure::internal()).contains("<Type>Receiver</Type>"));
    }
}
