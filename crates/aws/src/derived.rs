//! Ids that nobody chose: always the same for the same text.

/// Spreads a text over 128 bits (FNV-1a), the same in every version of the program; it hides nothing.
pub fn number(text: &str) -> u128 {
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

/// Makes a UUID out of a text.
pub fn uuid(text: &str) -> String {
    uuid::Builder::from_random_bytes(number(text).to_be_bytes()).into_uuid().to_string()
}
