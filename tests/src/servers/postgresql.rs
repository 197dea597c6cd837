//! PostgreSQL: one cluster, whose role `countersign` owns the database `countersign`.

use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::home::{Home, give};
use super::{free_port, program, random_password};
use crate::tools;

/// A running cluster. Passwords are demanded on every connection.
pub struct PostgreSql {
    home: Home,
    port: u16,
    password: String,
    superuser_password: String,
}

impl PostgreSql {
    /// Makes a cluster, starts it and waits until it serves.
    pub fn start() -> Self {
        let home = Home::new("postgresql");
        let (password, superuser_password) = (random_password(), random_password());
        let mut server = Self { home, port: free_port(), password, superuser_password };
        server.initialise();
        server.start_again();
        server.sql("postgres", &format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{}'", server.password));
        server.create_database(ROLE);
        server
    }

    /// The connection URL of the database `countersign` for the role of that name, without the password.
    pub fn url(&self) -> String {
        self.url_of(ROLE)
    }

    /// The connection URL of another database, without the password.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgresql://{ROLE}@127.0.0.1:{}/{database}", self.port)
    }

    /// The password of the role `countersign`, made at random for each cluster.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes an empty database that `countersign` owns, for a test that wants one of its own, and gives its URL.
    pub fn create_database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER {ROLE}"));
        self.url_of(name)
    }

    /// Runs one statement as the superuser and gives its rows, one a line, fields between `|`.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let output = Command::new(program("psql", "postgresql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres"])
            .args(["-p", &self.port.to_string(), "-d", database, "-c", statement])
            .env("PGPASSWORD", &self.superuser_password)
            .output()
            .expect("psql runs");
        tools::succeeded("psql", &output)
    }

    /// Sends SIGKILL to the whole cluster, as a power cut would.
    pub fn kill(&mut self) {
        self.home.kill_family(SERVER);
    }

    /// Stops the cluster and ends its connections.
    pub fn stop(&mut self) {
        self.home.stop(SERVER, Signal::INT, PATIENCE);
    }

    /// Starts the cluster after `kill` or `stop`, on the same port and with what it had kept, and waits until it serves.
    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let mut server = as_owner("postgres");
        server.arg("-D").arg(self.home.path("data")).args(["-p", &port]);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        self.home.start(SERVER, server);
        let ready = program("pg_isready", "postgresql");
        self.home.wait_until(SERVER, PATIENCE, |_| {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
                && Command::new(&ready)
                    .args(["-q", "-h", "127.0.0.1", "-p", &port])
                    .status()
                    .is_ok_and(|status| status.success())
        });
    }

    /// Stops the cluster and starts it again.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// What the server printed so far.
    pub fn log(&self) -> String {
        self.home.log(SERVER)
    }

    fn initialise(&self) {
        let data = self.home.folder("data");
        let password = self.home.file("superuser-password", &self.superuser_password);
        if rustix::process::geteuid().is_root() {
            give(&data, "postgres");
            give(&password, "postgres");
        }
        let output = as_owner("initdb")
            .args(["-U", "postgres", "-A", "scram-sha-256", "-N", "--no-locale", "-E", "UTF8", "-D"])
            .arg(&data)
            .arg(format!("--pwfile={}", password.display()))
            .current_dir("/")
            .output()
            .expect("initdb runs");
        tools::succeeded("initdb", &output);
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        // A killed server would leave its shared memory behind; SIGQUIT is as quick.
        if self.home.runs(SERVER) {
            self.home.stop(SERVER, Signal::QUIT, PATIENCE);
        }
    }
}

/// One of PostgreSQL's programs. They refuse to run as root, so root runs them as the package's own user.
fn as_owner(name: &str) -> Command {
    let path = program(name, "postgresql");
    if !rustix::process::geteuid().is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
    command
}

/// Only over TCP, because the path of a temporary folder may be too long for a socket. Processes are killed here, never
/// the system below them, so nothing needs to reach the disk.
const SETTINGS: [&str; 5] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "max_connections=200",
    "shared_buffers=32MB",
];

const ROLE: &str = "countersign";
const SERVER: &str = "postgres";
const PATIENCE: Duration = Duration::from_secs(30);
