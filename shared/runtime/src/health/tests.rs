use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::*;

fn fine(name: &'static str) -> Check {
    Check::new(name, || async { Ok(()) })
}

fn broken(name: &'static str, reason: &'static str) -> Check {
    Check::new(name, move || async move { Err(reason.to_owned()) })
}

async fn serving(health: &Health) -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
    let task = tokio::spawn(serve(listener, health.clone(), shutdown.clone()));
    (address, shutdown, task)
}

/// What is answered to these bytes, until the connection is closed.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A refusal in the middle of a request may reset the connection behind the answer.
    let _reset = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn get(address: SocketAddr, path: &str) -> (u16, serde_json::Value) {
    let answer = exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json"), "{head}");
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn it_lives_and_is_ready_when_every_check_is() {
    let (address, ..) = serving(&Health::new(vec![fine("postgresql"), fine("s3")])).await;
    assert_eq!(get(address, "/live").await, (200, serde_json::json!({"live": true})));
    let checks = serde_json::json!([{"name": "postgresql", "ready": true}, {"name": "s3", "ready": true}]);
    assert_eq!(get(address, "/ready").await, (200, serde_json::json!({"ready": true, "checks": checks})));
    assert_eq!(probe(address).await, Ok(()));
}

#[tokio::test]
async fn one_failing_check_says_why_and_the_process_still_lives() {
    let panicking = Check::new("rabbitmq", || async { panic!("a mistake of ours") });
    let long = Check::new("sqs", || async { Err("x".repeat(1000)) });
    let health = Health::new(vec![fine("s3"), broken("postgresql", "connection refused"), panicking, long]);
    let (address, ..) = serving(&health).await;
    let (status, report) = get(address, "/ready").await;
    assert_eq!((status, &report["ready"], &report["checks"][0]["ready"]), (503, &false.into(), &true.into()));
    assert_eq!(report["checks"][1]["reason"], "connection refused");
    assert_eq!(report["checks"][2]["ready"], false);
    assert_eq!(report["checks"][3]["reason"].as_str().unwrap().len(), 300);
    assert_eq!(get(address, "/live").await.0, 200);
    let reason = probe(address).await.unwrap_err();
    assert!(reason.starts_with("not ready: postgresql: connection refused; rabbitmq: "), "{reason}");
}

#[tokio::test]
async fn a_process_that_stops_is_not_ready_and_says_so_until_its_end() {
    let health = Health::new(vec![fine("s3")]);
    let (address, shutdown, task) = serving(&health).await;
    assert_eq!(get(address, "/ready").await.0, 200);
    health.stopping();
    let stopping = serde_json::json!({"ready": false, "reason": "stopping", "checks": []});
    assert_eq!(get(address, "/ready").await, (503, stopping));
    assert_eq!(get(address, "/live").await.0, 200);
    assert_eq!(probe(address).await, Err("not ready: stopping".into()));
    shutdown.cancel();
    task.await.unwrap();
    let gone = probe(address).await.unwrap_err();
    assert!(gone.starts_with(&format!("no answer from {address}: ")), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_is_given_up_and_the_others_do_not_wait_in_a_row() {
    let hanging = |name| Check::new(name, std::future::pending);
    let health = Health::new(vec![hanging("postgresql"), hanging("rabbitmq"), fine("s3")]);
    let began = Instant::now();
    let report = health.report().await;
    assert_eq!(began.elapsed(), CHECK_TIMEOUT);
    assert_eq!(report.checks[1].reason.as_deref(), Some("no answer within 2 s"));
    assert!(!report.ready && report.checks[2].ready);
}

#[tokio::test(start_paused = true)]
async fn checks_are_asked_once_a_second_by_however_many_and_although_they_hang_up() {
    let (asked, count) = (Arc::new(AtomicUsize::new(0)), |asked: &AtomicUsize| asked.load(Ordering::Relaxed));
    let counted = Arc::clone(&asked);
    let health = Health::new(vec![Check::new("s3", move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(())
        }
    })]);
    for _ in 0..10 {
        let hung_up = timeout(Duration::from_millis(10), health.report()).await;
        assert!(hung_up.is_err());
    }
    assert_eq!(count(&asked), 1);
    let many = futures::future::join_all((0..10).map(|_| health.report())).await;
    assert!(many.iter().all(|report| report.ready));
    assert_eq!(count(&asked), 1);
    tokio::time::sleep(FRESH).await;
    health.report().await;
    assert_eq!(count(&asked), 2);
}

#[tokio::test]
async fn what_was_counted_is_told_and_taken_up_once() {
    let health = Health::new(Vec::new());
    let (address, ..) = serving(&health).await;
    assert_eq!(get(address, "/metrics").await.0, 404, "nothing is counted");
    let counted = Metrics::install().unwrap();
    assert!(Metrics::install().is_err());
    ::metrics::counter!("Turns", "side" => "left").increment(2);
    let (address, ..) = serving(&health.with_metrics(counted)).await;
    let answer = exchange(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains(r#"Turns{side="left"} 2"#), "{answer}");
}

#[tokio::test]
async fn nothing_else_is_answered() {
    let (address, ..) = serving(&Health::new(Vec::new())).await;
    for path in ["/", "/ready/", "/live/x", "/READY", "//ready"] {
        assert_eq!(get(address, path).await.0, 404, "{path}");
    }
    assert_eq!(get(address, "/ready?verbose").await.0, 200);
    for method in ["POST", "DELETE", "OPTIONS", "PUT"] {
        let request = format!("{method} /ready HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        let answer = exchange(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET"), "{answer}");
    }
    let kept = exchange(address, "GET /live HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n").await;
    assert!(kept.starts_with("HTTP/1.1 200") && kept.contains("connection: close"), "{kept}");
}

#[tokio::test]
async fn heads_are_small() {
    let (address, ..) = serving(&Health::new(Vec::new())).await;
    let with = |headers: &str| format!("GET /live HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    let many: String = (0..32).map(|index| format!("X-{index}: x\r\n")).collect();
    let large = format!("X: {}\r\n", "x".repeat(10_000));
    assert!(exchange(address, &with("X: x\r\n")).await.starts_with("HTTP/1.1 200"));
    assert!(exchange(address, &with(&many)).await.starts_with("HTTP/1.1 431"));
    assert!(exchange(address, &with(&large)).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn whoever_answers_something_else_is_not_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"ready\":false,\"checks\":[]}",
        "HTTP/1.1 503 No\r\nContent-Length: 26\r\n\r\n{\"ready\":true,\"checks\":[]}",
        "SSH-2.0-OpenSSH\r\n",
    ] {
        let (probed, ()) = tokio::join!(probe(address), async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _request = stream.read(&mut [0; 1024]).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        assert!(probed.is_err(), "{answer}");
    }
}

#[tokio::test]
async fn an_endpoint_on_all_addresses_is_asked_on_the_loopback_interface() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Health::new(Vec::new()), CancellationToken::new()));
    assert_eq!(probe(address).await, Ok(()));
}
