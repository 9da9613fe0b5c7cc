//! Pages of a listing: how many items a reply has, and where the next one goes on.

mod place;

use aws::page_token;

pub(crate) use self::place::Place;
use crate::Exception;

/// How large the pages of an operation are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// The operation.
    pub(crate) operation: &'static str,
    /// The size where the caller does not choose one; a setting goes before it.
    pub(crate) default: usize,
    /// The largest that a caller can choose.
    pub(crate) max: usize,
}

/// The paths on one page are no longer together than this, in bytes, and those of one item more.
pub(crate) const PAGE_BYTES_MAX: usize = 4 << 20;

/// One page that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Where it begins: the key of the last item of the page before; `None` at the start.
    pub(crate) after: Option<Vec<u8>>,
    /// How many items it has at most.
    pub(crate) size: usize,
    scope: Vec<String>,
}

impl Page {
    /// Reads what a caller says of the page.
    ///
    /// `scope` is all that must be the same in the request for the next page, such as ids and filters.
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

    /// Makes the page as short as its paths are long; the lengths are those of its items and of the next one.
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

    /// Gives one more than the size as SQL wants a limit: whether there is an item more decides whether there is a next page.
    pub(crate) fn limit(&self) -> i64 {
        i64::try_from(self.size + 1).unwrap_or(i64::MAX)
    }

    /// Cuts items that may be more to the page's size, and makes the token of the next page if they were.
    pub(crate) fn cut<T>(&self, items: &mut Vec<T>, key: impl FnOnce(&T) -> Vec<u8>) -> Option<String> {
        let more = items.len() > self.size;
        items.truncate(self.size);
        items.last().filter(|_| more).map(|last| page_token::encode(&self.scope(), &key(last)))
    }

    /// Where the page begins, as a text key; a token with another kind of key is none of this listing.
    pub(crate) fn after_text(&self) -> Result<Option<String>, Exception> {
        let text = |after: &Vec<u8>| String::from_utf8(after.clone()).map_err(|_| Exception::InvalidContinuationToken);
        self.after.as_ref().map(text).transpose()
    }

    /// Where the page begins, as a number.
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
        let first = page(None, None).expect("a page");
        let mut items = vec![1_i64, 2, 3];
        let token = first.cut(&mut items, |last| last.to_string().into_bytes());
        assert_eq!((items.as_slice(), first.limit()), ([1, 2].as_slice(), 3));
        assert_eq!(page(token, Some(3)).expect("a page").after_number().expect("a number"), Some(2));
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
