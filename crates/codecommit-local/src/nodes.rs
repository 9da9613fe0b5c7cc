//! `codecommit-local nodes`: the servers that use one database, and their roles.

use clap::Args;
use serde_json::Value;
use trail::terminal::printable;

use crate::environment::checked_endpoint;
use crate::local_request;

/// The titles of the columns.
const TITLES: [&str; 7] = ["NODE", "STATUS", "VERSION", "ADDRESS", "LAST SEEN", "CLOCK", "ROLES"];

/// Arguments of `nodes`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// URL of one of the servers; unless access is open, it replies to programs on its own machine only
    #[arg(long, env = "CODECOMMIT_LOCAL_ENDPOINT", value_name = "URL", default_value = "http://127.0.0.1:4599")]
    endpoint: String,
    /// Print the reply of the server as it is, in JSON
    #[arg(long)]
    json: bool,
}

/// Prints the nodes.
pub(crate) fn print(arguments: &Arguments) -> Result<(), String> {
    let endpoint = checked_endpoint(&arguments.endpoint)?;
    let reply = local_request::get(&endpoint, "/_local/nodes")?;
    let nodes = reply["nodes"].as_array().ok_or_else(|| local_request::unknown(&endpoint, 200))?;
    if arguments.json {
        println!("{reply}");
    } else if nodes.is_empty() {
        println!("The server has a database of its own, so there are no nodes. Nodes share one with --database.");
    } else {
        print!("{}", table(nodes));
    }
    Ok(())
}

/// Returns a line for the titles and for each node.
fn table(nodes: &[Value]) -> String {
    let rows: Vec<[String; 7]> = std::iter::once(TITLES.map(str::to_owned)).chain(nodes.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect::<Vec<_>>();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Returns the cells of a node.
fn row(node: &Value) -> [String; 7] {
    let text = |member: &str| printable(node[member].as_str().unwrap_or_default());
    let roles = node["roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let roles = roles.collect::<Vec<_>>().join(", ");
    [
        text("name"),
        text("status"),
        text("version"),
        text("address"),
        text("lastSeen"),
        clock(node["clockOffsetMilliseconds"].as_i64().unwrap_or(0)),
        if roles.is_empty() { "-".to_owned() } else { printable(&roles) },
    ]
}

/// Returns the difference of a clock to the database's in seconds.
fn clock(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { '-' } else { '+' };
    let milliseconds = milliseconds.unsigned_abs();
    format!("{sign}{}.{:01}s", milliseconds / 1_000, milliseconds % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_node() {
        let node = |name: &str, roles: &[&str], offset: i64| {
            json!({
                "name": name, "status": "running", "version": "0.1.0", "address": "http://127.0.0.1:4599",
                "started": "2026-01-31T12:00:00Z", "lastSeen": "2026-01-31T12:00:03Z",
                "clockOffsetMilliseconds": offset, "roles": roles,
            })
        };
        let table = table(&[node("a", &["delivery", "digests"], -7_250), node("other", &[], 40)]);
        let expected = "\
NODE   STATUS   VERSION  ADDRESS                LAST SEEN             CLOCK  ROLES
a      running  0.1.0    http://127.0.0.1:4599  2026-01-31T12:00:03Z  -7.2s  delivery, digests
other  running  0.1.0    http://127.0.0.1:4599  2026-01-31T12:00:03Z  +0.0s  -
";
        assert_eq!(table, expected);
    }
}
