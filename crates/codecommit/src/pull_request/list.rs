//! Listing of a repository's pull requests.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::list_pull_requests::{ListPullRequestsInput, ListPullRequestsOutput};
use aws_sdk_codecommit::types::PullRequestStatusEnum;
use store::{Error, Transaction, Value};

use crate::name::{self, RepositoryName};
use crate::page::{Page, Sizes};
use crate::{CodeCommit, Exception};

const SIZES: Sizes = Sizes { operation: "ListPullRequests", default: 100, max: 1_000 };

/// Lists ids of pull requests, the most recently active first.
pub(crate) fn list(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListPullRequestsInput,
) -> Result<ListPullRequestsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let author = input.author_arn;
    if let Some(arn) = author.as_ref().filter(|arn| !name::is_arn(arn)) {
        return Err(Exception::InvalidAuthorArn { arn: arn.clone() });
    }
    let is_open = match input.pull_request_status.as_ref().map(PullRequestStatusEnum::as_str) {
        None => None,
        Some("OPEN") => Some(1),
        Some("CLOSED") => Some(0),
        Some(status) => return Err(Exception::InvalidPullRequestStatus { status: status.to_owned() }),
    };
    let status = input.pull_request_status.as_ref().map(PullRequestStatusEnum::as_str).unwrap_or_default();
    let scope =
        [call.account.as_str(), call.region.as_str(), name.as_str(), author.as_deref().unwrap_or_default(), status];
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, input.max_results)?;
    let (active, number) = last_of_page(&page)?.unwrap_or((i64::MAX, i64::MAX));
    let repository = service.find(call, &name)?;
    let mut rows = service.store.read(|transaction| {
        if let Some(arn) = author.as_deref().filter(|arn| *arn != call.caller.arn)
            && !is_known(transaction, call, arn)?
        {
            return Err(Exception::AuthorDoesNotExist { arn: arn.to_owned() });
        }
        // A missing filter must not prevent the use of an index, so the query omits its condition.
        let mut values: Vec<Value<'_>> =
            vec![(&repository.id).into(), active.into(), number.into(), page.limit().into()];
        let mut of_author = "";
        if let Some(author) = author.as_deref() {
            values.extend([call.account.as_str(), call.region.as_str(), author].map(Value::from));
            of_author = "AND account = ?5 AND region = ?6 AND author = ?7";
        }
        let of_status = match is_open {
            None => "",
            Some(_) if of_author.is_empty() => "AND is_open = ?5",
            Some(_) => "AND is_open = ?8",
        };
        values.extend(is_open.map(Value::Integer));
        let sql = format!(
            "SELECT active, number FROM pull_requests WHERE repository_id = ?1 AND (active, number) < (?2, ?3) \
             {of_author} {of_status} ORDER BY active DESC, number DESC LIMIT ?4"
        );
        Ok(transaction.query(&sql, &values, |row| Ok((row.integer(0)?, row.integer(1)?)))?)
    })?;
    let next_token = page.cut(&mut rows, |(active, number)| format!("{active}/{number}").into_bytes());
    let ids = rows.into_iter().map(|(_, number)| number.to_string()).collect();
    let output = ListPullRequestsOutput::builder().set_pull_request_ids(Some(ids)).set_next_token(next_token);
    Ok(output.build().expect("the ids are set"))
}

/// Returns the last activity and the number of the last pull request of the page before.
fn last_of_page(page: &Page) -> Result<Option<(i64, i64)>, Exception> {
    let Some(last) = page.after_text()? else { return Ok(None) };
    let last = last.split_once('/').and_then(|(active, number)| Some((active.parse().ok()?, number.parse().ok()?)));
    last.map(Some).ok_or(Exception::InvalidContinuationToken)
}

/// Returns whether a caller is the author of any pull request in the call's account and region.
fn is_known(transaction: &Transaction, call: &Call, arn: &str) -> Result<bool, Error> {
    let known = transaction.query_one(
        "SELECT 1 FROM pull_requests WHERE account = ?1 AND region = ?2 AND author = ?3 LIMIT 1",
        &[call.account.as_str().into(), call.region.as_str().into(), arn.into()],
        |row| row.integer(0),
    )?;
    Ok(known.is_some())
}
