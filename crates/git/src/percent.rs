//! Percent-decoding of URLs and filters, as Git does it.

use bstr::ByteSlice;
use percent_encoding::percent_decode;

/// An escaped zero byte, which Git leaves as it is.
const ZERO: &str = "%00";

/// Replaces each percent sign and its two hexadecimal digits by the byte that they stand for; the rest stays.
pub(crate) fn decode(text: &[u8]) -> Vec<u8> {
    bstr::join(ZERO, text.split_str(ZERO).map(|part| percent_decode(part).collect::<Vec<u8>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escapes_of_other_bytes_than_zero_are_decoded() {
        assert_eq!(decode(b"%41%4a%0a+%zz%4%"), b"AJ\n+%zz%4%");
        assert_eq!(decode(b"%00%2%00%25%0041%ff"), b"%00%2%00%%0041\xff");
        assert_eq!(decode(b""), b"");
    }
}
