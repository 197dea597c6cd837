//! What every [`SigningKeys`] has to do.

use countersign_domain::{Platform, ProfileArn, ProfileVersionArn, Scope, UnixMillis};
use der::oid::db::rfc5280::ID_KP_CODE_SIGNING;
use der::{Decode, Encode};
use p384::ecdsa::signature::Verifier as _;
use rsa::signature::hazmat::PrehashVerifier as _;
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::keys::{KeyError, Leaf, LeafId, SigningDigest, SigningKeys};

/// Checks the whole contract: `keys` signs for profiles of `scope`, has no leaf of any yet, and it is `now`.
///
/// # Panics
/// Where the custody breaks it.
pub async fn check(keys: &dyn SigningKeys, scope: &Scope, now: UnixMillis) {
    let suite = Suite { keys, scope, now };
    for platform in Platform::ALL {
        suite.a_leaf_speaks_for_one_profile_version(platform).await;
        suite.asked_again_the_leaf_is_the_same(platform).await;
        suite.a_signature_verifies_with_the_leaf_and_no_other(platform).await;
        suite.a_digest_of_the_other_kind_is_refused(platform).await;
        suite.asked_at_once_there_is_one_leaf(platform).await;
    }
    suite.an_unknown_leaf_does_not_sign().await;
}

struct Suite<'a> {
    keys: &'a dyn SigningKeys,
    scope: &'a Scope,
    now: UnixMillis,
}

impl Suite<'_> {
    async fn a_leaf_speaks_for_one_profile_version(&self, platform: Platform) {
        let profile = self.profile("speaks", platform);
        let leaf = self.leaf(&profile, platform).await;
        let chain = chain(&leaf);
        assert!(chain.len() >= 2, "leaf and root");
        for pair in chain.windows(2) {
            assert_issued(&pair[0], &pair[1]);
        }
        let root = chain.last().expect("a chain has a root");
        assert_issued(root, root);
        assert_code_signing_leaf(&chain[0], &profile);
        for certificate in &chain {
            assert_valid(certificate, self.now);
        }
        let bits = public_key_of(&leaf).subject_public_key.raw_bytes().len();
        match kind(platform) {
            Kind::Rsa => {
                assert!((390..=400).contains(&bits), "an RSAPublicKey of 3072 bits, not {bits} bytes");
            }
            Kind::Ecdsa => assert_eq!(bits, 97, "an uncompressed point of P-384"),
        }
    }

    async fn asked_again_the_leaf_is_the_same(&self, platform: Platform) {
        let profile = self.profile("again", platform);
        let leaf = self.leaf(&profile, platform).await;
        assert_eq!(self.leaf(&profile, platform).await, leaf);
        let other = self.leaf(&self.profile("another", platform), platform).await;
        assert_ne!(other.id, leaf.id);
        assert_ne!(public_key_of(&other), public_key_of(&leaf), "each profile version has a key of its own");
    }

    async fn a_signature_verifies_with_the_leaf_and_no_other(&self, platform: Platform) {
        let leaf = self.leaf(&self.profile("signs", platform), platform).await;
        let other = self.leaf(&self.profile("another", platform), platform).await;
        let (digest, wrong) = (digest(platform, 1), digest_of_another(platform));
        let signature = self.keys.sign_digest(&leaf.id, &digest).await.expect("a leaf signs");
        assert!(verifies(&leaf, &digest, &signature), "{platform}");
        assert!(!verifies(&other, &digest, &signature), "{platform}: another profile's key");
        assert!(!verifies(&leaf, &wrong, &signature), "{platform}: another digest");
        if kind(platform) == Kind::Rsa {
            let again = self.keys.sign_digest(&leaf.id, &digest).await.expect("a leaf signs");
            assert_ne!(again, signature, "each RSASSA-PSS signature has a fresh salt");
            assert_eq!(signature.len(), 384);
        }
    }

    async fn a_digest_of_the_other_kind_is_refused(&self, platform: Platform) {
        let leaf = self.leaf(&self.profile("signs", platform), platform).await;
        let other = match kind(platform) {
            Kind::Rsa => SigningDigest::Sha384([1; 48]),
            Kind::Ecdsa => SigningDigest::Sha256([1; 32]),
        };
        let refused = self.keys.sign_digest(&leaf.id, &other).await;
        assert!(
            matches!(refused, Err(KeyError::WrongDigest { leaf: ref id, .. }) if *id == leaf.id.0),
            "{refused:?}"
        );
    }

    async fn asked_at_once_there_is_one_leaf(&self, platform: Platform) {
        let profile = self.profile("once", platform);
        let ask = || self.leaf(&profile, platform);
        let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
        assert!([b, c, d].iter().all(|leaf| *leaf == a), "{platform}");
    }

    async fn an_unknown_leaf_does_not_sign(&self) {
        for id in ["", "unknown", "root", "root.pem", "../root", "/etc/passwd", "."] {
            for digest in [SigningDigest::Sha256([1; 32]), SigningDigest::Sha384([1; 48])] {
                let refused = self.keys.sign_digest(&LeafId(id.to_owned()), &digest).await;
                assert_eq!(refused, Err(KeyError::UnknownLeaf(id.to_owned())));
            }
        }
    }

    async fn leaf(&self, profile: &ProfileVersionArn, platform: Platform) -> Leaf {
        self.keys.leaf(profile, platform, self.now).await.expect("a custody has a leaf for every profile")
    }

    fn profile(&self, name: &str, platform: Platform) -> ProfileVersionArn {
        let name = format!("{name}_{}", platform.id().replace('-', "_"));
        let profile = ProfileArn::new(self.scope.clone(), name.parse().expect("a profile name"));
        ProfileVersionArn::new(profile, "AbCdEfGhIj".parse().expect("a profile version"))
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    Rsa,
    Ecdsa,
}

fn kind(platform: Platform) -> Kind {
    match platform {
        Platform::CountersignSha256Rsa => Kind::Rsa,
        Platform::CountersignSha384Ecdsa | Platform::AwsLambdaSha384Ecdsa => Kind::Ecdsa,
    }
}

fn digest(platform: Platform, byte: u8) -> SigningDigest {
    match kind(platform) {
        Kind::Rsa => SigningDigest::Sha256([byte; 32]),
        Kind::Ecdsa => SigningDigest::Sha384([byte; 48]),
    }
}

fn digest_of_another(platform: Platform) -> SigningDigest {
    digest(platform, 2)
}

fn chain(leaf: &Leaf) -> Vec<Certificate> {
    leaf.certificates.iter().map(|der| Certificate::from_der(der).expect("a certificate in DER")).collect()
}

fn public_key_of(leaf: &Leaf) -> SubjectPublicKeyInfoOwned {
    chain(leaf)[0].tbs_certificate().subject_public_key_info().clone()
}

fn assert_issued(certificate: &Certificate, issuer: &Certificate) {
    let (tbs, issuer) = (certificate.tbs_certificate(), issuer.tbs_certificate());
    assert_eq!(tbs.issuer(), issuer.subject());
    let key = issuer.subject_public_key_info().to_der().expect("a public key");
    let key = <p384::ecdsa::VerifyingKey as p384::pkcs8::DecodePublicKey>::from_public_key_der(&key);
    let signature = p384::ecdsa::DerSignature::try_from(certificate.signature().raw_bytes());
    let message = tbs.to_der().expect("a certificate");
    key.expect("an issuer's key is of P-384")
        .verify(&message, &signature.expect("an ECDSA signature"))
        .expect("a certificate is signed by its issuer");
}

fn assert_valid(certificate: &Certificate, at: UnixMillis) {
    let validity = certificate.tbs_certificate().validity();
    let at = std::time::Duration::from_secs(at.as_secs());
    assert!(validity.not_before.to_unix_duration() <= at && at <= validity.not_after.to_unix_duration());
}

fn assert_code_signing_leaf(certificate: &Certificate, profile: &ProfileVersionArn) {
    let tbs = certificate.tbs_certificate();
    let (_, names) = tbs.get_extension::<SubjectAltName>().expect("it parses").expect("a subjectAltName");
    let uris: Vec<&str> = names.0.iter().map(uri).collect();
    assert_eq!(uris, [profile.to_string()]);
    let (_, usages) =
        tbs.get_extension::<ExtendedKeyUsage>().expect("it parses").expect("an extendedKeyUsage");
    assert_eq!(usages.0, [ID_KP_CODE_SIGNING]);
    let (critical, usage) = tbs.get_extension::<KeyUsage>().expect("it parses").expect("a keyUsage");
    assert!(critical && usage == KeyUsage(KeyUsages::DigitalSignature.into()), "{usage:?}");
    let constraints = tbs.get_extension::<BasicConstraints>().expect("it parses");
    assert!(constraints.is_none_or(|(_, constraints)| !constraints.ca), "a leaf is no CA");
}

fn uri(name: &GeneralName) -> &str {
    if let GeneralName::UniformResourceIdentifier(uri) = name { uri.as_str() } else { "not a URI" }
}

fn verifies(leaf: &Leaf, digest: &SigningDigest, signature: &[u8]) -> bool {
    let key = public_key_of(leaf).to_der().expect("a public key");
    match digest {
        SigningDigest::Sha256(digest) => verifies_pss(&key, digest, signature),
        SigningDigest::Sha384(digest) => verifies_ecdsa(&key, digest, signature),
    }
}

fn verifies_pss(key: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool {
    let key = <rsa::RsaPublicKey as rsa::pkcs8::DecodePublicKey>::from_public_key_der(key);
    let key = rsa::pss::VerifyingKey::<sha2::Sha256>::new_with_salt_len(key.expect("an RSA key"), 32);
    rsa::pss::Signature::try_from(signature)
        .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
}

fn verifies_ecdsa(key: &[u8], digest: &[u8; 48], signature: &[u8]) -> bool {
    let key = <p384::ecdsa::VerifyingKey as p384::pkcs8::DecodePublicKey>::from_public_key_der(key);
    p384::ecdsa::Signature::from_der(signature)
        .is_ok_and(|signature| key.expect("a P-384 key").verify_prehash(digest, &signature).is_ok())
}
