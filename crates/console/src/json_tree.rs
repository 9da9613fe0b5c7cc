//! JSON as HTML that folds.

use std::fmt::{self, Display, Formatter};

use askama::filters::HtmlSafe;
use serde_json::Value;

/// Depth below which objects and lists are shown as text; nothing recurses deeper.
const DEPTH_MAX: usize = 32;

/// A value that a template writes as nested elements.
pub(crate) struct JsonTree<'v>(pub(crate) &'v Value);

impl HtmlSafe for JsonTree<'_> {}

impl Display for JsonTree<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "<div class=\"json\" data-fold>")?;
        write_value(formatter, None, self.0, 0)?;
        write!(formatter, "</div>")
    }
}

fn write_value(formatter: &mut Formatter<'_>, key: Option<&str>, value: &Value, depth: usize) -> fmt::Result {
    let key = key.map(|key| format!("<span class=\"key\">{}</span>: ", escape(&quoted(key)))).unwrap_or_default();
    match value {
        Value::Object(members) if !members.is_empty() && depth < DEPTH_MAX => {
            write!(formatter, "<details open><summary>{key}{{</summary><ul>")?;
            for (name, member) in members {
                write!(formatter, "<li>")?;
                write_value(formatter, Some(name), member, depth + 1)?;
                write!(formatter, "</li>")?;
            }
            write!(formatter, "</ul>}}</details>")
        }
        Value::Array(items) if !items.is_empty() && depth < DEPTH_MAX => {
            write!(formatter, "<details open><summary>{key}[</summary><ul>")?;
            for item in items {
                write!(formatter, "<li>")?;
                write_value(formatter, None, item, depth + 1)?;
                write!(formatter, "</li>")?;
            }
            write!(formatter, "</ul>]</details>")
        }
        _ => {
            let class = match value {
                Value::String(_) => "t-string",
                Value::Number(_) => "t-number",
                _ => "t-keyword",
            };
            write!(formatter, "{key}<span class=\"{class}\">{}</span>", escape(&value.to_string()))
        }
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Escapes a text for HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_values_are_text() {
        let value = json!({ "<b>": ["</span><script>", 1, null], "empty": {} });
        let html = JsonTree(&value).to_string();
        assert!(!html.contains("<b>") && !html.contains("<script"), "{html}");
        assert!(html.contains("&quot;&lt;b&gt;&quot;") && html.contains("<span class=\"t-number\">1</span>"), "{html}");
    }
}
