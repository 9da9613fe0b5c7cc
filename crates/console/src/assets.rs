//! Style sheet, scripts and icon, which are part of the program.

use std::sync::LazyLock;

use aws::stable_hash::fnv1a_64;
use bytes::Bytes;
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::{reply, url};

/// A file of the program.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! assets {
    ($($name:literal as $content_type:expr),+ $(,)?) => {
        [$(Asset { name: $name, content_type: $content_type, content: include_bytes!(concat!("../assets/", $name)) }),+]
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

static ASSETS: &[Asset] = &assets![
    "console.css" as "text/css; charset=utf-8",
    "announce.js" as SCRIPT,
    "choose.js" as SCRIPT,
    "console.js" as SCRIPT,
    "copy.js" as SCRIPT,
    "diff.js" as SCRIPT,
    "filter.js" as SCRIPT,
    "fold.js" as SCRIPT,
    "keys.js" as SCRIPT,
    "lines.js" as SCRIPT,
    "live.js" as SCRIPT,
    "menus.js" as SCRIPT,
    "plot.js" as SCRIPT,
    "times.js" as SCRIPT,
    "icon.svg" as "image/svg+xml",
];

/// The hash of all files: a part of their URLs, so that browsers can keep them for ever.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let bytes = ASSETS.iter().flat_map(|asset| asset.content.iter().copied());
    format!("{:016x}", fnv1a_64(bytes))
});

/// Returns the URL of a file. Scripts import each other by relative URLs, so all are in one folder.
pub(crate) fn asset(name: &str) -> String {
    url::page(&format!("assets/{}/{name}", *VERSION))
}

/// Serves a file.
pub(crate) fn serve(version: &str, name: &str) -> Option<Response<Bytes>> {
    let asset = ASSETS.iter().find(|asset| asset.name == name)?;
    let mut response = reply::with_body(200, asset.content_type, Bytes::from_static(asset.content));
    let kept = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(CACHE_CONTROL, reply::header(kept));
    debug_assert!(response.headers().contains_key(CONTENT_TYPE));
    Some(response)
}
