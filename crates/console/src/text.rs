//! Forms of times, ids and sizes on pages.

use askama::filters::Safe;
use aws::Timestamp;

/// Returns a time as an element that scripts complete with the reader's zone.
pub(crate) fn time(time: Timestamp) -> Safe<String> {
    let iso = time.iso();
    let shown = iso.replace('T', " ").replace('Z', " UTC");
    Safe(format!("<time datetime=\"{iso}\">{shown}</time>"))
}

/// Returns a time in seconds since the epoch, as replies have it, as an element.
pub(crate) fn seconds(seconds: &f64) -> Safe<String> {
    time(Timestamp::from_seconds(*seconds))
}

/// Returns the date of an author or committer, such as `1481739554 +0100`, as an element.
pub(crate) fn git_date(date: &str) -> Safe<String> {
    match date.split_whitespace().next().and_then(|seconds| seconds.parse().ok()) {
        Some(value) => seconds(&value),
        None => Safe(String::new()),
    }
}

/// Returns the first eight characters of an object id.
pub(crate) fn short_id(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Returns the first line of a commit message.
pub(crate) fn subject(message: &str) -> &str {
    message.trim_start().lines().next().unwrap_or_default()
}

/// Returns the name of a branch or tag without the beginning of its full name.
pub(crate) fn short_reference(reference: &str) -> &str {
    let names = ["refs/heads/", "refs/tags/"];
    names.iter().find_map(|prefix| reference.strip_prefix(prefix)).unwrap_or(reference)
}

/// Returns the name of an exception without its last word.
pub(crate) fn short_exception(name: &str) -> &str {
    name.strip_suffix("Exception").unwrap_or(name)
}

/// Returns a number of bytes in a readable unit.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{}.{} KB", bytes >> 10, (bytes & 1023) * 10 >> 10),
        _ => format!("{}.{} MB", bytes >> 20, (bytes & 0xF_FFFF) * 10 >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_one_form() {
        let expected = "<time datetime=\"2016-12-14T18:19:14Z\">2016-12-14 18:19:14 UTC</time>";
        assert_eq!(git_date("1481739554 +0100").0, expected);
        assert_eq!(git_date("never").0, "");
        assert_eq!([size(12), size(1_536), size(5 << 20)], ["12 bytes", "1.5 KB", "5.0 MB"]);
    }
}
