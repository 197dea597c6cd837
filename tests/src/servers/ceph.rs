//! Ceph: a monitor, one object storage daemon in memory, and the RADOS gateway with its S3 and its notifications.

use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use super::home::Home;
use super::{NOBODYS_AWS, free_port, get, program, random_password};
use crate::tools;

/// A running cluster of one machine.
pub struct Ceph {
    home: Home,
    monitor_ports: [u16; 2],
    port: u16,
    secret: String,
}

/// Where the gateway sends what happens in a bucket.
pub struct Notifications<'a> {
    /// The bucket that is watched.
    pub bucket: &'a str,
    /// `amqp://HOST:PORT`. The gateway connects as `guest`: over plain HTTP it takes no address with a password.
    pub broker: &'a str,
    /// A topic exchange, which must be there.
    pub exchange: &'a str,
    /// The name of the topic, which is the routing key.
    pub topic: &'a str,
}

impl Ceph {
    /// Makes a cluster, starts it, waits until it serves, and makes a user.
    pub fn start() -> Self {
        let home = Home::new("ceph");
        let monitor_ports = [free_port(), free_port()];
        let mut cluster = Self { home, monitor_ports, port: free_port(), secret: random_password() };
        cluster.configure();
        cluster.start_monitor();
        cluster.start_storage();
        cluster.start_gateway();
        let secret = format!("--secret={}", cluster.secret);
        let user = ["user", "create", "--uid=countersign", "--display-name=Countersign", &secret];
        let key_id = format!("--access-key={}", Self::ACCESS_KEY_ID);
        let mut admin = cluster.command("radosgw-admin", "radosgw");
        let output = admin.args(["-n", GATEWAY_USER]).args(user).arg(key_id).output().expect("it runs");
        tools::succeeded("radosgw-admin", &output);
        cluster
    }

    /// The key id of the one user.
    pub const ACCESS_KEY_ID: &'static str = "countersign";

    /// The secret of the one user, made at random for each cluster.
    pub fn secret_access_key(&self) -> &str {
        &self.secret
    }

    /// `http://HOST:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What a client or a service of ours needs in its environment, and nothing of the user's own.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables: Vec<_> =
            NOBODYS_AWS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        variables.extend([
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", Self::ACCESS_KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]);
        variables
    }

    /// Has the gateway publish what is created in a bucket.
    pub fn notify(&self, notifications: &Notifications<'_>) {
        let Notifications { bucket, broker, exchange, topic } = notifications;
        let output = Command::new("python3")
            .args(["-c", NOTIFY, bucket, broker, exchange, topic])
            .envs(self.environment())
            .output()
            .expect("python3 runs");
        tools::succeeded("boto3 (pip install boto3)", &output);
    }

    /// Runs the AWS CLI against it.
    pub fn aws(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new("aws");
        command
            .args(arguments)
            .envs(self.environment())
            .output()
            .expect("the AWS CLI runs: pip install awscli")
    }

    /// Sends SIGKILL to the gateway.
    pub fn kill(&mut self) {
        self.home.kill(GATEWAY);
    }

    /// Starts the gateway after `kill`, and waits until it serves.
    pub fn start_again(&mut self) {
        self.start_gateway();
    }

    fn configure(&self) {
        let [v2, v1] = self.monitor_ports;
        let home = self.home.path("");
        let home = home.to_string_lossy();
        let home = home.trim_end_matches('/');
        let settings = SETTINGS
            .replace("{home}", home)
            .replace("{monitors}", &monitors(v2, v1))
            .replace("{cluster}", CLUSTER_ID)
            .replace("{port}", &self.port.to_string());
        self.home.file("ceph.conf", &settings);
        for folder in ["mon", "osd", "rgw", "run"] {
            self.home.folder(folder);
        }
        for (name, capabilities) in KEYS {
            let mut key = self.command("ceph-authtool", "ceph-common");
            if *name == "mon." {
                key.arg("-C");
            }
            key.arg(self.home.path("keyring")).args(["--gen-key", "-n", name]);
            for (service, capability) in *capabilities {
                key.args(["--cap", service, capability]);
            }
            succeed(key);
        }
    }

    fn start_monitor(&mut self) {
        let [v2, v1] = self.monitor_ports;
        let map = self.home.path("monmap");
        let mut make = self.command("monmaptool", "ceph-common");
        make.args(["--create", "--clobber", "--fsid", CLUSTER_ID, "--addv", "a", &monitors(v2, v1)])
            .arg(&map);
        succeed(make);
        let mut files = self.command("ceph-mon", "ceph-mon");
        files
            .args(["-i", "a", "--mkfs", "--monmap"])
            .arg(map)
            .arg("--keyring")
            .arg(self.home.path("keyring"));
        succeed(files);
        let mut monitor = self.command("ceph-mon", "ceph-mon");
        monitor.args(["-f", "-i", "a"]);
        self.home.start(MONITOR, monitor);
        self.home.wait_until(MONITOR, PATIENCE, |_| TcpStream::connect((Ipv4Addr::LOCALHOST, v2)).is_ok());
    }

    fn start_storage(&mut self) {
        let mut register = self.command("ceph", "ceph-common");
        register.args(["osd", "new", STORAGE_ID]);
        succeed(register);
        let mut files = self.command("ceph-osd", "ceph-osd");
        files.args(["-i", "0", "--mkfs", "--osd-uuid", STORAGE_ID]);
        succeed(files);
        let mut place = self.command("ceph", "ceph-common");
        place.args(["osd", "crush", "add", "osd.0", "1.0", "root=default", "host=localhost"]);
        succeed(place);
        let mut storage = self.command("ceph-osd", "ceph-osd");
        storage.args(["-f", "-i", "0"]);
        self.home.start(STORAGE, storage);
    }

    fn start_gateway(&mut self) {
        let mut gateway = self.command("radosgw", "radosgw");
        gateway.args(["-f", "-n", GATEWAY_USER]);
        self.home.start(GATEWAY, gateway);
        let port = self.port;
        self.home.wait_until(GATEWAY, PATIENCE, |_| get(port, "/").is_some_and(|(status, _)| status == 200));
    }

    fn command(&self, name: &str, package: &str) -> Command {
        let mut command = Command::new(program(name, package));
        command.arg("-c").arg(self.home.path("ceph.conf"));
        command
    }
}

fn monitors(v2: u16, v1: u16) -> String {
    format!("[v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]")
}

fn succeed(mut command: Command) {
    let output = command.output().expect("it runs");
    tools::succeeded(&format!("{:?}", command.get_program()), &output);
}

/// Who there is inside the cluster, and what each may do.
const KEYS: &[(&str, &[(&str, &str)])] = &[
    ("mon.", &[("mon", "allow *")]),
    ("client.admin", &[("mon", "allow *"), ("osd", "allow *"), ("mgr", "allow *")]),
    ("osd.0", &[("mon", "allow profile osd"), ("osd", "allow *")]),
    (GATEWAY_USER, &[("mon", "allow rw"), ("osd", "allow rwx")]),
];

/// One copy of everything, in memory. The clients' authentication stays on, because without it they hang.
const SETTINGS: &str = "\
[global]
fsid = {cluster}
mon host = {monitors}
public network = 127.0.0.0/8
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = {home}/keyring
run dir = {home}/run
admin socket = {home}/run/$name.asok
pid file =
log to stderr = true
log file =
mon cluster log to stderr = true
mon cluster log file =
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class load list = *
osd class default list = *
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 2
[mon.a]
mon data = {home}/mon
[osd.0]
osd data = {home}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
[client.rgw]
rgw data = {home}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw thread pool size = 32
";

/// The gateway takes requests for topics with S3's signature alone.
const NOTIFY: &str = r#"
import sys, boto3
from botocore.client import Config
bucket, broker, exchange, topic = sys.argv[1:]
sns = boto3.client("sns", config=Config(signature_version="s3"))
attributes = {"push-endpoint": broker, "amqp-exchange": exchange, "amqp-ack-level": "broker", "persistent": "false"}
arn = sns.create_topic(Name=topic, Attributes=attributes)["TopicArn"]
watch = {"Id": topic, "TopicArn": arn, "Events": ["s3:ObjectCreated:*"]}
boto3.client("s3").put_bucket_notification_configuration(
    Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [watch]})
"#;

const CLUSTER_ID: &str = "6b1b2c1e-6f0c-4c0a-9a57-2f6b1a3c9d01";
const STORAGE_ID: &str = "0d2f2b0a-3f2e-4b8e-8a43-5c0e6f7a1b02";
const GATEWAY_USER: &str = "client.rgw";
const MONITOR: &str = "ceph-mon";
const STORAGE: &str = "ceph-osd";
const GATEWAY: &str = "radosgw";
const PATIENCE: Duration = Duration::from_secs(90);
