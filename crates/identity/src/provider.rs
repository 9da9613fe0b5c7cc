//! Identity providers: OIDC and SAML providers, and opaque web identity tokens.

use aws::AccountId;

/// The providers that the identities file declares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Providers {
    pub(crate) open_id: Vec<OpenIdProvider>,
    pub(crate) saml: Vec<SamlProvider>,
    pub(crate) tokens: Vec<WebToken>,
}

/// An OIDC provider of an account.
#[derive(Clone, Debug)]
pub(crate) struct OpenIdProvider {
    pub(crate) account: AccountId,
    /// The URL without its scheme.
    pub(crate) host: String,
    /// The audiences that it accepts; an empty list accepts all.
    pub(crate) client_ids: Vec<String>,
    /// The claims of its tokens that sessions propagate.
    pub(crate) context: Option<ContextProvider>,
}

/// The claims of a token that become the trusted identity propagation context of a session.
#[derive(Clone, Debug)]
pub(crate) struct ContextProvider {
    /// The claim with the identifier of the end user.
    pub(crate) subject_claim: String,
    /// `user` or `workload`.
    pub(crate) subject_type: &'static str,
    /// The claims for the transaction context.
    pub(crate) transaction_claims: Vec<String>,
}

/// A SAML provider of an account.
#[derive(Clone, Debug)]
pub(crate) struct SamlProvider {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    /// The entity id of the issuer; `None` accepts every issuer.
    pub(crate) issuer: Option<String>,
}

/// An opaque web identity token and the identity that it names.
#[derive(Clone, Debug)]
pub(crate) struct WebToken {
    pub(crate) token: String,
    pub(crate) provider: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
}

impl Providers {
    /// Returns whether an account has an OIDC provider for an audience; an account that declares none has every provider.
    pub(crate) fn open_id(&self, account: &AccountId, host: &str, audience: &str) -> ProviderMatch {
        let mut of_account = self.open_id.iter().filter(|provider| provider.account == *account).peekable();
        if of_account.peek().is_none() {
            return ProviderMatch::Full;
        }
        match of_account.find(|provider| provider.host == host) {
            None => ProviderMatch::None,
            Some(provider) if provider.client_ids.is_empty() || provider.client_ids.iter().any(|id| id == audience) => {
                ProviderMatch::Full
            }
            Some(_) => ProviderMatch::Other,
        }
    }

    /// Returns the context provider of an OIDC provider of an account.
    pub(crate) fn context(&self, account: &AccountId, host: &str) -> Option<&ContextProvider> {
        let found = self.open_id.iter().find(|provider| provider.account == *account && provider.host == host);
        found.and_then(|provider| provider.context.as_ref())
    }

    /// Returns whether an account has a SAML provider for an issuer; an account that declares none has every provider.
    pub(crate) fn saml(&self, account: &AccountId, name: &str, issuer: &str) -> ProviderMatch {
        let mut of_account = self.saml.iter().filter(|provider| provider.account == *account).peekable();
        if of_account.peek().is_none() {
            return ProviderMatch::Full;
        }
        match of_account.find(|provider| provider.name == name) {
            None => ProviderMatch::None,
            Some(provider) if provider.issuer.as_deref().is_none_or(|expected| expected == issuer) => {
                ProviderMatch::Full
            }
            Some(_) => ProviderMatch::Other,
        }
    }
}

/// Whether an account has a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProviderMatch {
    /// The account has the provider, for this audience or issuer.
    Full,
    /// The account has the provider, but for other audiences or issuers.
    Other,
    /// The account does not have the provider.
    None,
}
