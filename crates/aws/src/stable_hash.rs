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

/// Derives the number at a position of the sequence of a seed; the numbers look unrelated.
pub(crate) fn spread(seed: u128, position: u64) -> u128 {
    let [high, low] =
        [seed >> 64, seed].map(|half| u64::try_from(half & u128::from(u64::MAX)).expect("the mask leaves 64 bits"));
    (u128::from(mix(high ^ mix(position))) << 64) | u128::from(mix(low ^ mix(!position)))
}

/// Spreads a number over 64 bits (the finalizer of `SplitMix64`).
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
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
