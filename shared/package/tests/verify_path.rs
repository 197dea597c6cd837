//! Certificate paths: each way in which RFC 5280 and FORMAT.md section 6 let one fail, with the code and the reason that
//! verification gives. `verify_path_signatures` has the signatures on certificates.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "support/paths.rs"]
mod paths;
mod pki;

use aws_lc_rs::rsa::KeySize;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::{
    ANY_EXTENDED_KEY_USAGE as ANY, ID_KP_CODE_SIGNING as CODE_SIGNING, ID_KP_SERVER_AUTH as SERVER,
};
use der::asn1::{Ia5String, OctetString};
use paths::{LEAF_SEED, Path, ROOT_SEED, rsa_1024_key};
use pki::{Authority, LeafKey, PROFILE_A, PROFILE_B, Spec, ecdsa_key, extension, new_rsa_key};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{KeyUsages, NameConstraints, SubjectAltName};

/// What may be changed in the leaf, the intermediate or the root of a path.
type Change = fn(&mut Spec);

fn leaf(change: Change) -> Path {
    Path::of_length(0).with(|path| change(&mut path.leaf))
}

fn intermediate(change: Change) -> Path {
    Path::of_length(1).with(|path| change(&mut path.intermediates[0]))
}

fn root(change: Change) -> Path {
    Path::of_length(0).with(|path| change(&mut path.root))
}

fn leaf_key(key: LeafKey) -> Path {
    Path::of_length(0).with(|path| path.key = key)
}

#[test]
fn what_is_allowed_verifies() {
    Path::of_length(0).verdict().is_verified();
    Path::of_length(6).verdict().is_verified();
    leaf(|leaf| leaf.ca = None).verdict().is_verified();
    leaf(|leaf| leaf.extended = Some(vec![SERVER, CODE_SIGNING])).verdict().is_verified();
    leaf(|leaf| leaf.usage = Some(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation))
        .verdict()
        .is_verified();
    leaf(|leaf| (leaf.uris, leaf.others) = (Vec::new(), vec![names(vec![dns(), uri(PROFILE_A)])]))
        .verdict()
        .is_verified();
    intermediate(|ca| ca.usage = None).verdict().is_verified();
    intermediate(|ca| ca.extended = Some(vec![CODE_SIGNING])).verdict().is_verified();
    for place in [leaf, intermediate, root] {
        place(|spec| spec.others = vec![unknown(false)]).verdict().is_verified();
    }
}

#[test]
fn a_leaf_is_for_signing_code_and_for_nothing_else_that_counts() {
    let unsuitable = |reason: &str, change| leaf(change).verdict().is("unsuitable_leaf", reason);
    unsuitable("its extendedKeyUsage lacks codeSigning", |leaf| leaf.extended = Some(vec![SERVER]));
    unsuitable("its extendedKeyUsage lacks codeSigning", |leaf| leaf.extended = None);
    unsuitable("its extendedKeyUsage is any", |leaf| leaf.extended = Some(vec![ANY]));
    unsuitable("its extendedKeyUsage is any", |leaf| leaf.extended = Some(vec![CODE_SIGNING, ANY]));
    unsuitable("it has no keyUsage", |leaf| leaf.usage = None);
    unsuitable("lacks digitalSignature", |leaf| leaf.usage = Some(KeyUsages::NonRepudiation.into()));
    unsuitable("its keyUsage is that of a CA", |leaf| {
        leaf.usage = Some(KeyUsages::DigitalSignature | KeyUsages::KeyCertSign);
    });
    unsuitable("it is a CA certificate", |leaf| leaf.ca = Some(true));
}

#[test]
fn a_leaf_has_the_key_of_a_platform() {
    for key in [rsa_1024_key(), new_rsa_key(KeySize::Rsa2048)] {
        let verdict = leaf_key(LeafKey::Rsa(Box::new(key))).verdict();
        verdict.is("unsuitable_leaf", "its key is neither RSA-3072 nor EC P-384");
    }
}

#[test]
fn a_leaf_belongs_to_one_version_of_one_profile() {
    let mismatch = |reason: &str, change| leaf(change).verdict().is("san_mismatch", reason);
    mismatch("/bravo/BBBBBBBBBB", |leaf| leaf.uris = vec![PROFILE_B.to_owned()]);
    mismatch("/alpha/AAAAAAAAAB", |leaf| leaf.uris = vec![PROFILE_A.replace("AAAAAAAAAA", "AAAAAAAAAB")]);
    mismatch("ARN:AWS:SIGNER", |leaf| leaf.uris = vec![PROFILE_A.to_uppercase()]);
    mismatch("belongs to \"arn:aws:signer:us-east-1:123456789012:/signing-profiles/alpha\"", |leaf| {
        leaf.uris = vec![PROFILE_A.replace("/AAAAAAAAAA", "")];
    });
    mismatch("the leaf has no URI", |leaf| leaf.uris.clear());
    mismatch("the leaf has no URI", |leaf| {
        (leaf.uris, leaf.others) = (Vec::new(), vec![names(vec![dns()])]);
    });
    let unsuitable = |reason: &str, change| leaf(change).verdict().is("unsuitable_leaf", reason);
    unsuitable("2 URIs", |leaf| leaf.uris.push(PROFILE_B.to_owned()));
    unsuitable("2 URIs", |leaf| leaf.uris.push(PROFILE_A.to_owned()));
    unsuitable("there twice", |leaf| leaf.others = vec![names(vec![uri(PROFILE_A)])]);
}

#[test]
fn an_issuer_is_a_ca_that_may_issue_for_code_signing() {
    let invalid = |reason: &str, change| intermediate(change).verdict().is("invalid_chain", reason);
    invalid("\"CN=Intermediate 1\" is not a CA", |ca| ca.ca = Some(false));
    invalid("\"CN=Intermediate 1\" is not a CA", |ca| ca.ca = None);
    invalid("a keyUsage without keyCertSign", |ca| ca.usage = Some(KeyUsages::CRLSign.into()));
    invalid("a keyUsage without keyCertSign", |ca| ca.usage = Some(KeyUsages::DigitalSignature.into()));
    invalid("an extendedKeyUsage without codeSigning", |ca| ca.extended = Some(vec![SERVER]));
    invalid("an extendedKeyUsage without codeSigning", |ca| ca.extended = Some(vec![ANY]));
    let serving = root(|root| root.extended = Some(vec![SERVER])).verdict();
    serving.is("invalid_chain", "\"CN=Root\" has an extendedKeyUsage without codeSigning");
}

#[test]
fn a_path_is_no_longer_than_each_issuer_allows() {
    let constrained = |lengths: [Option<u8>; 3]| {
        let path = Path::of_length(2).with(|path| {
            path.root.path_length = lengths[0];
            path.intermediates[0].path_length = lengths[1];
            path.intermediates[1].path_length = lengths[2];
        });
        path.verdict()
    };
    constrained([Some(2), Some(1), Some(0)]).is_verified();
    constrained([None, None, Some(0)]).is_verified();
    for (lengths, issuer) in [
        ([Some(0), None, None], "CN=Root"),
        ([Some(1), None, None], "CN=Root"),
        ([None, Some(0), None], "CN=Intermediate 1"),
        ([Some(2), Some(0), Some(0)], "CN=Intermediate 1"),
    ] {
        let reason = format!("{issuer:?} allows fewer issuers below itself (pathLenConstraint)");
        constrained(lengths).is("invalid_chain", &reason);
    }
    let not_one = Path::of_length(1).with(|path| path.root.path_length = Some(0)).verdict();
    not_one.is("invalid_chain", "\"CN=Root\" allows fewer issuers below itself (pathLenConstraint)");
}

/// webpki ignores the critical extensions of a trust anchor.
#[test]
fn a_critical_extension_is_understood_or_refused() {
    for (place, name) in
        [(leaf as fn(Change) -> Path, "CN=leaf"), (intermediate, "CN=Intermediate 1"), (root, "CN=Root")]
    {
        let reason = format!("{name:?} has the critical extension 1.2.3.4, which is not understood");
        place(|spec| spec.others = vec![unknown(true)]).verdict().is("invalid_chain", &reason);
    }
}

#[test]
fn name_constraints_bind_the_leaf() {
    let violated = |path: Path| path.verdict().is("invalid_chain", "NameConstraintViolation");
    violated(intermediate(|ca| ca.others = vec![permitted(uri("example.com"))]));
    violated(intermediate(|ca| ca.others = vec![excluded(uri("example.com"))]));
    violated(root(|root| root.others = vec![permitted(uri("example.com"))]));
    violated(root(|root| root.others = vec![excluded(uri("example.com"))]));
    violated(root(|root| root.others = vec![permitted(directory("CN=leaf"))]));
    violated(root(|root| root.others = vec![excluded(directory("CN=other"))]));
    // Of names that it does not have.
    intermediate(|ca| ca.others = vec![permitted(dns())]).verdict().is_verified();
}

#[test]
fn a_path_is_valid_at_the_signing_time() {
    for (place, name) in
        [(leaf as fn(Change) -> Path, "CN=leaf"), (intermediate, "CN=Intermediate 1"), (root, "CN=Root")]
    {
        let expired = place(|spec| spec.validity = between("2020-01-01T00:00:00Z", "2026-11-21T08:29:59Z"));
        let reason = format!("{name:?} is valid from 2020-01-01T00:00:00Z to 2026-11-21T08:29:59Z");
        expired.verdict().is("invalid_chain", &reason);
        let not_yet = place(|spec| spec.validity = between("2026-11-21T08:30:01Z", "2030-01-01T00:00:00Z"));
        let reason = format!("{name:?} is valid from 2026-11-21T08:30:01Z to 2030-01-01T00:00:00Z");
        not_yet.verdict().is("invalid_chain", &reason);
        let just = place(|spec| spec.validity = between("2026-11-21T08:30:00Z", "2026-11-21T08:30:00Z"));
        just.verdict().is_verified();
    }
}

#[test]
fn names_chain_from_the_leaf_to_the_root() {
    let path = Path::of_length(0);
    let root = path.certificates().remove(1);
    for other in ["CN=Other", "CN=root"] {
        let issued = Authority::root(other, ROOT_SEED).issue(&path.leaf, &path.key);
        path.verdict_of(vec![issued, root.clone()]).is("malformed_chain", "an issuer is missing");
    }
    let self_issued = leaf(|leaf| leaf.subject = "CN=Root".to_owned());
    self_issued.verdict().is("malformed_chain", "the signer is its own issuer");
    let self_signed = Authority::root_as(&path.leaf, LEAF_SEED).certificate;
    let trusted = Authority::root("CN=Root", ROOT_SEED).trusted();
    path.verdict_of(vec![self_signed.clone(), root]).is("malformed_chain", "the signer is its own issuer");
    path.verdict_under(vec![self_signed], &trusted).is("malformed_cms", "certificates is 1");
    let root_signs = leaf_key(LeafKey::Ecdsa(ecdsa_key(ROOT_SEED)));
    let [leaf, root] = root_signs.certificates().try_into().unwrap();
    let verdict = root_signs.verdict_under(vec![root, leaf], &trusted);
    verdict.is("malformed_chain", "the signer is its own issuer");
}

/// Whether it never was, or is no longer: a root is revoked by taking it out of the trust roots.
#[test]
fn a_root_is_one_of_the_trust_roots() {
    let path = Path::of_length(1);
    let [leaf, intermediate, root] = path.certificates().try_into().unwrap();
    let whole = vec![leaf.clone(), intermediate.clone(), root];
    let namesake = Authority::root("CN=Root", 3);
    for trusted in [Authority::root("CN=Stranger", 3).trusted(), namesake.trusted()] {
        let verdict = path.verdict_under(whole.clone(), &trusted);
        verdict.is("untrusted_chain", "the root \"CN=Root\" (SHA-256 ");
    }
    let cut = path.verdict_under(vec![leaf.clone(), intermediate.clone()], &namesake.trusted());
    cut.is("malformed_chain", "an issuer is missing");
    let foreign = path.verdict_of(vec![leaf, intermediate, namesake.certificate]);
    foreign.is("invalid_chain", "InvalidSignatureForPublicKey");
}

fn between(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

fn dns() -> GeneralName {
    GeneralName::DnsName(Ia5String::new("example.com").unwrap())
}

fn uri(text: &str) -> GeneralName {
    GeneralName::UniformResourceIdentifier(Ia5String::new(text).unwrap())
}

fn directory(name: &str) -> GeneralName {
    GeneralName::DirectoryName(name.parse().unwrap())
}

fn names(names: Vec<GeneralName>) -> Extension {
    extension(false, &SubjectAltName(names))
}

fn permitted(name: GeneralName) -> Extension {
    extension(true, &NameConstraints { permitted_subtrees: Some(vec![tree(name)]), excluded_subtrees: None })
}

fn excluded(name: GeneralName) -> Extension {
    extension(true, &NameConstraints { permitted_subtrees: None, excluded_subtrees: Some(vec![tree(name)]) })
}

fn tree(base: GeneralName) -> GeneralSubtree {
    GeneralSubtree { base, minimum: 0, maximum: None }
}

/// An extension that nobody knows.
fn unknown(critical: bool) -> Extension {
    let extn_id = ObjectIdentifier::new("1.2.3.4").unwrap();
    Extension { extn_id, critical, extn_value: OctetString::new([5, 0]).unwrap() }
}
