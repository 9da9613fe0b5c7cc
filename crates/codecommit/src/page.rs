//! Pages of listings: the number of items in a reply, and the token of the next page.

mod cursor;

use aws::page_token;

pub(crate) use self::cursor::Cursor;
use crate::Exception;

/// Page sizes of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Name of the operation.
    pub(crate) operation: &'static str,
    /// Size if the caller gives none; the setting for the operation overrides it.
    pub(crate) default: usize,
    /// Largest size that a caller can choose.
    pub(crate) max: usize,
}

/// Maximum total length of the paths on a page, in bytes; the last item may exceed it.
pub(crate) const PAGE_BYTES_MAX: usize = 4 << 20;

/// Requested page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Key of the last item of the page before; `None` for the first page.
    pub(crate) after: Option<Vec<u8>>,
    /// Maximum number of items.
    pub(crate) size: usize,
    scope: Vec<String>,
}

impl Page {
    /// Parses the token and the size that a caller gives.
    ///
    /// `scope` is everything that must be the same in the request for the next page, such as ids and filters.
    pub(crate) fn parse(
        sizes: Sizes,
        settings: &crate::Settings,
        scope: &[&str],
        next_token: Option<String>,
        max_results: Option<i32>,
    ) -> Result<Self, Exception> {
        let default = settings.page_sizes.get(sizes.operation).copied().unwrap_or(sizes.default);
        let max = sizes.max.max(default);
        let size = match max_results {
            None => default,
            Some(size) => {
                let size = usize::try_from(size).ok().filter(|size| (1..=max).contains(size));
                size.ok_or(Exception::InvalidMaxResults { max })?
            }
        };
        let scope: Vec<String> = [sizes.operation].iter().chain(scope).map(|part| (*part).to_owned()).collect();
        let mut page = Self { after: None, size, scope };
        if let Some(token) = next_token {
            let after = page_token::decode(&page.scope(), &token).ok_or(Exception::InvalidContinuationToken)?;
            page.after = Some(after);
        }
        Ok(page)
    }

    /// Reduces the size so that the paths fit a page; `lengths` are those of its items and of the next one.
    pub(crate) fn shortened(self, lengths: impl Iterator<Item = usize>) -> Self {
        let mut bytes = 0;
        let fitting = lengths.take_while(|length| {
            let fits = bytes <= PAGE_BYTES_MAX;
            bytes += length;
            fits
        });
        let count = fitting.count();
        Self {
            size: if bytes > PAGE_BYTES_MAX { self.size.min(count.saturating_sub(1).max(1)) } else { self.size },
            ..self
        }
    }

    /// Returns the limit for a query: one more than the size, as an additional item means that there is a next page.
    pub(crate) fn limit(&self) -> i64 {
        i64::try_from(self.size + 1).unwrap_or(i64::MAX)
    }

    /// Truncates items to the page's size; returns the token of the next page if there were more.
    pub(crate) fn cut<T>(&self, items: &mut Vec<T>, key: impl FnOnce(&T) -> Vec<u8>) -> Option<String> {
        let more = items.len() > self.size;
        items.truncate(self.size);
        items.last().filter(|_| more).map(|last| page_token::encode(&self.scope(), &key(last)))
    }

    /// Returns the key of the page's start as a text; a token with another kind of key is invalid.
    pub(crate) fn after_text(&self) -> Result<Option<String>, Exception> {
        let text = |after: &Vec<u8>| String::from_utf8(after.clone()).map_err(|_| Exception::InvalidContinuationToken);
        self.after.as_ref().map(text).transpose()
    }

    /// Returns the key of the page's start as a number.
    pub(crate) fn after_number(&self) -> Result<Option<i64>, Exception> {
        let number = |text: String| text.parse().map_err(|_| Exception::InvalidContinuationToken);
        self.after_text()?.map(number).transpose()
    }

    fn scope(&self) -> Vec<&str> {
        self.scope.iter().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { operation: "ListThings", default: 2, max: 3 };

    fn page(token: Option<String>, max: Option<i32>) -> Result<Page, Exception> {
        Page::parse(SIZES, &crate::Settings::default(), &["repository"], token, max)
    }

    #[test]
    fn a_page_leads_to_the_next() {
        let first = page(None, None).expect("the request is valid");
        let mut items = vec![1_i64, 2, 3];
        let token = first.cut(&mut items, |last| last.to_string().into_bytes());
        assert_eq!((items.as_slice(), first.limit()), ([1, 2].as_slice(), 3));
        assert_eq!(
            page(token, Some(3)).expect("the request is valid").after_number().expect("the key is a number"),
            Some(2)
        );
        assert_eq!(first.cut(&mut vec![1, 2], |_| Vec::new()), None);
    }

    #[test]
    fn sizes_and_tokens_are_checked() {
        for size in [0, -1, 4] {
            assert!(matches!(page(None, Some(size)), Err(Exception::InvalidMaxResults { max: 3 })));
        }
        let of_another = page_token::encode(&["ListThings", "other"], b"1");
        assert!(matches!(page(Some(of_another), None), Err(Exception::InvalidContinuationToken)));
    }
}
