//! Signing in three steps (FORMAT.md section 7): prepare, sign a digest, finish. Whoever holds the key sees the digest alone.

use std::io::{self, Write};

use countersign_domain::{Platform, Sha256Digest};
use der::Encode;
use sha2::{Digest, Sha256};
use x509_cert::attr::Attributes;

use crate::append::{AppendError, NewEntry, append};
use crate::chain::{CertificateChain, ChainError};
use crate::cms::{self, CmsError, ContentHints, Form, SignatureAlgorithm, SignedClaims};
use crate::digest::{self, ExactBytes};
use crate::gate::{Archive, GateError, Refusal};
use crate::limits::Limits;
pub use crate::signature_entry::Unsignable;
use crate::signature_entry::{AWS_DIRECTORY, SignatureKind, check_signable};
use crate::source::ReadAt;
use crate::statement::{Statement, StatementError};

/// A package that passed the gate and can be signed on its platform.
#[derive(Debug)]
pub struct Unsigned<'a, S: ?Sized> {
    source: &'a S,
    archive: Archive,
    platform: Platform,
    exact: ExactBytes,
}

/// A package whose signature lacks only the key holder's part.
#[derive(Debug)]
pub struct Prepared<'a, S: ?Sized> {
    unsigned: Unsigned<'a, S>,
    statement: Statement,
    chain: CertificateChain,
    attributes: Attributes,
    /// DER of the attributes as SET OF.
    message: Vec<u8>,
}

/// What a key holder signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToBeSigned {
    algorithm: SignatureAlgorithm,
    digest: Vec<u8>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPackage {
    /// What the signature says, as it is in the package.
    pub statement: Statement,
    /// SHA-256 of the unsigned package.
    pub unsigned_digest: Sha256Digest,
    /// SHA-256 of the signed package.
    pub package_digest: Sha256Digest,
    /// Bytes of the signed package.
    pub size: u64,
}

/// Why a package was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Reading or writing failed, which says nothing about the package.
    #[error("could not read or write the package: {0}")]
    Io(#[from] io::Error),
    /// The gate refuses the package.
    #[error(transparent)]
    Gate(Refusal),
    /// The package cannot carry the signature.
    #[error(transparent)]
    Unsignable(#[from] Unsignable),
    /// The statement contradicts itself.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The statement is for another platform than the package was opened for.
    #[error("the statement is for {statement}, and the package was opened for {opened}")]
    OtherPlatform {
        /// The statement's platform.
        statement: Platform,
        /// The platform that the package was opened for.
        opened: Platform,
    },
    /// The leaf has a key of another platform.
    #[error("the leaf's key signs with {key:?}, and {platform} with {expected:?}")]
    OtherKey {
        /// What the key signs with.
        key: SignatureAlgorithm,
        /// What the platform signs with.
        expected: SignatureAlgorithm,
        /// The platform.
        platform: Platform,
    },
    /// The leaf belongs to another profile version.
    #[error("the leaf's URI is {leaf:?}, and the statement's profile version is {profile_version}")]
    OtherProfile {
        /// The URI in the leaf's subjectAltName.
        leaf: Option<String>,
        /// The profile version ARN of the statement.
        profile_version: String,
    },
    /// The certificates cannot sign at that time.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The signature could not be built, or its value is malformed.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The key holder's signature does not verify with the leaf's key.
    #[error(
        "the signature does not verify with the leaf's key: the key holder signed something else or with another key"
    )]
    BadSignature,
    /// The signature cannot be appended.
    #[error(transparent)]
    Append(AppendError),
}

impl<'a, S: ReadAt + ?Sized> Unsigned<'a, S> {
    /// Gates and hashes `source`, and checks that it can be signed on `platform` (FORMAT.md section 7, 1 and 2).
    ///
    /// # Errors
    /// What the gate refuses; a package that is signed already, or that has an entry where the signature goes.
    pub fn open(source: &'a S, limits: &Limits, platform: Platform) -> Result<Self, SignError> {
        let archive = Archive::parse(source, limits)?;
        check_signable(&archive, SignatureKind::of(platform))?;
        let exact = digest::exact_bytes(source, SignatureAlgorithm::of(platform))?;
        Ok(Self { source, archive, platform, exact })
    }

    /// SHA-256 of the package: its name for whoever wants to reuse an earlier signature.
    pub fn digest(&self) -> Sha256Digest {
        self.exact.sha256
    }

    /// The gate's parse.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Builds what the key of `chain`'s leaf is to sign (FORMAT.md section 7, 3). The times of `statement` are rounded to
    /// what the platform can say.
    ///
    /// # Errors
    /// When statement, chain and platform do not fit each other, or the chain is not valid at the signing time.
    pub fn prepare(
        self,
        statement: Statement,
        chain: CertificateChain,
    ) -> Result<Prepared<'a, S>, SignError> {
        let statement = statement.rounded();
        self.check(&statement, &chain)?;
        let (form, message_digest, content_hints) = self.content()?;
        let claims = SignedClaims {
            message_digest,
            signing_time: statement.signing_time,
            job_arn: statement.job_arn.clone(),
            expires_at: statement.expires_at,
            profile_version_arn: statement.profile_version_arn.clone(),
            content_hints,
        };
        let attributes = cms::signed_attributes(&claims, form, self.algorithm())?;
        let message = attributes.to_der().map_err(CmsError::from)?;
        Ok(Prepared { unsigned: self, statement, chain, attributes, message })
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::of(self.platform)
    }

    fn check(&self, statement: &Statement, chain: &CertificateChain) -> Result<(), SignError> {
        let platform = self.platform;
        if statement.platform != platform {
            return Err(SignError::OtherPlatform { statement: statement.platform, opened: platform });
        }
        let (key, expected) = (chain.leaf().algorithm, self.algorithm());
        if key != expected {
            return Err(SignError::OtherKey { key, expected, platform });
        }
        let profile_version = statement.profile_version_arn.to_string();
        if chain.leaf_uri() != Some(&profile_version) {
            return Err(SignError::OtherProfile {
                leaf: chain.leaf_uri().map(str::to_owned),
                profile_version,
            });
        }
        statement.check()?;
        Ok(chain.judge_by_own_root(statement.signing_time)?)
    }

    /// messageDigest and contentHints of this package (FORMAT.md section 5).
    fn content(&self) -> Result<(Form, Vec<u8>, Option<ContentHints>), SignError> {
        let exact = &self.exact;
        match SignatureKind::of(self.platform) {
            SignatureKind::P7s => Ok((Form::Countersign, exact.digest.clone(), None)),
            SignatureKind::Sf => {
                let entries = self.archive.entries();
                let inner =
                    digest::names_and_contents(self.source, &self.archive, entries, &[AWS_DIRECTORY])?;
                let sha384 = <[u8; 48]>::try_from(exact.digest.as_slice()).map_err(io::Error::other)?;
                let hints = ContentHints { size: exact.size, sha384 };
                Ok((Form::OurAws, self.algorithm().hash(&inner), Some(hints)))
            }
        }
    }
}

impl<S: ReadAt + ?Sized> Prepared<'_, S> {
    /// What the leaf's key is to sign.
    pub fn digest(&self) -> ToBeSigned {
        let algorithm = self.unsigned.algorithm();
        ToBeSigned { algorithm, digest: algorithm.hash(&self.message) }
    }

    /// What the signature will say.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Checks `signature` against the leaf's key, and writes the signed package to `out` (FORMAT.md section 7, 5 and 6).
    ///
    /// `signature` is DER of ECDSA-Sig-Value, with either s, or the bytes of RSASSA-PSS. Nothing is written unless it verifies.
    ///
    /// # Errors
    /// [`SignError::BadSignature`]; [`SignError::Append`] where the signature cannot be added; [`SignError::Io`] at any time.
    pub fn finish<W: Write>(self, signature: &[u8], out: &mut W) -> Result<SignedPackage, SignError> {
        let algorithm = self.unsigned.algorithm();
        let signature = algorithm.canonical(signature)?;
        if !self.chain.leaf_verifies(algorithm, &self.message, &signature) {
            return Err(SignError::BadSignature);
        }
        let body = self.signature_body(&signature)?;
        let Unsigned { source, archive, platform, exact } = self.unsigned;
        let names = SignatureKind::of(platform).appended_names();
        let entries: Vec<NewEntry<'_>> = names
            .iter()
            .map(|name| NewEntry { name, body: if name.ends_with('/') { &[] } else { &body } })
            .collect();
        let mut out = Hashing { out, sha256: Sha256::new() };
        let size = append(source, &archive, &entries, &mut out)?;
        Ok(SignedPackage {
            statement: self.statement,
            unsigned_digest: exact.sha256,
            package_digest: Sha256Digest::new(out.sha256.finalize().into()),
            size,
        })
    }

    /// The body of the signature entry (FORMAT.md section 4.1).
    fn signature_body(&self, signature: &[u8]) -> Result<Vec<u8>, CmsError> {
        let (algorithm, attributes) = (self.unsigned.algorithm(), self.attributes.clone());
        let der = cms::content_info(algorithm, self.chain.certificates(), attributes, signature)?;
        match SignatureKind::of(self.unsigned.platform) {
            SignatureKind::P7s => Ok(der),
            SignatureKind::Sf => Ok(cms::encode_pem(&der)?.into_bytes()),
        }
    }
}

impl ToBeSigned {
    /// How to sign.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The digest to sign: SHA-256 (32 bytes) or SHA-384 (48 bytes), as the algorithm says. It is not to be hashed again.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }
}

/// Hashes what passes.
struct Hashing<'a, W> {
    out: &'a mut W,
    sha256: Sha256,
}

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sha256.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl From<GateError> for SignError {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Refused(refusal) => Self::Gate(refusal),
            GateError::Io(error) => Self::Io(error),
        }
    }
}

impl From<AppendError> for SignError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Io(io) => Self::Io(io),
            AppendError::SourceChanged { .. }
            | AppendError::WouldChangeForm { .. }
            | AppendError::BodyTooLarge { .. }
            | AppendError::RecordSignature { .. }
            | AppendError::Refused(_)
            | AppendError::TooFewEntries { .. }
            | AppendError::NotAppended { .. } => Self::Append(error),
        }
    }
}
