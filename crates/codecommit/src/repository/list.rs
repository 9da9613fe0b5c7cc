//! The listing of an account's repositories in a region.

use std::sync::Arc;

use aws::{Call, page_token};
use aws_sdk_codecommit::operation::list_repositories::{ListRepositoriesInput, ListRepositoriesOutput};
use aws_sdk_codecommit::types::{OrderEnum, RepositoryNameIdPair, SortByEnum};

use crate::{CodeCommit, Exception};

/// The size of a page, which a caller cannot choose.
const PAGE: usize = 1_000;

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
        "ListRepositories",
        call.account.as_str(),
        call.region.as_str(),
        if by_date { "date" } else { "name" },
        if descending { "descending" } else { "ascending" },
    ];
    let after = input.next_token.map(|token| last_of_page(&scope, &token)).transpose()?;
    let (direction, beyond) = if descending { ("DESC", "<") } else { ("ASC", ">") };
    let (key, order) = if by_date {
        ("(modified, name)", format!("modified {direction}, name {direction}"))
    } else {
        ("(0, name)", format!("name {direction}"))
    };
    let from =
        if after.is_some() { format!("AND {key} {beyond} (?3, ?4)") } else { "AND ?3 = 0 AND ?4 = ''".to_owned() };
    let (modified, name) = after.unwrap_or_default();
    let limit = i64::try_from(PAGE + 1).expect("a page is small");
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
                limit.into(),
            ],
            |row| Ok((row.text(0)?, row.text(1)?, row.integer(2)?)),
        )
    })?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next_token = rows
        .last()
        .filter(|_| more)
        .map(|(_, name, modified)| page_token::encode(&scope, format!("{modified}/{name}").as_bytes()));
    let pairs = rows
        .into_iter()
        .map(|(id, name, _)| RepositoryNameIdPair::builder().repository_id(id).repository_name(name).build());
    Ok(ListRepositoriesOutput::builder().set_repositories(Some(pairs.collect())).set_next_token(next_token).build())
}

/// Returns the date and name of the repository that the page before ended with.
fn last_of_page(scope: &[&str], token: &str) -> Result<(i64, String), Exception> {
    let last = page_token::decode(scope, token).and_then(|last| String::from_utf8(last).ok());
    last.as_deref()
        .and_then(|last| last.split_once('/'))
        .and_then(|(modified, name)| Some((modified.parse().ok()?, name.to_owned())))
        .ok_or(Exception::InvalidContinuationToken)
}
