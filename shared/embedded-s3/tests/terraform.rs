//! Terraform with the AWS provider against the endpoint: apply, an empty second plan, a change, destroy.
//!
//! Where there is no terraform, or no provider (a machine without the registry names a folder with the
//! providers in `TF_PLUGIN_MIRROR`), the test says so and is over.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::path::Path;
use std::process::Output;

use support::{Running, client, python, require_success};

#[tokio::test(flavor = "multi_thread")]
async fn terraform_applies_plans_nothing_more_changes_and_destroys() {
    let (dir, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = Running::start(dir.path()).await;
    if let Err(reason) = initialise(&running, work.path()).await {
        println!("skipped: {reason}");
        return running.stop().await;
    }
    let first = ["-var=change=first", "-var=versioning=Enabled"];
    let second = ["-var=change=second", "-var=versioning=Suspended"];
    applied(&running, work.path(), &first).await;
    let enabled = outputs(&running, work.path()).await;
    assert_eq!(enabled["version"]["value"].as_str().unwrap().len(), 32);
    assert_eq!(enabled["read"]["value"], enabled["version"]["value"]);
    // What force_destroy has to remove besides: another version, a delete marker, keys that must be encoded.
    python(&running, &["beside_terraform"]).await;
    applied(&running, work.path(), &second).await;
    assert_eq!(outputs(&running, work.path()).await["version"]["value"], "null");
    let destroyed = terraform(&running, work.path(), "destroy", &with(&["-auto-approve"], &second)).await;
    require_success(&destroyed, "terraform destroy");
    let left = client("aws", &running.url).args(["s3", "ls"]).output().await.unwrap();
    require_success(&left, "aws s3 ls");
    assert!(left.stdout.is_empty(), "{}", String::from_utf8_lossy(&left.stdout));
    running.stop().await;
}

/// Applies, and then demands that a plan sees nothing left to do.
async fn applied(running: &Running, work: &Path, variables: &[&str]) {
    let applied = terraform(running, work, "apply", &with(&["-auto-approve"], variables)).await;
    require_success(&applied, "terraform apply");
    let planned = terraform(running, work, "plan", &with(&["-detailed-exitcode"], variables)).await;
    require_success(&planned, "a plan of nothing after terraform apply");
}

async fn outputs(running: &Running, work: &Path) -> serde_json::Value {
    let mut command = client("terraform", &running.url);
    let output = command.arg(format!("-chdir={}", work.display())).args(["output", "-json"]).output().await;
    let output = output.unwrap();
    require_success(&output, "terraform output");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn terraform(running: &Running, work: &Path, command: &str, arguments: &[&str]) -> Output {
    let mut terraform = client("terraform", &running.url);
    terraform.arg(format!("-chdir={}", work.display())).arg(command).args(["-input=false", "-no-color"]);
    terraform.env("TF_VAR_endpoint", &running.url).env_remove("AWS_ENDPOINT_URL");
    terraform.args(arguments).output().await.unwrap()
}

/// Copies the configuration to `work` and installs the provider there; the error is why that cannot be.
#[expect(clippy::disallowed_methods, reason = "where the providers are is told by the environment")]
async fn initialise(running: &Running, work: &Path) -> Result<(), String> {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terraform/main.tf");
    std::fs::copy(main, work.join("main.tf")).unwrap();
    let mut command = client("terraform", &running.url);
    command.arg(format!("-chdir={}", work.display())).args(["init", "-input=false", "-no-color"]);
    if let Ok(mirror) = std::env::var("TF_PLUGIN_MIRROR") {
        command.arg(format!("-plugin-dir={mirror}"));
    }
    let Ok(output) = command.output().await else {
        return Err("terraform is not installed".to_owned());
    };
    if String::from_utf8_lossy(&output.stderr).contains(NO_PROVIDER) {
        return Err(
            "there is no AWS provider; TF_PLUGIN_MIRROR may name a folder with the providers".to_owned()
        );
    }
    require_success(&output, "terraform init");
    Ok(())
}

fn with<'a>(arguments: &[&'a str], variables: &[&'a str]) -> Vec<&'a str> {
    [arguments, variables].concat()
}

const NO_PROVIDER: &str = "Failed to query available provider packages";
