//! A real PostgreSQL server of a test's own.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

use crate::{PostgresSettings, PostgresStore};

/// A server on a free port, in a directory of its own. Dropping it ends it and removes the directory; it ends with the
/// test's process too, however that ends.
pub(super) struct Server {
    directory: TempDir,
    port: u16,
    child: Child,
    databases: AtomicU32,
}

impl Server {
    /// A server that trusts everyone on the loopback interface.
    pub(super) async fn start() -> Self {
        Self::start_with("host all all 127.0.0.1/32 trust", &[], |_directory| {}).await
    }

    /// A server with these rules of access and settings; `prepare` may put files into its directory.
    pub(super) async fn start_with(access: &str, settings: &[&str], prepare: impl Fn(&Path)) -> Self {
        let directory = TempDir::new().unwrap();
        let account = Account::new();
        account.give(directory.path());
        let data = directory.path().join("data");
        let mut initdb = account.command(&binary("initdb"));
        initdb.args(["-A", "trust", "-U", "app", "-N", "--no-locale", "-E", "UTF8", "-D"]).arg(&data);
        let output = initdb.output().unwrap();
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(data.join("pg_hba.conf"), format!("{access}\n")).unwrap();
        prepare(&data);
        let settings: String = settings.iter().map(|setting| format!("{setting}\n")).collect();
        let all = format!("{FIXED_SETTINGS}{settings}");
        std::fs::write(data.join("postgresql.conf"), all).unwrap();
        for entry in std::fs::read_dir(&data).unwrap() {
            account.give(&entry.unwrap().path());
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = run(directory.path(), port);
        let mut server = Self { directory, port, child, databases: AtomicU32::new(0) };
        server.wait_until_ready().await;
        server
    }

    /// Ends it at once, as a crash would.
    pub(super) fn kill(&mut self) {
        // SIGQUIT is the server's own immediate end, which takes its other processes along.
        let pid = self.child.id().to_string();
        let _gone_already = Command::new("kill").args(["-QUIT", &pid]).status();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(super) async fn restart(&mut self) {
        self.child = run(self.directory.path(), self.port);
        self.wait_until_ready().await;
    }

    /// The settings of a new, empty database.
    pub(super) async fn database(&self) -> PostgresSettings {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.administer(&format!("CREATE DATABASE {name}")).await;
        self.settings(&name)
    }

    pub(super) fn settings(&self, database: &str) -> PostgresSettings {
        PostgresSettings {
            url: format!("postgresql://app@127.0.0.1:{}/{database}?sslmode=disable", self.port),
            password: None,
            ca_file: None,
            max_connections: 4,
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// A store on a new, empty database.
    pub(super) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.database().await).await.unwrap()
    }

    /// Runs a statement as the superuser, outside of the tests' databases.
    pub(super) async fn administer(&self, statement: &str) {
        execute(&mut self.connection("postgres").await, statement).await;
    }

    /// A connection past the store.
    pub(super) async fn connection(&self, database: &str) -> PgConnection {
        PgConnection::connect_with(&self.options(database)).await.unwrap()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.port);
        options.username("app").database(database)
    }

    async fn wait_until_ready(&mut self) {
        for _attempt in 0..600 {
            if PgConnection::connect_with(&self.options("postgres")).await.is_ok() {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
                panic!("PostgreSQL ended with {status}:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL does not answer");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a statement of the test's own.
pub(super) async fn execute(connection: &mut PgConnection, statement: &str) {
    let text = AssertSqlSafe(statement.to_owned());
    sqlx::query(text).execute(connection).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// The server's process. It is asked to end when the thread that started it does, so that no killed test leaves it behind.
fn run(directory: &Path, port: u16) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(directory.join("log")).unwrap();
    let mut server = Account::new().command(&binary("postgres"));
    server.arg("-D").arg(directory.join("data")).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

fn binary(name: &str) -> PathBuf {
    let releases = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let binaries = releases.map(|release| release.unwrap().path().join("bin").join(name));
    let newest = binaries.filter(|binary| binary.try_exists().unwrap_or(false)).max();
    newest.unwrap_or_else(|| panic!("there is no PostgreSQL server: apt-get install postgresql"))
}

/// Whom the server runs as: it refuses to be root.
struct Account {
    owner: Option<(u32, u32)>,
}

impl Account {
    fn new() -> Self {
        if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
            return Self { owner: None };
        }
        let number = |option: &str| {
            let output = Command::new("id").args([option, "postgres"]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).trim().parse().expect("apt-get install postgresql")
        };
        Self { owner: Some((number("-u"), number("-g"))) }
    }

    fn give(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]);
        if let Some((user, group)) = self.owner {
            command.args([
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".to_owned(),
            ]);
        }
        command.arg("--").arg(program).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
        command
    }
}

/// No socket file, whose path may be too long; nothing is synced, because only processes are killed here.
const FIXED_SETTINGS: &str = "unix_socket_directories = ''
fsync = off
max_connections = 120
timezone = 'UTC'
";
