//! Nodes of older versions: each node tells how many steps of the migrations it has.

use std::collections::BTreeMap;

use store::{Error, Transaction};

use crate::beat;

/// Time in milliseconds after which a node that is not seen counts as ended.
const ENDED_AFTER: i64 = 30_000;

/// Returns what a node tells of its migrations.
pub(crate) fn text_of(steps: &BTreeMap<&'static str, usize>) -> String {
    let lines: Vec<String> = steps.iter().map(|(owner, steps)| format!("{owner}={steps}")).collect();
    lines.join("\n")
}

/// Returns the names of the running nodes that have fewer than this number of steps of an owner.
pub(crate) fn find(transaction: &Transaction, owner: &str, steps: usize) -> Result<Vec<String>, Error> {
    let now = beat::now(transaction)?;
    let sql = "SELECT name, steps FROM nodes WHERE stopped IS NULL AND seen >= ?1 ORDER BY name";
    let running = transaction.query(sql, &[(now - ENDED_AFTER).into()], |row| Ok((row.text(0)?, row.text(1)?)))?;
    Ok(running.into_iter().filter(|(_, told)| steps_of(told, owner) < steps).map(|(name, _)| name).collect())
}

fn steps_of(told: &str, owner: &str) -> usize {
    let steps = |line: &str| line.strip_prefix(owner)?.strip_prefix('=')?.parse().ok();
    told.lines().find_map(steps).unwrap_or(0)
}
