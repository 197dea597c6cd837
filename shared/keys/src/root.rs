//! The installation's root: made once, and what all its leaves stand on.

use countersign_domain::{ProfileVersionArn, Scope, UnixMillis};
use countersign_ports::keys::KeyError;
use der::Encode as _;
use p384::ecdsa::SigningKey;
use x509_cert::Certificate;

use crate::certificate::{self, LEAF_VALIDITY_MILLIS};
use crate::credential::{Credential, certificate_pem};
use crate::directory::{Changing, KeyDirectory, damaged};
use crate::passphrase::Passphrase;
use crate::private_key::{KeyKind, PrivateKey};

/// The root certificate and its key.
pub(crate) struct Root {
    key: SigningKey,
    certificate: Certificate,
    der: Vec<u8>,
    pem: String,
    validity: (UnixMillis, UnixMillis),
}

impl Root {
    /// Opens the root of `directory`, or makes it if the directory is empty. On `Ok` it is durable.
    pub(crate) fn load_or_create(
        directory: &KeyDirectory,
        passphrase: &Passphrase,
        scope: &Scope,
        now: UnixMillis,
    ) -> Result<Self, KeyError> {
        let changing = directory.lock()?;
        directory.sweep(&changing)?;
        let unusable = |why: &dyn std::fmt::Display| damaged(&directory.path_of(ROOT), &why.to_string());
        let credential = match directory.read(ROOT)? {
            Some(text) => Credential::from_pem(&text, passphrase).map_err(|error| unusable(&error))?,
            None => Self::create(directory, &changing, passphrase, scope, now)?,
        };
        Self::checked(credential).map_err(|why| unusable(&why))
    }

    /// The certificate in PEM: what verifiers put into their trust roots.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate in DER.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// True if this root issued `leaf`.
    pub(crate) fn issued(&self, leaf: &Certificate) -> bool {
        certificate::is_issued_by(leaf, &self.certificate, self.key.verifying_key())
    }

    /// A leaf with a fresh key for `profile`, valid for three days from `from` on.
    pub(crate) fn issue(
        &self,
        profile: &ProfileVersionArn,
        kind: KeyKind,
        from: UnixMillis,
    ) -> Result<Credential, KeyError> {
        let until = from.plus_millis(LEAF_VALIDITY_MILLIS);
        if from < self.validity.0 || until > self.validity.1 {
            let (begins, ends) = self.validity;
            return Err(KeyError::Unusable(format!(
                "the root certificate is valid from {begins} to {ends}, and a leaf is wanted from {from} to {until}; \
                 make a new root in an empty directory and have verifiers trust it"
            )));
        }
        credential_without_magic(kind, |key| {
            let public_key = key.public_key().map_err(not_made)?;
            certificate::issue_leaf(&self.certificate, &self.key, profile, public_key, from).map_err(not_made)
        })
    }

    fn create(
        directory: &KeyDirectory,
        changing: &Changing,
        passphrase: &Passphrase,
        scope: &Scope,
        now: UnixMillis,
    ) -> Result<Credential, KeyError> {
        refuse_leaves_without_root(directory)?;
        let from = now.plus_millis(-ROOT_PRECEDES_MILLIS);
        let credential = credential_without_magic(KeyKind::P384, |key| match key {
            PrivateKey::Ecdsa(key) => certificate::issue_root(key, scope, from).map_err(not_made),
            PrivateKey::Rsa(_) => Err(KeyError::Unavailable("a root has an ECDSA key".to_owned())),
        })?;
        let text = credential.to_pem(passphrase).map_err(not_made)?;
        directory.write_new(changing, ROOT, &text)?;
        tracing::info!(file = %directory.path_of(ROOT).display(), "made the installation's root certificate");
        Ok(credential)
    }

    fn checked(credential: Credential) -> Result<Self, &'static str> {
        let Credential { certificate, key } = credential;
        let PrivateKey::Ecdsa(key) = key else { return Err("its key is not ECDSA P-384") };
        if !certificate::is_issued_by(&certificate, &certificate, key.verifying_key()) {
            return Err("its certificate is not signed by its own key; restore it from a backup");
        }
        let validity = certificate::validity_of(&certificate).ok_or("its certificate has no validity")?;
        let der = certificate.to_der().map_err(|_| "its certificate cannot be encoded")?;
        let pem = certificate_pem(&certificate).map_err(|_| "its certificate cannot be encoded")?;
        Ok(Self { key: *key, certificate, der, pem, validity })
    }
}

/// Without this, a lost root would silently become a new one that nobody trusts.
fn refuse_leaves_without_root(directory: &KeyDirectory) -> Result<(), KeyError> {
    match directory.names()?.into_iter().find(|name| name.ends_with(PEM)) {
        None => Ok(()),
        Some(leaf) => Err(damaged(
            &directory.path_of(ROOT),
            &format!(
                "it is missing, yet there is {leaf}; restore it from a backup, or begin anew in an empty directory"
            ),
        )),
    }
}

/// Makes keys and certificates until one has no record magic in it; about one in a million has.
fn credential_without_magic(
    kind: KeyKind,
    certify: impl Fn(&PrivateKey) -> Result<Certificate, KeyError>,
) -> Result<Credential, KeyError> {
    for _ in 0..MAX_ATTEMPTS {
        let key = PrivateKey::generate(kind).map_err(not_made)?;
        let certificate = certify(&key)?;
        if !certificate::holds_record_magic(&certificate.to_der().map_err(not_made)?) {
            return Ok(Credential { certificate, key });
        }
    }
    Err(KeyError::Unavailable(format!("{MAX_ATTEMPTS} certificates in a row held the magic of a zip record")))
}

fn not_made(error: impl std::fmt::Display) -> KeyError {
    KeyError::Unavailable(format!("a certificate could not be made: {error}"))
}

pub(crate) const ROOT: &str = "root.pem";
pub(crate) const PEM: &str = ".pem";
/// The root is valid from one day and ten minutes before its making, so that every leaf lies within it: a leaf may be
/// wanted for a day ago, and begins five minutes earlier.
const ROOT_PRECEDES_MILLIS: i64 = 86_400_000 + 600_000;
/// Certificates in a row that may hold a record magic: far more than chance will ever give.
const MAX_ATTEMPTS: usize = 5;
