//! `countersign audit`, on a trail that was written before and is written to meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use countersign_domain::trail::{EventSource, TrailEventId, TrailRecord, UserIdentity};
use countersign_domain::{DeploymentId, Scope};
use countersign_ports::trail::Trail;
use countersign_store::SqliteStore;
use serde_json::Value;
use support::Workshop;

const HELLO: &str = "arn:aws:lambda:us-east-1:000000000000:function:hello";

fn record(event: &str, at: &str) -> TrailRecord {
    let deployment = DeploymentId::for_event(&"ci".parse().unwrap(), &event.parse().unwrap());
    let id = TrailEventId::for_deployment(deployment, "told");
    let maria = UserIdentity::user("maria", "000000000000", "arn:aws:iam::000000000000:user/maria");
    let scope = Scope::new("us-east-1", "000000000000").unwrap();
    let what = (EventSource::Lambda, "UpdateFunctionCode20150331v2".parse().unwrap());
    TrailRecord::new(id, maria, what, at.parse().unwrap(), &scope).about("AWS::Lambda::Function", HELLO)
}

/// A workshop whose trail has two records.
async fn recorded() -> (Workshop, SqliteStore) {
    let workshop = Workshop::new();
    workshop.expect(0, &["profile", "create", "releases"]);
    let store = SqliteStore::open(&workshop.path("data/state.sqlite")).await.unwrap();
    let denied = record("b", "2026-11-21T08:31:00Z").failing("AccessDeniedException", "a\nb\u{1b}[2J");
    store.append(&[record("a", "2026-11-21T08:30:00Z"), denied]).await.unwrap();
    (workshop, store)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_is_asked_for_is_listed() {
    let (workshop, _store) = recorded().await;
    let all = lines(&workshop.expect(0, &["audit", "--json"]).out);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["eventTime"], "2026-11-21T08:30:00Z");
    assert_eq!(all[1]["errorMessage"], "a\nb\u{1b}[2J");
    for (arguments, found) in [
        (&["--errors"][..], 1),
        (&["--error", "AccessDeniedException"], 1),
        (&["--event", "UpdateFunctionCode"], 2),
        (&["--event", "CreateFunction"], 0),
        (&["--source", "lambda", "--principal", "arn:aws:iam::000000000000:user/maria"], 2),
        (&["--source", "signer"], 0),
        (&["--resource", HELLO, "--since", "2026-11-21T08:30:30Z"], 1),
        (&["--until", "2026-11-21T08:30:30Z"], 1),
        (&["--max", "1"], 1),
    ] {
        let arguments = [&["audit", "--json"], arguments].concat();
        assert_eq!(lines(&workshop.expect(0, &arguments).out).len(), found, "{arguments:?}");
    }
    let table = workshop.expect(0, &["audit"]).out;
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains("maria") && table.contains("AccessDeniedException"), "{table}");
    let none = workshop.expect(0, &["audit", "--source", "signer"]);
    assert!(none.out.is_empty() && none.err.contains("no such record"), "{}", none.err);
    for wrong in [
        &["audit", "--since", "yesterday"][..],
        &["audit", "--event", "a b"],
        &["audit", "--max", "0"],
        &["audit", "--follow", "--until", "1h"],
        &["audit", "--json", "export", "logs"],
        &["audit", "--data-dir", "missing"],
    ] {
        workshop.expect(2, wrong);
    }
}

#[tokio::test]
async fn each_record_is_exported_once() {
    let (workshop, store) = recorded().await;
    let first = workshop.expect(0, &["audit", "export", "logs"]).out;
    assert_eq!(first.lines().count(), 1, "{first}");
    let nothing = workshop.expect(0, &["audit", "export", "logs"]);
    assert!(nothing.out.is_empty() && nothing.err.contains("nothing new"), "{}", nothing.err);
    store.append(&[record("c", "2026-11-21T08:32:00Z")]).await.unwrap();
    let second = workshop.expect(0, &["audit", "export", "logs"]).out;
    let mut exported = Vec::new();
    for name in first.lines().chain(second.lines()) {
        assert!(name.starts_with("000000000000_CloudTrail_us-east-1_2"), "{name}");
        let file = std::fs::File::open(workshop.path("logs").join(name)).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let content: Value = serde_json::from_str(&text).unwrap();
        exported.extend(content["Records"].as_array().unwrap().clone());
    }
    assert_eq!(exported, lines(&workshop.expect(0, &["audit", "--json"]).out));
    // Another installation's trail has not come as far as this folder.
    workshop.expect(0, &["profile", "create", "releases", "--data-dir", "other"]);
    let other = workshop.expect(2, &["audit", "export", "logs", "--data-dir", "other"]);
    assert!(other.err.contains("holds another trail"), "{}", other.err);
}

#[tokio::test]
async fn what_is_recorded_meanwhile_is_followed() {
    let (workshop, store) = recorded().await;
    let mut command = workshop.command(&["audit", "--follow", "--json", "--max", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut read = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    read.read_line(&mut line).unwrap();
    assert!(line.contains("2026-11-21T08:31:00Z"), "{line}");
    for (event, at) in [("c", "2026-11-21T08:32:00Z"), ("d", "2026-11-21T08:29:00Z")] {
        store.append(&[record(event, at)]).await.unwrap();
        line.clear();
        read.read_line(&mut line).unwrap();
        assert!(line.contains(at), "{line}");
    }
    drop(read);
    // It ends when nobody reads what it has to tell.
    store.append(&[record("e", "2026-11-21T08:33:00Z")]).await.unwrap();
    assert!(child.wait().unwrap().success());
}
