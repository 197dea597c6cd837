//! RabbitMQ: one node with the users of a real installation.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Signal;

use super::home::Home;
use super::{free_port, program, random_password};
use crate::tools;

/// A running node.
pub struct RabbitMq {
    home: Home,
    ports: Ports,
    users: Vec<User>,
}

/// Who may connect.
#[derive(Clone)]
pub struct User {
    /// Which the broker validates as `user_id`.
    pub name: String,
    /// Made at random for each node.
    pub password: String,
}

struct Ports {
    amqp: u16,
    distribution: u16,
    names: u16,
    tools: u16,
}

impl RabbitMq {
    /// Starts a node with the users `countersign-signer`, `countersign-deployer`, `ci` and `s3`, and waits until it serves.
    pub fn start() -> Self {
        let home = Home::new("rabbitmq");
        let ports =
            Ports { amqp: free_port(), distribution: free_port(), names: free_port(), tools: free_port() };
        let users = ["countersign-signer", "countersign-deployer", "ci", "s3"]
            .map(|name| User { name: name.to_owned(), password: random_password() })
            .to_vec();
        let mut node = Self { home, ports, users };
        node.configure();
        node.start_names();
        node.start_again();
        node
    }

    /// `amqp://HOST:PORT`, without a user.
    pub fn address(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.ports.amqp)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// One of the users that `start` made.
    pub fn user(&self, name: &str) -> &User {
        let found = self.users.iter().find(|user| user.name == name);
        found.unwrap_or_else(|| panic!("there is no user {name}"))
    }

    /// `amqp://USER:PASSWORD@HOST:PORT/%2f`, for clients that want everything in one.
    pub fn url(&self, user: &str) -> String {
        let user = self.user(user);
        format!("amqp://{}:{}@127.0.0.1:{}/%2f", user.name, user.password, self.ports.amqp)
    }

    /// Runs `rabbitmqctl -q` with `arguments`, which must succeed, and gives what it printed.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        tools::succeeded("rabbitmqctl", &self.try_ctl(arguments))
    }

    /// Like `ctl`, for what may fail.
    pub fn try_ctl(&self, arguments: &[&str]) -> Output {
        let mut command = self.command("rabbitmqctl");
        command.arg("-q").args(arguments).output().expect("rabbitmqctl runs")
    }

    /// Sends SIGKILL to the node.
    pub fn kill(&mut self) {
        self.home.kill(NODE);
    }

    /// Stops the node in an orderly way.
    pub fn stop(&mut self) {
        self.home.stop(NODE, Signal::TERM, PATIENCE);
    }

    /// Starts the node after `kill` or `stop`, on the same ports and with what it had kept, and waits until it serves.
    pub fn start_again(&mut self) {
        let node = self.command("rabbitmq-server");
        self.home.start(NODE, node);
        // Its listeners open a moment before it calls itself started, which the tools insist on.
        self.home.wait_until(NODE, PATIENCE, |log| log.contains("Server startup complete"));
        let port = self.ports.amqp;
        self.home.wait_until(NODE, PATIENCE, |_| greets(port));
    }

    /// Stops the node in an orderly way and starts it again.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// What the node printed so far.
    pub fn log(&self) -> String {
        self.home.log(NODE)
    }

    fn configure(&self) {
        let definitions = self.home.file("definitions.json", &self.definitions());
        let settings = format!(
            "load_definitions = {}\ndisk_free_limit.absolute = 50MB\nlog.console = true\nlog.file = false\n",
            definitions.display()
        );
        self.home.file("rabbitmq.conf", &settings);
        self.home.file("enabled_plugins", "[].\n");
        // Node and tools refuse a cookie that others may read or that can be written.
        let cookie = self.home.file(".erlang.cookie", &random_password());
        std::fs::set_permissions(cookie, std::fs::Permissions::from_mode(0o400)).expect("the owner may");
    }

    /// The users of a real installation with what each may do there: `deploy/rabbitmq/definitions`.
    fn definitions(&self) -> String {
        let passwords = self.home.folder("passwords");
        for user in &self.users {
            let name = user.name.trim_start_matches("countersign-");
            self.home.file(&format!("passwords/rabbitmq-{name}"), &user.password);
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/rabbitmq/definitions");
        tools::run(&script.to_string_lossy(), [passwords])
    }

    /// The Erlang port mapper stays in our hands: started by the node it would be a daemon that outlives it.
    fn start_names(&mut self) {
        let mut mapper = Command::new(program("epmd", "rabbitmq-server"));
        mapper.args(["-address", "127.0.0.1", "-port", &self.ports.names.to_string()]);
        self.home.start(NAMES, mapper);
        let port = self.ports.names;
        self.home.wait_until(NAMES, PATIENCE, |_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    }

    /// One of RabbitMQ's programs in the environment of this node. Those in /usr/sbin would change the user.
    fn command(&self, name: &str) -> Command {
        let folder = Path::new("/usr/lib/rabbitmq/bin");
        let path = folder.join(name);
        assert!(path.is_file(), "{} is missing: apt-get install rabbitmq-server", path.display());
        let mut command = Command::new(path);
        let home = |name: &str| self.home.path(name).into_os_string();
        command
            .env("HOME", home(""))
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", self.ports.names.to_string())
            .env("RABBITMQ_NODENAME", "rabbit@localhost")
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.ports.amqp.to_string())
            .env("RABBITMQ_DIST_PORT", self.ports.distribution.to_string())
            .env("RABBITMQ_CTL_DIST_PORT_MIN", self.ports.tools.to_string())
            .env("RABBITMQ_CTL_DIST_PORT_MAX", self.ports.tools.saturating_add(20).to_string())
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_CONFIG_FILE", home("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", home("advanced.config"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", home("enabled_plugins"))
            .env("RABBITMQ_GENERATED_CONFIG_DIR", home("generated"))
            .env("RABBITMQ_MNESIA_BASE", home("mnesia"))
            .env("RABBITMQ_LOG_BASE", home("logs"))
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_PID_FILE", home("pid"))
            // The launcher then becomes the node instead of waiting beside it, so that a signal reaches the node.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", NODE_ARGUMENTS)
            .env("RABBITMQ_CTL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1");
        command
    }
}

/// Whether a broker answers the protocol's header with its first frame, a method (type 1) on channel 0.
fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut frame = [0; 3];
    stream.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && stream.write_all(b"AMQP\0\0\x09\x01").is_ok()
        && stream.read_exact(&mut frame).is_ok()
        && frame == [1, 0, 0]
}

/// One scheduler without busy waiting: the tests have few processors, and other servers share them.
const NODE_ARGUMENTS: &str = "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false \
                              +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none";

const NODE: &str = "rabbitmq-server";
const NAMES: &str = "epmd";
const PATIENCE: Duration = Duration::from_secs(90);
