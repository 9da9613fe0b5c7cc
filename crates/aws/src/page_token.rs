//! Tokens with which a client asks for the next page of a listing.

use aws_smithy_types::base64;

/// Makes the token that continues a listing after `last`.
///
/// `scope` is all that must be the same in the next request: the operation, the place, the order.
pub fn encode(scope: &[&str], last: &[u8]) -> String {
    let mut token = digest(scope).to_be_bytes().to_vec();
    token.extend_from_slice(last);
    base64::encode(token)
}

/// Returns where the listing goes on; `None` if the token is not one of this scope's.
pub fn decode(scope: &[&str], token: &str) -> Option<Vec<u8>> {
    let token = base64::decode(token).ok()?;
    let (scope_digest, last) = token.split_at_checked(8)?;
    (scope_digest == digest(scope).to_be_bytes()).then(|| last.to_vec())
}

/// FNV-1a over the parts, each ended by a byte that no UTF-8 text holds.
fn digest(scope: &[&str]) -> u64 {
    scope
        .iter()
        .flat_map(|part| part.bytes().chain([0xff]))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_token_is_good_for_its_own_listing_only() {
        let token = encode(&["ListBranches", "a"], b"main");
        assert_eq!(decode(&["ListBranches", "a"], &token).as_deref(), Some(&b"main"[..]));
        assert_eq!(decode(&["ListBranches", "b"], &token), None);
        assert_eq!(decode(&["ListBranchesa"], &token), None);
        assert_eq!(decode(&["ListBranches", "a"], "not a token"), None);
        assert_eq!(decode(&["ListBranches", "a"], ""), None);
    }
}
