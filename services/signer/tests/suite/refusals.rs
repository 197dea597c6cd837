//! What is refused, with which code, and that nothing half-done is left behind.

use countersign_domain::{JobStatus, ObjectLocation, ObjectVersion};
use countersign_ports::Clock as _;
use countersign_ports::fakes::Fault;
use countersign_ports::profiles::Profiles as _;
use countersign_ports::revocations::RevocationRegistry as _;
use countersign_runtime::Handled;

use crate::support::{World, deliver, notification, package, profile, reason, root, route};

const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Drops `bytes` as `key`, and gives the reason of the failed job.
async fn refusal_of(world: &World, key: &str, bytes: &[u8]) -> String {
    let source = world.drop_package(key, bytes);
    assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
    assert!(world.signed_objects().is_empty(), "something was published");
    world.refusal()
}

fn assert_code(reason: &str, code: &str) {
    let (found, text) = reason.split_once(": ").unwrap();
    assert_eq!(found, code, "{reason}");
    assert!(!text.is_empty());
}

#[tokio::test]
async fn packages_that_cannot_be_signed() {
    let stuffed = [b"junk".as_slice(), &package("one")].concat();
    for (bytes, code) in [
        (EMPTY_ZIP, "empty_archive"),
        (b"".as_slice(), "not_a_zip"),
        (b"this is no zip, however long it is", "not_a_zip"),
        (&stuffed, "prefix_data"),
    ] {
        let world = World::new().await;
        assert_code(&refusal_of(&world, "hello/fn.zip", bytes).await, code);
    }
}

#[tokio::test]
async fn a_signed_package() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", &package("one"));
    assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
    let signed = world.objects.content(&world.signed_objects()[0]).unwrap();
    assert_code(&refusal_of(&World::new().await, "hello/fn.zip", &signed).await, "already_signed");
}

#[tokio::test]
async fn a_key_that_does_not_end_in_zip() {
    for key in ["hello/fn.jar", "hello/fn.ZIP", "hello/", "hello/fn.zip.txt"] {
        let world = World::new().await;
        let reason = refusal_of(&world, key, &package("one")).await;
        assert_code(&reason, "key_not_zip");
        assert!(reason.contains(key));
    }
}

#[tokio::test]
async fn a_drop_that_names_no_function() {
    let world = World::new().await;
    assert_code(&refusal_of(&world, "fn.zip", &package("one")).await, "no_function_name");
}

#[tokio::test]
async fn a_package_over_the_limit_which_the_message_names() {
    let mut world = World::new().await;
    let bytes = package("one");
    world.package_limit_bytes = bytes.len() as u64 - 1;
    let reason = refusal_of(&world, "hello/fn.zip", &bytes).await;
    assert_code(&reason, "package_too_large");
    assert!(reason.contains(&world.package_limit_bytes.to_string()));
}

#[tokio::test]
async fn a_package_at_the_limit_is_signed() {
    let mut world = World::new().await;
    let bytes = package("one");
    world.package_limit_bytes = bytes.len() as u64;
    let source = world.drop_package("hello/fn.zip", &bytes);
    assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
    world.assert_signed_once(&source, &bytes);
}

#[tokio::test]
async fn profiles_that_sign_no_more() {
    let world = World::new().await;
    world.store.cancel_profile(&"default".parse().unwrap(), world.clock.now()).await.unwrap();
    assert_code(&refusal_of(&world, "hello/fn.zip", &package("one")).await, "profile_canceled");
    let world = World::new().await;
    let now = world.clock.now();
    world.store.revoke_profile(&profile("default"), now, &root(), "leaked", now).await.unwrap();
    assert_code(&refusal_of(&world, "hello/fn.zip", &package("one")).await, "profile_revoked");
}

#[tokio::test]
async fn destinations_that_cannot_take_it() {
    let mut world = World::new().await;
    world.routes = vec![route("s3://unsigned/", "s3://nowhere/")];
    assert_code(&refusal_of(&world, "hello/fn.zip", &package("one")).await, "no_such_destination");
    let mut world = World::new().await;
    world.objects.create_bucket(&"plain".parse().unwrap(), false);
    world.routes = vec![route("s3://unsigned/", "s3://plain/")];
    assert_code(&refusal_of(&world, "hello/fn.zip", &package("one")).await, "unversioned_destination");
    let mut world = World::new().await;
    world.routes = vec![route("s3://unsigned/", &format!("s3://signed/{}/", "x".repeat(1000)))];
    assert_code(&refusal_of(&world, "hello/fn.zip", &package("one")).await, "invalid_destination");
}

#[tokio::test]
async fn a_notification_of_a_version_that_is_not_there_makes_no_job() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", &package("one"));
    let gone = ObjectVersion { version: "v999999".parse().unwrap(), ..source.clone() };
    let nowhere = ObjectVersion { key: "hello/other.zip".parse().unwrap(), ..source };
    assert_eq!(deliver(&world.start(), "m1", notification(&[&gone, &nowhere])).await, Handled::Done);
    assert_eq!(world.store.jobs(), []);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_asked_again() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", &package("one"));
    world.faults.fail_next("facts", Fault::WithoutEffect);
    let signer = world.start();
    let handled = deliver(&signer, "m1", notification(&[&source])).await;
    assert!(matches!(handled, Handled::Retry { .. }), "{handled:?}");
    assert_eq!(deliver(&signer, "m1", notification(&[&source])).await, Handled::Done);
    assert_eq!(world.store.jobs().len(), 1);
}

#[tokio::test]
async fn a_foreign_object_under_the_jobs_key_is_never_adopted() {
    // Unsigned bytes, and a package that was signed for another job.
    let other = World::new().await;
    let source = other.drop_package("hello/other.zip", &package("one"));
    assert_eq!(deliver(&other.start(), "m1", notification(&[&source])).await, Handled::Done);
    let signed_elsewhere = other.objects.content(&other.signed_objects()[0]).unwrap();
    for foreign in [package("evil"), signed_elsewhere] {
        let world = World::new().await;
        let source = world.drop_package("hello/fn.zip", &package("one"));
        let key = format!("{}.zip", world.job_of(&source).job()).parse().unwrap();
        world.objects.put(&ObjectLocation { bucket: "signed".parse().unwrap(), key }, &foreign);
        assert_eq!(deliver(&world.start(), "m1", notification(&[&source])).await, Handled::Done);
        assert_code(&world.refusal(), "destination_taken");
        assert_eq!(world.signed_objects().len(), 1, "the foreign object was touched");
    }
}

#[tokio::test]
async fn an_unversioned_source_is_a_dead_letter_and_no_job() {
    let world = World::new().await;
    let source = world.drop_package("hello/fn.zip", &package("one"));
    let body = String::from_utf8(notification(&[&source])).unwrap();
    let body = body.replace(source.version.as_str(), "null");
    let handled = reason(deliver(&world.start(), "m1", body.into_bytes()).await);
    assert!(handled.starts_with("reject: unversioned_source: "), "{handled}");
    assert!(world.store.jobs().is_empty());
}

#[tokio::test]
async fn an_unknown_profile_waits_and_loses_nothing() {
    let world = World::without_profile().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let handled = reason(deliver(&world.start(), "m1", notification(&[&source])).await);
    assert!(handled.starts_with("retry: unknown_profile: "), "{handled}");
    assert!(world.store.jobs().is_empty());
    world.start().sweep().await;
    assert!(world.store.jobs().is_empty());
    world.create_profile("default").await;
    world.start().sweep().await;
    world.assert_signed_once(&source, &unsigned);
}

#[tokio::test]
async fn malformed_notifications_are_dead_letters_before_anything_is_looked_up() {
    let world = World::new().await;
    let signer = world.start();
    let before = world.faults.operations().len();
    let bodies: [&[u8]; 4] = [b"", b"{}", b"\xff\xfe", br#"{"Records":[{"eventSource":"evil"}]}"#];
    for body in bodies {
        assert!(reason(deliver(&signer, "m1", body.to_vec()).await).starts_with("reject: malformed_"));
    }
    assert_eq!(world.faults.operations().len(), before, "something was asked of a port");
}

#[tokio::test]
async fn a_bad_record_beside_a_good_one_is_a_dead_letter_and_the_good_one_is_signed() {
    let world = World::new().await;
    let unsigned = package("one");
    let source = world.drop_package("hello/fn.zip", &unsigned);
    let body = String::from_utf8(notification(&[&source])).unwrap();
    let body = body.replacen("[", r#"[{"eventSource":"evil"},"#, 1);
    let handled = reason(deliver(&world.start(), "m1", body.into_bytes()).await);
    assert!(handled.starts_with("reject: malformed_record: "), "{handled}");
    assert_eq!(world.assert_signed_once(&source, &unsigned).status, JobStatus::Succeeded);
}
