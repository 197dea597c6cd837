//! Signatures, in packages and by themselves. The keys of the vectors signed what is in `vectors/` and nothing else, so
//! whatever verifies must say what those packages say.

use std::io;
use std::sync::LazyLock;

use countersign_domain::{Sha256Digest, UnixMillis};
use countersign_package::append::{NewEntry, append};
use countersign_package::chain::TrustRoots;
use countersign_package::gate::Archive;
use countersign_package::statement::Statement;
use countersign_package::verify::{
    Coverage, VerifiedPackage, VerifyError, inspect, verify as verify_package,
};

use crate::pki::forge::{P7S, SF, pem};
use crate::pki::native::FILES;
use crate::strip::check_stripped;
use crate::{limits, pki, tlv};

/// Verification of any bytes.
///
/// - What is refused has a code and a message of one line.
/// - What verifies is what one of the vectors' keys signed, with the statement it signed.
/// - What verifies for each byte strips to the package whose digest it gives, and that signs back.
pub fn verify(data: &[u8]) {
    match verify_package(data, &KNOWN.roots, KNOWN.now, &limits()) {
        Err(error) => check_error(&error),
        Ok(package) => {
            let inspection = inspect(data, &limits()).expect("what verifies can be inspected");
            let signature = inspection.unverified_signature.expect("it is signed");
            assert_eq!(
                (&signature.claimed, signature.claimed_coverage),
                (package.statement(), package.coverage())
            );
            check_vouched(data, &package);
        }
    }
}

/// Any bytes as the signature of a package that could be signed. The first byte says in which form: DER in `.p7s`, PEM
/// in `.SF`, or BER in the PEM of `.SF`; and of which of two packages.
///
/// - What is refused has a code and a message of one line.
/// - What is accepted from us is DER, read by another parser.
/// - What verifies is what one of the vectors' keys signed.
pub fn cms(data: &[u8]) {
    let Some((form, body)) = data.split_first() else { return };
    let Some(package) = with_signature(*form, body) else { return };
    let inspection = match inspect(&package, &limits()) {
        Err(error) => return check_error(&error),
        Ok(inspection) => inspection,
    };
    let signature = inspection.unverified_signature.expect("a signature entry was appended");
    assert!((2..=8).contains(&signature.certificates.len()));
    if signature.claimed_coverage == Coverage::ExactBytes {
        assert!(tlv::is_der(&der_of(*form, body)), "accepted, and not DER");
    }
    match verify_package(&package, &KNOWN.roots, KNOWN.now, &limits()) {
        Err(error) => check_error(&error),
        Ok(verified) => check_vouched(&package, &verified),
    }
}

/// None where the append refuses the body: it is too long, or holds a zip record.
fn with_signature(form: u8, body: &[u8]) -> Option<Vec<u8>> {
    let unsigned = &KNOWN.unsigned[usize::from(form / 3 % 2)];
    let pem = if form % 3 == 2 { pem(body) } else { String::new() };
    let directory = NewEntry { name: "META_INF/", body: &[] };
    let entries = match form % 3 {
        0 => vec![NewEntry { name: P7S, body }],
        1 => vec![directory, NewEntry { name: SF, body }],
        _ => vec![directory, NewEntry { name: SF, body: pem.as_bytes() }],
    };
    let archive = Archive::parse(unsigned, &limits()).expect("it can be signed");
    let mut package = Vec::new();
    append(unsigned, &archive, &entries, &mut package).ok()?;
    Some(package)
}

fn der_of(form: u8, body: &[u8]) -> Vec<u8> {
    match form % 3 {
        1 => der::pem::decode_vec(body).expect("an accepted PEM of ours is strict").1,
        _ => body.to_vec(),
    }
}

pub(crate) fn check_error(error: &VerifyError) {
    assert!(error.code().is_some(), "bytes in memory could not be read: {error}");
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// Nobody without the vectors' keys makes a package that verifies and says something else than the vectors.
fn check_vouched(data: &[u8], package: &VerifiedPackage) {
    let vouched = Vouched::of(data, package);
    assert!(KNOWN.vouched.contains(&vouched), "forged: {vouched:?}");
    if let Some(digest) = package.unsigned_digest() {
        assert_eq!(Sha256Digest::of(&check_stripped(data).expect("what verifies strips")), digest);
    }
}

/// What a verified package says, and of what.
#[derive(Debug, PartialEq, Eq)]
struct Vouched {
    statement: Statement,
    covered: Covered,
}

#[derive(Debug, PartialEq, Eq)]
enum Covered {
    Bytes(Sha256Digest),
    NamesAndContents(Vec<u8>),
}

impl Vouched {
    fn of(data: &[u8], package: &VerifiedPackage) -> Self {
        let covered = package.unsigned_digest().map(Covered::Bytes);
        let covered = covered.unwrap_or_else(|| Covered::NamesAndContents(names_and_contents(data, package)));
        Self { statement: package.statement().clone(), covered }
    }
}

fn names_and_contents(data: &[u8], package: &VerifiedPackage) -> Vec<u8> {
    let archive = package.archive();
    let mut all = Vec::new();
    for entry in archive.entries().iter().filter(|entry| entry.name() != SF) {
        all.extend_from_slice(entry.name().as_bytes());
        io::copy(&mut archive.reader(data, entry), &mut all).expect("an accepted body can be read");
    }
    all
}

/// What the vectors' keys signed.
struct Known {
    roots: TrustRoots,
    now: UnixMillis,
    vouched: Vec<Vouched>,
    /// What was signed by us, and what in the name of AWS Signer.
    unsigned: [Vec<u8>; 2],
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let roots = TrustRoots::from_pem(ROOTS).expect("the vectors' roots");
    let now = pki::instant(pki::SIGNED_AT);
    let vouched = |package: &&[u8]| {
        let verified = verify_package(*package, &roots, now, &limits()).expect("a good vector verifies");
        Vouched::of(package, &verified)
    };
    let vouched = GOOD.iter().map(vouched).collect();
    Known { roots, now, vouched, unsigned: [UNSIGNED.to_vec(), pki::zip_of(&FILES)] }
});

const ROOTS: &str = concat!(
    include_str!("../../../shared/package/vectors/root.pem"),
    include_str!("../../../shared/package/vectors/aws-root.pem")
);
const UNSIGNED: &[u8] = include_bytes!("../../../shared/package/vectors/unsigned.zip");
const GOOD: [&[u8]; 5] = [
    include_bytes!("../../../shared/package/vectors/signed-rsa.zip"),
    include_bytes!("../../../shared/package/vectors/signed-ecdsa.zip"),
    include_bytes!("../../../shared/package/vectors/signed-aws.zip"),
    include_bytes!("../../../shared/package/vectors/native-aws-der.zip"),
    include_bytes!("../../../shared/package/vectors/native-aws-ber.zip"),
];
