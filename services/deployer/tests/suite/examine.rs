//! A package that is kept without being deployed: what stands of it is shown, and nothing is decided.

use countersign_deployer::NotExamined;
use countersign_domain::{CodeVersion, ObjectVersion, Sha256Digest};
use countersign_package::gate::GateCode;

use crate::support::{World, package, profile, signed_elsewhere};

#[tokio::test]
async fn a_signed_package_is_kept_with_who_signed_it() {
    let world = World::new().await;
    let (deployer, signed) = (world.start(), world.signed("one").await);
    let code = deployer.examine(&signed.object.clone().into()).await.unwrap();
    assert_eq!((code.sha256, code.size_bytes), (Sha256Digest::of(&signed.bytes), signed.bytes.len() as u64));
    assert_eq!(code.object, CodeVersion::from(signed.object));
    let signature = code.signature.unwrap();
    assert_eq!((signature.job_arn, signature.profile_version_arn), (signed.job, profile("default")));
    world.assert_tidy();
}

#[tokio::test]
async fn what_is_unsigned_broken_or_signed_by_a_stranger_is_kept_without_a_signature() {
    let world = World::new().await;
    let (deployer, signed) = (world.start(), world.signed("one").await);
    let mut broken = signed.bytes.clone();
    // The first byte of the first entry's data, behind its name and extra field (APPNOTE 4.3.7).
    let at = 30 + usize::from(broken[26]) + usize::from(broken[28]);
    broken[at] ^= 1;
    // The checksum of the entry says so too: that is a broken zip, not a broken signature.
    let refused = deployer.examine(&world.upload("broken.zip", &broken).into()).await.unwrap_err();
    assert!(matches!(refused, NotExamined::Gate(_)), "{refused:?}");
    for (key, bytes) in
        [("unsigned.zip", package("one")), ("foreign.zip", signed_elsewhere(&world, "one").await)]
    {
        let code = deployer.examine(&world.upload(key, &bytes).into()).await.unwrap();
        assert_eq!((code.signature, code.sha256), (None, Sha256Digest::of(&bytes)), "{key}");
    }
}

#[tokio::test]
async fn what_is_no_package_or_not_there_is_not_kept() {
    let world = World::new().await;
    let deployer = world.start();
    let refused = deployer.examine(&world.upload("text.zip", b"no zip").into()).await.unwrap_err();
    assert!(
        matches!(&refused, NotExamined::Gate(refusal) if refusal.code == GateCode::NotAZip),
        "{refused:?}"
    );
    let there = world.upload("there.zip", &package("one"));
    let missing = ObjectVersion { key: "missing.zip".parse().unwrap(), ..there };
    let refused = deployer.examine(&missing.into()).await.unwrap_err();
    assert!(matches!(refused, NotExamined::NotFetched(_)), "{refused:?}");
    world.assert_tidy();
}
