//! Starting the endpoint on a free port, and running AWS's clients against it.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use countersign_domain::UnixMillis;
use countersign_embedded_s3::{Clock, EmbeddedS3, OneKey};
use countersign_runtime::listen;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

pub(crate) const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const REGION: &str = "us-east-1";

/// A running endpoint.
pub(crate) struct Running {
    pub(crate) s3: EmbeddedS3,
    pub(crate) url: String,
    region: &'static str,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(dir: &Path) -> Self {
        Self::start_in(dir, REGION).await
    }

    pub(crate) async fn start_in(dir: &Path, region: &'static str) -> Self {
        let s3 = open(dir, region).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn({
            let (service, shutdown) = (s3.service(), shutdown.clone());
            async move { listen::serve(service, listener, shutdown).await }
        });
        Self { s3, url, region, shutdown, serving }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap();
        self.s3.settle(listen::GRACE).await;
        self.s3.close().await;
    }
}

pub(crate) async fn open(dir: &Path, region: &str) -> EmbeddedS3 {
    EmbeddedS3::open(dir, wall_clock(), Arc::new(credentials()), region.to_owned()).await.unwrap()
}

pub(crate) fn credentials() -> OneKey {
    OneKey { access_key_id: ACCESS_KEY_ID.to_owned(), secret_access_key: SECRET_ACCESS_KEY.into() }
}

/// `aws s3 sync` compares the times of objects with those of local files.
#[expect(clippy::disallowed_methods, reason = "the test is the outside that brings the time")]
pub(crate) fn wall_clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        UnixMillis::new(i64::try_from(since.as_millis()).unwrap()).unwrap()
    })
}

/// Runs a program with the credentials of the endpoint in its environment, and nothing of the machine's.
pub(crate) fn client(program: &str, url: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env_remove("AWS_SESSION_TOKEN")
        .env_remove("AWS_PROFILE")
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_REGION", REGION)
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_PAGER", "")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("NO_PROXY", "127.0.0.1")
        .kill_on_drop(true);
    command
}

/// Runs the functions of `clients.py` whose names follow, and fails with what they print.
pub(crate) async fn python(running: &Running, functions: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients.py");
    let mut command = client("python3", &running.url);
    command.env("AWS_DEFAULT_REGION", running.region).env("AWS_REGION", running.region);
    let output = command.arg(script).args(functions).output().await.unwrap();
    require_success(&output, &format!("clients.py {functions:?}"));
}

pub(crate) fn require_success(output: &Output, what: &str) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {}\n{out}\n{err}", output.status);
}
