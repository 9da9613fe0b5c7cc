//! The store of signing keys: which key signs when, and the validity of each.
//!
//! A key signs for the rotation time and stays valid for the same time again, so two are valid at any time. Keys are never removed, as
//! old digests must stay verifiable.

use std::sync::Arc;
use std::time::Duration;

use aws::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use store::{Error, Store, Value};

use super::SigningKey;
use crate::public_key::PublicKey;

/// All current and former signing keys.
pub(crate) struct KeyStore {
    store: Arc<Store>,
    given: Option<Arc<SigningKey>>,
    rotation: i64,
    /// The key of the last signature; a key is only created under this lock.
    last: Mutex<Option<(i64, Arc<SigningKey>)>>,
}

/// A row of a key. The times are set when the key is first used or listed.
struct StoredKey {
    id: i64,
    valid_from: Option<i64>,
    signs_until: i64,
}

impl KeyStore {
    /// Creates the store of a given key, or of generated keys if there is none.
    pub(crate) fn new(store: Arc<Store>, given: Option<SigningKey>, rotation: Duration) -> Self {
        let rotation = i64::try_from(rotation.as_millis()).unwrap_or(i64::MAX / 4);
        Self { store, given: given.map(Arc::new), rotation, last: Mutex::default() }
    }

    /// Generates the first key, if there is none.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        let _last = self.last();
        self.signing_keys().map(drop)
    }

    /// Returns the key that signs the digest of the window from `start` to `end`.
    pub(crate) fn for_window(&self, start: Timestamp, end: Timestamp) -> Result<Arc<SigningKey>, Error> {
        let mut last = self.last();
        let keys = self.signing_keys()?;
        let started = keys.iter().rfind(|key| key.valid_from.is_none_or(|from| from <= end.millis()));
        let chosen = started.unwrap_or(&keys[0]);
        let is_due = self.given.is_none() && chosen.valid_from.is_some() && end.millis() >= chosen.signs_until;
        let id = if is_due { self.insert(&generate()?, chosen.id)? } else { chosen.id };
        self.extend_validity(id, start.millis(), end.millis())?;
        match &*last {
            Some((known, key)) if *known == id => Ok(Arc::clone(key)),
            _ => Ok(Arc::clone(&last.insert((id, self.key(id)?)).1)),
        }
    }

    /// Lists the keys that are valid at some time of a range; if no key was used before, the validity of the first one starts now.
    pub(crate) fn list(&self, from: Timestamp, until: Timestamp, now: Timestamp) -> Result<Vec<PublicKey>, Error> {
        let _last = self.last();
        if let [only] = &self.signing_keys()?[..]
            && only.valid_from.is_none()
        {
            self.extend_validity(only.id, now.millis(), now.millis())?;
        }
        let is_listed = |key: &PublicKey| key.valid_from <= until && key.valid_until >= from;
        Ok(self.all()?.into_iter().filter(is_listed).collect())
    }

    /// Lists all keys that were ever used or listed.
    pub(crate) fn all(&self) -> Result<Vec<PublicKey>, Error> {
        self.store.read(|transaction| {
            transaction.query(
                "SELECT public, fingerprint, valid_from, valid_until FROM signing_keys WHERE valid_from IS NOT NULL ORDER BY id",
                &[],
                |row| {
                    Ok(PublicKey {
                        der: row.blob(0)?,
                        fingerprint: row.text(1)?,
                        valid_from: Timestamp::from_millis(row.integer(2)?),
                        valid_until: Timestamp::from_millis(row.integer(3)?),
                    })
                },
            )
        })
    }

    /// Takes the lock; its value is replaced as a whole, so it is valid even after a panic.
    fn last(&self) -> MutexGuard<'_, Option<(i64, Arc<SigningKey>)>> {
        self.last.lock()
    }

    /// Returns the keys that can sign, at least one; generates it if there is none.
    fn signing_keys(&self) -> Result<Vec<StoredKey>, Error> {
        let keys = self.load()?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        match &self.given {
            Some(given) => self.insert(given, 0)?,
            None => self.insert(&generate()?, 0)?,
        };
        self.load()
    }

    /// Reads the keys that can sign from the store.
    fn load(&self) -> Result<Vec<StoredKey>, Error> {
        let (condition, values) = self.condition();
        let query = format!("SELECT id, valid_from, signs_until FROM signing_keys WHERE {condition} ORDER BY id");
        self.store.read(|transaction| {
            transaction.query(&query, &values, |row| {
                Ok(StoredKey {
                    id: row.integer(0)?,
                    valid_from: row.optional_integer(1)?,
                    signs_until: row.integer(2)?,
                })
            })
        })
    }

    /// Returns the condition of the keys that can sign, and its values.
    fn condition(&self) -> (&'static str, Vec<Value<'_>>) {
        match &self.given {
            Some(given) => ("fingerprint = ?1", vec![Value::Text(given.fingerprint())]),
            None => ("private IS NOT NULL", Vec::new()),
        }
    }

    /// Stores a new key after another one, a given key without its private half, which stays in its file; returns its id, or that of the
    /// one that another node has stored meanwhile.
    fn insert(&self, key: &SigningKey, after: i64) -> Result<i64, Error> {
        let private = match &self.given {
            Some(_) => None,
            None => Some(key.private_der().map_err(|_| Error::Damaged("a new signing key cannot be encoded"))?),
        };
        let (public, fingerprint) = (key.public_der().to_vec(), key.fingerprint().to_owned());
        let (condition, is_given) = (self.condition().0, self.given.is_some());
        self.store.write(move |transaction| {
            let values = if is_given { vec![Value::Text(&fingerprint)] } else { Vec::new() };
            let query = format!("SELECT id FROM signing_keys WHERE {condition} AND id > {after} ORDER BY id LIMIT 1");
            if let Some(id) = transaction.query_one(&query, &values, |row| row.integer(0))? {
                return Ok(Some(id));
            }
            transaction.query_one(
                "INSERT INTO signing_keys (private, public, fingerprint, signs_until, valid_until) VALUES (?1, ?2, ?3, 0, 0) \
                 RETURNING id",
                &[private.as_deref().into(), public[..].into(), (&fingerprint).into()],
                |row| row.integer(0),
            )
        })?.ok_or(Error::Damaged("a new signing key has no id"))
    }

    /// Extends the validity of a key to a window that it signs.
    fn extend_validity(&self, id: i64, start: i64, end: i64) -> Result<(), Error> {
        let (rotation, is_given) = (self.rotation, self.given.is_some());
        self.store.write(move |transaction| {
            let change = |condition: &str, sets: &str, values: &[Value<'_>]| {
                transaction.execute(&format!("UPDATE signing_keys SET {sets} WHERE id = ?1 AND {condition}"), values)
            };
            let signs_until = start.saturating_add(rotation).max(end);
            let valid_until = signs_until.saturating_add(rotation);
            change(
                "valid_from IS NULL",
                "valid_from = ?2, signs_until = ?3, valid_until = ?4",
                &[id.into(), start.into(), signs_until.into(), valid_until.into()],
            )?;
            change("valid_from > ?2", "valid_from = ?3", &[id.into(), end.into(), start.into()])?;
            if is_given {
                change("valid_until < ?2", "valid_until = ?2", &[id.into(), valid_until.into()])?;
            }
            Ok(())
        })
    }

    fn key(&self, id: i64) -> Result<Arc<SigningKey>, Error> {
        if let Some(given) = &self.given {
            return Ok(Arc::clone(given));
        }
        let damaged = Error::Damaged("a signing key cannot be read");
        let private = self.store.read(|transaction| {
            transaction
                .query_one("SELECT private FROM signing_keys WHERE id = ?1", &[id.into()], |row| row.optional_blob(0))
        })?;
        let key = private.flatten().and_then(|der| SigningKey::parse(&der).ok());
        key.map(Arc::new).ok_or(damaged)
    }
}

fn generate() -> Result<SigningKey, Error> {
    SigningKey::generate().map_err(|error| {
        tracing::error!(error, "cannot generate a signing key");
        Error::Damaged("a signing key cannot be generated")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use aws::Timestamp;
    use store::{Durability, Store};
    use tempfile::TempDir;

    use super::KeyStore;
    use crate::schema;
    use crate::signing_key::tests::KEY;

    const DAY: Duration = Duration::from_hours(24);

    fn store(folder: &TempDir) -> Arc<Store> {
        let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
        store.migrate("trail", schema::STEPS).expect("the statements are good");
        Arc::new(store)
    }

    /// The beginning of a day.
    fn day(number: i64) -> Timestamp {
        Timestamp::from_millis(number * 86_400_000)
    }

    fn fingerprints(key_store: &KeyStore, from: i64, until: i64) -> Vec<String> {
        let keys = key_store.list(day(from), day(until), day(from)).expect("the store works");
        keys.into_iter().map(|key| key.fingerprint).collect()
    }

    #[test]
    fn a_key_signs_for_the_rotation_time_and_is_valid_for_twice_as_long() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let key_store = KeyStore::new(store(&folder), None, DAY);
        key_store.prepare().expect("a key can be generated");
        let sign = |number| {
            key_store
                .for_window(day(number), Timestamp::from_millis(day(number).millis() + 1))
                .expect("there is a key for the window")
        };
        let (first, second) = (sign(0), sign(1));
        assert_ne!(first.fingerprint(), second.fingerprint());
        assert_eq!(
            sign(0).fingerprint(),
            first.fingerprint(),
            "a window of the past is signed with the key of the past"
        );
        assert_eq!(sign(1).fingerprint(), second.fingerprint());
        let [first, second] = [first, second].map(|key| key.fingerprint().to_owned());
        assert_eq!(fingerprints(&key_store, 0, 0), std::slice::from_ref(&first));
        assert_eq!(fingerprints(&key_store, 1, 2), [first.clone(), second.clone()], "validities overlap");
        assert_eq!(fingerprints(&key_store, 3, 9), std::slice::from_ref(&second));
        assert_eq!(fingerprints(&key_store, 4, 9), Vec::<String>::new());
        assert_eq!(key_store.all().expect("the store works").len(), 2, "none is removed");
    }

    #[test]
    fn keys_survive_restarts_and_listing_generates_the_first() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let store = store(&folder);
        let listed = fingerprints(&KeyStore::new(Arc::clone(&store), None, DAY), 7, 7);
        assert_eq!(listed.len(), 1);
        let key_store = KeyStore::new(store, None, DAY);
        assert_eq!(
            key_store.for_window(day(7), day(7)).expect("there is a key for the window").fingerprint(),
            listed[0]
        );
        let earlier = key_store.for_window(day(6), day(6)).expect("there is a key for the window");
        assert_eq!(earlier.fingerprint(), listed[0]);
        assert_eq!(fingerprints(&key_store, 6, 6), listed, "a key is valid for everything that it signed");
    }

    #[test]
    fn a_given_key_is_not_rotated_and_its_private_half_is_not_stored() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let store = store(&folder);
        let key_store = KeyStore::new(Arc::clone(&store), Some(KEY.clone()), DAY);
        for number in [0, 50] {
            assert_eq!(
                key_store.for_window(day(number), day(number)).expect("there is a key for the window").fingerprint(),
                KEY.fingerprint()
            );
        }
        assert_eq!(fingerprints(&key_store, 0, 0), [KEY.fingerprint()]);
        assert_eq!(fingerprints(&key_store, 51, 52), [KEY.fingerprint()]);
        let private = store
            .read(|transaction| transaction.query("SELECT private FROM signing_keys", &[], |row| row.optional_blob(0)));
        assert_eq!(private.expect("the table exists"), [None]);
    }
}
