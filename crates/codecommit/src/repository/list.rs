//! Listing of an account's repositories in a region.

use std::sync::Arc;

use aws::{Call, Facts};
use aws_sdk_codecommit::operation::list_repositories::{ListRepositoriesInput, ListRepositoriesOutput};
use aws_sdk_codecommit::types::{OrderEnum, RepositoryNameIdPair, SortByEnum};
use store::Value;

use crate::page::{Page, Sizes};
use crate::{CodeCommit, Exception};

/// Callers cannot choose the page size.
const SIZES: Sizes = Sizes { operation: "ListRepositories", default: 1_000, max: 1_000 };

/// Lists repositories by name, or by date on request; those of the same date are in the order of their names.
pub(crate) fn list(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListRepositoriesInput,
) -> Result<ListRepositoriesOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let by_date = match input.sort_by {
        None | Some(SortByEnum::RepositoryName) => false,
        Some(SortByEnum::ModifiedDate) => true,
        Some(_) => return Err(Exception::InvalidSortBy),
    };
    let descending = match input.order {
        None | Some(OrderEnum::Ascending) => false,
        Some(OrderEnum::Descending) => true,
        Some(_) => return Err(Exception::InvalidOrder),
    };
    let scope = [
        call.account.as_str(),
        call.region.as_str(),
        if by_date { "date" } else { "name" },
        if descending { "descending" } else { "ascending" },
    ];
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, None)?;
    let after = page.after_text()?.map(|last| end_of_page(&last)).transpose()?;
    let sql = sql(by_date, descending, after.is_some());
    let mut values: Vec<Value<'_>> =
        vec![call.account.as_str().into(), call.region.as_str().into(), page.limit().into()];
    if let Some((modified, name)) = &after {
        values.push(name.into());
        if by_date {
            values.push((*modified).into());
        }
    }
    let mut rows = service.store.read(|transaction| {
        transaction.query(&sql, &values, |row| Ok((row.text(0)?, row.text(1)?, row.integer(2)?)))
    })?;
    let next_token = page.cut(&mut rows, |(_, name, modified)| format!("{modified}/{name}").into_bytes());
    let pairs = rows
        .into_iter()
        .map(|(id, name, _)| RepositoryNameIdPair::builder().repository_id(id).repository_name(name).build());
    Ok(ListRepositoriesOutput::builder().set_repositories(Some(pairs.collect())).set_next_token(next_token).build())
}

/// Returns the query of the first page, or of a page after the repository of a name and a date.
///
/// Each query reads an index in its order.
fn sql(by_date: bool, descending: bool, continues: bool) -> String {
    let (direction, beyond) = if descending { ("DESC", "<") } else { ("ASC", ">") };
    let (after, order) = if by_date {
        (format!("AND (modified, name) {beyond} (?5, ?4)"), format!("modified {direction}, name {direction}"))
    } else {
        (format!("AND name {beyond} ?4"), format!("name {direction}"))
    };
    let after = if continues { after } else { String::new() };
    format!(
        "SELECT id, name, modified FROM repositories WHERE account = ?1 AND region = ?2 {after} ORDER BY {order} LIMIT ?3"
    )
}

/// Returns the date and name of the last repository of the page before.
fn end_of_page(last: &str) -> Result<(i64, String), Exception> {
    last.split_once('/')
        .and_then(|(modified, name)| Some((modified.parse().ok()?, name.to_owned())))
        .ok_or(Exception::InvalidContinuationToken)
}

#[cfg(test)]
mod tests {
    use store::{Durability, Store};

    use super::sql;

    #[test]
    fn a_page_is_read_from_an_index_without_sorting() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
        store.migrate("codecommit", crate::schema::STEPS).expect("the statements are valid");
        for (by_date, descending, continues) in (0..8).map(|case| (case & 1 == 1, case & 2 == 2, case & 4 == 4)) {
            let explain = format!("EXPLAIN QUERY PLAN {}", sql(by_date, descending, continues));
            let values = if continues { 4 + usize::from(by_date) } else { 3 };
            let plan: Result<Vec<String>, store::Error> =
                store.read(|transaction| transaction.query(&explain, &vec![1.into(); values], |row| row.text(3)));
            let plan = plan.expect("the tables exist");
            assert_eq!(plan.len(), 1, "nothing is sorted: {plan:?}");
            let key = match (by_date, descending) {
                _ if !continues => "region=?)",
                (false, false) => "name>?)",
                (false, true) => "name<?)",
                (true, false) => "(modified,name)>(?,?))",
                (true, true) => "(modified,name)<(?,?))",
            };
            assert!(plan[0].starts_with("SEARCH") && plan[0].ends_with(key), "{key}: {plan:?}");
        }
    }
}
