//! Rows of numbered tables that wait for the commit.

use std::fmt::Write as _;
use std::sync::Arc;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::receipt::{Receipt, write_receipt};
use crate::Value;
use crate::numbered::{ColumnType, NumberedTable};
use crate::value::OwnedValue;

/// Rows in their order.
#[derive(Default)]
pub(super) struct NumberedRows(Vec<(&'static NumberedTable, Vec<OwnedValue>)>);

/// Rows of one table that are inserted by one statement.
pub(super) struct Batch {
    table: &'static NumberedTable,
    /// The values of each column.
    columns: Vec<Column>,
    /// What the statement writes besides, if a commit follows.
    pub(super) receipt: Option<Arc<Receipt>>,
}

/// The values of a column, as an array of the server.
#[derive(Debug)]
enum Column {
    Integer(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Blob(Vec<Option<Vec<u8>>>),
}

impl NumberedRows {
    pub(super) fn add(&mut self, table: &'static NumberedTable, values: &[Value<'_>]) {
        self.0.push((table, values.iter().map(OwnedValue::from).collect()));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Returns whether a statement could read or change the table of a row; a name that contains it counts, too.
    pub(super) fn are_named_in(&self, sql: &str) -> bool {
        self.0.iter().any(|(table, _)| sql.contains(table.name))
    }

    /// Takes the first rows, a batch for each table.
    pub(super) fn take(&mut self, count: usize) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        let count = count.min(self.0.len());
        for (table, values) in self.0.drain(..count) {
            let known = batches.iter_mut().position(|batch| std::ptr::eq(batch.table, table));
            let index = known.unwrap_or_else(|| {
                let columns = table.columns.iter().map(|(_, kind)| Column::new(*kind)).collect();
                batches.push(Batch { table, columns, receipt: None });
                batches.len() - 1
            });
            for (column, value) in batches[index].columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        batches
    }
}

impl Batch {
    /// The statement has an array for each column, numbers the rows from the greatest number on, and returns the last number.
    ///
    /// It is not the one that waits for the lock, so it sees all that was committed before.
    pub(super) fn statement(&self) -> String {
        let NumberedTable { name, number, columns, .. } = self.table;
        let mut names = String::new();
        let mut arrays = String::new();
        for (index, (column, _)) in columns.iter().enumerate() {
            let _ = write!(names, "{column}, ");
            let _ = write!(arrays, "{}${}", if index > 0 { ", " } else { "" }, index + 1);
        }
        let receipt = self.receipt.as_ref().map_or_else(String::new, |_| {
            let statement = write_receipt(columns.len() + 1);
            format!(", receipt AS ({statement})")
        });
        format!(
            "WITH inserted AS (INSERT INTO {name} ({names}{number}) \
             SELECT {names}COALESCE((SELECT MAX({number}) FROM {name}), 0) + place \
             FROM unnest({arrays}) WITH ORDINALITY AS rows ({names}place) RETURNING {number}){receipt} \
             SELECT MAX({number}) FROM inserted"
        )
    }

    pub(super) fn types(&self) -> Vec<Type> {
        let array = |column: &Column| match column {
            Column::Integer(_) => Type::INT8_ARRAY,
            Column::Text(_) => Type::TEXT_ARRAY,
            Column::Blob(_) => Type::BYTEA_ARRAY,
        };
        let receipt = self.receipt.iter().flat_map(|_| [Type::TEXT, Type::INT8]);
        self.columns.iter().map(array).chain(receipt).collect()
    }

    pub(super) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        let columns = self.columns.iter().map(|column| column as &(dyn ToSql + Sync));
        columns.chain(self.receipt.iter().flat_map(|receipt| receipt.parameters())).collect()
    }
}

impl Column {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Integer => Self::Integer(Vec::new()),
            ColumnType::Text => Self::Text(Vec::new()),
            ColumnType::Blob => Self::Blob(Vec::new()),
        }
    }

    /// Adds a value; one of another type is `NULL`, which the column of the table refuses.
    fn push(&mut self, value: OwnedValue) {
        match (self, value) {
            (Self::Integer(values), OwnedValue::Integer(number)) => values.push(Some(number)),
            (Self::Text(values), OwnedValue::Text(text)) => values.push(Some(text)),
            (Self::Blob(values), OwnedValue::Blob(bytes)) => values.push(Some(bytes)),
            (Self::Integer(values), _) => values.push(None),
            (Self::Text(values), _) => values.push(None),
            (Self::Blob(values), _) => values.push(None),
        }
    }
}

impl ToSql for Column {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Integer(values) => values.to_sql(kind, out),
            Self::Text(values) => values.to_sql(kind, out),
            Self::Blob(values) => values.to_sql(kind, out),
        }
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
