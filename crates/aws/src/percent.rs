//! Percent encoding, as forms and URLs have it.

/// What stands for itself besides letters and digits, in AWS's canonical form (RFC 3986).
pub const UNRESERVED: &[u8] = b"-._~";

/// Escapes a text; letters, digits and the bytes of `plain` stand for themselves.
pub fn encode(text: &str, plain: &[u8]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || plain.contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Undoes the escapes of a form or a URL's parameter, in which a space is a plus sign; bytes that are no UTF-8 are replaced.
pub fn decode(text: &[u8]) -> String {
    unescape(text, b' ')
}

/// Undoes the escapes of one part of a URL's path, in which a plus sign is itself; bytes that are no UTF-8 are replaced.
pub fn decode_path_segment(text: &str) -> String {
    unescape(text.as_bytes(), b'+')
}

/// Undoes escapes; `plus` is what a plus sign stands for.
fn unescape(text: &[u8], plus: u8) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = escaped.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        let (byte, length) = match (first, escaped) {
            (b'%', Some(byte)) => (byte, 3),
            (b'+', _) => (plus, 1),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
