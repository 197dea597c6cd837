//! Clients of AWS as they are, against a running `up`: boto3 and Terraform, told the endpoint and nothing else.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use countersign_domain::{CodeSigningConfigArn, CodeSigningConfigId, Scope};
use countersign_tests::packages::package;
use countersign_tests::tools::{everything, succeeded};
use countersign_tests::up::Up;
use tempfile::TempDir;

#[test]
fn boto3_manages_configs_layers_tags_and_permissions() {
    boto3("lambda_configs.py");
}

#[test]
fn random_requests_are_never_answered_with_a_failure_of_the_server() {
    boto3("random_requests.py");
}

#[test]
fn policies_decide_who_may_what() {
    let folder = tempfile::tempdir().expect("a folder");
    let (up, principals) = with_principals(&folder);
    let approved = approved_config().to_string();
    let mut python = python(&up, "policies.py");
    python.envs([("PRINCIPALS", principals.to_string()), ("APPROVED_CONFIG", approved)]);
    passed(&up, &python.output().expect("python3 runs"));
}

#[test]
fn terraform_applies_plans_nothing_more_changes_and_destroys() {
    let (folder, work) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let terraform = Terraform { up: Up::start(&folder.path().join("data")), work };
    if let Err(reason) = terraform.initialised() {
        println!("skipped: {reason}");
        return;
    }
    for (change, version) in [("first", "1"), ("second", "2")] {
        terraform.applied(change);
        let signed = &terraform.outputs()["signed_by"]["value"];
        assert_eq!(signed["profile"], signed["expected"], "{signed}");
        assert!(signed["job"].as_str().is_some_and(|job| job.contains(":/signing-jobs/")), "{signed}");
        assert_eq!((signed["version"].as_str(), signed["alias"].as_str()), (Some(version), Some(version)));
    }
    succeeded("terraform destroy", &terraform.run("destroy", &["-auto-approve"], "second"));
    for (service, list, member) in [
        ("lambda", "list-functions", "Functions"),
        ("lambda", "list-layers", "Layers"),
        ("signer", "list-signing-profiles", "profiles"),
    ] {
        let listed = succeeded(list, &terraform.up.aws(&[service, list]));
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        let left = listed[member].to_string();
        assert!(!left.contains("tf-") && !left.contains("tf_"), "{left}");
    }
}

/// Runs a script of clients against a fresh `up`; each warning of botocore's is an error.
fn boto3(script: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::start(&folder.path().join("data"));
    passed(&up, &python(&up, script).output().expect("python3 runs"));
}

fn python(up: &Up, script: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-W", "error", "-B"]).arg(clients().join(script));
    in_the_environment_of(up, &mut command);
    command
}

fn in_the_environment_of(up: &Up, command: &mut Command) {
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env(name, up.export(name));
    }
    for (name, value) in [
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ] {
        command.env(name, value);
    }
}

fn passed(up: &Up, output: &Output) {
    println!("{}", everything(output));
    assert!(output.status.success(), "{}\n{}", everything(output), up.log());
}

/// A running `up` with the principals of `clients/policies.toml`, and their keys.
fn with_principals(folder: &TempDir) -> (Up, serde_json::Value) {
    let data = folder.path().join("data");
    // The first start writes a configuration to add to.
    assert!(Up::start(&data).stop().success());
    let principals = read(&clients().join("policies.toml"));
    let mut keys = serde_json::Map::new();
    for section in principals.split("[[principal]]").skip(1) {
        let (name, id) = (quoted(section, "name = "), quoted(section, "id = "));
        let secret = format!("{name:s<40}");
        let file = data.join("secrets").join(name);
        write(&file, &secret);
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a private file");
        keys.insert(name.to_owned(), serde_json::json!([id, secret]));
    }
    std::fs::create_dir(data.join("policies")).expect("a folder");
    for policy in std::fs::read_dir(clients().join("policies")).expect("policies") {
        let policy = policy.expect("an entry");
        let text = read(&policy.path()).replace("APPROVED_CONFIG", &approved_config().to_string());
        write(&data.join("policies").join(policy.file_name()), &text);
    }
    let config = data.join("countersign.toml");
    write(&config, &(read(&config) + &principals));
    (Up::start(&data), keys.into())
}

/// The config that the first configuration declares.
fn approved_config() -> CodeSigningConfigArn {
    let scope = Scope::new("us-east-1", "000000000000").expect("a scope");
    let id = CodeSigningConfigId::for_name(&scope, &"default".parse().expect("a name"));
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

/// A folder with `clients/terraform/main.tf`, applied against `up`.
struct Terraform {
    up: Up,
    work: TempDir,
}

impl Terraform {
    /// Installs the provider; the error is why that cannot be.
    #[expect(clippy::disallowed_methods, reason = "where the providers are is told by the environment")]
    fn initialised(&self) -> Result<(), String> {
        let main = clients().join("terraform/main.tf");
        std::fs::copy(main, self.work.path().join("main.tf")).expect("a configuration");
        let mirror = std::env::var("TF_PLUGIN_MIRROR").ok().map(|mirror| format!("-plugin-dir={mirror}"));
        let arguments: Vec<&str> = mirror.iter().map(String::as_str).collect();
        let mut command = self.command("init", &arguments);
        let Ok(output) = command.output() else { return Err("terraform is not installed".to_owned()) };
        if String::from_utf8_lossy(&output.stderr).contains(NO_PROVIDER) {
            return Err(
                "there is no AWS provider; TF_PLUGIN_MIRROR may name a folder with the providers".to_owned()
            );
        }
        succeeded("terraform init", &output);
        Ok(())
    }

    /// Applies, and then demands that a plan sees nothing left to do.
    fn applied(&self, change: &str) {
        for (name, file) in [("unsigned.zip", "unsigned"), ("layer.zip", "layer")] {
            package(self.work.path(), name, &format!("{file} {change}"));
        }
        succeeded("terraform apply", &self.run("apply", &["-auto-approve"], change));
        let planned = self.run("plan", &["-detailed-exitcode"], change);
        succeeded("a plan of nothing after terraform apply", &planned);
    }

    fn run(&self, command: &str, arguments: &[&str], change: &str) -> Output {
        let mut terraform = self.command(command, arguments);
        terraform.env("TF_VAR_endpoint", self.up.export("AWS_ENDPOINT_URL")).env("TF_VAR_change", change);
        for (variable, file) in [("TF_VAR_unsigned", "unsigned.zip"), ("TF_VAR_layer", "layer.zip")] {
            terraform.env(variable, self.work.path().join(file));
        }
        terraform.output().expect("terraform runs")
    }

    fn outputs(&self) -> serde_json::Value {
        let mut command = Command::new("terraform");
        command.arg(format!("-chdir={}", self.work.path().display())).args(["output", "-json"]);
        let told = succeeded("terraform output", &command.output().expect("terraform runs"));
        serde_json::from_str(&told).expect("JSON")
    }

    fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut terraform = Command::new("terraform");
        terraform.arg(format!("-chdir={}", self.work.path().display())).arg(command);
        terraform.args(["-input=false", "-no-color"]).args(arguments);
        in_the_environment_of(&self.up, &mut terraform);
        // The provider is told the endpoint by its configuration.
        terraform.env_remove("AWS_ENDPOINT_URL").env("CHECKPOINT_DISABLE", "1");
        terraform
    }
}

const NO_PROVIDER: &str = "Failed to query available provider packages";
