//! Dates of a seed: TOML's dates with a time in UTC, as precise as those of AWS.

use aws::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::value::{Datetime, Offset};

/// A point in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Date(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Datetime::deserialize(deserializer)?;
        date(&written).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "'{written}' is no point in time; write a date with a time in UTC, such as 2026-01-31T12:00:00Z"
            ))
        })
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(time) = self;
        let text = match time.millis().rem_euclid(1_000) {
            0 => time.iso(),
            millis => time.iso().replace('Z', &format!(".{millis:03}Z")),
        };
        let date: Datetime = text.parse().map_err(serde::ser::Error::custom)?;
        date.serialize(serializer)
    }
}

fn date(written: &Datetime) -> Option<Timestamp> {
    let (date, time) = (written.date?, written.time?);
    if !matches!(written.offset?, Offset::Z | Offset::Custom { minutes: 0 }) {
        return None;
    }
    let second = time.second.unwrap_or(0);
    let iso = format!("{date}T{:02}:{:02}:{second:02}Z", time.hour, time.minute);
    let millis = i64::from(time.nanosecond.unwrap_or(0) / 1_000_000);
    Some(Timestamp::from_millis(Timestamp::from_iso(&iso)?.millis() + millis))
}
