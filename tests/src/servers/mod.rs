//! Real servers, each on private ports of the loopback interface and in a temporary directory, which end with the test that
//! started them, however it ends.

mod ceph;
pub(crate) mod home;
mod localstack;
mod postgresql;
mod rabbitmq;

pub use ceph::{Ceph, Notifications};
pub use localstack::{ACCESS_KEY_ID, ACCOUNT, LocalStack, REGION, SECRET_ACCESS_KEY};
pub use postgresql::PostgreSql;
pub use rabbitmq::{RabbitMq, User};

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Where `program` of the Debian package `package` lies, or a panic that names the package.
fn program(program: &str, package: &str) -> PathBuf {
    let search = "PATH=$PATH:/usr/sbin:/usr/lib/rabbitmq/bin; \
                  for folder in /usr/lib/postgresql/*/bin; do PATH=$folder:$PATH; done; command -v \"$0\"";
    let output = Command::new("sh").args(["-c", search, program]).output().expect("a shell runs");
    assert!(output.status.success(), "{program} is missing: apt-get install {package}");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end())
}

/// What a server of this machine answers to GET: the status and the body; `None` if nobody answers.
pub fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// A port that nobody serves at this moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address").port()
}

/// A password that needs no escaping anywhere.
fn random_password() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// What keeps an AWS client from the user's own settings and from the metadata service.
const NOBODYS_AWS: [(&str, &str); 4] = [
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_PAGER", ""),
];
