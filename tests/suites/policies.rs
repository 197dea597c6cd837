//! Who may what: principals with access keys and policies, asked through boto3 against a running `up`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_domain::{CodeSigningConfigArn, CodeSigningConfigId, Scope};
use countersign_tests::tools;
use countersign_tests::up::Up;
use serde_json::{Map, Value, json};

#[test]
fn policies_decide_who_may_what() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = configure(folder.path());
    let up = Up::start_with(&folder.path().join("data"), &folder.path().join("countersign.toml"));
    let mut python = Command::new("python3");
    python.args(["-W", "error", "-m", "unittest", "-v", "policies.py"]).current_dir(clients());
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"] {
        python.env(name, up.export(name));
    }
    python.env("PRINCIPALS", Value::from(keys).to_string());
    python.env("APPROVED_CONFIG", approved_config().to_string());
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    tools::succeeded("policies.py", &python.output().expect("python3 runs"));
}

/// Writes `clients/policies.toml` with what it names to `folder`, and gives the access key of each principal.
fn configure(folder: &Path) -> Map<String, Value> {
    let config = read(&clients().join("policies.toml"));
    for made in ["policies", "secrets"] {
        std::fs::create_dir(folder.join(made)).expect("a folder");
    }
    for policy in std::fs::read_dir(clients().join("policies")).expect("policies") {
        let policy = policy.expect("an entry");
        let text = read(&policy.path()).replace("APPROVED_CONFIG", &approved_config().to_string());
        write(&folder.join("policies").join(policy.file_name()), &text);
    }
    let keys = config.split("[[principal]]").skip(1).map(|section| key(folder, section)).collect();
    // A secret's path is one of the data directory, unless it is absolute.
    let secrets = format!("\"{}/secrets/", folder.display());
    write(&folder.join("countersign.toml"), &config.replace("\"secrets/", &secrets));
    keys
}

/// The access key of a principal, whose secret is written where its section says.
fn key(folder: &Path, section: &str) -> (String, Value) {
    let (name, id) = (quoted(section, "name = "), quoted(section, "id = "));
    let (file, secret) = (folder.join("secrets").join(name), format!("{name:s<40}"));
    write(&file, &secret);
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a private file");
    (name.to_owned(), json!([id, secret]))
}

/// The config that `clients/policies.toml` declares.
fn approved_config() -> CodeSigningConfigArn {
    let scope = Scope::new("us-east-1", "000000000000").expect("a scope");
    let id = CodeSigningConfigId::for_name(&scope, &"approved".parse().expect("a name"));
    CodeSigningConfigArn::new(scope, id)
}

fn quoted<'t>(section: &'t str, key: &str) -> &'t str {
    let value = section.split_once(key).and_then(|(_, rest)| rest.split('"').nth(1));
    value.unwrap_or_else(|| panic!("{key} in {section}"))
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
