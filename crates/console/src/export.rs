//! Lists of pages as CSV and JSON.

use bytes::Bytes;
use http::Response;
use serde_json::Value;
use trail::terminal::printable;
use trail::view::csv_field;

use crate::reply;

/// The first characters of fields that spreadsheets run as formulas.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// The format that a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Page,
    Csv,
    Json,
}

impl Format {
    /// Reads the parameter `format`.
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "csv" => Self::Csv,
            "json" => Self::Json,
            _ => Self::Page,
        }
    }
}

/// Writes rows as CSV below their header.
///
/// Names come from anybody, so control characters are escaped, and a field that a spreadsheet would run as a formula begins with a quote.
pub(crate) fn csv<'r>(name: &str, header: &[&str], rows: impl Iterator<Item = Vec<String>> + 'r) -> Response<Bytes> {
    let mut text = header.join(",") + "\r\n";
    for row in rows {
        let fields: Vec<_> = row.iter().map(|field| csv_field(&harmless(field))).collect();
        text += &fields.join(",");
        text += "\r\n";
    }
    reply::download("text/csv; charset=utf-8", &format!("{name}.csv"), text)
}

/// Writes a value as a JSON file.
pub(crate) fn json(name: &str, value: &Value) -> Response<Bytes> {
    let text = format!("{value:#}\n");
    reply::download("application/json", &format!("{name}.json"), text)
}

fn harmless(field: &str) -> String {
    let text = printable(field);
    let is_number = text.parse::<f64>().is_ok();
    if text.starts_with(FORMULA) && !is_number { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_never_formulas() {
        let row = ["plain", "a,\"b\"", "=1+1", "-5", "two\nlines"].map(str::to_owned).to_vec();
        let response = csv("events", &["one", "two"], std::iter::once(row));
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert_eq!(text.lines().next(), Some("one,two"));
        let line = text.lines().nth(1).expect("there is a row");
        assert!(line.starts_with("plain,\"a,\"\"b\"\"\",'=1+1,-5,two"), "{line}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
