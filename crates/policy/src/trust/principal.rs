//! Principals of trust policies, and the callers that they name.

use crate::json::Node;
use crate::malformed::{Fault, Malformed};
use crate::parser::Parser;

/// A caller.
#[derive(Debug, Clone, Copy)]
pub enum Principal<'p> {
    /// A root, a user, or a session of a role or of a federated user.
    Aws {
        /// The account, twelve digits.
        account: &'p str,
        /// The ARNs and unique ids by which a policy can name the caller: of a session its own ARN and that of its role.
        names: &'p [&'p str],
    },
    /// A service by its DNS name, such as `codepipeline.amazonaws.com`.
    Service(&'p str),
    /// The identity provider of a SAML assertion or web identity token: its ARN or domain.
    Federated(&'p str),
}

/// How a policy names a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// By its account.
    Account,
    /// By itself, or as one of everybody.
    Principal,
}

/// The value of `Principal` or `NotPrincipal`.
#[derive(Debug, Clone)]
pub(crate) struct Principals {
    is_negated: bool,
    names: Vec<Name>,
}

#[derive(Debug, Clone)]
enum Name {
    /// `"Principal": "*"`
    Everybody,
    /// `"AWS": "*"`
    EveryAws,
    /// An account id, or the ARN of a root: every principal of the account.
    Account(Box<str>),
    /// An ARN or a unique id.
    Aws(Box<str>),
    Service(Box<str>),
    Federated(Box<str>),
    /// The canonical user of Amazon S3, who assumes no role.
    CanonicalUser,
}

impl Principals {
    pub(crate) fn parse(node: &Node, is_negated: bool, parser: &Parser<'_>) -> Result<Self, Malformed> {
        let names = match (node.text(), node.members()) {
            (Some("*"), _) => vec![Name::Everybody],
            (_, Some([])) => return Err(parser.fail(node, Fault::EmptyPrincipal)),
            (_, Some(members)) => {
                let mut names = Vec::new();
                for (kind, values) in members {
                    for (text, node) in parser.texts(values)?.into_iter().zip(values.elements()) {
                        let invalid = || format!("\"{}\":\"{text}\"", kind.to_uppercase());
                        let name = Name::parse(kind, text);
                        names.push(name.ok_or_else(|| parser.fail(node, Fault::InvalidPrincipal(invalid())))?);
                    }
                }
                names
            }
            _ => return Err(parser.fail(node, Fault::Syntax)),
        };
        if names.is_empty() {
            return Err(parser.fail(node, Fault::EmptyPrincipal));
        }
        Ok(Self { is_negated, names })
    }

    /// Tells whether these are everybody, or every principal of AWS.
    pub(crate) fn are_everybody(&self) -> bool {
        !self.is_negated && self.names.iter().any(|name| matches!(name, Name::Everybody | Name::EveryAws))
    }

    /// Returns how these principals name a caller. `NotPrincipal` names whom it does not list.
    pub(crate) fn name(&self, caller: &Principal<'_>) -> Option<Named> {
        let named = self.names.iter().filter_map(|name| name.covers(caller));
        let named = named.max_by_key(|named| *named == Named::Principal);
        match (self.is_negated, named) {
            (false, named) => named,
            (true, Some(_)) => None,
            (true, None) => Some(Named::Principal),
        }
    }
}

impl Name {
    fn parse(kind: &str, text: &str) -> Option<Self> {
        match kind {
            "AWS" => Self::parse_aws(text),
            "Service" if text.contains('.') => Some(Self::Service(text.into())),
            "Federated" if text.contains(['.', ':']) => Some(Self::Federated(text.into())),
            "CanonicalUser" if !text.is_empty() => Some(Self::CanonicalUser),
            _ => None,
        }
    }

    fn parse_aws(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::EveryAws);
        }
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_account(text) {
            return Some(Self::Account(text.into()));
        }
        let is_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if text.len() >= 16 && text.starts_with('A') && text.bytes().all(is_id) {
            return Some(Self::Aws(text.into()));
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = parts[..] else { return None };
        if !partition.starts_with("aws") || !is_account(account) || resource.contains(['*', '?']) {
            return None;
        }
        let types: &[&str] = match service {
            "iam" if resource == "root" => return Some(Self::Account(account.into())),
            "iam" => &["user/", "role/"],
            "sts" => &["assumed-role/", "federated-user/"],
            _ => return None,
        };
        types.iter().any(|kind| resource.starts_with(kind)).then(|| Self::Aws(text.into()))
    }

    fn covers(&self, caller: &Principal<'_>) -> Option<Named> {
        let is_same = |name: &str, other: &str| (name == other).then_some(Named::Principal);
        match (self, caller) {
            (Self::Everybody, _) | (Self::EveryAws, Principal::Aws { .. }) => Some(Named::Principal),
            (Self::Account(name), Principal::Aws { account, .. }) => (**name == **account).then_some(Named::Account),
            (Self::Aws(name), Principal::Aws { names, .. }) => {
                names.contains(&name.as_ref()).then_some(Named::Principal)
            }
            (Self::Service(name), Principal::Service(service)) => is_same(name, service),
            (Self::Federated(name), Principal::Federated(provider)) => is_same(name, provider),
            _ => None,
        }
    }
}
