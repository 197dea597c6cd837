//! Where in a package its signature lies (FORMAT.md sections 2 and 3.4).

use std::io::{self, Read};

use caseless::default_caseless_match_str;
use countersign_domain::Platform;

use crate::append::{AppendError, BODY_SIZE_MAX, Recovered, split};
use crate::cms::SignatureAlgorithm;
use crate::gate::{Archive, Entry, EntryKind};
use crate::source::ReadAt;

/// The two kinds of signature entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureKind {
    /// `META-INF/countersign.p7s`
    P7s,
    /// `META_INF/aws_signer_signature_v1.0.SF`
    Sf,
}

/// Entries that could be read as a signature, but not in one way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the package must hold one signature under its exact name, and holds {names:?}")]
pub struct AmbiguousSignature {
    /// The names of the entries.
    pub names: Vec<String>,
}

/// Why a package cannot be signed on a platform (FORMAT.md section 3.4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// It is already signed.
    #[error("the package is already signed: it holds {entry:?}; strip it first, or sign the original")]
    AlreadySigned {
        /// The signature entry.
        entry: String,
    },
    /// An entry stands where the signature has to go.
    #[error("the package holds {entry:?}, where the signature {signature:?} has to go; remove it")]
    ReservedName {
        /// The entry.
        entry: String,
        /// The name of the signature entry.
        signature: &'static str,
    },
}

impl SignatureKind {
    pub(crate) const ALL: [Self; 2] = [Self::P7s, Self::Sf];

    pub(crate) fn of(platform: Platform) -> Self {
        match platform {
            Platform::CountersignSha256Rsa | Platform::CountersignSha384Ecdsa => Self::P7s,
            Platform::AwsLambdaSha384Ecdsa => Self::Sf,
        }
    }

    /// The platform that signs in this place with such a key.
    pub(crate) fn platform(self, algorithm: SignatureAlgorithm) -> Option<Platform> {
        Platform::ALL
            .into_iter()
            .find(|platform| Self::of(*platform) == self && SignatureAlgorithm::of(*platform) == algorithm)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::P7s => "META-INF/countersign.p7s",
            Self::Sf => "META_INF/aws_signer_signature_v1.0.SF",
        }
    }

    /// The names of the entries that an append adds, in order; the signature is the last.
    pub(crate) fn appended_names(self) -> &'static [&'static str] {
        match self {
            Self::P7s => &["META-INF/countersign.p7s"],
            Self::Sf => &[AWS_DIRECTORY, "META_INF/aws_signer_signature_v1.0.SF"],
        }
    }
}

/// The signature entry of `archive`; none in an unsigned package.
pub(crate) fn find(archive: &Archive) -> Result<Option<(SignatureKind, &Entry)>, AmbiguousSignature> {
    let candidates: Vec<&Entry> =
        archive.entries().iter().filter(|entry| is_signature_name(entry.name())).collect();
    let [entry] = candidates.as_slice() else {
        let names: Vec<String> = candidates.iter().map(|entry| entry.name().to_owned()).collect();
        return if names.is_empty() { Ok(None) } else { Err(AmbiguousSignature { names }) };
    };
    let kind = SignatureKind::ALL.into_iter().find(|kind| kind.name() == entry.name());
    match kind.filter(|_| *entry.kind() == EntryKind::File) {
        Some(kind) => Ok(Some((kind, entry))),
        None => Err(AmbiguousSignature { names: vec![entry.name().to_owned()] }),
    }
}

/// The body of the signature entry; none if it is larger than a signature may be.
pub(crate) fn read_body<S: ReadAt + ?Sized>(
    source: &S,
    archive: &Archive,
    entry: &Entry,
) -> io::Result<Option<Vec<u8>>> {
    if entry.size() > BODY_SIZE_MAX {
        return Ok(None);
    }
    let mut body = Vec::new();
    archive.reader(source, entry).take(BODY_SIZE_MAX + 1).read_to_end(&mut body)?;
    Ok(Some(body))
}

/// Checks that a signature of this kind can be appended (FORMAT.md section 3.4).
pub(crate) fn check_signable(archive: &Archive, kind: SignatureKind) -> Result<(), Unsignable> {
    if let Some(entry) = archive.entries().iter().find(|entry| is_signature_name(entry.name())) {
        return Err(Unsignable::AlreadySigned { entry: entry.name().to_owned() });
    }
    match archive.entries().iter().find(|entry| is_in_the_way(entry, kind)) {
        Some(entry) => {
            Err(Unsignable::ReservedName { entry: entry.name().to_owned(), signature: kind.name() })
        }
        None => Ok(()),
    }
}

/// U, if `signed` is what appending its signature to U makes (FORMAT.md section 3.5).
pub(crate) fn recover<'a, S: ReadAt + ?Sized>(
    signed: &'a S,
    archive: &Archive,
    kind: SignatureKind,
) -> Result<Recovered<'a, S>, NotRecovered> {
    let expected = kind.appended_names();
    let (recovered, appended) = split(signed, archive, expected.len())?;
    if !appended.iter().map(|entry| entry.name.as_str()).eq(expected.iter().copied()) {
        let names = appended.into_iter().map(|entry| entry.name).collect();
        return Err(NotRecovered::OtherEntries { names });
    }
    check_signable(recovered.archive(), kind)?;
    Ok(recovered)
}

/// Why there is no U in a package (FORMAT.md section 3.5).
#[derive(Debug, thiserror::Error)]
pub enum NotRecovered {
    /// The package is not the result of an append.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Its last entries are not those that a signature adds.
    #[error("the last entries are {names:?}, not those of a signature")]
    OtherEntries {
        /// Their names.
        names: Vec<String>,
    },
    /// What was left could not have been signed.
    #[error("what remains could not have been signed: {0}")]
    Unsignable(#[from] Unsignable),
}

impl NotRecovered {
    /// The failure to read, if it is one: that says nothing about the package.
    pub(crate) fn into_io(self) -> Result<io::Error, Self> {
        match self {
            Self::Append(AppendError::Io(error)) => Ok(error),
            Self::Append(error @ AppendError::SourceChanged { .. }) => Ok(io::Error::other(error)),
            Self::Append(_) | Self::OtherEntries { .. } | Self::Unsignable(_) => Err(self),
        }
    }
}

fn is_signature_name(name: &str) -> bool {
    SignatureKind::ALL.iter().any(|kind| default_caseless_match_str(name, kind.name()))
}

fn is_in_the_way(entry: &Entry, kind: SignatureKind) -> bool {
    let first = entry.name().split('/').next().unwrap_or_default();
    match kind {
        SignatureKind::Sf => default_caseless_match_str(first, "META_INF"),
        SignatureKind::P7s => {
            default_caseless_match_str(entry.name(), "META-INF") && *entry.kind() != EntryKind::Directory
        }
    }
}

/// The directory that AWS Signer adds; it is part of its digest (FORMAT.md section 5.2).
pub(crate) const AWS_DIRECTORY: &str = "META_INF/";
