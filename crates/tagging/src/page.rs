//! Pages of a listing: tokens are good for the same arguments and for fifteen minutes, with pages of any size.

use std::time::Duration;

use aws::{Call, Timestamp, page_token};

use crate::Exception;

/// How long a token is good.
const TOKEN_LIFE: Duration = Duration::from_mins(15);

/// Where a page begins, and what its token is bound to.
pub(crate) struct Page {
    scope: Vec<String>,
    now: Timestamp,
    /// The last item of the page before.
    after: Option<String>,
}

impl Page {
    /// Reads the token of a request; `arguments` are those that must be the same for the next page. An empty token is none.
    pub(crate) fn parse(
        operation: &str,
        call: &Call,
        arguments: String,
        token: Option<String>,
    ) -> Result<Self, Exception> {
        let scope = vec![operation.to_owned(), call.account.to_string(), call.region.to_string(), arguments];
        let mut page = Self { scope, now: call.time, after: None };
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(page) };
        let (made, last) = page.read(&token).ok_or_else(|| Exception::invalid("The pagination token is not valid."))?;
        let life = i64::try_from(TOKEN_LIFE.as_millis()).expect("it is short");
        if call.time.millis() > made + life {
            return Err(Exception::PaginationTokenExpired);
        }
        page.after = Some(last);
        Ok(page)
    }

    /// Cuts the page out of a listing in the order of `name`; `fits` says whether an item may be added to those that are on it.
    ///
    /// Returns its items and the token of the next page, empty as at AWS if there is none.
    pub(crate) fn cut<T>(
        &self,
        all: Vec<T>,
        name: impl Fn(&T) -> String,
        fits: impl Fn(&[T], &T) -> bool,
    ) -> (Vec<T>, String) {
        let mut items = Vec::new();
        for item in all.into_iter().filter(|item| self.after.as_ref().is_none_or(|after| name(item) > *after)) {
            if !items.is_empty() && !fits(&items, &item) {
                let token = items.last().map(|last| self.token(&name(last))).unwrap_or_default();
                return (items, token);
            }
            items.push(item);
        }
        (items, String::new())
    }

    fn token(&self, last: &str) -> String {
        page_token::encode(&self.scope(), format!("{} {last}", self.now.millis()).as_bytes())
    }

    fn read(&self, token: &str) -> Option<(i64, String)> {
        let text = String::from_utf8(page_token::decode(&self.scope(), token)?).ok()?;
        let (made, last) = text.split_once(' ')?;
        Some((made.parse().ok()?, last.to_owned()))
    }

    fn scope(&self) -> Vec<&str> {
        self.scope.iter().map(String::as_str).collect()
    }
}
