//! XML of AWS query and of S3: replies and failures written, texts of elements read.

use std::io;

use quick_xml::escape::{partial_escape, unescape};
use quick_xml::events::{BytesText, Event};
use quick_xml::{Reader, Writer};
use serde_json::Value;

use crate::Failure;

type Document = Writer<Vec<u8>>;

/// Writes the reply of an operation: its result and the request id.
pub fn reply(operation: &str, namespace: &str, output: &Value, request_id: &str) -> Vec<u8> {
    document(|xml| {
        let response = xml.create_element(format!("{operation}Response")).with_attribute(("xmlns", namespace));
        response.write_inner_content(|xml| {
            line_end(xml)?;
            element(xml, &format!("{operation}Result"), output)?;
            xml.create_element("ResponseMetadata")
                .write_inner_content(|xml| text_element(xml, "RequestId", request_id))?;
            line_end(xml)
        })?;
        line_end(xml)
    })
}

/// Writes the reply of a failure.
pub fn failure(failure: &Failure, namespace: &str, request_id: &str) -> Vec<u8> {
    let side = if failure.status < 500 { "Sender" } else { "Receiver" };
    document(|xml| {
        let response = xml.create_element("ErrorResponse").with_attribute(("xmlns", namespace));
        response.write_inner_content(|xml| {
            line_end(xml)?;
            xml.create_element("Error").write_inner_content(|xml| {
                text_element(xml, "Type", side)?;
                text_element(xml, "Code", &failure.name)?;
                text_element(xml, "Message", &failure.message)
            })?;
            line_end(xml)?;
            text_element(xml, "RequestId", request_id)?;
            line_end(xml)
        })?;
        line_end(xml)
    })
}

/// Returns the text of the first element with a name; the element holds no other elements.
pub fn read(document: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(document);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if start.name().as_ref() == name.as_bytes() => {
                let text = reader.read_text(start.name()).ok()?;
                return Some(unescape(str::from_utf8(&text).ok()?).ok()?.into_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// Escapes the content of an element.
///
/// XML has no form for most control characters: U+FFFD stands for each. A carriage return would be read as a line feed if it were
/// not escaped.
pub fn escape(content: &str) -> String {
    let is_forbidden =
        |letter: char| matches!(letter, '\0'..' ' | '\u{fffe}' | '\u{ffff}') && !matches!(letter, '\t' | '\n' | '\r');
    partial_escape(content).replace(is_forbidden, "\u{fffd}").replace('\r', "&#xD;")
}

fn document(write: impl FnOnce(&mut Document) -> io::Result<()>) -> Vec<u8> {
    let mut xml = Writer::new(Vec::new());
    write(&mut xml).expect("writing to a vector never fails");
    xml.into_inner()
}

/// Writes a member of an output; `null` is left out.
fn element(xml: &mut Document, name: &str, value: &Value) -> io::Result<()> {
    match value {
        Value::Null => Ok(()),
        // The entries of a map follow one another without an element around them.
        Value::Array(entries) if name == "entry" => entries.iter().try_for_each(|entry| element(xml, name, entry)),
        Value::String(content) => text_element(xml, name, content),
        Value::Bool(_) | Value::Number(_) => text_element(xml, name, &value.to_string()),
        Value::Array(members) => xml
            .create_element(name)
            .write_inner_content(|xml| members.iter().try_for_each(|member| element(xml, "member", member)))
            .map(drop),
        Value::Object(members) => xml
            .create_element(name)
            .write_inner_content(|xml| members.iter().try_for_each(|(name, member)| element(xml, name, member)))
            .map(drop),
    }
}

fn text_element(xml: &mut Document, name: &str, content: &str) -> io::Result<()> {
    let element = xml.create_element(name);
    element.write_text_content(BytesText::from_escaped(escape(content))).map(drop)
}

fn line_end(xml: &mut Document) -> io::Result<()> {
    xml.write_event(Event::Text(BytesText::from_escaped("\n")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{failure, read, reply};
    use crate::Failure;

    #[test]
    fn a_reply_contains_the_result_of_its_operation() {
        let map = json!({ "entry": [{ "key": "a" }, { "key": "b" }] });
        let output = json!({
            "Name": "a<b>&\u{1}\r\n", "Size": 7, "Tags": [{ "Key": "k" }], "Left": null, "Map": map, "Empty": "",
        });
        let xml = reply("Get", "urn:x", &output, "id");
        let expected = "<GetResponse xmlns=\"urn:x\">\n<GetResult><Name>a&lt;b&gt;&amp;\u{fffd}&#xD;\n</Name><Size>7</Size>\
            <Tags><member><Key>k</Key></member></Tags>\
            <Map><entry><key>a</key></entry><entry><key>b</key></entry></Map><Empty></Empty></GetResult>\
            <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>\n</GetResponse>\n";
        assert_eq!(String::from_utf8_lossy(&xml), expected);
    }

    #[test]
    fn a_failure_names_the_side_at_fault() {
        let text = |side: &Failure| String::from_utf8_lossy(&failure(side, "urn:x", "id")).into_owned();
        let refused = text(&Failure::client("AccessDenied", "no <b>"));
        let expected = "<ErrorResponse xmlns=\"urn:x\">\n<Error><Type>Sender</Type><Code>AccessDenied</Code>\
            <Message>no &lt;b&gt;</Message></Error>\n<RequestId>id</RequestId>\n</ErrorResponse>\n";
        assert_eq!(refused, expected);
        assert!(text(&Failure::internal()).contains("<Type>Receiver</Type>"));
        assert_eq!(read(&refused, "Message").as_deref(), Some("no <b>"));
        assert_eq!([read(&refused, "Missing"), read("<a", "a"), read("", "a")], [None, None, None]);
    }
}
