//! Private RabbitMQ nodes on the loopback interface, each in a directory of its own, ended with the test.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What nodes of one cluster share: the port mapper and the cookie.
pub(crate) struct Cluster {
    directory: TempDir,
    epmd_port: u16,
    epmd: Child,
    seeds: Vec<String>,
}

/// One node.
pub(crate) struct Node {
    name: String,
    directory: PathBuf,
    environment: Vec<(String, String)>,
    process: Option<Child>,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
}

impl Cluster {
    /// A cluster whose nodes are called `names`, none of them started yet.
    pub(crate) fn new(names: &[&str]) -> Self {
        let directory = TempDir::new().expect("a directory");
        let cookie = directory.path().join(".erlang.cookie");
        fs::write(&cookie, format!("{:?}", directory.path())).expect("a cookie");
        // Node and tools alike refuse a cookie that others may read.
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400)).expect("a private cookie");
        let epmd_port = free_port();
        let mut epmd = quiet("epmd");
        epmd.args(["-address", "127.0.0.1", "-port", &epmd_port.to_string()]).env("HOME", directory.path());
        let epmd = epmd.spawn().expect("epmd starts: install the package rabbitmq-server");
        let seeds = names.iter().map(|name| format!("{name}@localhost")).collect();
        Self { directory, epmd_port, epmd, seeds }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A node that listens but is not awaited yet; `configuration` is added to its own.
    pub(crate) fn start(&self, name: &str, configuration: &str) -> Node {
        let mut node = self.prepare(name, configuration);
        node.start();
        node
    }

    fn prepare(&self, name: &str, configuration: &str) -> Node {
        let directory = self.path().join(name);
        fs::create_dir(&directory).expect("a directory");
        let (port, tls_port) = (free_port(), free_port());
        let mut text = format!("disk_free_limit.absolute = 50MB\nlog.console = false\n{configuration}\n");
        if self.seeds.len() > 1 {
            text += "cluster_partition_handling = pause_minority\n";
            text += "cluster_formation.peer_discovery_backend = classic_config\n";
            for (index, seed) in self.seeds.iter().enumerate() {
                text += &format!("cluster_formation.classic_config.nodes.{} = {seed}\n", index + 1);
            }
        }
        text = text.replace("TLS_PORT", &tls_port.to_string());
        fs::write(directory.join("rabbitmq.conf"), text).expect("a configuration");
        fs::write(directory.join("enabled_plugins"), "[].").expect("no plugins");
        // How often the broker looks for messages that were held too long: every minute, unless told here.
        fs::write(directory.join("advanced.config"), "[{rabbit, [{channel_tick_interval, 1000}]}].")
            .expect("a file");
        let environment = self.environment(name, &directory, port);
        Node { name: name.to_owned(), directory, environment, process: None, port, tls_port }
    }

    fn environment(&self, name: &str, directory: &Path, port: u16) -> Vec<(String, String)> {
        let local =
            "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none";
        let file = |name: &str| directory.join(name).display().to_string();
        let tools_port = free_port();
        [
            ("HOME", self.path().display().to_string()),
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("ERL_EPMD_PORT", self.epmd_port.to_string()),
            ("ERL_CRASH_DUMP", file("erl_crash.dump")),
            ("RABBITMQ_NODENAME", format!("{name}@localhost")),
            ("RABBITMQ_NODE_PORT", port.to_string()),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_DIST_PORT", free_port().to_string()),
            // Left alone the tools' ports follow from the node's, and meet those of other nodes.
            ("RABBITMQ_CTL_DIST_PORT_MIN", tools_port.to_string()),
            ("RABBITMQ_CTL_DIST_PORT_MAX", tools_port.saturating_add(20).to_string()),
            ("RABBITMQ_MNESIA_BASE", file("mnesia")),
            ("RABBITMQ_LOG_BASE", file("log")),
            ("RABBITMQ_LOGS", file("rabbit.log")),
            ("RABBITMQ_PID_FILE", file("pid")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
            ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", file("advanced.config")),
            ("RABBITMQ_GENERATED_CONFIG_DIR", file("generated")),
            ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", local.to_owned()),
            ("RABBITMQ_CTL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1".to_owned()),
            // The script becomes the node instead of starting it as a child that outlives it.
            ("detached", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ended = self.epmd.kill();
        let _reaped = self.epmd.wait();
    }
}

impl Node {
    /// Starts the node again after it was stopped or killed.
    pub(crate) fn start(&mut self) {
        let _no_stale_pid = fs::remove_file(self.directory.join("pid"));
        // Whatever becomes of this test, the node does not outlive it.
        let mut server = quiet("setpriv");
        server.args(["--pdeathsig", "KILL", "/usr/lib/rabbitmq/bin/rabbitmq-server"]);
        server.env_clear().envs(self.environment.iter().cloned()).current_dir(&self.directory);
        self.process = Some(server.spawn().expect("the node starts: install the package rabbitmq-server"));
    }

    /// Waits until the node serves.
    pub(crate) fn ready(&self) {
        let pid = self.directory.join("pid").display().to_string();
        let begun = Instant::now();
        while !Path::new(&pid).try_exists().expect("the directory is there") {
            assert!(begun.elapsed() < START, "{} wrote no pid: {}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        self.ctl(&["wait", &pid, "--timeout", "120"]);
    }

    /// Runs `rabbitmqctl` on the node.
    pub(crate) fn ctl(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.try_ctl(arguments);
        let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "rabbitmqctl {arguments:?}: {out}{err}\n{}", self.log());
        out.into_owned()
    }

    pub(crate) fn try_ctl(&self, arguments: &[&str]) -> Output {
        let mut ctl = Command::new("/usr/lib/rabbitmq/bin/rabbitmqctl");
        ctl.arg("-q").args(arguments).current_dir(&self.directory).stdin(Stdio::null());
        ctl.env_clear().envs(self.environment.iter().cloned());
        ctl.output().expect("rabbitmqctl runs")
    }

    /// Makes a user with permissions to configure, write and read in `/`.
    pub(crate) fn add_user(&self, name: &str, permissions: [&str; 3]) {
        let [configure, write, read] = permissions;
        self.ctl(&["add_user", name, PASSWORD]);
        self.ctl(&["set_permissions", name, configure, write, read]);
    }

    pub(crate) fn address(&self) -> String {
        format!("amqp://localhost:{}", self.port)
    }

    pub(crate) fn stop(&mut self) {
        // Given the pid it would wait for a process that is gone only when this one has waited for it.
        self.ctl(&["stop"]);
        self.reap();
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill().expect("the node can be killed");
        }
        self.reap();
    }

    fn reap(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.wait().expect("the node can be waited for");
        }
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.directory.join("rabbit.log")).unwrap_or_default();
        log.lines().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ended = process.kill();
            let _reaped = process.wait();
        }
    }
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its number").port()
}

/// The password of every user that the tests make.
pub(crate) const PASSWORD: &str = "correct horse";

/// Longer than a node needs to begin, on a busy machine.
const START: Duration = Duration::from_secs(120);

/// A certificate for `localhost` and the authority that issued it, in PEM.
pub(crate) struct Certificates {
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Makes an authority called `name` and a certificate of it.
pub(crate) fn certificates(directory: &Path, name: &str) -> Certificates {
    let file = |what: &str| directory.join(format!("{name}-{what}.pem"));
    let (ca, ca_key, certificate, key) = (file("ca"), file("ca-key"), file("leaf"), file("leaf-key"));
    let make = |subject: &str, certificate: &Path, key: &Path, more: &[&str]| {
        let mut openssl = quiet("openssl");
        openssl.args([
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-days",
            "2",
        ]);
        openssl.args(["-subj", subject, "-out"]).arg(certificate).arg("-keyout").arg(key).args(more);
        assert!(openssl.status().expect("openssl runs").success(), "{subject}");
    };
    make(&format!("/CN={name}"), &ca, &ca_key, &[]);
    let issuer = [ca.display().to_string(), ca_key.display().to_string()];
    let more = [
        "-CA",
        &issuer[0],
        "-CAkey",
        &issuer[1],
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    make("/CN=localhost", &certificate, &key, &more);
    Certificates { ca, certificate, key }
}
