//! Prepared statements of a connection.

use std::cell::RefCell;
use std::collections::HashMap;

use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use super::values::type_of;
use crate::Value;

/// Statements that stay prepared; some texts have lists of different lengths.
const STATEMENTS_MAX: usize = 512;

/// Prepared statements by their text; the same text has several with different types, as that of `NULL` is unknown.
#[derive(Default)]
pub(super) struct Statements(RefCell<HashMap<Box<str>, Vec<Typed>>>);

/// A statement and the types of its values.
type Typed = (Box<[Type]>, Statement);

impl Statements {
    /// Returns the statement for values of these types, if it was prepared.
    pub(super) fn find(&self, sql: &str, values: &[Value<'_>]) -> Option<Statement> {
        let statements = self.0.borrow();
        let of_text = statements.get(sql)?;
        let has_types = |types: &[Type]| {
            types.len() == values.len() && types.iter().zip(values).all(|(kind, value)| *kind == type_of(value))
        };
        of_text.iter().find(|(types, _)| has_types(types)).map(|(_, statement)| statement.clone())
    }

    /// Keeps a statement; if there are too many, all others are forgotten.
    pub(super) fn keep(&self, sql: &str, types: Vec<Type>, statement: Statement) {
        let mut statements = self.0.borrow_mut();
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        statements.entry(sql.into()).or_default().push((types.into(), statement));
    }
}
