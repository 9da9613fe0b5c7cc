//! Layout of golden files: JSON whose short values are on one line.

use serde_json::{Map, Value};

/// Maximum columns of a line, unless a text is longer.
const WIDTH: usize = 120;

/// Writes the content of a golden file, with an empty line between its entries.
pub fn layout(file: &Map<String, Value>) -> String {
    let entries: Vec<_> = file.iter().map(|(name, value)| member(name, value, 2)).collect();
    format!("{{\n{}\n}}\n", entries.join(",\n\n"))
}

fn member(name: &str, value: &Value, indent: usize) -> String {
    let name = format!("{:indent$}{}: ", "", Value::from(name));
    let value = spread(value, indent, name.chars().count());
    name + &value
}

/// Writes a value that begins in column `column` of a line that is indented by `indent`.
fn spread(value: &Value, indent: usize, column: usize) -> String {
    let flat = flat(value);
    let inner = indent + 2;
    let lines: Vec<_> = match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().map(|(name, value)| member(name, value, inner)).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| format!("{:inner$}{}", "", spread(item, inner, inner))).collect()
        }
        _ => return flat,
    };
    // A comma may follow.
    if column + flat.chars().count() < WIDTH {
        return flat;
    }
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    format!("{open}\n{}\n{:indent$}{close}", lines.join(",\n"), "")
}

fn flat(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), flat(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
