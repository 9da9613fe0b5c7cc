//! Detection of malicious URLs of submodules.
//!
//! A URL must not look like an option, must not put a newline into a request for credentials, and must not replace the host
//! of the URL to which it is relative.

use bstr::ByteSlice;

use crate::percent;

/// The protocols whose URLs are checked.
const PROTOCOLS: [&str; 4] = ["http", "https", "ftp", "ftps"];

/// Tells whether Git accepts the URL of a submodule.
pub(super) fn is_sound(url: &[u8]) -> bool {
    if url.starts_with(b"-") {
        return false;
    }
    if is_relative(url) {
        return !percent::decode(url).contains(&b'\n') && !replaces_host(url);
    }
    match absolute(url) {
        Some(url) => is_normal(url).unwrap_or(false) && !percent::decode(url).contains(&b'\n'),
        None => true,
    }
}

/// Tells whether a URL starts with `./` or `../`.
fn is_relative(url: &[u8]) -> bool {
    ["./", ".\\", "../", "..\\"].iter().any(|start| url.starts_with(start.as_bytes()))
}

/// Tells whether a relative URL starts with `../` and continues with a colon or slash, so that it changes the host.
fn replaces_host(url: &[u8]) -> bool {
    let mut rest = url;
    let mut has_parent = false;
    loop {
        if let [b'.', b'.', b'/' | b'\\', tail @ ..] = rest {
            (rest, has_parent) = (tail, true);
        } else if let [b'.', b'/' | b'\\', tail @ ..] = rest {
            rest = tail;
        } else {
            return has_parent && matches!(rest.first(), Some(b':' | b'/'));
        }
    }
}

/// Returns the URL that Git passes to its HTTP client, if it does so.
fn absolute(url: &[u8]) -> Option<&[u8]> {
    PROTOCOLS.iter().find_map(|protocol| {
        let rest = url.strip_prefix(protocol.as_bytes())?;
        rest.strip_prefix(b"::").or_else(|| rest.starts_with(b"://").then_some(url))
    })
}

/// Tells whether a URL can be normalized; `None` if it is not a URL.
fn is_normal(url: &[u8]) -> Option<bool> {
    let (scheme, rest) = url.split_once_str("://")?;
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-');
    if scheme.is_empty() || !scheme[0].is_ascii_alphabetic() || !scheme.iter().all(known) {
        return None;
    }
    let (authority, rest) = rest.split_at(rest.find_byteset("/?#").unwrap_or(rest.len()));
    let (user, host) = authority.split_once_str("@").map_or((None, authority), |(user, host)| (Some(user), host));
    let path = &rest[..rest.find_byteset("?#").unwrap_or(rest.len())];
    Some(
        user.is_none_or(has_sound_escapes)
            && is_host(host, scheme.eq_ignore_ascii_case(b"file"))
            && has_sound_escapes(rest)
            && stays_below(path),
    )
}

fn is_host(host: &[u8], is_file: bool) -> bool {
    let (name, port) = match host.rfind_byteset(":]") {
        Some(at) if host[at] == b':' => (&host[..at], Some(&host[at + 1..])),
        _ => (host, None),
    };
    if name.is_empty() {
        return is_file;
    }
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.[:]".contains(byte);
    let port = port.map_or(Some(1), |port| match port {
        b"" => Some(1),
        digits => {
            std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+')).and_then(|text| text.parse().ok())
        }
    });
    name.iter().all(known) && port.is_some_and(|port: u16| port > 0)
}

/// Tells whether each percent sign is followed by two hexadecimal digits.
fn has_sound_escapes(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'%').skip(1);
    parts.all(|part| part.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// Tells whether a path stays below its root.
fn stays_below(path: &[u8]) -> bool {
    let mut depth = 0_usize;
    for part in path.strip_prefix(b"/").unwrap_or(path).split(|byte| *byte == b'/') {
        match percent::decode(part).as_slice() {
            b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return false,
            },
            _ => depth += 1,
        }
    }
    true
}
