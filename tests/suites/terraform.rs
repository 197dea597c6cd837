//! Terraform with the AWS provider against a running `up`: apply, an empty second plan, a change, destroy.
//!
//! Where there is no terraform, or no provider (a machine without the registry names a folder with the providers in
//! `TF_PLUGIN_MIRROR`), the test says so and is over.

use std::path::PathBuf;
use std::process::{Command, Output};

use countersign_tests::packages::package;
use countersign_tests::tools::succeeded;
use countersign_tests::up::Up;
use tempfile::TempDir;

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

/// A folder with `clients/terraform/main.tf`, applied against `up`.
struct Terraform {
    up: Up,
    work: TempDir,
}

impl Terraform {
    /// Installs the provider; the error is why that cannot be.
    #[expect(clippy::disallowed_methods, reason = "where the providers are is told by the environment")]
    fn initialised(&self) -> Result<(), String> {
        let main = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients/terraform/main.tf");
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
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"] {
            terraform.env(name, self.up.export(name));
        }
        // The provider is told the endpoint by its configuration, and nothing else of anybody's.
        terraform.env_remove("AWS_ENDPOINT_URL").env("AWS_EC2_METADATA_DISABLED", "true");
        for file in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            terraform.env(file, "/dev/null");
        }
        terraform.env("CHECKPOINT_DISABLE", "1");
        terraform
    }
}

const NO_PROVIDER: &str = "Failed to query available provider packages";
