//! Real servers, each on private ports of the loopback interface and in a temporary directory, which end with the test that
//! started them, however it ends.

mod ceph;
mod home;
mod localstack;
mod postgresql;
mod rabbitmq;

pub use ceph::{Ceph, Notifications};
pub use localstack::{ACCESS_KEY_ID, ACCOUNT, LocalStack, REGION, SECRET_ACCESS_KEY};
pub use postgresql::PostgreSql;
pub use rabbitmq::{RabbitMq, User};

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

/// Where `program` of the Debian package `package` lies, or a panic that names the package.
fn program(program: &str, package: &str) -> PathBuf {
    let search = "PATH=$PATH:/usr/sbin:/usr/lib/rabbitmq/bin; \
                  for folder in /usr/lib/postgresql/*/bin; do PATH=$folder:$PATH; done; command -v \"$0\"";
    let output = Command::new("sh").args(["-c", search, program]).output().expect("a shell runs");
    assert!(output.status.success(), "{program} is missing: apt-get install {package}");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end())
}

/// A port that nobody serves at this moment.
fn free_port() -> u16 {
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
