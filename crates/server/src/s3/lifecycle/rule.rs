//! A lifecycle rule: which objects it is about, and what it does with one of an age.

use std::time::{Duration, SystemTime};

use s3s::dto::{BucketLifecycleConfiguration, ExpirationStatus, LifecycleRule, StorageClass, Timestamp};

use crate::s3::stored::Stored;

const DAY: Duration = Duration::from_hours(24);

/// The size below which an object stays where it is unless its rule says otherwise.
const MOVED_BYTES_MIN: u64 = 128 << 10;

/// Storage classes, in the order in which objects may be moved.
const CLASSES: [&str; 7] = [
    StorageClass::STANDARD,
    StorageClass::STANDARD_IA,
    StorageClass::INTELLIGENT_TIERING,
    StorageClass::ONEZONE_IA,
    StorageClass::GLACIER_IR,
    StorageClass::GLACIER,
    StorageClass::DEEP_ARCHIVE,
];

/// What a rule does with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Expire,
    /// Moves it to a storage class.
    Move(String),
}

/// An enabled rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    prefix: String,
    tags: Vec<(String, String)>,
    more_than_bytes: Option<u64>,
    less_than_bytes: Option<u64>,
    expires: Option<Due>,
    moves: Vec<(Due, String)>,
    abort_days: Option<i32>,
    /// Whether small objects are archived too.
    archives_small: bool,
}

/// When a rule acts on an object.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// So many days after the object was made, at the next midnight of UTC.
    Days(i32),
    Date(SystemTime),
}

impl Due {
    fn of(days: Option<i32>, date: Option<&Timestamp>) -> Option<Self> {
        let date = || date.map(|date| Self::Date(time::OffsetDateTime::from(date.clone()).into()));
        days.map(Self::Days).or_else(date)
    }

    fn is_over(self, made: SystemTime, now: SystemTime) -> bool {
        match self {
            Self::Days(days) => now >= midnight_after(made, days),
            Self::Date(date) => now >= date,
        }
    }
}

impl Rule {
    /// Returns the enabled rules of a configuration.
    pub(super) fn enabled(configuration: &BucketLifecycleConfiguration, archives_small: bool) -> Vec<Self> {
        let rules = configuration.rules.iter();
        let enabled = rules.filter(|rule| rule.status.as_str() == ExpirationStatus::ENABLED);
        enabled.map(|rule| Self { archives_small, ..Self::of(rule) }).collect()
    }

    fn of(rule: &LifecycleRule) -> Self {
        let filter = rule.filter.as_ref();
        let all = filter.and_then(|filter| filter.and.as_ref());
        let size = |bytes: Option<i64>| bytes.and_then(|bytes| u64::try_from(bytes).ok());
        let tags = all.and_then(|all| all.tags.clone()).into_iter().flatten();
        let tags = tags.chain(filter.and_then(|filter| filter.tag.clone()));
        let prefix = all.and_then(|all| all.prefix.as_ref()).or(filter.and_then(|filter| filter.prefix.as_ref()));
        let moves = rule.transitions.iter().flatten().filter_map(|transition| {
            let class = transition.storage_class.as_ref()?.as_str().to_owned();
            Some((Due::of(transition.days, transition.date.as_ref())?, class))
        });
        Self {
            prefix: prefix.or(rule.prefix.as_ref()).cloned().unwrap_or_default(),
            tags: tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect(),
            more_than_bytes: size(all.and_then(|all| all.object_size_greater_than))
                .or(size(filter.and_then(|filter| filter.object_size_greater_than))),
            less_than_bytes: size(all.and_then(|all| all.object_size_less_than))
                .or(size(filter.and_then(|filter| filter.object_size_less_than))),
            expires: rule.expiration.as_ref().and_then(|one| Due::of(one.days, one.date.as_ref())),
            moves: moves.collect(),
            abort_days: rule.abort_incomplete_multipart_upload.as_ref().and_then(|one| one.days_after_initiation),
            archives_small: false,
        }
    }

    /// Returns what rules do with an object: expiration comes before moves, and the coldest class before the others.
    pub(super) fn action(rules: &[Self], stored: &Stored, now: SystemTime) -> Option<Action> {
        let made = stored.object.modified;
        let concerned: Vec<&Self> = rules.iter().filter(|rule| rule.concerns(stored)).collect();
        if concerned.iter().any(|rule| rule.expires.is_some_and(|due| due.is_over(made, now))) {
            return Some(Action::Expire);
        }
        let bytes = stored.object.bytes;
        let moves = concerned.iter().flat_map(|rule| rule.moves.iter().map(move |(due, class)| (rule, due, class)));
        let due = moves.filter(|(rule, due, class)| rule.moves_size(bytes, class) && due.is_over(made, now));
        let coldest = due.map(|(_, _, class)| class).max_by_key(|class| rank(class))?;
        (rank(coldest) > rank(stored.class())).then(|| Action::Move(coldest.clone()))
    }

    /// Tells whether the rule aborts an upload.
    pub(super) fn aborts(&self, key: &str, begun: SystemTime, now: SystemTime) -> bool {
        key.starts_with(&self.prefix) && self.abort_days.is_some_and(|days| Due::Days(days).is_over(begun, now))
    }

    fn concerns(&self, stored: &Stored) -> bool {
        let bytes = stored.object.bytes;
        stored.object.key.starts_with(&self.prefix)
            && self.more_than_bytes.is_none_or(|limit| bytes > limit)
            && self.less_than_bytes.is_none_or(|limit| bytes < limit)
            && (self.tags.is_empty() || {
                let own = stored.tags();
                self.tags.iter().all(|tag| own.contains(tag))
            })
    }

    /// Tells whether objects of a size are moved: small ones are not, unless the rule has a size of its own.
    fn moves_size(&self, bytes: u64, class: &str) -> bool {
        let is_archive = [StorageClass::GLACIER, StorageClass::DEEP_ARCHIVE].contains(&class);
        bytes >= MOVED_BYTES_MIN || self.more_than_bytes.is_some() || self.archives_small && is_archive
    }
}

/// Returns the first midnight of UTC that is a number of days after a time or later.
fn midnight_after(time: SystemTime, days: i32) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let due = since + DAY * u32::try_from(days).unwrap_or(0);
    let day = DAY.as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(due.as_secs().div_ceil(day) * day)
}

fn rank(class: &str) -> usize {
    CLASSES.iter().position(|other| *other == class).unwrap_or(0)
}
