//! The sheet of a user: a shell script with comments, to paste part by part.
//!
//! **Invariant:** comments have no characters that mean something to a shell: an interactive zsh takes them for commands by default.

use aws::{AccountId, GlobalArn, Region};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::new_user::NewUser;
use crate::environment::{self, ClientKey, quoted};

/// The file on the user's machine with the server's certificate authority.
const AUTHORITY: &str = "codecommit-local-ca.pem";

/// The variable of the shell with the path of that file. As a value of another variable it stands for its own value.
const AUTHORITY_VARIABLE: &str = "CODECOMMIT_LOCAL_CA";

/// Makes an interactive zsh accept comments; other shells do not have the command.
const COMMENTS_IN_ZSH: &str = "setopt interactive_comments 2> /dev/null || true\n";

/// What the sheet of a user contains.
pub(super) struct Sheet<'s> {
    pub(super) user: &'s NewUser,
    pub(super) account: &'s AccountId,
    pub(super) region: &'s Region,
    pub(super) endpoint: &'s str,
    /// The repository; `None` for one that the user creates.
    pub(super) repository: Option<&'s str>,
}

/// Returns whether a text is the name of a repository that needs no care as an argument.
pub(super) fn is_repository_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && !name.starts_with('-') && name.bytes().all(is_repository_byte)
}

fn is_repository_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

impl Sheet<'_> {
    /// Returns the text.
    pub(super) fn text(&self) -> String {
        let (name, account, region, endpoint) = (&self.user.name, self.account, self.region, self.endpoint);
        let mut parts = vec![
            format!(
                "# {name}, account {account}, region {region}: AWS CodeCommit at {endpoint}\n\
                 # Paste the parts into a shell of your own, in their order. The keys are yours alone.\n"
            ),
            self.settings(),
            self.first_call(),
        ];
        let clone = self.clone_with_helper();
        match self.repository {
            Some(_) => parts.push(clone),
            None => parts.extend([self.creation(), clone, self.push()]),
        }
        parts.extend([self.clone_with_git_credentials(), self.clone_with_git_remote_codecommit()]);
        parts.join("\n")
    }

    fn settings(&self) -> String {
        let (authority, download) = if self.uses_tls() {
            (Some(AUTHORITY_VARIABLE), self.download_of_authority("--insecure "))
        } else {
            (None, String::new())
        };
        let key = ClientKey { id: &self.user.access_key_id, secret: &self.user.secret_access_key };
        let variables = environment::variables(self.endpoint, self.region.as_str(), key, authority);
        let exports = variables.into_iter().map(|(name, value)| {
            let value = if value == AUTHORITY_VARIABLE { authority_path() } else { quoted(&value) };
            format!("export {name}={value}\n")
        });
        let exports = exports.collect::<Vec<_>>().concat();
        format!("# Settings of the AWS CLI, SDKs and git in this shell\n{COMMENTS_IN_ZSH}{download}{exports}")
    }

    fn first_call(&self) -> String {
        let arn = GlobalArn::iam(self.region.partition(), self.account, format!("user/{}", self.user.name));
        format!("# The first call prints {arn}\naws sts get-caller-identity --query Arn --output text\n")
    }

    fn creation(&self) -> String {
        format!("# A repository\naws codecommit create-repository --repository-name {}\n", self.name())
    }

    fn clone_with_helper(&self) -> String {
        format!(
            "# Clone it with a password that git gets from the AWS CLI\ngit clone {} {}\n",
            quoted(&self.url("")),
            self.name()
        )
    }

    fn push(&self) -> String {
        let (folder, user) = (self.name(), quoted(&self.user.name));
        format!(
            "# A commit, and a push\n\
             git -C {folder} config user.name {user}\n\
             git -C {folder} config user.email {user}@example.com\n\
             git -C {folder} commit --allow-empty --message 'First commit'\n\
             git -C {folder} push origin HEAD:refs/heads/main\n"
        )
    }

    fn clone_with_git_credentials(&self) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let (user_name, password) = (self.user.git_user_name(self.account), &self.user.git_password);
        let credentials = format!("{}:{}@", escaped(&user_name), escaped(password));
        let (url, folder) = (quoted(&self.url(&credentials)), format!("{}-git-credentials", self.name()));
        format!(
            "# Clone it with Git credentials, which need no AWS CLI: user name {user_name}\n\
             # and password {password}\ngit clone {url} {folder}\n"
        )
    }

    fn clone_with_git_remote_codecommit(&self) -> String {
        let (region, name) = (self.region, self.name());
        let (url, folder) = (format!("codecommit::{region}://{name}"), format!("{name}-git-remote-codecommit"));
        // With https, the settings have these already.
        let settings = if self.uses_tls() {
            String::new()
        } else {
            format!(
                "{}export CODE_COMMIT_ENDPOINT={}\n",
                self.download_of_authority(""),
                quoted(self.endpoint.trim_start_matches("http://"))
            )
        };
        format!(
            "# Clone it with git-remote-codecommit, which uses TLS: pip install git-remote-codecommit\n\
             {settings}git clone --config http.sslCAInfo={} {url} {folder}\n",
            authority_path()
        )
    }

    /// Returns the command that downloads the certificate authority, and sets the variable with its path.
    fn download_of_authority(&self, flags: &str) -> String {
        let url = quoted(&format!("{}/_local/ca.pem", self.endpoint));
        format!(
            "curl --silent --show-error --fail {flags}--output {AUTHORITY} {url}\n{AUTHORITY_VARIABLE}=\"$PWD/{AUTHORITY}\"\n"
        )
    }

    /// Returns the URL of the repository, with credentials before the host. It names account and region, as Git sends neither.
    fn url(&self, credentials: &str) -> String {
        let (scheme, address) = self.endpoint.split_once("://").unwrap_or(("http", self.endpoint));
        let (account, region, name) = (self.account, self.region, self.name());
        format!("{scheme}://{credentials}{address}/{account}/{region}/v1/repos/{name}")
    }

    /// Returns the name of the repository: the given one, or that of the user, in which IAM allows more characters.
    fn name(&self) -> String {
        let own = || self.user.name.replace(|letter: char| !is_repository_byte(u8::try_from(letter).unwrap_or(0)), "-");
        self.repository.map_or_else(own, str::to_owned)
    }

    fn uses_tls(&self) -> bool {
        self.endpoint.starts_with("https://")
    }
}

fn authority_path() -> String {
    format!("\"${AUTHORITY_VARIABLE}\"")
}
