//! Times and sizes as people write them: `5s`, `5MB`.

use std::time::Duration;

/// Reads a time: a number with `ms`, `s`, `m`, `h` or `d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let millis = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    match read(text, &millis) {
        Some(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(format!("'{text}' is not a time; write a number with ms, s, m, h or d, such as 5s")),
    }
}

/// Reads a size in bytes: a number, alone or with `KB`, `MB` or `GB` (1,024 of the one below).
pub fn bytes(text: &str) -> Result<u64, String> {
    let units = [("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("B", 1), ("", 1)];
    match read(text, &units) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err(format!("'{text}' is not a size; write a number with KB, MB or GB, such as 5MB")),
    }
}

/// Reads a number and the first of the units that the text ends with.
fn read(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{bytes, duration};

    #[test]
    fn numbers_with_units_are_read() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2 m"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("14d"), Ok(Duration::from_hours(336)));
        assert_eq!(bytes("5MB"), Ok(5 << 20));
        assert_eq!(bytes("4096"), Ok(4096));
    }

    #[test]
    fn other_texts_are_refused_with_what_to_write() {
        for text in ["", "5", "s", "-1s", "0s", "1.5h", "99999999999999999999s"] {
            assert!(duration(text).expect_err(text).contains("such as 5s"));
        }
        for text in ["", "MB", "0", "5 apples", "99999999999GB"] {
            assert!(bytes(text).expect_err(text).contains("such as 5MB"));
        }
    }
}
