//! AWS's own clients against a running `countersign up`: what they send is understood, and what it answers they parse without
//! a warning. Each script of `tests/clients` is one test.

use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_tests::tools;
use countersign_tests::up::Up;

#[test]
fn boto3_manages_profiles_with_their_tags_and_permissions() {
    Installation::new().runs("signer.py");
}

#[test]
fn boto3_has_packages_signed_and_signatures_revoked() {
    Installation::new().runs("signer_jobs.py");
}

#[test]
fn sam_has_its_packages_signed() {
    Installation::new().runs("sam.py");
}

#[test]
fn boto3_deploys_functions_and_keeps_versions_and_aliases() {
    Installation::new().runs("lambda_functions.py");
}

#[test]
fn boto3_manages_configs_layers_tags_and_account_settings() {
    Installation::new().runs("lambda_configs.py");
}

#[test]
fn random_requests_are_never_answered_with_a_failure_of_the_server() {
    Installation::new().runs("random_requests.py");
}

/// A fresh installation with principals of both kinds: of its own account with few rights, and of another account.
struct Installation {
    up: Up,
    folder: tempfile::TempDir,
}

impl Installation {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = String::new();
        for (name, account, policy) in PRINCIPALS {
            let policy_file = format!("{name}.json");
            std::fs::write(folder.path().join(&policy_file), policy).expect("a policy");
            let secret = folder.path().join(format!("{name}.secret"));
            std::fs::write(&secret, secret_of(name)).expect("a secret");
            config += &format!(
                "[[principal]]\nname = \"{name}\"\naccount = \"{account}\"\npolicies = [\"{policy_file}\"]\n\
                 access_keys = [{{ id = \"{}\", secret_file = \"{}\" }}]\n",
                key_of(name),
                secret.display()
            );
        }
        let path = folder.path().join("countersign.toml");
        std::fs::write(&path, config).expect("a configuration");
        Self { up: Up::start_with(&folder.path().join("data"), &path), folder }
    }

    /// Runs a script, in which a warning is an error, to its end.
    fn runs(&self, script: &str) {
        let clients = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients");
        let mut command = Command::new("python3");
        command.args(["-W", "error", "-m", "unittest", "-v", script]).current_dir(clients);
        for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"] {
            command.env(name, self.up.export(name));
        }
        for (name, _, _) in PRINCIPALS {
            let holder = name.to_uppercase();
            command.env(format!("{holder}_ACCESS_KEY_ID"), key_of(name));
            command.env(format!("{holder}_SECRET_ACCESS_KEY"), secret_of(name));
        }
        command.env("COUNTERSIGN", tools::countersign().get_program());
        command.env("TRUST_ROOT", self.up.data_dir().join("trust/root.pem"));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let output = command.output().expect("python3 runs");
        tools::succeeded(script, &output);
        assert!(Path::new(self.folder.path()).exists());
    }
}

fn key_of(name: &str) -> String {
    format!("AKIA{:X<16}", name.to_uppercase())
}

fn secret_of(name: &str) -> String {
    format!("the-secret-of-{name}")
}

/// Name, account and policy of those who call beside the administrator.
const PRINCIPALS: [(&str, &str, &str); 3] =
    [("reader", "000000000000", READER), ("ci", "000000000000", CI), ("partner", "999999999999", PARTNER)];

const READER: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "signer:ListSigningProfiles", "Resource": "*"},
    {"Effect": "Allow", "Action": "signer:GetSigningProfile", "Resource": "*",
     "Condition": {"StringEquals": {"aws:ResourceTag/open": "yes"}}}
]}"#;

const CI: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["signer:StartSigningJob", "signer:DescribeSigningJob"], "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:GetObjectVersion", "Resource": "arn:aws:s3:::*/allowed/*"},
    {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::*/out/*"}
]}"#;

const PARTNER: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["signer:*", "s3:GetObjectVersion", "s3:PutObject"], "Resource": "*"}
]}"#;
