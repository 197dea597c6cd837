//! Certificates: how roots and leaves are issued, and what is read back from them (FORMAT.md section 6).

use std::str::FromStr as _;
use std::time::Duration;

use countersign_domain::{ProfileVersionArn, Scope, UnixMillis};
use der::asn1::Ia5String;
use der::oid::AssociatedOid;
use der::oid::db::rfc5280::ID_KP_CODE_SIGNING;
use der::{DateTime, Encode};
use p384::ecdsa::signature::Verifier as _;
use p384::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use rand::rngs::SysRng;
use rand::{Rng as _, rand_core::UnwrapErr};
use x509_cert::Certificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder as _, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

/// A new root for the installation of `scope`, signed by itself.
pub(crate) fn issue_root(
    key: &SigningKey,
    scope: &Scope,
    from: UnixMillis,
) -> Result<Certificate, builder::Error> {
    let mut tag = [0; 4];
    UnwrapErr(SysRng).fill_bytes(&mut tag);
    let subject = format!(
        "CN=Countersign root {},OU={} {},O=Countersign",
        hex::encode(tag),
        scope.account(),
        scope.region()
    );
    let profile = RootProfile { subject: Name::from_str(&subject)? };
    let public_key = SubjectPublicKeyInfoOwned::from_key(key.verifying_key())?;
    issue(profile, public_key, validity(from, ROOT_VALIDITY_MILLIS)?, key)
}

/// A leaf for `profile`, signed by the root.
pub(crate) fn issue_leaf(
    root: &Certificate,
    root_key: &SigningKey,
    profile: &ProfileVersionArn,
    public_key: SubjectPublicKeyInfoOwned,
    from: UnixMillis,
) -> Result<Certificate, builder::Error> {
    // A profile's name has no spaces, a root's always has: the subjects of a chain differ (FORMAT.md section 6.3).
    let subject = format!("CN={},OU={},O=Countersign", profile.profile().name(), profile.version());
    let profile = LeafProfile {
        issuer: root.tbs_certificate().subject().clone(),
        subject: Name::from_str(&subject)?,
        uri: Ia5String::new(&profile.to_string())?,
    };
    issue(profile, public_key, validity(from, LEAF_VALIDITY_MILLIS)?, root_key)
}

/// The first and the last instant of the certificate's validity.
pub(crate) fn validity_of(certificate: &Certificate) -> Option<(UnixMillis, UnixMillis)> {
    let millis = |time: Time| {
        let millis = i64::try_from(time.to_unix_duration().as_millis()).ok()?;
        UnixMillis::new(millis).ok()
    };
    let validity = certificate.tbs_certificate().validity();
    Some((millis(validity.not_before)?, millis(validity.not_after)?))
}

/// The profile version that the certificate's only subjectAltName names.
pub(crate) fn profile_of(certificate: &Certificate) -> Option<ProfileVersionArn> {
    let (_, names) = certificate.tbs_certificate().get_extension::<SubjectAltName>().ok()??;
    match names.0.as_slice() {
        [GeneralName::UniformResourceIdentifier(uri)] => uri.as_str().parse().ok(),
        _ => None,
    }
}

/// True if `certificate` names the subject of `issuer` as its issuer and carries a signature by its key.
pub(crate) fn is_issued_by(certificate: &Certificate, issuer: &Certificate, key: &VerifyingKey) -> bool {
    let tbs = certificate.tbs_certificate();
    let signed = || {
        let signature = DerSignature::try_from(certificate.signature().as_bytes()?).ok()?;
        key.verify(&tbs.to_der().ok()?, &signature).ok()
    };
    tbs.issuer() == issuer.tbs_certificate().subject() && signed().is_some()
}

/// True if some reader could take a part of `der` for a zip record. A signature around such a certificate could never be
/// put into a package (FORMAT.md section 3.4), so it is not issued.
pub(crate) fn holds_record_magic(der: &[u8]) -> bool {
    RECORD_MAGICS.iter().any(|magic| der.windows(magic.len()).any(|window| window == *magic))
}

fn issue<P: BuilderProfile>(
    profile: P,
    public_key: SubjectPublicKeyInfoOwned,
    validity: Validity,
    issuer_key: &SigningKey,
) -> Result<Certificate, builder::Error> {
    let serial = SerialNumber::generate_with_prefix(&[], SERIAL_BYTES, &mut UnwrapErr(SysRng))?;
    CertificateBuilder::new(profile, serial, validity, public_key)?.build::<_, DerSignature>(issuer_key)
}

fn validity(from: UnixMillis, millis: i64) -> Result<Validity, der::Error> {
    let time = |instant: UnixMillis| {
        DateTime::from_unix_duration(Duration::from_secs(instant.as_secs())).map(Time::from)
    };
    Ok(Validity::new(time(from)?, time(from.plus_millis(millis))?))
}

struct RootProfile {
    subject: Name,
}

struct LeafProfile {
    issuer: Name,
    subject: Name,
    uri: Ia5String,
}

impl BuilderProfile for RootProfile {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        own_key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        _tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        Ok(vec![
            extension(CRITICAL, &BasicConstraints { ca: true, path_len_constraint: Some(0) })?,
            extension(CRITICAL, &KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign))?,
            extension(!CRITICAL, &SubjectKeyIdentifier::try_from(own_key)?)?,
        ])
    }
}

impl BuilderProfile for LeafProfile {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        own_key: SubjectPublicKeyInfoRef<'_>,
        issuer_key: SubjectPublicKeyInfoRef<'_>,
        _tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let issuer = SubjectKeyIdentifier::try_from(issuer_key)?;
        let uri = GeneralName::UniformResourceIdentifier(self.uri.clone());
        Ok(vec![
            extension(CRITICAL, &BasicConstraints { ca: false, path_len_constraint: None })?,
            extension(CRITICAL, &KeyUsage(KeyUsages::DigitalSignature.into()))?,
            extension(CRITICAL, &ExtendedKeyUsage(vec![ID_KP_CODE_SIGNING]))?,
            extension(!CRITICAL, &SubjectAltName(vec![uri]))?,
            extension(!CRITICAL, &SubjectKeyIdentifier::try_from(own_key)?)?,
            extension(
                !CRITICAL,
                &AuthorityKeyIdentifier { key_identifier: Some(issuer.0), ..Default::default() },
            )?,
        ])
    }
}

fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> Result<Extension, der::Error> {
    (critical, value).to_extension(&Name::default(), &[])
}

const CRITICAL: bool = true;
const SERIAL_BYTES: usize = 16;
const DAY_MILLIS: i64 = 86_400_000;
/// 20 years, five of them leap years.
const ROOT_VALIDITY_MILLIS: i64 = 7_305 * DAY_MILLIS;
/// Three days: a leaf signs for one, and its last signatures have time to be published and checked by others.
pub(crate) const LEAF_VALIDITY_MILLIS: i64 = 3 * DAY_MILLIS;
const RECORD_MAGICS: [&[u8; 4]; 8] = [
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x05",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x06\x08",
    b"PK\x07\x08",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_magic_is_found_wherever_it_lies() {
        for magic in RECORD_MAGICS {
            for (before, after) in [(0, 0), (0, 9), (9, 0), (7, 7)] {
                let bytes = [vec![b'P'; before], magic.to_vec(), vec![0; after]].concat();
                assert!(holds_record_magic(&bytes), "{bytes:?}");
            }
        }
        assert!(!holds_record_magic(b"PK\x03"));
        assert!(!holds_record_magic(b"PK\x03\x05PK\x02\x01"));
    }
}
