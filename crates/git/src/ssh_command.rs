//! The command line that `git` sends over SSH: a service and the path of a repository.

use crate::Service;

/// The largest length of a command, in bytes.
const COMMAND_BYTES_MAX: usize = 4_096;

/// A command of `git` over SSH, such as `git-upload-pack '/path/of/a/repository'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshCommand {
    /// The requested service.
    pub service: Service,
    /// The path, without quotes; it is not empty.
    pub path: String,
}

impl SshCommand {
    /// Parses a service, one space, and one path in the quoting of `git`: single quotes around all, and `'\''` or `'\!'` for the two
    /// characters that have none. Some clients do not quote plain paths.
    ///
    /// Returns `None` for every other command. The service may also be written `git upload-pack`.
    pub fn parse(command: &[u8]) -> Option<Self> {
        if command.len() > COMMAND_BYTES_MAX {
            return None;
        }
        let command = std::str::from_utf8(command).ok()?;
        let (name, argument) = match command.strip_prefix("git ") {
            Some(rest) => rest.split_once(' ').map(|(name, argument)| (format!("git-{name}"), argument))?,
            None => command.split_once(' ').map(|(name, argument)| (name.to_owned(), argument))?,
        };
        let path = unquote(argument).filter(|path| !path.is_empty() && !path.contains(char::is_control))?;
        Some(Self { service: Service::from_name(&name)?, path })
    }
}

/// The command that git-lfs sends over SSH before it makes requests over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LfsAuthentication {
    /// The service whose permission the requests need: that of a fetch for `download`, that of a push for `upload`.
    pub service: Service,
    /// The path, without quotes; it is not empty.
    pub path: String,
}

impl LfsAuthentication {
    /// Parses `git-lfs-authenticate PATH OPERATION`, where the operation is `upload` or `download`; old clients add the id of an object.
    ///
    /// Returns `None` for every other command.
    pub fn parse(command: &[u8]) -> Option<Self> {
        if command.len() > COMMAND_BYTES_MAX {
            return None;
        }
        let arguments = std::str::from_utf8(command).ok()?.strip_prefix("git-lfs-authenticate ")?;
        let (rest, last) = arguments.rsplit_once(' ')?;
        let is_object = last.len() == 64 && last.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (path, operation) = if is_object { rest.rsplit_once(' ')? } else { (rest, last) };
        let service = match operation {
            "upload" => Service::ReceivePack,
            "download" => Service::UploadPack,
            _ => return None,
        };
        let path = unquote(path).filter(|path| !path.is_empty() && !path.contains(char::is_control))?;
        Some(Self { service, path })
    }
}

/// Removes the quotes of one argument; `None` if it is more than one, or has an unquoted character with a meaning to shells.
fn unquote(argument: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=,@:~".contains(letter);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return Some(argument.to_owned());
    }
    let mut path = String::new();
    let mut rest = argument;
    loop {
        let (quoted, after) = rest.strip_prefix('\'')?.split_once('\'')?;
        path.push_str(quoted);
        if after.is_empty() {
            return Some(path);
        }
        let mut letters = after.strip_prefix('\\')?.chars();
        path.push(letters.next().filter(|letter| "'!".contains(*letter))?);
        rest = letters.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(command: &str) -> Option<String> {
        SshCommand::parse(command.as_bytes()).map(|command| command.path)
    }

    #[test]
    fn a_command_is_a_service_and_a_path() {
        for (command, service, path) in [
            ("git-upload-pack '/v1/repos/MyDemoRepo'", Service::UploadPack, "/v1/repos/MyDemoRepo"),
            ("git-receive-pack '/v1/repos/MyDemoRepo'", Service::ReceivePack, "/v1/repos/MyDemoRepo"),
            ("git upload-pack '/v1/repos/a'", Service::UploadPack, "/v1/repos/a"),
            ("git-upload-pack /v1/repos/a_b-c.d", Service::UploadPack, "/v1/repos/a_b-c.d"),
            ("git-upload-pack 'a b'", Service::UploadPack, "a b"),
        ] {
            assert_eq!(SshCommand::parse(command.as_bytes()), Some(SshCommand { service, path: path.to_owned() }));
        }
    }

    #[test]
    fn quotes_and_exclamation_marks_are_quoted_as_git_quotes_them() {
        assert_eq!(path(r"git-upload-pack 'it'\''s'").as_deref(), Some("it's"));
        assert_eq!(path(r"git-upload-pack 'a'\!'b'").as_deref(), Some("a!b"));
        assert_eq!(path(r"git-upload-pack ''\''a'").as_deref(), Some("'a"));
    }

    #[test]
    fn git_lfs_names_a_path_and_an_operation() {
        let parse =
            |command: &str| LfsAuthentication::parse(command.as_bytes()).map(|command| (command.service, command.path));
        let path = || "/v1/repos/a".to_owned();
        let id = "0f".repeat(32);
        for (command, service) in [
            ("git-lfs-authenticate /v1/repos/a upload", Service::ReceivePack),
            ("git-lfs-authenticate '/v1/repos/a' download", Service::UploadPack),
            (&format!("git-lfs-authenticate /v1/repos/a download {id}"), Service::UploadPack),
        ] {
            assert_eq!(parse(command), Some((service, path())), "{command}");
        }
        for command in [
            "git-lfs-authenticate",
            "git-lfs-authenticate /v1/repos/a",
            "git-lfs-authenticate upload",
            "git-lfs-authenticate /v1/repos/a remove",
            "git-lfs-authenticate /v1/repos/a;ls upload",
            "git-lfs-authenticate /v1/repos/a upload upload",
            "git-lfs-transfer /v1/repos/a upload",
        ] {
            assert_eq!(parse(command), None, "{command}");
        }
    }

    #[test]
    fn other_commands_are_refused() {
        for command in [
            "",
            "git-upload-pack",
            "git-upload-pack ",
            "git-upload-pack ''",
            "git-upload-pack '/a",
            "git-upload-pack '/a' '/b'",
            "git-upload-pack  '/a'",
            "git-upload-pack '/a';ls",
            "git-upload-pack '/a' ",
            "git-upload-pack $HOME",
            "git-upload-pack \"/a\"",
            r"git-upload-pack 'a'\x'b'",
            r"git-upload-pack 'a'\'",
            "git-upload-pack '/a\n/b'",
            "git-upload-archive '/a'",
            "GIT-UPLOAD-PACK '/a'",
            "git gc '/a'",
            "git",
            "ls",
            "scp -t /a",
        ] {
            assert_eq!(path(command), None, "{command}");
        }
        assert_eq!(SshCommand::parse(b"git-upload-pack '\xff'"), None);
        assert_eq!(path(&format!("git-upload-pack '{}'", "a".repeat(COMMAND_BYTES_MAX))), None);
    }
}
