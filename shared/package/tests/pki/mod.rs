//! A root, leaves and keys made for a test, packages signed with them, and forgeries: signatures of any form, made with
//! a key that the test holds.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its part, and a test stops at what it did not expect"
)]

pub(crate) mod forge;
pub(crate) mod native;

use std::io::{Cursor, Write};
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use const_oid::AssociatedOid;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ID_KP_CODE_SIGNING;
use countersign_domain::{Platform, ProfileVersionArn, UnixMillis};
use countersign_package::chain::{CertificateChain, TrustRoots};
use countersign_package::cms::SignatureAlgorithm;
use countersign_package::limits::Limits;
use countersign_package::sign::{SignError, SignedPackage, ToBeSigned, Unsigned};
use countersign_package::statement::Statement;
use countersign_package::verify::{VerifiedPackage, VerifyError, verify};
use der::asn1::Ia5String;
use der::flagset::FlagSet;
use der::pem::LineEnding;
use der::{DateTime, Encode, EncodePem};
use p384::ecdsa::{DerSignature, SigningKey};
use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::UnwrapErr;
use sha2::Sha256;
use signature::SignatureEncoding;
use signature::hazmat::{PrehashSigner, RandomizedPrehashSigner};
use spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::Certificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

pub(crate) const PROFILE_A: &str = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/alpha/AAAAAAAAAA";
pub(crate) const PROFILE_B: &str = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/bravo/BBBBBBBBBB";
pub(crate) const JOB: &str =
    "arn:aws:signer:us-east-1:123456789012:/signing-jobs/c85aae70-b0a8-4fa4-abd9-3e39ade1ad97";
/// When the tests sign; leaves are valid from a day before to a day after.
pub(crate) const SIGNED_AT: &str = "2026-11-21T08:30:00.806Z";
pub(crate) const EXPIRES_AT: &str = "2036-11-21T08:30:00.806Z";

/// A key that issues certificates, and its own certificate.
pub(crate) struct Authority {
    key: SigningKey,
    pub(crate) certificate: Certificate,
}

/// A key that signs packages.
#[derive(Clone)]
pub(crate) enum LeafKey {
    Ecdsa(SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

/// A leaf and the way up to its root.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) key: LeafKey,
    pub(crate) certificates: Vec<Certificate>,
}

/// What a certificate says.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) subject: String,
    pub(crate) serial: u32,
    pub(crate) uris: Vec<String>,
    pub(crate) ca: Option<bool>,
    pub(crate) path_length: Option<u8>,
    pub(crate) usage: Option<FlagSet<KeyUsages>>,
    pub(crate) extended: Option<Vec<ObjectIdentifier>>,
    pub(crate) validity: (String, String),
    /// Further extensions.
    pub(crate) others: Vec<Extension>,
}

impl Spec {
    /// A leaf as FORMAT.md section 6.1 wants it, for `uri`.
    pub(crate) fn leaf(uri: &str) -> Self {
        Self {
            subject: "CN=leaf".to_owned(),
            serial: 7,
            uris: vec![uri.to_owned()],
            ca: Some(false),
            path_length: None,
            usage: Some(KeyUsages::DigitalSignature.into()),
            extended: Some(vec![ID_KP_CODE_SIGNING]),
            validity: ("2026-11-20T08:30:00Z".to_owned(), "2026-11-22T08:30:00Z".to_owned()),
            others: Vec::new(),
        }
    }

    pub(crate) fn authority(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            serial: 1,
            uris: Vec::new(),
            ca: Some(true),
            path_length: None,
            usage: Some(KeyUsages::KeyCertSign | KeyUsages::CRLSign),
            extended: None,
            validity: ("2020-01-01T00:00:00Z".to_owned(), "2046-01-01T00:00:00Z".to_owned()),
            others: Vec::new(),
        }
    }
}

impl Authority {
    pub(crate) fn root(subject: &str, seed: u8) -> Self {
        Self::root_as(&Spec::authority(subject), seed)
    }

    pub(crate) fn root_as(spec: &Spec, seed: u8) -> Self {
        let key = ecdsa_key(seed);
        let certificate = issue(spec, &spec.subject, &public_key(&LeafKey::Ecdsa(key.clone())), &key);
        Self { key, certificate }
    }

    /// The holder of the key [`ecdsa_key`] of `seed`, in the name of any certificate.
    pub(crate) fn with_certificate(certificate: Certificate, seed: u8) -> Self {
        Self { key: ecdsa_key(seed), certificate }
    }

    pub(crate) fn intermediate(&self, subject: &str, seed: u8) -> Self {
        let key = ecdsa_key(seed);
        let certificate = self.issue(&Spec::authority(subject), &LeafKey::Ecdsa(key.clone()));
        Self { key, certificate }
    }

    pub(crate) fn issue(&self, spec: &Spec, key: &LeafKey) -> Certificate {
        issue(spec, &self.certificate.tbs_certificate().subject().to_string(), &public_key(key), &self.key)
    }

    /// A leaf directly below this root.
    pub(crate) fn leaf(&self, spec: &Spec, key: LeafKey) -> Leaf {
        let certificate = self.issue(spec, &key);
        Leaf { key, certificates: vec![certificate, self.certificate.clone()] }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.to_pem(LineEnding::LF).unwrap()
    }

    pub(crate) fn trusted(&self) -> TrustRoots {
        TrustRoots::from_pem(&self.pem()).unwrap()
    }
}

impl Leaf {
    pub(crate) fn chain(&self) -> CertificateChain {
        CertificateChain::from_der(&self.der()).unwrap()
    }

    pub(crate) fn der(&self) -> Vec<Vec<u8>> {
        self.certificates.iter().map(|certificate| certificate.to_der().unwrap()).collect()
    }

    pub(crate) fn sign(&self, to_be_signed: &ToBeSigned) -> Vec<u8> {
        match to_be_signed.algorithm() {
            SignatureAlgorithm::RsaPssSha256 | SignatureAlgorithm::EcdsaP384Sha384 => {
                self.key.sign(to_be_signed.digest())
            }
        }
    }
}

impl LeafKey {
    pub(crate) fn sign(&self, digest: &[u8]) -> Vec<u8> {
        match self {
            Self::Ecdsa(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(digest).unwrap();
                signature.to_der().as_bytes().to_vec()
            }
            Self::Rsa(key) => {
                let key = rsa::pss::SigningKey::<Sha256>::new(key.as_ref().clone());
                let signature =
                    key.sign_prehash_with_rng(&mut UnwrapErr(rand::rngs::SysRng), digest).unwrap();
                signature.to_vec()
            }
        }
    }
}

/// The installation that most tests use: the root `Root` and a leaf of profile A for each platform.
pub(crate) struct Installation {
    pub(crate) root: Authority,
}

impl Installation {
    pub(crate) fn new() -> Self {
        Self { root: Authority::root("CN=Root", 1) }
    }

    pub(crate) fn leaf(&self, platform: Platform) -> Leaf {
        self.leaf_of(platform, PROFILE_A)
    }

    pub(crate) fn leaf_of(&self, platform: Platform, profile_version: &str) -> Leaf {
        self.root.leaf(&Spec::leaf(profile_version), key_for(platform))
    }

    pub(crate) fn signed(&self, platform: Platform, unsigned: &[u8]) -> Vec<u8> {
        sign(unsigned, statement(platform), &self.leaf(platform)).unwrap().0
    }

    pub(crate) fn verify(&self, signed: &[u8]) -> Result<VerifiedPackage, VerifyError> {
        verify(signed, &self.root.trusted(), instant(SIGNED_AT), &Limits::default())
    }

    /// The code that verification refuses `signed` with.
    pub(crate) fn refusal(&self, signed: &[u8]) -> &'static str {
        self.verify(signed).unwrap_err().code().unwrap()
    }
}

pub(crate) fn key_for(platform: Platform) -> LeafKey {
    match SignatureAlgorithm::of(platform) {
        SignatureAlgorithm::RsaPssSha256 => rsa_key(),
        SignatureAlgorithm::EcdsaP384Sha384 => LeafKey::Ecdsa(ecdsa_key(9)),
    }
}

/// The key with the private scalar `seed` 48 times: for tests alone, and the same in each.
pub(crate) fn ecdsa_key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 48]).unwrap()
}

/// One RSA-3072 key a process.
pub(crate) fn rsa_key() -> LeafKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    LeafKey::Rsa(Box::new(KEY.get_or_init(|| new_rsa_key(aws_lc_rs::rsa::KeySize::Rsa3072)).clone()))
}

pub(crate) fn new_rsa_key(size: aws_lc_rs::rsa::KeySize) -> RsaPrivateKey {
    use aws_lc_rs::encoding::AsDer;
    let key = aws_lc_rs::rsa::KeyPair::generate(size).unwrap();
    RsaPrivateKey::from_pkcs8_der(
        AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap().as_ref(),
    )
    .unwrap()
}

pub(crate) fn instant(text: &str) -> UnixMillis {
    text.parse().unwrap()
}

pub(crate) fn statement(platform: Platform) -> Statement {
    statement_of(platform, PROFILE_A)
}

pub(crate) fn statement_of(platform: Platform, profile_version: &str) -> Statement {
    Statement {
        platform,
        job_arn: JOB.parse().unwrap(),
        profile_version_arn: profile_version.parse::<ProfileVersionArn>().unwrap(),
        signing_time: instant(SIGNED_AT),
        expires_at: instant(EXPIRES_AT),
    }
}

/// All three steps.
pub(crate) fn sign(
    unsigned: &[u8],
    statement: Statement,
    leaf: &Leaf,
) -> Result<(Vec<u8>, SignedPackage), SignError> {
    let package = Unsigned::open(unsigned, &Limits::default(), statement.platform)?;
    let prepared = package.prepare(statement, leaf.chain())?;
    let signature = leaf.sign(&prepared.digest());
    let mut signed = Vec::new();
    let facts = prepared.finish(&signature, &mut signed)?;
    Ok((signed, facts))
}

/// A zip of these files, as the zip crate writes it.
pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o644);
        match name.strip_suffix('/') {
            Some(directory) => writer.add_directory(directory, options.unix_permissions(0o755)).unwrap(),
            None => {
                writer.start_file(*name, options).unwrap();
                writer.write_all(content).unwrap();
            }
        }
    }
    writer.finish().unwrap().into_inner()
}

/// A package small enough to flip each of its bits.
pub(crate) fn tiny() -> Vec<u8> {
    zip_of(&[("a", b"x")])
}

fn public_key(key: &LeafKey) -> SubjectPublicKeyInfoOwned {
    match key {
        LeafKey::Ecdsa(key) => SubjectPublicKeyInfoOwned::from_key(key.verifying_key()).unwrap(),
        LeafKey::Rsa(key) => SubjectPublicKeyInfoOwned::from_key(&key.to_public_key()).unwrap(),
    }
}

fn issue(spec: &Spec, issuer: &str, key: &SubjectPublicKeyInfoOwned, issuer_key: &SigningKey) -> Certificate {
    let time = |text: &str| {
        let seconds = Duration::from_secs(instant(text).as_secs());
        Time::from(DateTime::from_unix_duration(seconds).unwrap())
    };
    let profile = Profile { spec: spec.clone(), issuer: Name::from_str(issuer).unwrap() };
    let validity = Validity::new(time(&spec.validity.0), time(&spec.validity.1));
    let serial = SerialNumber::from(spec.serial);
    let builder = CertificateBuilder::new(profile, serial, validity, key.clone()).unwrap();
    builder.build::<_, DerSignature>(issuer_key).unwrap()
}

struct Profile {
    spec: Spec,
    issuer: Name,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        Name::from_str(&self.spec.subject).unwrap()
    }

    fn build_extensions(
        &self,
        _key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        _tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let mut extensions = Vec::new();
        if let Some(ca) = self.spec.ca {
            extensions
                .push(extension(true, &BasicConstraints { ca, path_len_constraint: self.spec.path_length }));
        }
        if let Some(usage) = self.spec.usage {
            extensions.push(extension(true, &KeyUsage(usage)));
        }
        if let Some(usages) = &self.spec.extended {
            extensions.push(extension(true, &ExtendedKeyUsage(usages.clone())));
        }
        if !self.spec.uris.is_empty() {
            let uri = |uri: &String| GeneralName::UniformResourceIdentifier(Ia5String::new(uri).unwrap());
            extensions.push(extension(false, &SubjectAltName(self.spec.uris.iter().map(uri).collect())));
        }
        extensions.extend(self.spec.others.iter().cloned());
        Ok(extensions)
    }
}

pub(crate) fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> Extension {
    (critical, value).to_extension(&Name::default(), &[]).unwrap()
}
