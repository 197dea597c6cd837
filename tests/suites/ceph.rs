//! Ceph's S3 with its notifications over AMQP: a package is dropped, signed and deployed, and the object store's contract holds
//! as far as Ceph keeps it.

mod support;

use std::time::Duration;

use countersign_objects::StaticKeys;
use countersign_tests::elsewhere::{Elsewhere, Habits};
use countersign_tests::eventually;
use countersign_tests::fleet::Fleet;
use countersign_tests::packages::package;
use countersign_tests::servers::{Ceph, Notifications};
use secrecy::SecretString;
use support::Store;

/// Ceph 16 writes whatever If-None-Match says.
#[tokio::test]
async fn the_client_and_ceph_keep_the_contract_but_for_races() {
    let ceph = Ceph::start();
    let keys = StaticKeys {
        access_key_id: Ceph::ACCESS_KEY_ID.to_owned(),
        secret_access_key: SecretString::from(ceph.secret_access_key()),
    };
    let habits = Habits { heeds_conditions: false, pages_encoded_keys: true };
    Elsewhere::new(ceph.endpoint(), keys, habits).await.keeps_the_contract().await;
}

#[test]
fn a_drop_is_told_over_amqp_signed_and_deployed_and_a_refused_upload_makes_no_job() {
    let ceph = Ceph::start();
    let store = Store::new(&ceph.endpoint(), &ceph.environment());
    for bucket in ["unsigned", "signed"] {
        store.create_bucket(bucket);
    }
    let mut fleet = Fleet::new(&config(&ceph), ceph.environment());
    let signer = fleet.start_signer(1);
    fleet.start_deployer(1);
    // The gateway knows this user alone, and only on this machine.
    fleet.broker.ctl(&["add_user", "guest", "guest"]);
    fleet.broker.ctl(&[
        "set_permissions",
        "guest",
        r"^(s3-events|observed|amq\.gen.*)$",
        "^(s3-events|observed)$",
        r"^(s3-events|observed|amq\.gen.*)$",
    ]);
    support::observe(
        &format!("amqp://guest:guest@127.0.0.1:{}/%2f", fleet.broker.port()),
        "s3-events",
        "observed",
    );
    let broker = fleet.broker.address();
    ceph.notify(&Notifications {
        bucket: "unsigned",
        broker: &broker,
        exchange: "s3-events",
        topic: "drops",
    });

    let folder = tempfile::tempdir().expect("a folder");
    let dropped = package(folder.path(), "hello.zip", "hello");
    store.put("unsigned", "hello/a b+c.zip", &dropped);
    let alias = fleet.functions().join("hello/aliases/live");
    let live = eventually("an alias", Duration::from_secs(90), || alias.canonicalize().ok());
    assert!(live.ends_with("versions/1") && live.join("META-INF/countersign.p7s").is_file());

    let seen = || fleet.broker.ctl(&["list_queues", "--no-table-headers", "name", "messages"]);
    let before = observed(&seen());
    let path = dropped.to_string_lossy();
    let refused = ceph.aws(&[
        "s3api",
        "put-object",
        "--bucket",
        "unsigned",
        "--key",
        "hello/a b+c.zip",
        "--body",
        &path,
        "--if-match",
        "\"00000000000000000000000000000000\"",
    ]);
    assert!(!refused.status.success(), "Ceph took an upload whose condition did not hold");
    // Ceph tells of it all the same.
    eventually("the phantom", Duration::from_secs(30), || (observed(&seen()) > before).then_some(()));
    eventually("an empty queue", Duration::from_secs(30), || {
        seen().lines().any(|line| line.split_whitespace().eq(["countersign.signer", "0"])).then_some(())
    });
    assert_eq!(fleet.database.sql("countersign", "SELECT count(*) FROM jobs").trim(), "1");
    assert_eq!(store.versions("signed").len(), 1);
    assert_eq!(fleet.dead_letters(), Vec::<serde_json::Value>::new());
    assert_eq!(fleet.stop(&signer).code(), Some(0), "{}", fleet.log(&signer));
}

/// The messages in the queue `observed`.
fn observed(listing: &str) -> usize {
    let line = listing.lines().find_map(|line| line.strip_prefix("observed"));
    line.and_then(|count| count.trim().parse().ok()).expect("a queue that is listed")
}

fn config(ceph: &Ceph) -> String {
    format!(
        r#"
        sweep_interval_seconds = 86400
        [s3]
        endpoint = "{}"
        [[trigger]]
        kind = "amqp"
        exchange = "s3-events"
        [[principal]]
        name = "signer"
        publishers = ["countersign-signer"]
        policies = ["deploy-functions.json"]
        [[code_signing_config]]
        name = "default"
        allowed_publishers = ["default"]
        untrusted_artifact = "Enforce"
        [[route]]
        source = "s3://unsigned/"
        profile = "default"
        destination = "s3://signed/"
        deploy = {{ function = "{{segment}}", alias = "live", create = true, code_signing_config = "default" }}
        "#,
        ceph.endpoint()
    )
}
