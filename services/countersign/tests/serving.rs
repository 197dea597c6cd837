//! `up` and `submit`: what is served, printed and told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{Workshop, listing};

/// A running `up` on a free port, with its standard error in `log`.
struct Up<'a> {
    workshop: &'a Workshop,
    child: Child,
    lines: Vec<String>,
    started_in: Duration,
}

impl<'a> Up<'a> {
    fn start(workshop: &'a Workshop) -> Self {
        let begun = Instant::now();
        let mut command = workshop.command(&["up", "--listen", "127.0.0.1:0"]);
        let log = File::create(workshop.path("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines: Vec<String> = (0..8).map_while(|_| lines.next()).map(Result::unwrap).collect();
        Self { workshop, child, lines, started_in: begun.elapsed() }
    }

    fn export(&self, name: &str) -> &str {
        let found = self
            .lines
            .iter()
            .find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {name} in {:?}; {}", self.lines, self.log()))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.workshop.path("log")).unwrap()
    }

    fn log_has(&self, text: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if self.log().contains(text) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    fn terminate(mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _already_reaped = self.child.wait();
    }
}

#[test]
fn an_empty_directory_serves_within_two_seconds_and_stops_when_told() {
    let workshop = Workshop::new();
    let up = Up::start(&workshop);
    assert!(up.started_in < Duration::from_secs(2), "{:?}", up.started_in);
    let endpoint = up.export("AWS_ENDPOINT_URL").strip_prefix("http://").unwrap();
    std::net::TcpStream::connect(endpoint).unwrap();
    assert_eq!(up.export("AWS_DEFAULT_REGION"), "us-east-1");
    assert_eq!(up.export("AWS_ACCESS_KEY_ID").len(), 20);
    assert_eq!(up.export("AWS_SECRET_ACCESS_KEY").len(), 40);
    let comments = up.lines.iter().filter(|line| line.starts_with("# "));
    assert_eq!(comments.count() + 4, up.lines.len(), "exports and comments alone: {:?}", up.lines);
    for secret in ["access-key.json", "key-passphrase"] {
        let mode =
            std::fs::metadata(workshop.path("data/secrets").join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    let secret = up.export("AWS_SECRET_ACCESS_KEY").to_owned();
    assert!(!up.log().contains(&secret), "a secret reached the log");
    assert_eq!(up.terminate(), Some(0));
    assert!(!workshop.exists("data/endpoint"));
}

#[test]
fn a_second_process_on_one_directory_is_refused() {
    let workshop = Workshop::new();
    let up = Up::start(&workshop);
    let second = workshop.expect(2, &["up", "--listen", "127.0.0.1:0"]);
    assert!(second.err.contains("another `countersign up` runs"), "{}", second.err);
    assert!(second.out.is_empty());
    assert_eq!(up.terminate(), Some(0));
}

#[test]
fn a_submitted_package_is_followed_to_its_end() {
    let workshop = Workshop::new();
    let up = Up::start(&workshop);
    workshop.package("one.zip", "print('one')\n");
    let done = workshop.expect(0, &["submit", "one.zip", "--to", "s3://unsigned/hello/", "--wait"]);
    assert_eq!(done.out.trim(), "deployed: hello version 1");
    let alias = std::fs::read_link(workshop.path("data/functions/hello/aliases/live")).unwrap();
    assert_eq!(alias.to_str(), Some("../versions/1"));
    std::fs::write(workshop.path("no.zip"), "no zip").unwrap();
    let refused = workshop.expect(1, &["submit", "no.zip", "--to", "s3://unsigned/hello/", "--wait"]);
    assert!(refused.out.contains("not_a_zip"), "{}", refused.out);
    assert!(up.log_has("NOT SIGNED"), "{}", up.log());
    let nowhere = workshop.expect(2, &["submit", "one.zip", "--to", "s3://signed/hello/", "--wait"]);
    assert!(nowhere.err.contains("no route"), "{}", nowhere.err);
    workshop.expect(0, &["submit", "one.zip", "--to", "s3://signed/elsewhere/"]);
    assert_eq!(up.terminate(), Some(0));
}

#[test]
fn a_revoked_signature_is_not_reused_and_a_revoked_profile_signs_no_more() {
    let workshop = Workshop::new();
    let up = Up::start(&workshop);
    workshop.package("one.zip", "print('one')\n");
    workshop.expect(0, &["submit", "one.zip", "--to", "s3://unsigned/hello/", "--wait"]);
    assert!(up.log_has("deployed"));
    let log = up.log();
    let job = log.split("(job ").nth(1).and_then(|rest| rest.split(')').next()).expect("a job in the log");
    workshop.expect(0, &["revoke", "--job", job, "--reason", "test", "--yes"]);
    // The revoked signature is not reused: the same package is signed anew, and that signature counts.
    let again = workshop.expect(0, &["submit", "one.zip", "--to", "s3://unsigned/hello/", "--wait"]);
    assert_eq!(again.out.trim(), "deployed: hello version 2");
    workshop.expect(0, &["revoke", "--profile", "default", "--reason", "test", "--yes"]);
    let ended = workshop.expect(1, &["submit", "one.zip", "--to", "s3://unsigned/hello/", "--wait"]);
    assert!(ended.out.contains("profile_revoked"), "{}", ended.out);
    assert_eq!(up.terminate(), Some(0));
}

#[test]
fn a_configuration_with_three_mistakes_names_all_three_before_anything_is_made() {
    let workshop = Workshop::new();
    let config = "listen = \"here\"\n[[route]]\nsource = \"s3://unsigned/\"\nprofile = \"not-a-profile\"\n\
                  destination = \"s3://unsigned/signed/\"\n";
    std::fs::write(workshop.path("bad.toml"), config).unwrap();
    let ran = workshop.expect(2, &["up", "--config", "bad.toml"]);
    for path in ["listen: ", "route[0].profile: ", "route[0].destination: "] {
        assert!(ran.err.contains(path), "{path} is missing in {}", ran.err);
    }
    assert_eq!(listing(&workshop.path(".")), ["bad.toml"]);
}

#[test]
fn what_the_configuration_names_and_is_not_there_is_told_at_the_start() {
    let workshop = Workshop::new();
    let config =
        "[[route]]\nsource = \"s3://incoming/\"\nprofile = \"missing\"\ndestination = \"s3://outgoing/\"\n";
    std::fs::create_dir(workshop.path("data")).unwrap();
    std::fs::write(workshop.path("data/countersign.toml"), config).unwrap();
    let up = Up::start(&workshop);
    for text in ["countersign profile create missing", "bucket incoming", "bucket outgoing"] {
        assert!(up.log_has(text), "{text}: {}", up.log());
    }
    assert_eq!(std::fs::read_to_string(workshop.path("data/countersign.toml")).unwrap(), config);
    assert_eq!(up.terminate(), Some(0));
}

#[test]
fn without_an_endpoint_nothing_is_submitted() {
    let workshop = Workshop::new();
    workshop.package("one.zip", "print('one')\n");
    let ran = workshop.expect(2, &["submit", "one.zip", "--to", "s3://unsigned/hello/"]);
    assert!(ran.err.contains("no `countersign up` runs"), "{}", ran.err);
}
