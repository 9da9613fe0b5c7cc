//! Names of the values of an attribute, over several regions: a value has an id in each region.

use std::collections::HashMap;

use store::{Error, Transaction};

use super::{Selection, regions};
use crate::history::attributes::Attribute;
use crate::history::{columns, index};

/// The names of an attribute's values, numbered from 1; 0 is a missing value.
#[derive(Default)]
pub(super) struct Names {
    names: Vec<String>,
    /// The number of the name of each id.
    numbers: Vec<u32>,
}

impl Names {
    /// Reads the names of an attribute in the regions of a selection.
    pub(super) fn read(
        transaction: &Transaction,
        account: &str,
        selection: &Selection<'_>,
        attribute: Attribute,
    ) -> Result<Self, Error> {
        let mut names = Self { names: vec![String::new()], numbers: Vec::new() };
        let mut known = HashMap::new();
        for region in regions(transaction, account, selection)? {
            for (value_id, name) in index::values(transaction, (account, &region), attribute)? {
                let number = *known.entry(name.clone()).or_insert_with(|| {
                    names.names.push(name);
                    names.names.len() - 1
                });
                let id = columns::id(value_id)? as usize;
                if names.numbers.len() <= id {
                    names.numbers.resize(id + 1, 0);
                }
                names.numbers[id] = u32::try_from(number).unwrap_or(0);
            }
        }
        Ok(names)
    }

    /// Returns the number of names, with that of missing values.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns the number of the name of an id.
    pub(super) fn number(&self, id: u32) -> usize {
        self.numbers.get(id as usize).map_or(0, |number| *number as usize)
    }

    /// Returns the name with a number; that of missing values is empty.
    pub(super) fn name(&self, number: usize) -> &str {
        &self.names[number]
    }
}
