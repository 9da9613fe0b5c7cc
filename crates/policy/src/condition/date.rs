//! Dates: the forms of ISO 8601 that the W3C recommends, the basic form, and seconds since 1970.

/// Seconds since 1970 and nanoseconds.
pub(crate) type Instant = (i64, u32);

/// Parses a date.
///
/// - `2020`, `2020-04`, `2020-04-01`: their first moment in UTC
/// - `2020-04-01T12:30`, with `:15` and `:15.5` for seconds, with `Z`, `+02:00` or `+0200` for the time zone, or without one for UTC
/// - `20200401T123015Z`
/// - `1585744215`: seconds since 1970; four digits are a year
pub(crate) fn parse(text: &str) -> Option<Instant> {
    if text.len() != 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((text.parse().ok()?, 0));
    }
    let (day, time) = match text.split_once(['T', 't']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let days = days(day)?;
    let (seconds, nanoseconds) = time.map_or(Some((0, 0)), time_of_day)?;
    Some((days * 86_400 + seconds, nanoseconds))
}

/// Returns the days from 1970-01-01 to a date.
fn days(text: &str) -> Option<i64> {
    let (year, month, day) = match text.len() {
        4 => (text, "01", "01"),
        7 => (text.get(..4)?, text.get(4..)?.strip_prefix('-')?, "01"),
        8 => (text.get(..4)?, text.get(4..6)?, text.get(6..)?),
        10 => (text.get(..4)?, text.get(4..7)?.strip_prefix('-')?, text.get(7..)?.strip_prefix('-')?),
        _ => return None,
    };
    let (year, month, day) = (digits(year, 9999)?, digits(month, 12)?, digits(day, 31)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    if day == 0 || day > lengths[month] {
        return None;
    }
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    // 719,162 days precede 1970.
    Some(before * 365 + leap_days - 719_162 + lengths[..month].iter().sum::<i64>() + day - 1)
}

/// Returns the seconds from the beginning of the day in UTC, which may be negative, and nanoseconds.
fn time_of_day(text: &str) -> Option<(i64, u32)> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (&text[..at], offset(&text[at..])?),
        None => (text, 0),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let (hour, minute, second) = match clock.len() {
        5 => (clock.get(..2)?, clock.get(2..)?.strip_prefix(':')?, "00"),
        6 => (clock.get(..2)?, clock.get(2..4)?, clock.get(4..)?),
        8 => (clock.get(..2)?, clock.get(2..5)?.strip_prefix(':')?, clock.get(5..)?.strip_prefix(':')?),
        _ => return None,
    };
    let seconds = digits(hour, 23)? * 3600 + digits(minute, 59)? * 60 + digits(second, 59)?;
    let nanoseconds = format!("{fraction:0<9}");
    let nanoseconds = digits(nanoseconds.get(..9)?, 999_999_999)?;
    Some((seconds - offset, u32::try_from(nanoseconds).ok()?))
}

/// Returns the seconds by which a time zone is ahead of UTC.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match text.len() {
        3 => (text.get(1..)?, "00"),
        5 => (text.get(1..3)?, text.get(3..)?),
        6 => (text.get(1..3)?, text.get(3..)?.strip_prefix(':')?),
        _ => return None,
    };
    Some(sign * (digits(hours, 23)? * 3600 + digits(minutes, 59)? * 60))
}

fn digits(text: &str, maximum: i64) -> Option<i64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_digits && *number <= maximum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_dates() {
        let expected = 1_585_744_215;
        for text in [
            "2020-04-01T12:30:15Z",
            "2020-04-01t12:30:15z",
            "20200401T123015Z",
            "2020-04-01T12:30:15",
            "2020-04-01T14:30:15+02:00",
            "2020-04-01T07:00:15-0530",
            "2020-04-01T13:30:15.000+01",
            "1585744215",
        ] {
            assert_eq!(parse(text), Some((expected, 0)), "{text}");
        }
        assert_eq!(parse("2020-04-01T12:30:15.25Z"), Some((expected, 250_000_000)));
        assert_eq!(parse("2020-04-01T12:30Z"), Some((expected - 15, 0)));
        assert_eq!(parse("1970"), Some((0, 0)));
        assert_eq!(parse("1970-02"), Some((31 * 86_400, 0)));
        assert_eq!(parse("2000-03-01"), Some((951_868_800, 0)));
        assert_eq!(parse("1969-12-31"), Some((-86_400, 0)));
        assert_eq!(parse("0"), Some((0, 0)));
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "yesterday",
            "2020-13",
            "2020-00-01",
            "2021-02-29",
            "2020-4-1",
            "2020-04-01T",
            "2020-04-01T24:00:00Z",
            "2020-04-01T12Z",
            "2020-04-01T12:30:15.xZ",
            "2020-04-01T12:30:15+",
            "+123-04-01",
            "99999999999999999999",
            "-5",
            "２０２０",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
