//! `kill -9` of a running `up`, again and again at random moments, while packages are in flight. In the end every package
//! that was dropped is signed and deployed, once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use countersign_domain::{JobStatus, ObjectLocation};
use countersign_objects::{S3Objects, S3Settings, StaticKeys};
use countersign_ports::deployments::Finish;
use countersign_store::SqliteStore;
use countersign_tests::eventually;
use countersign_tests::packages::package;
use countersign_tests::up::Up;
use rand::{RngExt, SeedableRng};
use secrecy::SecretString;

#[test]
fn killed_at_random_moments_nothing_is_lost_and_nothing_happens_twice() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut dropped = BTreeSet::new();
    for round in 0..KILLS {
        let mut up = Up::start(&data);
        let pause = Duration::from_millis(random.random_range(0..LONGEST_LIFE_MS));
        let acknowledged = runtime().block_on(drop_until_killed(folder.path(), &mut up, round, pause));
        println!("round {round}: {} acknowledged, killed after {pause:?}", acknowledged.len());
        dropped.extend(acknowledged);
    }
    assert!(dropped.len() > KILLS, "too little was in flight: {}", dropped.len());

    let up = Up::start(&data);
    let missing = || dropped.iter().filter(|function| up.live(function).is_none()).count();
    eventually("every package deployed", Duration::from_secs(120), || (missing() == 0).then_some(()));
    runtime().block_on(assert_once(&data, &up, &dropped));
    assert_nothing_half_done(&data);
}

/// Drops one package after the other, and sends SIGKILL after `pause` wherever that happens to fall. Gives the functions
/// whose packages the endpoint had acknowledged.
async fn drop_until_killed(folder: &Path, up: &mut Up, round: usize, pause: Duration) -> Vec<String> {
    let client = client(up).await;
    let mut acknowledged = Vec::new();
    let drops = async {
        for number in 0.. {
            let function = format!("f-{round}-{number}");
            let path = package(folder, &format!("{function}.zip"), &function);
            let key = format!("{function}/pkg.zip").parse().expect("a key");
            let location = ObjectLocation { bucket: "unsigned".parse().expect("a bucket"), key };
            if client.put(&location, &path, None).await.is_ok() {
                acknowledged.push(function);
            }
            // Faster than packages are handled, so that some are in every stage when the signal comes.
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    };
    let _ = tokio::time::timeout(pause, drops).await;
    up.kill();
    acknowledged
}

async fn client(up: &Up) -> S3Objects {
    let keys = StaticKeys {
        access_key_id: up.export("AWS_ACCESS_KEY_ID").to_owned(),
        secret_access_key: SecretString::from(up.export("AWS_SECRET_ACCESS_KEY")),
    };
    let endpoint = Some(up.export("AWS_ENDPOINT_URL").to_owned());
    S3Objects::new(&S3Settings {
        endpoint,
        region: "us-east-1".to_owned(),
        credentials: Some(keys),
        path_style: true,
    })
    .await
}

/// What was not acknowledged may be there all the same: then it counts like everything else.
async fn assert_once(data: &Path, up: &Up, dropped: &BTreeSet<String>) {
    let store = SqliteStore::open(&data.join("state.sqlite")).await.expect("the state");
    let drops = up.versions("unsigned");
    settled(&store, drops.len()).await;

    let jobs = store.newest_jobs(10_000).await.expect("jobs");
    assert_eq!(jobs.len(), drops.len(), "one job a drop");
    let ended: BTreeMap<_, usize> = jobs.iter().fold(BTreeMap::new(), |mut counts, job| {
        *counts.entry(job.status.to_string()).or_default() += 1;
        counts
    });
    assert_eq!(ended.get(&JobStatus::Succeeded.to_string()), Some(&drops.len()), "{ended:?}");
    assert_eq!(up.versions("signed").len(), drops.len(), "one signed object a drop");

    let functions = store.functions().await.expect("functions");
    let names: BTreeSet<String> = functions.iter().map(|state| state.function.name.to_string()).collect();
    assert!(dropped.is_subset(&names));
    assert_eq!(names.len(), drops.len(), "one function a drop");
    for state in &functions {
        assert_eq!(state.versions.len(), 1, "{} was deployed more than once", state.function.name);
        assert_eq!(up.published(state.function.name.as_str()), ["1"]);
    }
    let deployments = store.newest_deployments(10_000).await.expect("deployments");
    assert_eq!(deployments.len(), drops.len(), "one deployment a drop");
    let succeeded =
        |finish: &Option<Finish>| matches!(finish, Some(Finish::Succeeded { version: Some(1), .. }));
    assert!(deployments.iter().all(|deployment| succeeded(&deployment.finish)));
    store.close().await;
}

/// Waits until whatever was dropped without an acknowledgement has ended too.
async fn settled(store: &SqliteStore, drops: usize) {
    for _ in 0..600 {
        let deployments = store.newest_deployments(10_000).await.expect("deployments");
        if deployments.iter().filter(|deployment| deployment.finish.is_some()).count() >= drops {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not every drop came to an end");
}

fn assert_nothing_half_done(data: &Path) {
    for function in std::fs::read_dir(data.join("functions")).expect("functions") {
        let function = function.expect("a function").path();
        let names: Vec<String> = std::fs::read_dir(&function)
            .expect("a function's folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains("staging") || name.contains("tmp"))
            .collect();
        assert_eq!(names, Vec::<String>::new(), "{}", function.display());
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// How often the process is killed.
const KILLS: usize = 20;

/// The longest that it lives after it began to serve, in milliseconds.
const LONGEST_LIFE_MS: u64 = 800;
