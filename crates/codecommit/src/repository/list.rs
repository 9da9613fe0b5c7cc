//! The listing of an account's repositories in a region.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::list_repositories::{ListRepositoriesInput, ListRepositoriesOutput};
use aws_sdk_codecommit::types::{OrderEnum, RepositoryNameIdPair, SortByEnum};

use crate::page::{Page, Sizes};
use crate::{CodeCommit, Exception};

/// A caller cannot choose the size of a page.
const SIZES: Sizes = Sizes { operation: "ListRepositories", default: 1_000, max: 1_000 };

/// Lists by name unless the caller sorts otherwise; repositories of one date are in the order of their names.
pub(crate) fn list(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListRepositoriesInput,
) -> Result<ListRepositoriesOutput, Exception> {
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
    let (direction, beyond) = if descending { ("DESC", "<") } else { ("ASC", ">") };
    let (key, order) = if by_date {
        ("(modified, name)", format!("modified {direction}, name {direction}"))
    } else {
        ("(0, name)", format!("name {direction}"))
    };
    let from =
        if after.is_some() { format!("AND {key} {beyond} (?3, ?4)") } else { "AND ?3 = 0 AND ?4 = ''".to_owned() };
    let (modified, name) = after.unwrap_or_default();
    let mut rows = service.store.read(|transaction| {
        transaction.query(
            &format!(
                "SELECT id, name, modified FROM repositories WHERE account = ?1 AND region = ?2 {from} ORDER BY {order} LIMIT ?5"
            ),
            &[
                call.account.as_str().into(),
                call.region.as_str().into(),
                (if by_date { modified } else { 0 }).into(),
                (&name).into(),
                page.limit().into(),
            ],
            |row| Ok((row.text(0)?, row.text(1)?, row.integer(2)?)),
        )
    })?;
    let next_token = page.cut(&mut rows, |(_, name, modified)| format!("{modified}/{name}").into_bytes());
    let pairs = rows
        .into_iter()
        .map(|(id, name, _)| RepositoryNameIdPair::builder().repository_id(id).repository_name(name).build());
    Ok(ListRepositoriesOutput::builder().set_repositories(Some(pairs.collect())).set_next_token(next_token).build())
}

/// Returns the date and name of the repository that the page before ended with.
fn end_of_page(last: &str) -> Result<(i64, String), Exception> {
    last.split_once('/')
        .and_then(|(modified, name)| Some((modified.parse().ok()?, name.to_owned())))
        .ok_or(Exception::InvalidContinuationToken)
}
