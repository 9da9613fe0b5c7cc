//! Stable hashes (FNV-1a): equal for equal bytes in every version of the program, as they are stored and are part of page tokens.
//!
//! They are not cryptographic: never use one to hide or to authenticate a value.

/// Hashes bytes to 64 bits.
pub fn fnv1a_64(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Hashes a text to 128 bits.
pub fn fnv1a_128(text: &str) -> u128 {
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

/// Derives an id in the form of a UUID (version 4) from a text.
pub fn uuid(text: &str) -> String {
    uuid::Builder::from_random_bytes(fnv1a_128(text).to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::{fnv1a_64, fnv1a_128};

    #[test]
    fn the_hashes_are_those_of_the_published_test_vectors() {
        assert_eq!(fnv1a_64([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a_64("foobar".bytes()), 0x8594_4171_f739_67e8);
        assert_eq!(fnv1a_128("foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }
}
