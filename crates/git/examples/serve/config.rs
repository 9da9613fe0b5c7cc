//! What the configuration of a repository means for the server.
//!
//! A key that is not there has Git's own default, whatever [`Offers::FULL`] says. Not looked at, as nothing here needs
//! them: `receive.unpackLimit` and `transfer.unpackLimit` (pushes are kept as packs), `uploadpack.packObjectsHook`
//! and all other hooks (nothing is run), `receive.autogc`, `receive.certNonceSeed`, `receive.updateServerInfo`.

use bstr::ByteSlice;
use git::{Filters, Fsck, Limits, ObjectId, Offers, Options, Severity};
use gix::config::File;

use super::{
    hidden::Hidden,
    keys::{Keys, flag_of},
};

/// How one repository is served.
#[derive(Debug, Clone)]
pub struct Settings {
    pub fetches: bool,
    /// Nothing: only those who gave a name may push.
    pub pushes: Option<bool>,
    /// Whether the files of the repository may be read one by one, without any protocol.
    pub files: bool,
    pub options: Options,
    pub hidden_from_fetches: Hidden,
    pub hidden_from_pushes: Hidden,
    pub denials: Denials,
    pub logs: Logs,
}

/// What a push may not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denials {
    pub deletions: bool,
    pub non_fast_forwards: bool,
    pub current_deletion: Denial,
    /// Of a repository with a work tree.
    pub current_update: Denial,
}

/// How something is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// Nobody has decided: it is refused, at length.
    Unset,
    Refuse,
    Warn,
    Allow,
    /// It is done, and the work tree follows.
    UpdateInstead,
}

/// Which references have a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    /// Those that have one already.
    Existing,
    /// Branches too, and what is like them.
    Normal,
    All,
}

/// Gives the place of a switch.
type Place = fn(&mut Settings) -> &mut bool;

/// The keys that switch one thing on or off. What they switch is off without them, but for three.
const SWITCHES: &[(&str, bool, Place)] = &[
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
    /// Serves everyone with what `options` says, whatever the repository's configuration is.
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

    /// Derives the settings from a configuration; `bare` tells whether the repository looks bare.
    ///
    /// An error is the sentence with which Git would give up.
    pub fn derive(file: &File, options: &Options, bare: bool) -> Result<Self, String> {
        let keys = Keys(file);
        let mut settings = Self::fixed(options);
        settings.options.offers = Offers::FULL;
        for (key, default, place) in SWITCHES {
            *place(&mut settings) = keys.flag(key)?.unwrap_or(*default);
        }
        settings.pushes = keys.flag("http.receivepack")?;
        let offers = &mut settings.options.offers;
        // Whoever may ask for anything may ask for these too.
        offers.tip_ids |= offers.any_ids;
        offers.reachable_ids |= offers.any_ids;
        offers.unborn = match keys.text("lsrefs.unborn")? {
            None => true,
            Some(value) if value == "advertise" => true,
            // It would be done if asked for; no client asks for what is not advertised.
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

    /// Tells whether a client that gave a name, or none, may push.
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
    // A depth allows the filter, unless it is decided otherwise.
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

/// Derives how pushed objects are checked; what cannot be had is told to the log, as Git tells the client.
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

/// Refuses repositories of a format that is not read here.
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
