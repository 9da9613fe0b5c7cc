//! Page tokens: where the next page of a listing begins.

use aws_smithy_types::base64;

use crate::stable_hash::fnv1a_64;

/// Creates the token that continues a listing after `last`.
///
/// `scope` holds everything that the next request must repeat: the operation, the account and region, the order.
pub fn encode(scope: &[&str], last: &[u8]) -> String {
    let mut token = digest(scope).to_be_bytes().to_vec();
    token.extend_from_slice(last);
    base64::encode(token)
}

/// Returns the last entry of the previous page; `None` if the token belongs to another scope or is malformed.
pub fn decode(scope: &[&str], token: &str) -> Option<Vec<u8>> {
    let token = base64::decode(token).ok()?;
    let (scope_digest, last) = token.split_at_checked(8)?;
    (scope_digest == digest(scope).to_be_bytes()).then(|| last.to_vec())
}

/// Hashes the parts of a scope, each followed by a byte that no UTF-8 text contains.
fn digest(scope: &[&str]) -> u64 {
    fnv1a_64(scope.iter().flat_map(|part| part.bytes().chain([0xff])))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_token_is_valid_for_its_own_listing_only() {
        let token = encode(&["ListBranches", "a"], b"main");
        assert_eq!(decode(&["ListBranches", "a"], &token).as_deref(), Some(&b"main"[..]));
        assert_eq!(decode(&["ListBranches", "b"], &token), None);
        assert_eq!(decode(&["ListBranchesa"], &token), None);
        assert_eq!(decode(&["ListBranches", "a"], "not a token"), None);
        assert_eq!(decode(&["ListBranches", "a"], ""), None);
    }
}
