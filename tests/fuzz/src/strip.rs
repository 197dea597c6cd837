//! Signing and taking the signature off again.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use countersign_domain::{Platform, Sha256Digest};
use countersign_package::append::{NewEntry, append, split};
use countersign_package::chain::TrustRoots;
use countersign_package::gate::Archive;
use countersign_package::sign::{SignError, Unsigned};
use countersign_package::strip::{StripError, strip as strip_package};
use countersign_package::verify::{Coverage, verify};

use crate::pki::{Installation, Leaf, SIGNED_AT, instant, statement};
use crate::readers::check_agreement;
use crate::signatures::check_error;
use crate::{edits, grammar, limits};

/// Bytes that begin as a zip are stripped; others say which zip is made, signed, and changed.
///
/// - What strips gives a package that the gate accepts and that is not signed; appending what was taken off, and signing
///   it again, are reversible.
/// - `strip(sign(U)) == U`, and `sign(U)` verifies as U.
/// - A signed package that was changed does not verify.
pub fn strip(data: &[u8]) {
    if !data.starts_with(b"PK") {
        // An input that ends early says nothing more.
        let _ = sign_and_change(&mut Unstructured::new(data));
    } else if let Some(unsigned) = check_stripped(data) {
        check_signing(Platform::CountersignSha384Ecdsa, &unsigned);
    }
}

/// U, where `signed` strips to it. U is not signed, and the append of what was taken off gives `signed` again.
pub(crate) fn check_stripped(signed: &[u8]) -> Option<Vec<u8>> {
    let mut unsigned = Vec::new();
    let stripped = match strip_package(signed, &limits(), &mut unsigned) {
        Ok(stripped) => stripped,
        Err(error) => {
            assert!(error.code().is_some(), "bytes in memory could not be read: {error}");
            assert!(unsigned.is_empty(), "bytes were written before {error}");
            return None;
        }
    };
    assert_eq!((stripped.size, stripped.digest), (unsigned.len() as u64, Sha256Digest::of(&unsigned)));
    let archive = Archive::parse(&unsigned, &limits()).expect("the gate accepts what strip gives");
    let again = strip_package(unsigned.as_slice(), &limits(), &mut Vec::new());
    assert!(matches!(again, Err(StripError::Unsigned)), "stripped, and still signed");
    let signed_archive = Archive::parse(signed, &limits()).expect("the gate accepts what strips");
    let count = signed_archive.entries().len() - archive.entries().len();
    let (_, taken) = split(signed, &signed_archive, count).expect("what strips is an append");
    let entries: Vec<_> =
        taken.iter().map(|entry| NewEntry { name: &entry.name, body: &entry.body }).collect();
    let mut rebuilt = Vec::new();
    append(&unsigned, &archive, &entries, &mut rebuilt).expect("what was taken off can be appended");
    assert!(rebuilt == signed, "the append of what was taken off gives other bytes");
    Some(unsigned)
}

fn sign_and_change(u: &mut Unstructured<'_>) -> Result<()> {
    let platform = *u.choose(&PLATFORMS)?;
    let mut zip = grammar::packages(u)?;
    for _ in 0..u.int_in_range(0..=2)? {
        edits::edit(&mut zip, u)?;
    }
    let Some(signed) = check_signing(platform, &zip.build()) else { return Ok(()) };
    let archive = Archive::parse(&signed, &limits()).expect("the gate accepts what was signed");
    check_agreement(&archive, &signed);
    check_changed(&signed, u)
}

/// The signed package, where `unsigned` can be signed.
fn check_signing(platform: Platform, unsigned: &[u8]) -> Option<Vec<u8>> {
    let (signer, roots) = &*SIGNERS;
    let leaf = &signer[usize::from(platform == Platform::AwsLambdaSha384Ecdsa)];
    let package = match Unsigned::open(unsigned, &limits(), platform) {
        Ok(package) => package,
        Err(SignError::Gate(_) | SignError::Unsignable(_)) => return None,
        Err(other) => panic!("a package could not be opened: {other}"),
    };
    let prepared = package.prepare(statement(platform), leaf.chain()).expect("any package can be prepared");
    let signature = leaf.sign(&prepared.digest());
    let mut signed = Vec::new();
    match prepared.finish(&signature, &mut signed) {
        // No room, a limit reached, or a zip record in the signature by chance.
        Err(SignError::Append(_)) => return None,
        result => result.map(drop).expect("a good signature is accepted"),
    }
    assert!(
        check_stripped(&signed).expect("what was signed strips") == unsigned,
        "stripped to another package"
    );
    let verified = verify(&signed, roots, instant(SIGNED_AT), &limits()).expect("what was signed verifies");
    assert_eq!(verified.unsigned_digest(), Some(Sha256Digest::of(unsigned)));
    assert_eq!(verified.coverage(), Coverage::ExactBytes);
    Some(signed)
}

/// No change of a signed package verifies.
fn check_changed(signed: &[u8], u: &mut Unstructured<'_>) -> Result<()> {
    let mut changed = edits::edit_bytes(signed.to_vec(), u)?;
    if changed == signed {
        let Some(mut zip) = crate::dissect::dissect(signed) else { return Ok(()) };
        edits::edit(&mut zip, u)?;
        changed = zip.build();
    }
    let outcome = verify(&changed, &SIGNERS.1, instant(SIGNED_AT), &limits());
    match outcome {
        Ok(_) => assert!(changed == signed, "a changed package verifies"),
        Err(error) => check_error(&error),
    }
    Ok(())
}

const PLATFORMS: [Platform; 2] = [Platform::CountersignSha384Ecdsa, Platform::AwsLambdaSha384Ecdsa];

/// A leaf for each of the platforms, and their root. ECDSA alone: an RSA key would be another in each process.
static SIGNERS: LazyLock<([Leaf; 2], TrustRoots)> = LazyLock::new(|| {
    let installation = Installation::new();
    (PLATFORMS.map(|platform| installation.leaf(platform)), installation.root.trusted())
});
