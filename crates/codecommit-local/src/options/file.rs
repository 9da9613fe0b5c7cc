//! The configuration file; its errors name the line, the setting, and what to write.

use std::path::Path;

use super::{Options, SettingError, SimulateOptions};

/// Similarity, from 0 to 1, of an unknown name and a setting that is suggested for it.
const SIMILARITY_MIN: f64 = 0.8;

/// Names that are listed when none of them is similar.
const NAMES_MAX: usize = 10;

impl Options {
    /// Reads a TOML file of settings, named as the flags are.
    pub fn read(path: &Path) -> Result<Self, SettingError> {
        let failed =
            |what: &dyn std::fmt::Display| SettingError(format!("configuration file {}: {what}", path.display()));
        let text = std::fs::read_to_string(path)
            .map_err(|error| failed(&format!("cannot read it: {error}; name another file with --config")))?;
        parse(&text).map_err(|error| failed(&error))
    }
}

/// Reads the text of a file; an error begins with the line.
fn parse(text: &str) -> Result<Options, String> {
    let options: Options = toml::from_str(text).map_err(|error| describe(text, &error))?;
    match options.simulate.as_ref().and_then(SimulateOptions::invalid_failure) {
        Some((start, error)) => Err(format!("line {}: simulate.failure: {error}", line_of(text, start))),
        None => Ok(options),
    }
}

/// Returns the number of the line at a place.
fn line_of(text: &str, start: usize) -> usize {
    text.get(..start).unwrap_or_default().matches('\n').count() + 1
}

/// Describes an error without the text of its line, which can hold a secret.
fn describe(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = line_of(text, start);
    if let Some(message) = unknown_setting(error.message()) {
        return format!("line {line}: {message}");
    }
    let setting = setting_of_value(text, start).map(|setting| format!("{setting}: ")).unwrap_or_default();
    format!("line {line}: {setting}{}", error.message())
}

/// Rewrites serde's message for an unknown name, which lists all known ones, into a suggestion.
fn unknown_setting(message: &str) -> Option<String> {
    let (name, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let similarity = |known: &str| strsim::jaro_winkler(name, known);
    let best = known.iter().copied().max_by(|one, other| similarity(one).total_cmp(&similarity(other)));
    let advice = match best {
        Some(best) if similarity(best) >= SIMILARITY_MIN => format!("did you mean '{best}'?"),
        _ if known.len() <= NAMES_MAX => format!("write one of {}", known.join(", ")),
        _ => "codecommit-local --help lists the settings".to_owned(),
    };
    Some(format!("unknown setting '{name}'; {advice}"))
}

/// Returns the name before the equals sign of the value at a place.
fn setting_of_value(text: &str, start: usize) -> Option<&str> {
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let (name, _) = text.get(line_start..start)?.split_once('=')?;
    Some(name.trim())
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_error_names_the_line_the_setting_and_what_to_write() {
        for (file, expected) in [
            (
                "region = \"us-east-1\"\nlisen = \"127.0.0.1:0\"",
                "line 2: unknown setting 'lisen'; did you mean 'listen'?",
            ),
            ("colour = 1", "line 1: unknown setting 'colour'; codecommit-local --help lists the settings"),
            (
                "[triggers]\ncolour = 1",
                "line 2: unknown setting 'colour'; write one of destinations, attempts, first-retry",
            ),
            ("listen = 5", "line 1: listen: invalid type: integer `5`, expected a string or a list of strings"),
            ("allow-reset = \"yes\"", "line 1: allow-reset: invalid type: string \"yes\", expected a boolean"),
            ("durability = \"ful\"", "line 1: durability: unknown variant `ful`, expected `normal` or `full`"),
            (
                "[simulate]\ncreate_repository_not_alowed = true",
                "line 2: unknown setting 'create_repository_not_alowed'; did you mean 'create_repository_not_allowed'?",
            ),
            (
                "[simulate]\n[[simulate.failure]]\ndelay = \"1s\"\n\n[[simulate.failure]]\noperation = \"PutFil\"\ndelay = \"1s\"",
                "line 5: simulate.failure: operation: 'PutFil' matches no operation; write a name such as PutFile, GitPush, or a pattern such as Get*",
            ),
            (
                "[[simulate.failure]]\ndelay = \"1s\"\noperatoin = \"PutFile\"",
                "line 3: unknown setting 'operatoin'; did you mean 'operation'?",
            ),
            (
                "[[simulate.failure]]\noperation = \"DeleteBranch\"\nerror = \"SameFileContentException\"",
                "line 1: simulate.failure: error: DeleteBranch has no SameFileContentException; write one of BranchNameRequiredException, \
                 DefaultBranchCannotBeDeletedException, EncryptionIntegrityChecksFailedException, \
                 EncryptionKeyAccessDeniedException, EncryptionKeyDisabledException, EncryptionKeyNotFoundException, \
                 EncryptionKeyUnavailableException, InternalFailure, InvalidBranchNameException, InvalidRepositoryNameException, \
                 RepositoryDoesNotExistException, RepositoryNameRequiredException, ServiceUnavailable, ThrottlingException",
            ),
        ] {
            assert_eq!(super::parse(file).err().as_deref(), Some(expected));
        }
    }
}
