//! Conversion of options to settings: checks, and defaults for missing ones.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use aws::Timestamp;
use codecommit::lfs::LfsSettings;
use git::MergeLimits;
use server::Settings;
use server::settings::{
    AccessKey, AllowedHosts, CertificateFiles, DestinationChecks, FixedClockSettings, Git, IpNet, Lfs, SecretKey,
    TlsNames, TlsSettings,
};

use super::{
    Access, LfsArchives, OnOff, Options, SettingError, YesNo, buckets, database, event_bridge, objects, units,
};

impl Options {
    /// Checks the settings, and fills in defaults.
    ///
    /// ```
    /// use codecommit_local::Options;
    ///
    /// let options = Options { ephemeral: Some(true), log_interval: Some("1s".to_owned()), ..Options::default() };
    /// assert_eq!(options.settings()?.log_interval.as_secs(), 1);
    /// # Ok::<(), codecommit_local::options::SettingError>(())
    /// ```
    pub fn settings(mut self) -> Result<Settings, SettingError> {
        let event_bridge = event_bridge::settings(&self)?;
        let defaults = Settings::default();
        let ephemeral = is_ephemeral(&self)?;
        let body_bytes_max = size("max-body", self.max_body.take(), defaults.body_bytes_max)?;
        let git = self.git(&defaults.git, body_bytes_max)?;
        let region = parsed("region", self.region, defaults.region)?;
        let trail_bucket = self.trail_bucket.unwrap_or(defaults.trail_bucket);
        let mut buckets = buckets::settings(self.buckets.unwrap_or_default(), &trail_bucket, &region)?;
        let allowed_hosts = allowed_hosts(self.allowed_host, self.tls_name.as_deref())?;
        let tls = TlsSettings {
            mode: self.tls.map_or(defaults.tls.mode, Into::into),
            names: tls_names(self.tls_name)?,
            certificate: certificate(self.tls_cert, self.tls_key)?,
        };
        let codecommit = defaults.codecommit;
        let database = database::settings(self.database, self.database_password_file)?;
        let node_name = database::node_name(self.node_name, database.is_some())?;
        let durability = match self.durability {
            Some(durability) => durability.into(),
            None if database.is_some() => store::Durability::Full,
            None => defaults.durability,
        };
        let (simulate, failures) = self.simulate.unwrap_or_default().settings()?;
        Ok(Settings {
            listen: self.listen.map_or(Ok(defaults.listen), listen)?,
            ssh_listen: self.ssh_listen.map(|text| address("ssh-listen", &text)).transpose()?,
            client_ca: self.client_ca,
            config: None,
            data_dir: if ephemeral { None } else { self.data_dir.or(defaults.data_dir) },
            objects: objects::place(self.objects, database.is_some(), &mut buckets)?,
            trail_dir: self.trail_dir,
            buckets,
            trail_bucket,
            buckets_dir: self.buckets_dir,
            seed: self.seed,
            seed_events: self.seed_events == Some(YesNo::Yes),
            account: parsed("account", self.account, defaults.account)?,
            region,
            identities: self.identities,
            access: self.access.map_or(defaults.access, Into::into),
            administrator: administrator(self.root_access_key, self.root_secret_key, self.access)?,
            max_clock_skew: max_clock_skew(self.max_clock_skew, defaults.max_clock_skew)?,
            log_interval: time("log-interval", self.log_interval, defaults.log_interval)?,
            log_bytes: size("log-size", self.log_size, defaults.log_bytes)?,
            retention: retention(self.trail_retention, self.trail_archive, self.history_retention)?,
            lookup: lookup(self.lookup_delay, self.lookup_rate, defaults.lookup.delay)?,
            destination_checks: destination_checks(self.strict_buckets, self.strict_topics),
            trails_max: self.trail_limit.unwrap_or(defaults.trails_max),
            digest_interval: digest_interval(self.digest_interval, defaults.digest_interval)?,
            signing_key: self.signing_key,
            key_rotation: time("key-rotation", self.key_rotation, defaults.key_rotation)?,
            event_version: self.event_version.map_or(defaults.event_version, Into::into),
            console_events: self.console_events.map(Into::into).or(defaults.console_events),
            body_bytes_max,
            database,
            node_name,
            durability,
            git,
            cache_idle: time("cache-idle", self.cache_idle, defaults.cache_idle)?,
            triggers: self.triggers.unwrap_or_default().settings()?,
            event_bridge,
            kms_events: self.kms_events.unwrap_or(defaults.kms_events),
            console: self.console.map(|console| console == YesNo::Yes).or(defaults.console),
            allow_reset: self.allow_reset.unwrap_or(defaults.allow_reset),
            clock: clock(self.clock, self.clock_step, self.id_seed, defaults.clock.step)?,
            trusted_proxies: trusted_proxies(self.trusted_proxy)?,
            allowed_hosts,
            tls,
            stop_timeout: time("stop-timeout", self.stop_timeout, defaults.stop_timeout)?,
            failures,
            codecommit: codecommit::Settings {
                repositories_max: self.repository_limit.unwrap_or(codecommit.repositories_max),
                open_pull_requests_max: self.open_pull_request_limit.unwrap_or(codecommit.open_pull_requests_max),
                page_sizes: page_sizes(self.page_sizes)?,
                shared: None,
                sync: durability == store::Durability::Full,
                fsck: codecommit.fsck,
                cache_bytes: cache_bytes(self.cache_memory, codecommit.cache_bytes)?,
                merge: merge_limits(
                    self.merge_timeout,
                    self.merge_max_content,
                    self.merge_max_items,
                    &codecommit.merge,
                )?,
                lfs: LfsSettings {
                    object_bytes_max: size("lfs-max-object", self.lfs_max_object, codecommit.lfs.object_bytes_max)?,
                    quota_bytes: self.lfs_quota.map(|quota| size("lfs-quota", Some(quota), 0)).transpose()?,
                    check_pushes: self.lfs_check == Some(OnOff::On),
                    archive_content: self.lfs_archives == Some(LfsArchives::Content),
                },
                simulate,
            },
        })
    }

    /// Takes the settings of Git; `git` has the defaults.
    fn git(&mut self, git: &Git, body_bytes_max: u64) -> Result<Git, SettingError> {
        let limits = git::Limits::default();
        Ok(Git {
            auth: self.git_auth.map(Into::into),
            offers: self.git_capabilities.map_or(git.offers, Into::into),
            limits: git::Limits {
                refs_per_push: self.git_max_refs.unwrap_or(limits.refs_per_push),
                pack_bytes: size("git-max-pack", self.git_max_pack.take(), limits.pack_bytes)?,
                object_bytes: size("git-max-object", self.git_max_object.take(), limits.object_bytes)?,
                expansion_bytes: size("git-max-expansion", self.git_max_expansion.take(), limits.expansion_bytes)?,
                delta_chain: self.git_max_delta_chain.unwrap_or(limits.delta_chain),
                request_bytes: body_bytes_max,
                ..limits
            },
            fsck: self.git_fsck.unwrap_or(git.fsck),
            timeout: time("git-timeout", self.git_timeout.take(), git.timeout)?,
            packs: git_packs(self.git_packs)?,
            cache_bytes: cache_space("git-cache", self.git_cache.take(), git.cache_bytes)?,
            pack_limit: self.git_pack_limit.unwrap_or(git.pack_limit),
            prune_age: time("git-prune-age", self.git_prune_age.take(), git.prune_age)?,
            lfs: Lfs {
                is_on: self.git_lfs.map_or(git.lfs.is_on, |is_on| is_on == OnOff::On),
                events: self.lfs_events.map_or(git.lfs.events, |events| events == OnOff::On),
                cache_bytes: cache_space("lfs-cache", self.lfs_cache.take(), git.lfs.cache_bytes)?,
            },
            ..*git
        })
    }
}

/// Returns whether everything is in temporary folders; a data folder must not be named then.
fn is_ephemeral(options: &Options) -> Result<bool, SettingError> {
    let ephemeral = options.ephemeral.unwrap_or(false);
    if ephemeral && options.data_dir.is_some() {
        return Err(SettingError("data-dir and ephemeral exclude each other; write one of them".to_owned()));
    }
    Ok(ephemeral)
}

fn parsed<T: std::str::FromStr<Err = String>>(name: &str, text: Option<String>, default: T) -> Result<T, SettingError> {
    text.map_or(Ok(default), |text| text.parse()).map_err(|error| SettingError(format!("{name}: {error}")))
}

fn merge_limits(
    timeout: Option<String>,
    content: Option<String>,
    items: Option<usize>,
    defaults: &MergeLimits,
) -> Result<MergeLimits, SettingError> {
    Ok(MergeLimits {
        time: time("merge-timeout", timeout, defaults.time)?,
        content_bytes_max: size("merge-max-content", content, defaults.content_bytes_max)?,
        items_max: items.unwrap_or(defaults.items_max),
    })
}

/// Reads what of the clock is fixed.
fn clock(
    start: Option<String>,
    step: Option<String>,
    id_seed: Option<String>,
    default_step: Duration,
) -> Result<FixedClockSettings, SettingError> {
    if start.is_none() && step.is_some() {
        return Err(SettingError("clock-step needs clock, the time of the first call".to_owned()));
    }
    let read = |text: String| {
        let wrong =
            || SettingError(format!("clock: '{text}' is not a time in UTC; write one such as 2026-01-31T12:00:00Z"));
        Timestamp::from_iso(&text).ok_or_else(wrong)
    };
    Ok(FixedClockSettings {
        start: start.map(read).transpose()?,
        step: time("clock-step", step, default_step)?,
        id_seed,
    })
}

fn page_sizes(sizes: Option<BTreeMap<String, usize>>) -> Result<BTreeMap<String, usize>, SettingError> {
    let sizes = sizes.unwrap_or_default();
    let wrong = sizes.iter().find(|(name, size)| **size == 0 || codecommit::CodeCommit::operation(name).is_none());
    match wrong {
        Some((name, 0)) => Err(SettingError(format!("page-sizes: {name} is 0; write 1 or more"))),
        Some((name, _)) => Err(SettingError(format!(
            "page-sizes: {name} is not an operation of CodeCommit; write one such as ListPullRequests"
        ))),
        None => Ok(sizes),
    }
}

fn size(name: &str, text: Option<String>, default: u64) -> Result<u64, SettingError> {
    text.map_or(Ok(default), |text| units::bytes(&text)).map_err(|error| SettingError(format!("{name}: {error}")))
}

/// Reads the size of a cache on the disk; 0 keeps nothing.
fn cache_space(name: &str, text: Option<String>, default: u64) -> Result<u64, SettingError> {
    if text.as_deref() == Some("0") { Ok(0) } else { size(name, text, default) }
}

fn cache_bytes(text: Option<String>, default: usize) -> Result<usize, SettingError> {
    let bytes = size("cache-memory", text, default.try_into().unwrap_or(u64::MAX))?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

pub(super) fn time(name: &str, text: Option<String>, default: Duration) -> Result<Duration, SettingError> {
    text.map_or(Ok(default), |text| units::duration(&text)).map_err(|error| SettingError(format!("{name}: {error}")))
}

/// Reads the time between digests, whose names have a resolution of a second.
fn digest_interval(text: Option<String>, default: Duration) -> Result<Duration, SettingError> {
    let interval = time("digest-interval", text, default)?;
    if interval < Duration::from_secs(1) {
        return Err(SettingError(
            "digest-interval: the shortest time between digests is a second; write 1s or more".to_owned(),
        ));
    }
    Ok(interval)
}

fn retention(
    files: Option<String>,
    archive: Option<PathBuf>,
    events: Option<String>,
) -> Result<trail::Retention, SettingError> {
    let (files, events) = (age("trail-retention", files)?, age("history-retention", events)?);
    Ok(trail::Retention { files, archive, events })
}

fn destination_checks(buckets: Option<bool>, topics: Option<bool>) -> DestinationChecks {
    DestinationChecks { buckets: buckets.unwrap_or(false), topics: topics.unwrap_or(false) }
}

/// Reads the delay and the rate of lookups; a rate of 0 is no limit.
fn lookup(
    delay: Option<String>,
    per_second: Option<u32>,
    default_delay: Duration,
) -> Result<trail::LookupSettings, SettingError> {
    let delay = time("lookup-delay", delay, default_delay)?;
    Ok(trail::LookupSettings { delay, per_second: per_second.filter(|per_second| *per_second > 0) })
}

/// Reads a retention time; `None` keeps for ever.
fn age(name: &str, text: Option<String>) -> Result<Option<Duration>, SettingError> {
    text.map(|text| time(name, Some(text), Duration::ZERO)).transpose()
}

/// Reads the maximum difference between the date of a signature and the clock; `None` accepts every date.
fn max_clock_skew(text: Option<String>, default: Option<Duration>) -> Result<Option<Duration>, SettingError> {
    match text.as_deref() {
        None => Ok(default),
        Some("off") => Ok(None),
        Some(_) => time("max-clock-skew", text, Duration::ZERO).map(Some),
    }
}

/// Reads the access key of the administrator; AWS's keys have 16 to 128 letters and digits.
fn administrator(
    id: Option<String>,
    secret: Option<String>,
    access: Option<Access>,
) -> Result<Option<AccessKey>, SettingError> {
    let (id, secret) = match (id, secret) {
        (None, None) => return Ok(None),
        (Some(id), Some(secret)) => (id, secret),
        (Some(_), None) => return Err(SettingError("root-access-key: write root-secret-key, too".to_owned())),
        (None, Some(_)) => return Err(SettingError("root-secret-key: write root-access-key, too".to_owned())),
    };
    if !(16..=128).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(SettingError("root-access-key: write 16 to 128 letters and digits".to_owned()));
    }
    if secret.len() < 8 {
        return Err(SettingError("root-secret-key: write 8 characters or more".to_owned()));
    }
    if access.is_none_or(|access| access == Access::Open) {
        let message = "root-access-key: open access verifies no key; write access = signed, or leave the key out";
        return Err(SettingError(message.to_owned()));
    }
    Ok(Some(AccessKey { id, secret: SecretKey::new(secret) }))
}

fn trusted_proxies(addresses: Option<Vec<String>>) -> Result<Vec<IpNet>, SettingError> {
    let network = |text: String| {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let advice = "write an IP address or a network, such as 10.0.0.0/8";
        network.map_err(|_| SettingError(format!("trusted-proxy: '{text}' is not an address; {advice}")))
    };
    addresses.into_iter().flatten().map(network).collect()
}

/// Reads the number of packs that are computed at the same time; `None` is one for each processor.
fn git_packs(packs: Option<usize>) -> Result<Option<usize>, SettingError> {
    match packs {
        Some(0) => {
            let message =
                "git-packs: clones and fetches need at least one pack at a time; write 1 or more, or leave it out";
            Err(SettingError(message.to_owned()))
        }
        packs => Ok(packs),
    }
}

/// Reads the host names that are allowed; the names of `tls-name` are, too.
fn allowed_hosts(names: Option<Vec<String>>, tls_names: Option<&[String]>) -> Result<AllowedHosts, SettingError> {
    let domains = tls_names.unwrap_or_default().iter().filter(|name| name.parse::<IpAddr>().is_err());
    let tls_names = domains.flat_map(|name| [name.clone(), format!("*.{name}")]);
    let names = names.unwrap_or_default();
    AllowedHosts::parse(names.clone()).map_err(|error| SettingError(format!("allowed-host: {error}")))?;
    let all = names.into_iter().chain(tls_names).collect();
    AllowedHosts::parse(all).map_err(|error| SettingError(format!("tls-name: {error}")))
}

fn tls_names(names: Option<Vec<String>>) -> Result<TlsNames, SettingError> {
    TlsNames::parse(names.unwrap_or_default()).map_err(|error| SettingError(format!("tls-name: {error}")))
}

fn certificate(certificate: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<CertificateFiles>, SettingError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(CertificateFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(SettingError("tls-cert needs tls-key; write both, or neither".to_owned())),
        (None, Some(_)) => Err(SettingError("tls-key needs tls-cert; write both, or neither".to_owned())),
    }
}

fn listen(addresses: Vec<String>) -> Result<Vec<SocketAddr>, SettingError> {
    addresses.into_iter().map(|text| address("listen", &text)).collect()
}

fn address(name: &str, text: &str) -> Result<SocketAddr, SettingError> {
    let advice = "write an IP address and a port, such as 127.0.0.1:4599 or [::1]:0";
    text.trim().parse().map_err(|_| SettingError(format!("{name}: '{text}' is not an address; {advice}")))
}
