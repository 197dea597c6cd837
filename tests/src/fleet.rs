//! Signers and deployers as processes of their own, with RabbitMQ and PostgreSQL between them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::servers::home::Home;
use crate::servers::{PostgreSql, RabbitMq, free_port, get};
use crate::{eventually, tools};

/// A broker, a database, and the services that share them. Signers share one data directory with the keys, deployers another
/// one without; each process has its own folder for work.
pub struct Fleet {
    /// Which the services speak through.
    pub broker: RabbitMq,
    /// Where they keep their state.
    pub database: PostgreSql,
    home: Home,
    environment: Vec<(&'static str, String)>,
    members: BTreeMap<String, u16>,
    apis: BTreeMap<String, u16>,
}

impl Fleet {
    /// Starts the servers and makes an installation with the profile `default`. `config` is what the configuration says
    /// beside `[rabbitmq]` and `[postgresql]`; `environment` is what AWS's clients in the services need.
    pub fn new(config: &str, environment: Vec<(&'static str, String)>) -> Self {
        let (broker, database) = (RabbitMq::start(), PostgreSql::start());
        let home = Home::new("fleet");
        let fleet =
            Self { broker, database, home, environment, members: BTreeMap::new(), apis: BTreeMap::new() };
        fleet.configure(config);
        fleet.home.folder("signer");
        tools::succeeded("profile create", &fleet.countersign(&["profile", "create", "default"]));
        fleet.home.folder("deployer/trust");
        let root = |of: &str| fleet.home.path(of).join("trust/root.pem");
        std::fs::copy(root("signer"), root("deployer")).expect("the installation's root certificate");
        fleet
    }

    /// Writes the configuration that processes read at their start and on [`Fleet::reload`], and beside it the policy
    /// `deploy-functions.json`. The principal `operator` may all, with [`ACCESS_KEY_ID`].
    pub fn configure(&self, config: &str) {
        let (broker, database) = (self.broker.address(), self.database.url());
        self.home.file("deploy-functions.json", DEPLOY_FUNCTIONS);
        self.home.file("all-rights.json", ALL_RIGHTS);
        self.home.file("operator-secret", SECRET_ACCESS_KEY);
        let secret = self.home.path("operator-secret");
        self.home.file(
            "countersign.toml",
            &format!(
                "{config}\n[[principal]]\nname = \"operator\"\npolicies = [\"all-rights.json\"]\n\
                 access_keys = [{{ id = \"{ACCESS_KEY_ID}\", secret_file = {secret:?} }}]\n\
                 [rabbitmq]\naddresses = [{broker:?}]\nuser = \"countersign-signer\"\n\n\
                 [postgresql]\nurl = \"{database}?sslmode=disable\"\n"
            ),
        );
    }

    /// Starts `signer-NUMBER` and waits until it is ready.
    pub fn start_signer(&mut self, number: usize) -> String {
        self.start("signer", number)
    }

    /// Starts `deployer-NUMBER` and waits until it is ready.
    pub fn start_deployer(&mut self, number: usize) -> String {
        self.start("deployer", number)
    }

    /// Sends SIGKILL to a process.
    pub fn kill(&mut self, name: &str) {
        self.home.kill(name);
    }

    /// Sends SIGTERM to a process and waits for its orderly end.
    pub fn stop(&mut self, name: &str) -> ExitStatus {
        self.home.stop(name, Signal::TERM, Duration::from_secs(60))
    }

    /// Sends SIGHUP to a process.
    pub fn reload(&self, name: &str) {
        self.home.signal(name, Signal::HUP);
    }

    /// What a process answers at `path` of its health endpoint.
    pub fn health(&self, name: &str, path: &str) -> Option<(u16, Value)> {
        let (status, body) = get(self.members[name], path)?;
        Some((status, serde_json::from_str(&body).unwrap_or(Value::Null)))
    }

    /// Where a process serves its API, to whoever holds [`ACCESS_KEY_ID`] and [`SECRET_ACCESS_KEY`].
    pub fn api(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}", self.apis[name])
    }

    /// What a process printed so far.
    pub fn log(&self, name: &str) -> String {
        self.home.log(name)
    }

    /// Waits until a process has printed `text`.
    pub fn says(&self, name: &str, text: &str) {
        let said = || self.log(name).contains(text).then_some(());
        eventually(&format!("{name} says {text}"), Duration::from_secs(60), said);
    }

    /// Where what deployers deploy into a directory lies.
    pub fn functions(&self) -> PathBuf {
        self.home.path("deployer/functions")
    }

    /// Runs the command line on the installation, as whoever runs the signers would.
    pub fn countersign(&self, arguments: &[&str]) -> Output {
        let mut command = tools::countersign();
        command.args(arguments).env_clear().envs(self.variables("signer"));
        command.env("COUNTERSIGN_DATA_DIR", self.home.path("signer")).output().expect("countersign runs")
    }

    /// The dead letters, newest first.
    pub fn dead_letters(&self) -> Vec<Value> {
        let output = self.countersign(&["queue", "list", "--json"]);
        let text = tools::succeeded("queue list", &output);
        serde_json::from_str(&text).expect("a JSON array")
    }

    fn start(&mut self, service: &str, number: usize) -> String {
        let name = format!("{service}-{number}");
        let (port, api) = (free_port(), free_port());
        let upper = service.to_uppercase();
        let mut command = Command::new(tools::binary(&format!("countersign-{service}")));
        command
            .arg("--data-dir")
            .arg(self.home.path(service))
            .env_clear()
            .envs(self.variables(service))
            .env(format!("COUNTERSIGN_{upper}_WORK_DIR"), format!("work/{name}"))
            .env(format!("COUNTERSIGN_{upper}_HEALTH_LISTEN"), format!("127.0.0.1:{port}"))
            .env(format!("COUNTERSIGN_{upper}_API_LISTEN"), format!("127.0.0.1:{api}"));
        self.home.start(&name, command);
        self.members.insert(name.clone(), port);
        self.apis.insert(name.clone(), api);
        self.home.wait_until(&name, Duration::from_secs(60), |_| {
            get(port, "/ready").is_some_and(|(status, _)| status == 200)
        });
        name
    }

    fn variables(&self, service: &str) -> Vec<(&'static str, String)> {
        let user = format!("countersign-{service}");
        let password = self.broker.user(&user).password.clone();
        let config = self.home.path("countersign.toml").to_string_lossy().into_owned();
        let mut variables = self.environment.clone();
        variables.extend([
            ("COUNTERSIGN_CONFIG", config),
            ("COUNTERSIGN_RABBITMQ_USER", user),
            ("COUNTERSIGN_RABBITMQ_PASSWORD", password),
            ("COUNTERSIGN_POSTGRESQL_PASSWORD", self.database.password().to_owned()),
        ]);
        variables
    }
}

/// Who calls the APIs.
pub const ACCESS_KEY_ID: &str = "AKIAOPERATOROPERATOR";

/// Its secret.
pub const SECRET_ACCESS_KEY: &str = "the secret of the operator";

const ALL_RIGHTS: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

/// What lets principals deploy.
const DEPLOY_FUNCTIONS: &str = include_str!("../../deploy/config/deploy-functions.json");
