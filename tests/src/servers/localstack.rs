//! LocalStack: S3, SQS, Lambda and IAM of AWS on one port, started as `localstack/up` starts it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use super::home::Home;
use super::{free_port, get};
use crate::tools;

/// A running LocalStack with the buckets, the queue and the notification of `localstack/init.py`. It keeps nothing: a new
/// one is empty.
pub struct LocalStack {
    home: Home,
    port: u16,
    python: PathBuf,
}

impl LocalStack {
    /// Installs it where that was not done yet, starts it, waits until it serves and makes the resources.
    pub fn start() -> Self {
        let server = Self::start_empty();
        let mut init = server.command(&server.python);
        let output = init.arg(recipe("init.py")).output().expect("Python runs");
        tools::succeeded("localstack/init.py", &output);
        server
    }

    /// Starts it without any resource.
    pub fn start_empty() -> Self {
        let python = PathBuf::from(tools::run(&recipe("install").to_string_lossy(), [""; 0]).trim_end());
        let mut server = Self { home: Home::new("localstack"), port: free_port(), python };
        let mut command = Command::new(recipe("serve"));
        command.arg(format!("127.0.0.1:{}", server.port)).arg(server.home.path(""));
        server.home.start(SERVER, command);
        let port = server.port;
        server.home.wait_until(SERVER, PATIENCE, |_| {
            get(port, "/_localstack/health").is_some_and(|(status, _)| status == 200)
        });
        server
    }

    /// `http://HOST:PORT`, which serves every API.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a queue, as this process reaches it.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.endpoint())
    }

    /// What a client or a service of ours needs in its environment, and nothing of the user's own.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables: Vec<_> =
            super::NOBODYS_AWS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        variables.extend([
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_REGION", REGION.to_owned()),
        ]);
        variables
    }

    /// Runs the AWS CLI against it.
    pub fn aws(&self, arguments: &[&str]) -> Output {
        let mut aws = self.command(Path::new("aws"));
        // The CLI asks AWS itself for queues when the endpoint stands in the environment alone.
        aws.args(["--endpoint-url", &self.endpoint()])
            .args(arguments)
            .output()
            .expect("the AWS CLI runs: pip install awscli")
    }

    /// Runs the AWS CLI, which must succeed, and reads what it printed as JSON; nothing printed is `null`.
    pub fn aws_json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.aws(arguments);
        let text = tools::succeeded(&format!("aws {arguments:?}"), &output);
        if text.trim().is_empty() {
            return serde_json::Value::Null;
        }
        serde_json::from_str(&text).expect("JSON")
    }

    /// Runs a Python script with boto3 against it, which must succeed, and gives what it printed.
    pub fn python(&self, script: &str) -> String {
        let output = self.command(&self.python).args(["-c", script]).output().expect("Python runs");
        tools::succeeded("a script with boto3", &output)
    }

    /// Sends SIGKILL. What it held is gone.
    pub fn kill(&mut self) {
        self.home.kill(SERVER);
    }

    /// What it printed so far, a line for each request among it.
    pub fn log(&self) -> String {
        self.home.log(SERVER)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment());
        command
    }
}

/// The key id that every LocalStack takes; its first twelve characters choose the account.
pub const ACCESS_KEY_ID: &str = "test";
/// The secret that every LocalStack takes.
pub const SECRET_ACCESS_KEY: &str = "test";
/// Where the resources are made.
pub const REGION: &str = "us-east-1";
/// The account that `ACCESS_KEY_ID` stands for.
pub const ACCOUNT: &str = "000000000000";

/// One of the scripts in `localstack/`.
fn recipe(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../localstack").join(name)
}

const SERVER: &str = "localstack";
const PATIENCE: Duration = Duration::from_secs(90);
