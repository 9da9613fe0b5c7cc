//! Pages of listings. A token is valid for fifteen minutes, for the same arguments and any page size.

use std::time::Duration;

use aws::{Call, Timestamp, page_token};

use crate::Exception;

/// Validity of a token.
const TOKEN_LIFE: Duration = Duration::from_mins(15);

/// Requested page.
pub(crate) struct Page {
    /// Operation, account, region and arguments, for which a token is valid.
    scope: Vec<String>,
    now: Timestamp,
    /// Name of the last item of the page before.
    after: Option<String>,
}

impl Page {
    /// Parses the token of a request; an empty one counts as missing. `arguments` must be the same for the next page.
    pub(crate) fn parse(
        operation: &str,
        call: &Call,
        arguments: String,
        token: Option<String>,
    ) -> Result<Self, Exception> {
        let scope = vec![operation.to_owned(), call.account.to_string(), call.region.to_string(), arguments];
        let mut page = Self { scope, now: call.time, after: None };
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(page) };
        let (created, last) =
            page.decode(&token).ok_or_else(|| Exception::invalid("The pagination token is not valid."))?;
        let life = i64::try_from(TOKEN_LIFE.as_millis()).expect("fifteen minutes fit");
        if call.time.millis() > created + life {
            return Err(Exception::PaginationTokenExpired);
        }
        page.after = Some(last);
        Ok(page)
    }

    /// Returns the items of the page and the token of the next page, which is empty if there is none, as at AWS.
    ///
    /// `all` is sorted by `name`; `fits` returns whether an item may be added to those on the page.
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

    fn decode(&self, token: &str) -> Option<(i64, String)> {
        let text = String::from_utf8(page_token::decode(&self.scope(), token)?).ok()?;
        let (created, last) = text.split_once(' ')?;
        Some((created.parse().ok()?, last.to_owned()))
    }

    fn scope(&self) -> Vec<&str> {
        self.scope.iter().map(String::as_str).collect()
    }
}
