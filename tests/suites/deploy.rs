//! What `deploy/` says is what the programs read: its configurations parse, and its table has every setting. And its script
//! runs the whole system where there is no container engine.

mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use countersign_runtime::config::{KEYS, TargetKind, Trigger};
use countersign_runtime::{Config, Environment};
use countersign_tests::packages::package;
use countersign_tests::{eventually, tools};
use support::Store;
use tempfile::TempDir;

#[test]
fn every_configuration_of_deploy_parses() {
    let names: BTreeSet<String> = configurations().iter().map(|path| name_of(path)).collect();
    for expected in ["aws.toml", "minio-ceph.toml", "localstack.toml"] {
        assert!(names.contains(expected), "{expected} is not among {names:?}");
    }
    for path in configurations() {
        let config = parsed(&path);
        assert!(config.postgresql.is_some() && config.rabbitmq.is_some(), "{}", path.display());
        assert!(!config.routes.is_empty(), "{}", path.display());
    }
}

#[test]
fn each_configuration_is_for_what_its_name_says() {
    let named = |name: &str| parsed(&root().join("deploy/config").join(name));
    let aws = named("aws.toml");
    assert!(matches!(aws.triggers.as_slice(), [Trigger::Sqs { endpoint: None, .. }]), "{:?}", aws.triggers);
    let to_lambda = |config: &Config| {
        config.targets.iter().any(|target| matches!(target.kind, TargetKind::Lambda { .. }))
    };
    assert!(to_lambda(&aws));
    let minio = named("minio-ceph.toml");
    assert!(matches!(minio.triggers.as_slice(), [Trigger::Amqp { .. }]), "{:?}", minio.triggers);
    assert!(minio.s3.is_some_and(|s3| s3.endpoint.is_some() && s3.path_style));
    let localstack = named("localstack.toml");
    assert!(matches!(localstack.triggers.as_slice(), [Trigger::Sqs { endpoint: Some(_), .. }]));
    assert!(to_lambda(&localstack));
}

#[test]
fn the_table_of_settings_has_every_setting_once_and_no_other() {
    let path = root().join("deploy/CONFIGURATION.md");
    let text = std::fs::read_to_string(&path).expect("the table of settings is there");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    documented.retain(|key| !key.starts_with("COUNTERSIGN_") && !key.starts_with("AWS_"));
    let keys: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
    let known: BTreeSet<&str> = documented.iter().copied().collect();
    assert_eq!(documented.len(), known.len(), "a setting stands there twice");
    assert_eq!(known, keys);
}

#[test]
fn the_script_runs_everything_without_a_container_engine() {
    let system = Script::new();
    let exports = tools::succeeded("deploy/local/run start", &system.run("start"));
    let exported = |name: &str| {
        let value = exports.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
        value.unwrap_or_else(|| panic!("no {name} in {exports}")).to_owned()
    };
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"];
    let store = Store::new(&exported("AWS_ENDPOINT_URL"), &names.map(|name| (name, exported(name))));
    store.put("unsigned", "hello/pkg.zip", &package(system.folder.path(), "hello.zip", "hello"));
    let alias = system.folder.path().join("deployer/functions/hello/aliases/live");
    eventually("a deployment", Duration::from_secs(60), || alias.canonicalize().ok());
    let status = tools::succeeded("deploy/local/run status", &system.run("status"));
    assert_eq!(status.matches("{\"ready\":true,").count(), 4, "{status}");
    tools::succeeded("deploy/local/run stop", &system.run("stop"));
    let status = tools::succeeded("deploy/local/run status", &system.run("status"));
    assert_eq!(status.matches("stopped").count(), 7, "{status}");
}

/// `deploy/local/run` in a folder of its own, and stopped at the end however that comes.
struct Script {
    folder: TempDir,
}

impl Script {
    fn new() -> Self {
        // PostgreSQL runs as a user of its own where this is root, and has to get through.
        let open = std::fs::Permissions::from_mode(0o711);
        Self { folder: tempfile::Builder::new().permissions(open).tempdir().expect("a folder") }
    }

    fn run(&self, action: &str) -> Output {
        let mut script = Command::new(root().join("deploy/local/run"));
        let binaries = tools::binary("countersign-signer");
        script.arg(action).arg(self.folder.path());
        script.env("COUNTERSIGN_BIN", binaries.parent().expect("a folder of binaries"));
        script.output().expect("the script runs")
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _stopped = self.run("stop");
    }
}

fn configurations() -> Vec<PathBuf> {
    let in_folder = |folder: &str| {
        let folder = root().join(folder);
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let paths = entries.map(|entry| entry.expect("an entry can be read").path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect::<Vec<_>>()
    };
    [in_folder("deploy/config"), in_folder("deploy/compose")].concat()
}

fn parsed(path: &Path) -> Config {
    let text = std::fs::read_to_string(path).expect("a configuration can be read");
    let folder = path.parent().expect("a folder");
    Config::parse(&text, folder, &Environment::default())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
