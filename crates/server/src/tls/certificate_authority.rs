//! The local certificate authority, whose key is in the database and whose certificate is also the file `ca.pem`.
//!
//! **Invariant:** the private key is in the store and in memory only; it is never logged or printed. A new certificate of the authority has
//! the same key and name, so clients that trust an older one accept all certificates that the older one permits.

use std::fs;
use std::io;
use std::path::Path;

use aws::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use store::{Store, Transaction};
use time::{Duration, OffsetDateTime};

use crate::StartError;
use crate::data_folder::with_path;
use crate::tls::names::CertifiedNames;

/// The file with the certificate in the data folder.
pub(crate) const FILE: &str = "ca.pem";

/// Validity of the authority's certificate.
const VALIDITY: Duration = Duration::days(3_650);

/// Validity of the certificates that it signs; some clients refuse more than 398 days.
const LEAF_VALIDITY: Duration = Duration::days(397);

/// Time before now at which validity begins, for clients whose clocks are behind.
const BACKDATE: Duration = Duration::days(1);

/// The certificate is in PEM; `names` are its name constraints, `expires` is the end of its validity in seconds since the epoch.
const STEPS: &[&str] = &["
    CREATE TABLE certificate_authority (
        private BLOB NOT NULL,
        certificate TEXT NOT NULL,
        names TEXT NOT NULL,
        expires INTEGER NOT NULL
    );
"];

/// The key and the certificate of the authority.
pub(crate) struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    expires: OffsetDateTime,
}

/// The row of the authority.
struct StoredAuthority {
    private: Vec<u8>,
    certificate: String,
    names: String,
    expires: i64,
}

/// A certificate that the authority has signed, and its key.
pub(crate) struct LeafCertificate {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivatePkcs8KeyDer<'static>,
    /// The time at which another certificate replaces it: when a third of its validity is left.
    pub(crate) renewal: OffsetDateTime,
}

/// Creates the table of the authority.
pub(crate) fn migrate(store: &Store) -> Result<(), store::Error> {
    store.migrate("tls", STEPS)
}

impl CertificateAuthority {
    /// Reads the authority from the store, or creates it; its certificate is replaced if it expires soon or has other names.
    pub(crate) fn open(store: &Store, names: &CertifiedNames, data_folder: &Path) -> Result<Self, StartError> {
        migrate(store)?;
        let now = now();
        let is_current = |stored: &StoredAuthority| {
            stored.names == names.to_text() && stored.expires > (now + LEAF_VALIDITY).unix_timestamp()
        };
        let authority = loop {
            let replaced = match store.read(read)? {
                Some(stored) if is_current(&stored) => break stored,
                replaced => replaced,
            };
            let private = replaced.as_ref().map(|stored| stored.private.clone());
            let created = create(private, names, now).map_err(|error| failed(&error))?;
            let is_new = replaced.is_none();
            // Of two servers that start together on one database, the second one takes the authority of the first.
            if !replace(store, replaced, created)? {
                continue;
            }
            if !is_new {
                tracing::info!(
                    "replaced the certificate of the local certificate authority, because its names have changed or it expires soon"
                );
            }
        };
        write_file(&data_folder.join(FILE), &authority.certificate)?;
        let key = key(&authority.private).map_err(|error| failed(&error))?;
        let issuer = Issuer::new(parameters(&key), key);
        let expires = OffsetDateTime::from_unix_timestamp(authority.expires).map_err(|error| failed(&error))?;
        Ok(Self { issuer, pem: authority.certificate, expires })
    }

    /// Returns the certificate in PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Signs a certificate of a new key for names and addresses.
    pub(crate) fn sign(&self, subject_names: Vec<SanType>) -> Result<LeafCertificate, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = CertificateParams::default();
        (parameters.not_before, parameters.not_after) = validity(now(), LEAF_VALIDITY);
        parameters.not_after = parameters.not_after.min(self.expires);
        parameters.serial_number = Some(serial_number());
        parameters.subject_alt_names = subject_names;
        parameters.distinguished_name = common_name("codecommit-local");
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python verifies strictly since 3.13, and needs the extension.
        parameters.use_authority_key_identifier_extension = true;
        let renewal = parameters.not_after - LEAF_VALIDITY / 3;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok(LeafCertificate { certificate: certificate.der().clone(), key, renewal })
    }
}

/// Returns the system's time: clients compare the validity of certificates with their own clocks.
pub(crate) fn now() -> OffsetDateTime {
    let seconds = SystemClock.now().millis() / 1_000;
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn validity(now: OffsetDateTime, duration: Duration) -> (OffsetDateTime, OffsetDateTime) {
    let begin = now - BACKDATE;
    (begin, begin + duration)
}

/// Creates the certificate of a stored key, or of a new one.
fn create(
    private: Option<Vec<u8>>,
    names: &CertifiedNames,
    now: OffsetDateTime,
) -> Result<StoredAuthority, rcgen::Error> {
    let key = match private {
        Some(private) => key(&private)?,
        None => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
    };
    let mut parameters = parameters(&key);
    (parameters.not_before, parameters.not_after) = validity(now, VALIDITY);
    // A certificate of the same name and key is told from an earlier one by its number.
    parameters.serial_number = Some(serial_number());
    parameters.name_constraints = Some(names.constraints());
    let expires = parameters.not_after.unix_timestamp();
    let certificate = parameters.self_signed(&key)?.pem();
    Ok(StoredAuthority { private: key.serialize_der(), certificate, names: names.to_text(), expires })
}

/// Returns what all certificates of the authority have in common.
fn parameters(key: &KeyPair) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters.key_identifier_method = KeyIdMethod::Sha256;
    // Authorities of different data folders have different names, as a client can trust several.
    let id = aws::hex::encode(&parameters.key_identifier(key));
    parameters.distinguished_name = common_name(&format!("codecommit-local CA {}", id.get(..12).unwrap_or_default()));
    parameters
}

fn common_name(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// Returns a random positive number of 16 bytes.
fn serial_number() -> SerialNumber {
    let mut bytes = SystemClock.seed().to_be_bytes();
    bytes[0] = bytes[0] & 0x3f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn key(private: &[u8]) -> Result<KeyPair, rcgen::Error> {
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(private), &PKCS_ECDSA_P256_SHA256)
}

fn read(transaction: &Transaction) -> Result<Option<StoredAuthority>, store::Error> {
    transaction.query_one("SELECT private, certificate, names, expires FROM certificate_authority", &[], |row| {
        Ok(StoredAuthority {
            private: row.blob(0)?,
            certificate: row.text(1)?,
            names: row.text(2)?,
            expires: row.integer(3)?,
        })
    })
}

/// Replaces the row, unless it is no longer the one that was read; returns whether it was.
fn replace(store: &Store, read_before: Option<StoredAuthority>, new: StoredAuthority) -> Result<bool, store::Error> {
    let certificate = |authority: StoredAuthority| authority.certificate;
    store.write(move |transaction| {
        if read(transaction)?.map(certificate) != read_before.map(certificate) {
            return Ok(false);
        }
        transaction.note("DELETE FROM certificate_authority", &[])?;
        let StoredAuthority { private, certificate, names, expires } = &new;
        let row = [private.as_slice().into(), certificate.into(), names.into(), (*expires).into()];
        transaction.note("INSERT INTO certificate_authority VALUES (?1, ?2, ?3, ?4)", &row)?;
        Ok(true)
    })
}

/// Writes the file unless it has the text already; a reader sees the old or the new text.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    if fs::read(path).is_ok_and(|content| content == text.as_bytes()) {
        return Ok(());
    }
    let partial = path.with_extension("pem.partial");
    fs::write(&partial, text).map_err(with_path(&partial))?;
    fs::rename(&partial, path).map_err(with_path(path))
}

fn failed(error: &dyn std::error::Error) -> StartError {
    StartError::CertificateAuthority(error.to_string())
}

#[cfg(test)]
mod tests {
    use store::Durability;

    use super::*;
    use crate::settings::TlsNames;

    fn open(store: &Store, names: &str, folder: &Path) -> CertificateAuthority {
        let names = names.split_whitespace().map(str::to_owned).collect();
        let names = CertifiedNames::new(&TlsNames::parse(names).expect("the names are valid"));
        CertificateAuthority::open(store, &names, folder).expect("the folder is writable")
    }

    #[test]
    fn servers_that_start_together_have_one_authority() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let store = Store::open(&folder.path().join("db"), Durability::Normal).expect("the folder is writable");
        let open = |number: usize| {
            let data = folder.path().join(number.to_string());
            fs::create_dir(&data).expect("the folder is new");
            open(&store, "git.example.com", &data).pem
        };
        let authorities: Vec<_> = std::thread::scope(|scope| {
            let open = &open;
            let starts: Vec<_> = (0..8).map(|number| scope.spawn(move || open(number))).collect();
            starts.into_iter().map(|start| start.join().expect("no start panics")).collect()
        });
        assert!(authorities.iter().all(|authority| *authority == authorities[0]), "{authorities:?}");
    }

    #[test]
    fn the_key_stays_and_the_certificate_changes_with_the_names_and_before_it_expires() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let store = Store::open(&folder.path().join("database"), Durability::Normal).expect("the folder is writable");
        let first = open(&store, "", folder.path());
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).expect("the file was written"), first.pem());
        assert_eq!(open(&store, "", folder.path()).pem(), first.pem());
        let named = open(&store, "git.example.com", folder.path());
        assert_ne!(named.pem(), first.pem());
        let soon = (now() + LEAF_VALIDITY - BACKDATE).unix_timestamp();
        let expiring: Result<(), store::Error> = store.write(move |transaction| {
            transaction.execute("UPDATE certificate_authority SET expires = ?1", &[soon.into()]).map(drop)
        });
        expiring.expect("the database is writable");
        let renewed = open(&store, "git.example.com", folder.path());
        assert_ne!(renewed.pem(), named.pem());
        assert!(renewed.expires > now() + LEAF_VALIDITY);
        for other in [named, renewed] {
            assert_eq!(other.issuer.key().serialized_der(), first.issuer.key().serialized_der());
        }
    }

    #[test]
    fn a_certificate_is_replaced_when_a_third_of_its_validity_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let store = Store::open(&folder.path().join("database"), Durability::Normal).expect("the folder is writable");
        let leaf = open(&store, "", folder.path()).sign(Vec::new()).expect("the key can sign");
        let left = leaf.renewal - now();
        assert!(left > LEAF_VALIDITY / 2 && left < LEAF_VALIDITY, "{left}");
    }
}
