//! Times that are in order over all nodes.

use store::{Error, Transaction};

/// Returns the clock of a node, or the time that another node took last if that is later.
pub(crate) fn after_others(transaction: &Transaction, node: &str, clock: i64) -> Result<i64, Error> {
    let taken =
        transaction.query_one("SELECT time, node FROM cluster_time", &[], |row| Ok((row.integer(0)?, row.text(1)?)))?;
    match taken {
        Some((time, other)) if other != node && time > clock => return Ok(time),
        Some((time, own)) if own == node && time == clock => return Ok(clock),
        _ => {}
    }
    transaction.note(
        "INSERT INTO cluster_time (id, time, node) VALUES (1, ?1, ?2) \
         ON CONFLICT (id) DO UPDATE SET time = excluded.time, node = excluded.node",
        &[clock.into(), node.into()],
    )?;
    Ok(clock)
}
