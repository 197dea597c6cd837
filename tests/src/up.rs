//! A running `countersign up`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::tools;

/// One `countersign up` process on a port that the system picked.
pub struct Up {
    child: Child,
    data_dir: PathBuf,
    exports: Vec<(String, String)>,
    started_in: Duration,
}

impl Up {
    /// Starts it and waits until it has printed where it serves.
    pub fn start(data_dir: &Path) -> Self {
        Self::start_on(data_dir, "127.0.0.1:0")
    }

    /// Starts it on `listen`.
    pub fn start_on(data_dir: &Path, listen: &str) -> Self {
        Self::start_as(data_dir, &["--listen", listen])
    }

    /// Starts it with the configuration in the file `config`.
    pub fn start_with(data_dir: &Path, config: &Path) -> Self {
        Self::start_as(data_dir, &["--listen", "127.0.0.1:0", "--config", &config.to_string_lossy()])
    }

    fn start_as(data_dir: &Path, arguments: &[&str]) -> Self {
        let begun = Instant::now();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(data_dir.with_extension("log"));
        let mut child = tools::countersign()
            .arg("up")
            .args(arguments)
            .arg("--data-dir")
            .arg(data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.expect("a log file beside the data directory"))
            .spawn()
            .expect("countersign starts");
        let exports = read_exports(&mut child);
        Self { child, data_dir: data_dir.to_owned(), exports, started_in: begun.elapsed() }
    }

    /// From the start of the process to the printed endpoint.
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// Where it keeps everything.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// One of the variables that it told to export.
    pub fn export(&self, name: &str) -> &str {
        let found = self.exports.iter().find(|(key, _)| key == name);
        found.map_or_else(|| panic!("up exports no {name}: {:?}", self.log()), |(_, value)| value)
    }

    /// What it wrote to standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data_dir.with_extension("log")).unwrap_or_default()
    }

    /// Runs the AWS CLI against it.
    pub fn aws(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("aws");
        command.args(arguments).envs(self.exports.iter().cloned());
        for (key, value) in [
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_PAGER", ""),
        ] {
            command.env(key, value);
        }
        command.output().expect("the AWS CLI runs")
    }

    /// Drops `package` as `key` into the bucket `unsigned`.
    pub fn drop_package(&self, package: &Path, key: &str) {
        let output =
            self.aws(&["s3", "cp", "--quiet", &package.to_string_lossy(), &format!("s3://unsigned/{key}")]);
        tools::succeeded("aws s3 cp", &output);
    }

    /// What stands in `bucket`: key and version id, oldest key first.
    pub fn versions(&self, bucket: &str) -> Vec<(String, String)> {
        let output = self.aws(&["s3api", "list-object-versions", "--bucket", bucket]);
        let text = tools::succeeded("list-object-versions", &output);
        let listing: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let versions = listing["Versions"].as_array().cloned().unwrap_or_default();
        let text =
            |version: &serde_json::Value, name: &str| version[name].as_str().unwrap_or_default().to_owned();
        versions.iter().map(|version| (text(version, "Key"), text(version, "VersionId"))).collect()
    }

    /// The versions that stand of `function`.
    pub fn published(&self, function: &str) -> Vec<String> {
        let folder = self.data_dir.join("functions").join(function).join("versions");
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Waits until standard error says `text`.
    pub fn says(&self, text: &str) {
        crate::eventually(text, Duration::from_secs(20), || self.log().contains(text).then_some(()));
    }

    /// Where the alias `live` of `function` leads, or `None` while it leads nowhere.
    pub fn live(&self, function: &str) -> Option<PathBuf> {
        let alias = self.data_dir.join("functions").join(function).join("aliases/live");
        alias.canonicalize().ok()
    }

    /// Sends SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running process");
        self.child.wait().expect("an ended process");
    }

    /// Sends SIGTERM and waits for an orderly end.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        tools::run("kill", ["-TERM", &self.child.id().to_string()]);
        self.child.wait().expect("an ended process")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- countersign up said:\n{}", self.log());
        }
    }
}

/// Reads standard output up to the last variable; the rest is read and dropped, so that the process never blocks.
fn read_exports(child: &mut Child) -> Vec<(String, String)> {
    let mut lines = BufReader::new(child.stdout.take().expect("a piped output")).lines();
    let mut exports = Vec::new();
    while exports.len() < EXPORTS {
        let Some(Ok(line)) = lines.next() else { break };
        if let Some((key, value)) = line.strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
            exports.push((key.to_owned(), value.trim_matches(['\'', '"']).to_owned()));
        }
    }
    std::thread::spawn(move || lines.for_each(drop));
    exports
}

/// Endpoint, key id, secret, region.
const EXPORTS: usize = 4;
