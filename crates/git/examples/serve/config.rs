//! The settings of the server from the configuration of a repository.
//!
//! A missing key has Git's own default, independent of [`Offers::FULL`]. Not read, because they have no meaning here:
//! `receive.unpackLimit` and `transfer.unpackLimit` (pushes are stored as packs), `uploadpack.packObjectsHook`
//! and all other hooks (no hook is run), `receive.autogc`, `receive.certNonceSeed`, `receive.updateServerInfo`.

use bstr::ByteSlice;
use git::{Filters, Fsck, Limits, ObjectId, Offers, Options, Severity};
use gix::config::File;

use super::{
    hidden::Hidden,
    keys::{Keys, flag_of},
};

/// The settings of one repository.
#[derive(Debug, Clone)]
pub struct Settings {
    pub fetches: bool,
    /// `None`: only clients with a user name may push.
    pub pushes: Option<bool>,
    /// Whether the dumb protocol may read the files of the repository.
    pub files: bool,
    pub options: Options,
    pub hidden_from_fetches: Hidden,
    pub hidden_from_pushes: Hidden,
    pub denials: Denials,
    pub logs: Logs,
}

/// The restrictions of pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denials {
    pub deletions: bool,
    pub non_fast_forwards: bool,
    pub current_deletion: Denial,
    /// For a repository with a work tree.
    pub current_update: Denial,
}

/// The treatment of a restricted update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// Not configured: the update is refused, with an explanation.
    Unset,
    Refuse,
    Warn,
    Allow,
    /// The update is made, and the work tree is updated.
    UpdateInstead,
}

/// The references with a reflog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    /// References that have one already.
    Existing,
    /// Branches and similar references, too.
    Normal,
    All,
}

/// Returns the field of a switch.
type ClientPermit = fn(&mut Settings) -> &mut bool;

/// The boolean keys. The default is false, except for three of them.
const SWITCHES: &[(&str, bool, ClientPermit)] = &[
    ("http.uploadpack", true, |settings| &mut settings.fetches),
    ("http.getanyfile", true, |settings| &mut settings.files),
    ("uploadpack.allowtipsha1inwant", false, |settings| &mut settings.options.offers.tip_ids),
    ("uploadpack.allowreachablesha1inwant", false, |settings| &mut settings.options.offers.reachable_ids),
    ("uploadpack.allowanysha1inwant", false, |settings| &mut settings.options.offers.any_ids),
    ("uploadpack.allowfilter", false, |settings| &mut settings.options.offers.filter),
    ("uploadpack.allowrefinwant", false, |settings| &mut settings.options.offers.ref_in_want),
    ("uploadpack.allowsidebandall", false, |settings| &mut settings.options.offers.sideband_all),
    ("transfer.advertisesid", false, |settings| &mut settings.options.offers.session_id),
    ("transfer.advertiseobjectinfo", false, |settings| &mut settings.options.offers.object_info),
    ("receive.advertiseatomic", true, |settings| &mut settings.options.offers.atomic),
    ("receive.advertisepushoptions", false, |settings| &mut settings.options.offers.push_options),
    ("receive.shallowupdate", false, |settings| &mut settings.options.offers.shallow_pushes),
    ("receive.denydeletes", false, |settings| &mut settings.denials.deletions),
    ("receive.denynonfastforwards", false, |settings| &mut settings.denials.non_fast_forwards),
];

impl Settings {
    /// Returns settings from `options` alone, without the configuration of the repository.
    pub fn fixed(options: &Options) -> Self {
        Self {
            fetches: true,
            pushes: Some(true),
            files: false,
            options: options.clone(),
            hidden_from_fetches: Hidden::default(),
            hidden_from_pushes: Hidden::default(),
            denials: Denials {
                deletions: false,
                non_fast_forwards: false,
                current_deletion: Denial::Allow,
                current_update: Denial::Allow,
            },
            logs: Logs::Existing,
        }
    }

    /// Derives the settings from a configuration; `bare` is whether the repository looks bare.
    ///
    /// An error is Git's message for the failure.
    pub fn derive(file: &File, options: &Options, bare: bool) -> Result<Self, String> {
        let keys = Keys(file);
        let mut settings = Self::fixed(options);
        settings.options.offers = Offers::FULL;
        for (key, default, place) in SWITCHES {
            *place(&mut settings) = keys.flag(key)?.unwrap_or(*default);
        }
        settings.pushes = keys.flag("http.receivepack")?;
        let offers = &mut settings.options.offers;
        // A client that may request any object may request these, too.
        offers.tip_ids |= offers.any_ids;
        offers.reachable_ids |= offers.any_ids;
        offers.unborn = match keys.text("lsrefs.unborn")? {
            None => true,
            Some(value) if value == "advertise" => true,
            // Clients do not request what is not advertised.
            Some(value) if value == "allow" || value == "ignore" => false,
            Some(value) => return Err(format!("invalid value for 'lsrefs.unborn': '{value}'")),
        };
        limits(&keys, &mut settings.options.limits)?;
        for (service, hidden) in
            [("uploadpack", &mut settings.hidden_from_fetches), ("receive", &mut settings.hidden_from_pushes)]
        {
            keys.visit(&["transfer", service], "hideRefs", |rule| hidden.add(rule))?;
        }
        settings.options.filters = filters(&keys)?;
        settings.options.fsck = fsck(&keys)?;
        let bare = keys.flag("core.bare")?.unwrap_or(bare);
        settings.denials.current_deletion = denial(&keys, "receive.denydeletecurrent")?;
        settings.denials.current_update =
            if bare { Denial::Allow } else { denial(&keys, "receive.denycurrentbranch")? };
        settings.logs = logs(&keys, bare)?;
        check_format(&keys)?;
        Ok(settings)
    }

    /// Returns whether a client with or without a user name may push.
    pub fn lets_push(&self, user: Option<&str>) -> bool {
        self.pushes.unwrap_or(user.is_some_and(|user| !user.is_empty()))
    }
}

fn limits(keys: &Keys<'_>, limits: &mut Limits) -> Result<(), String> {
    let bytes =
        |key| Ok::<_, String>(keys.number(key)?.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0));
    if let Some(bytes) = bytes("receive.maxinputsize")? {
        limits.pack_bytes = bytes;
    }
    if let Some(bytes) = bytes("http.maxrequestbuffer")? {
        limits.request_bytes = bytes;
    }
    Ok(())
}

fn filters(keys: &Keys<'_>) -> Result<Filters, String> {
    let others = keys.flag("uploadpackfilter.allow")?.unwrap_or(true);
    let depth = keys.number("uploadpackfilter.tree.maxdepth")?;
    let mut filters = Filters { others, ..Filters::default() };
    // A depth allows the filter, unless another key forbids it.
    filters.kinds.extend(depth.map(|_| ("tree".into(), true)));
    for (kind, value) in keys.subsections("uploadpackfilter", "allow") {
        let allowed = value.as_ref().map_or(Some(true), |value| flag_of(value.as_bstr()));
        let bad = || {
            let value = value.clone().unwrap_or_default();
            format!("bad boolean config value '{value}' for 'uploadpackfilter.{kind}.allow'")
        };
        filters.kinds.push((kind.to_string(), allowed.ok_or_else(bad)?));
    }
    filters.tree_depth_max = depth.and_then(|depth| u64::try_from(depth).ok());
    Ok(filters)
}

/// Derives the checks of pushed objects; unknown checks are logged, where Git warns the client.
fn fsck(keys: &Keys<'_>) -> Result<Fsck, String> {
    let checks = match keys.flag("receive.fsckobjects")? {
        Some(checks) => checks,
        None => keys.flag("transfer.fsckobjects")?.unwrap_or(false),
    };
    if !checks {
        return Ok(Fsck::off());
    }
    let mut fsck = Fsck::default();
    for (id, value) in keys.entries("receive", "fsck") {
        if id.eq_ignore_ascii_case("skiplist") {
            let list =
                std::fs::read(value.to_path_lossy()).map_err(|error| format!("could not open {value}: {error}"))?;
            let lines = list.lines().map(|line| line.split(|byte| *byte == b'#').next().unwrap_or_default().trim());
            fsck.skip(lines.filter_map(|line| ObjectId::from_hex(line).ok()));
            continue;
        }
        let severity = match value.to_ascii_lowercase().as_slice() {
            b"error" => Severity::Error,
            b"warn" => Severity::Warn,
            b"ignore" => Severity::Ignore,
            _ => return Err(format!("Unknown fsck message type: '{value}'")),
        };
        if let Err(sentence) = fsck.set(&id, severity) {
            eprintln!("warning: {sentence}");
        }
    }
    Ok(fsck)
}

fn denial(keys: &Keys<'_>, key: &str) -> Result<Denial, String> {
    let Ok(Some(value)) = keys.text(key) else {
        return Ok(if keys.flag(key)?.is_some() { Denial::Refuse } else { Denial::Unset });
    };
    Ok(match value.to_ascii_lowercase().as_slice() {
        b"ignore" => Denial::Allow,
        b"warn" => Denial::Warn,
        b"refuse" => Denial::Refuse,
        b"updateinstead" => Denial::UpdateInstead,
        _ if keys.flag(key)? == Some(true) => Denial::Refuse,
        _ => Denial::Allow,
    })
}

fn logs(keys: &Keys<'_>, bare: bool) -> Result<Logs, String> {
    const KEY: &str = "core.logallrefupdates";
    if keys.text(KEY).is_ok_and(|value| value.is_some_and(|value| value.eq_ignore_ascii_case(b"always"))) {
        return Ok(Logs::All);
    }
    Ok(if keys.flag(KEY)?.unwrap_or(!bare) { Logs::Normal } else { Logs::Existing })
}

/// Fails for repositories of an unsupported format.
fn check_format(keys: &Keys<'_>) -> Result<(), String> {
    let version = keys.number("core.repositoryformatversion")?.unwrap_or(0);
    if version > 1 {
        return Err(format!("Expected git repo version <= 1, found {version}"));
    }
    for (key, known) in [("extensions.objectformat", "sha1"), ("extensions.refstorage", "files")] {
        if let Some(value) =
            keys.text(key)?.filter(|value| version == 1 && !value.eq_ignore_ascii_case(known.as_bytes()))
        {
            return Err(format!("invalid value for '{key}': '{value}'"));
        }
    }
    Ok(())
}
