//! Who vouches for people of elsewhere: OIDC and SAML providers, and tokens that say nothing by themselves.

use aws::AccountId;

/// The providers that the identities file declares.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    pub(crate) open_id: Vec<OpenIdProvider>,
    pub(crate) saml: Vec<SamlProvider>,
    pub(crate) tokens: Vec<WebToken>,
}

/// An OIDC provider of an account.
#[derive(Debug)]
pub(crate) struct OpenIdProvider {
    pub(crate) account: AccountId,
    /// The URL without its scheme.
    pub(crate) host: String,
    /// The audiences that it may name; none are any.
    pub(crate) client_ids: Vec<String>,
    /// What of its tokens goes on with the sessions that are given for them.
    pub(crate) context: Option<ContextProvider>,
}

/// Which claims of a token become a session's trusted identity propagation context.
#[derive(Clone, Debug)]
pub(crate) struct ContextProvider {
    /// The claim that is the end user's identifier.
    pub(crate) subject_claim: String,
    /// `user` or `workload`.
    pub(crate) subject_type: &'static str,
    /// Further claims of the end user's request.
    pub(crate) transaction_claims: Vec<String>,
}

/// A SAML provider of an account.
#[derive(Debug)]
pub(crate) struct SamlProvider {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    /// The entity id of who issues its assertions, if it matters.
    pub(crate) issuer: Option<String>,
}

/// An opaque web identity token, and whom it names.
#[derive(Debug)]
pub(crate) struct WebToken {
    pub(crate) token: String,
    pub(crate) provider: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
}

impl Providers {
    /// Says whether an account knows an OIDC provider, and takes the audience; an account that declares none knows any.
    pub(crate) fn open_id(&self, account: &AccountId, host: &str, audience: &str) -> Known {
        let mut of_account = self.open_id.iter().filter(|it| it.account == *account).peekable();
        if of_account.peek().is_none() {
            return Known::Yes;
        }
        match of_account.find(|it| it.host == host) {
            None => Known::No,
            Some(it) if it.client_ids.is_empty() || it.client_ids.iter().any(|id| id == audience) => Known::Yes,
            Some(_) => Known::ForOthers,
        }
    }

    /// Finds the context provider that is attached to an OIDC provider of an account.
    pub(crate) fn context(&self, account: &AccountId, host: &str) -> Option<&ContextProvider> {
        let found = self.open_id.iter().find(|provider| provider.account == *account && provider.host == host);
        found.and_then(|provider| provider.context.as_ref())
    }

    /// Says whether an account knows a SAML provider, and takes its issuer; an account that declares none knows any.
    pub(crate) fn saml(&self, account: &AccountId, name: &str, issuer: &str) -> Known {
        let mut of_account = self.saml.iter().filter(|it| it.account == *account).peekable();
        if of_account.peek().is_none() {
            return Known::Yes;
        }
        match of_account.find(|it| it.name == name) {
            None => Known::No,
            Some(it) if it.issuer.as_deref().is_none_or(|expected| expected == issuer) => Known::Yes,
            Some(_) => Known::ForOthers,
        }
    }
}

/// What an account knows of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is there, and takes this.
    Yes,
    /// It is there, but not for this audience or issuer.
    ForOthers,
    /// It is not there.
    No,
}
