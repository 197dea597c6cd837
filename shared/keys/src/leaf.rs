//! The leaves: found, issued, renewed, used and removed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_domain::{Platform, ProfileVersionArn, UnixMillis};
use countersign_ports::keys::{KeyError, Leaf, LeafId, SigningDigest};
use der::Encode as _;
use x509_cert::Certificate;

use crate::certificate::{profile_of, validity_of};
use crate::credential::{Credential, certificate_in};
use crate::directory::{Changing, KeyDirectory, damaged};
use crate::passphrase::Passphrase;
use crate::private_key::{KeyKind, PrivateKey, SignError};
use crate::root::{PEM, ROOT, Root};

/// The leaves of one directory. Every method blocks.
pub(crate) struct Leaves {
    directory: KeyDirectory,
    passphrase: Passphrase,
    root: Root,
    opened: Mutex<Vec<Arc<OpenLeaf>>>,
}

/// What a leaf is wanted for.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) profile: ProfileVersionArn,
    pub(crate) platform: Platform,
    pub(crate) at: UnixMillis,
    pub(crate) now: UnixMillis,
}

/// A leaf whose key is in memory.
struct OpenLeaf {
    leaf: Leaf,
    key: PrivateKey,
    facts: Facts,
}

/// What a leaf's certificate says.
#[derive(Clone, PartialEq, Eq)]
struct Facts {
    profile: ProfileVersionArn,
    not_before: UnixMillis,
    not_after: UnixMillis,
}

impl Leaves {
    pub(crate) fn new(directory: KeyDirectory, passphrase: Passphrase, root: Root) -> Self {
        Self { directory, passphrase, root, opened: Mutex::default() }
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// A leaf in memory that answers `wanted`.
    pub(crate) fn opened_for(&self, wanted: &Wanted) -> Option<Leaf> {
        let opened = self.opened();
        let serving = opened
            .iter()
            .filter(|open| open.facts.serves(wanted) && open.key.kind() == KeyKind::of(wanted.platform));
        serving.max_by_key(|open| open.facts.not_before).map(|open| open.leaf.clone())
    }

    /// A leaf that answers `wanted`: in memory, else stored, else issued now. On `Ok` it is durable.
    pub(crate) fn obtain(&self, wanted: &Wanted) -> Result<Leaf, KeyError> {
        let changing = self.directory.lock()?;
        if let Some(leaf) = self.opened_for(wanted) {
            return Ok(leaf);
        }
        self.remove_expired(&changing, wanted.now)?;
        let open = match self.stored(wanted)? {
            Some(open) => open,
            None => self.issue(&changing, wanted)?,
        };
        let leaf = open.leaf.clone();
        self.opened().push(Arc::new(open));
        Ok(leaf)
    }

    /// Signs with the leaf `id`, unless its certificate has expired.
    pub(crate) fn sign(
        &self,
        id: &LeafId,
        digest: &SigningDigest,
        now: UnixMillis,
    ) -> Result<Vec<u8>, KeyError> {
        let unknown = || KeyError::UnknownLeaf(id.0.chars().take(160).collect());
        let open = self.open(id)?.filter(|open| now <= open.facts.not_after).ok_or_else(unknown)?;
        open.key.sign(digest).map_err(|error| match error {
            SignError::WrongDigest(digest) => KeyError::WrongDigest { leaf: id.0.clone(), digest },
            SignError::Failed(_) => KeyError::Unavailable(error.to_string()),
        })
    }

    /// The leaf `id` with its key, from memory or from its file.
    fn open(&self, id: &LeafId) -> Result<Option<Arc<OpenLeaf>>, KeyError> {
        if let Some(open) = self.opened().iter().find(|open| open.leaf.id == *id) {
            return Ok(Some(Arc::clone(open)));
        }
        // Names come from the listing, so that an id is never a path, and never the root.
        if !self.ids()?.contains(id) {
            return Ok(None);
        }
        let Some(text) = self.directory.read(&file_of(id))? else { return Ok(None) };
        let open = Arc::new(self.unlock(id, &text)?);
        self.opened().push(Arc::clone(&open));
        Ok(Some(open))
    }

    /// The newest stored leaf that answers `wanted`.
    fn stored(&self, wanted: &Wanted) -> Result<Option<OpenLeaf>, KeyError> {
        let mut newest: Option<(Facts, LeafId, String)> = None;
        for id in self.ids()?.into_iter().filter(|id| id.0.starts_with(&stem(&wanted.profile))) {
            let Some(text) = self.directory.read(&file_of(&id))? else { continue };
            let (facts, kind) = self.facts(&id, &text)?;
            let newer = newest.as_ref().is_none_or(|(found, ..)| found.not_before < facts.not_before);
            if facts.serves(wanted) && kind == Some(KeyKind::of(wanted.platform)) && newer {
                newest = Some((facts, id, text));
            }
        }
        newest.map(|(_, id, text)| self.unlock(&id, &text)).transpose()
    }

    fn issue(&self, changing: &Changing, wanted: &Wanted) -> Result<OpenLeaf, KeyError> {
        let from = wanted.at.plus_millis(-CLOCK_SKEW_MILLIS);
        let credential = self.root.issue(&wanted.profile, KeyKind::of(wanted.platform), from)?;
        let serial = hex::encode(credential.certificate.tbs_certificate().serial_number().as_bytes());
        let id = LeafId(stem(&wanted.profile) + &serial);
        let unusable = |why: &dyn std::fmt::Display| damaged(&self.path(&id), &why.to_string());
        let text = credential.to_pem(&self.passphrase).map_err(|error| unusable(&error))?;
        let open = self.checked(id, credential)?;
        self.directory.write_new(changing, &file_of(&open.leaf.id), &text)?;
        tracing::info!(leaf = open.leaf.id.0, not_after = %open.facts.not_after, "issued a leaf certificate");
        Ok(open)
    }

    /// Removes the keys of leaves that can sign no more, from memory and from the directory.
    fn remove_expired(&self, changing: &Changing, now: UnixMillis) -> Result<(), KeyError> {
        self.opened().retain(|open| now <= open.facts.not_after);
        for id in self.ids()? {
            let text = self.directory.read(&file_of(&id));
            match text.and_then(|text| self.facts(&id, &text.unwrap_or_default())) {
                Ok((facts, _)) if now > facts.not_after => {
                    self.directory.remove(changing, &file_of(&id))?;
                    tracing::info!(leaf = id.0, not_after = %facts.not_after, "removed an expired leaf");
                }
                Ok(_) => {}
                // It may be another profile's, which has to go on. Whoever wants this leaf gets the error.
                Err(error) => tracing::warn!(%error, "a leaf file cannot be used"),
            }
        }
        Ok(())
    }

    fn unlock(&self, id: &LeafId, text: &str) -> Result<OpenLeaf, KeyError> {
        let credential = Credential::from_pem(text, &self.passphrase);
        let credential = credential.map_err(|error| self.damaged(id, &error))?;
        self.checked(id.clone(), credential)
    }

    fn checked(&self, id: LeafId, credential: Credential) -> Result<OpenLeaf, KeyError> {
        let Credential { certificate, key } = credential;
        if !self.root.issued(&certificate) {
            return Err(self.damaged(&id, &"its certificate was not issued by root.pem beside it"));
        }
        let facts = Facts::of(&certificate).ok_or_else(|| self.damaged(&id, &NO_LEAF))?;
        let der = certificate.to_der().map_err(|error| self.damaged(&id, &error))?;
        Ok(OpenLeaf { leaf: Leaf { id, certificates: vec![der, self.root.der().to_vec()] }, key, facts })
    }

    fn facts(&self, id: &LeafId, text: &str) -> Result<(Facts, Option<KeyKind>), KeyError> {
        let certificate = certificate_in(text).map_err(|error| self.damaged(id, &error))?;
        let facts = Facts::of(&certificate).ok_or_else(|| self.damaged(id, &NO_LEAF))?;
        Ok((facts, KeyKind::in_certificate(&certificate)))
    }

    fn damaged(&self, id: &LeafId, why: &dyn std::fmt::Display) -> KeyError {
        damaged(&self.path(id), &format!("{why}; a leaf may also be deleted, and a new one is issued"))
    }

    fn path(&self, id: &LeafId) -> std::path::PathBuf {
        self.directory.path_of(&file_of(id))
    }

    fn ids(&self) -> Result<Vec<LeafId>, KeyError> {
        let names = self.directory.names()?.into_iter().filter(|name| name != ROOT);
        Ok(names.filter_map(|name| name.strip_suffix(PEM).map(|id| LeafId(id.to_owned()))).collect())
    }

    fn opened(&self) -> MutexGuard<'_, Vec<Arc<OpenLeaf>>> {
        // The list is whole after every statement that changes it, so a panic elsewhere does not spoil it.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Facts {
    fn of(certificate: &Certificate) -> Option<Self> {
        let (not_before, not_after) = validity_of(certificate)?;
        Some(Self { profile: profile_of(certificate)?, not_before, not_after })
    }

    /// True if the leaf is this profile version's, is valid at that instant and now, and is not due for renewal.
    fn serves(&self, wanted: &Wanted) -> bool {
        let renewal = self.not_before.plus_millis(CLOCK_SKEW_MILLIS + RENEWED_AFTER_MILLIS);
        self.profile == wanted.profile
            && self.not_before <= wanted.at
            && wanted.at < renewal
            && wanted.at.max(wanted.now) <= self.not_after
    }
}

fn stem(profile: &ProfileVersionArn) -> String {
    format!("{}.{}.", profile.profile().name(), profile.version())
}

fn file_of(id: &LeafId) -> String {
    format!("{}{PEM}", id.0)
}

const NO_LEAF: &str = "its certificate does not name one profile version";
/// A leaf is valid from five minutes before its issue: clocks differ.
pub(crate) const CLOCK_SKEW_MILLIS: i64 = 300_000;
/// A leaf signs for a day. Whoever steals a key can backdate within its validity, so there is little of it.
pub(crate) const RENEWED_AFTER_MILLIS: i64 = 86_400_000;
