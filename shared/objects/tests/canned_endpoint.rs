//! The client against an endpoint that answers whatever a test wants: lies about lengths and versions, transfers that
//! break off, and what exactly the client sends.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use countersign_domain::{ObjectLocation, ObjectVersion, Sha256Digest};
use countersign_objects::{S3Objects, S3Settings, StaticKeys};
use countersign_ports::objects::{Fetched, ObjectError, ObjectFacts, ObjectStore};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

struct Canned {
    store: S3Objects,
    requests: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

impl Canned {
    /// An endpoint that gives `answer` to every request, then closes the connection.
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::answering_by(move |_| answer.clone()).await
    }

    /// An endpoint where nothing is found, and that gives `answer` to an upload.
    async fn taking(answer: String) -> Self {
        Self::answering_by(move |method| match method {
            // Of an empty bucket: the bucket is there, the object is not.
            "HEAD /signed" => ok("content-length: 0", "").into(),
            "HEAD /signed/a%20b.zip" => NOT_FOUND.into(),
            _ => answer.clone().into(),
        })
        .await
    }

    /// An endpoint that answers by the method and the path.
    async fn answering_by(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn({
            let requests = Arc::clone(&requests);
            async move {
                while let Ok((connection, _)) = listener.accept().await {
                    let request = exchange(connection, &answer).await;
                    requests.lock().unwrap().push(request);
                }
            }
        });
        let store = S3Objects::new(&settings(endpoint)).await;
        Self { store, requests, folder: tempfile::tempdir().unwrap() }
    }

    async fn fetch(&self, limit_bytes: u64) -> Result<Fetched, ObjectError> {
        self.store.fetch(&object(), limit_bytes, &self.into()).await
    }

    fn into(&self) -> PathBuf {
        self.folder.path().join("into")
    }

    fn written(&self) -> usize {
        std::fs::read(self.into()).map_or(0, |bytes| bytes.len())
    }

    fn file(&self, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join("from");
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        path
    }
}

/// Reads one request with its whole body, answers it, and gives it back as text.
async fn exchange(mut connection: TcpStream, answer: impl Fn(&str) -> Vec<u8>) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= header(head, "content-length").map_or(0, |length| length.parse().unwrap())
        {
            break;
        }
        if connection.read_buf(&mut request).await.unwrap_or(0) == 0 {
            break;
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let target = request.split(['?', '\r']).next().unwrap_or_default();
    let target = target.trim_end_matches(" HTTP/1.1").trim_end_matches('/');
    let _closed_early = connection.write_all(&answer(target)).await;
    let _closed_early = connection.shutdown().await;
    request
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn settings(endpoint: String) -> S3Settings {
    let secret_access_key = SecretString::from("secret".to_owned());
    S3Settings {
        endpoint: Some(endpoint),
        region: "us-east-1".to_owned(),
        credentials: Some(StaticKeys { access_key_id: "AKIDEXAMPLE".to_owned(), secret_access_key }),
        path_style: true,
    }
}

fn location() -> ObjectLocation {
    ObjectLocation { bucket: "signed".parse().unwrap(), key: "a b.zip".parse().unwrap() }
}

fn object() -> ObjectVersion {
    location().at("v1".parse().unwrap())
}

fn ok(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}\r\n\r\n{body}")
}

#[tokio::test]
async fn an_honest_answer_is_fetched() {
    let canned = Canned::answering(ok("x-amz-version-id: v1\r\ncontent-length: 5", "bytes")).await;
    let fetched = canned.fetch(5).await.unwrap();
    assert_eq!(fetched, Fetched { size_bytes: 5, sha256: Sha256Digest::of(b"bytes") });
    let requests = canned.requests.lock().unwrap();
    assert!(requests[0].starts_with("GET /signed/a%20b.zip?"), "{}", requests[0]);
    assert!(requests[0].contains("versionId=v1"));
}

#[tokio::test]
async fn another_version_is_not_what_was_asked_for() {
    for version in ["x-amz-version-id: v2\r\n", "x-amz-version-id: null\r\n", ""] {
        let canned = Canned::answering(ok(&format!("{version}content-length: 5"), "bytes")).await;
        let error = canned.fetch(5).await.unwrap_err();
        assert!(matches!(error, ObjectError::Damaged { .. }), "{error}");
        assert_eq!(canned.written(), 0);
    }
}

#[tokio::test]
async fn an_announced_excess_is_refused_before_a_byte_is_written() {
    let canned = Canned::answering(ok("x-amz-version-id: v1\r\ncontent-length: 6", "bytes!")).await;
    let error = canned.fetch(5).await.unwrap_err();
    assert!(matches!(error, ObjectError::TooLarge { size_bytes: 6, limit_bytes: 5, .. }), "{error}");
    assert_eq!(canned.written(), 0);
}

#[tokio::test]
async fn without_a_length_a_cut_transfer_would_look_whole() {
    let chunked = "x-amz-version-id: v1\r\ntransfer-encoding: chunked";
    for answer in [ok("x-amz-version-id: v1", "bytes"), ok(chunked, "5\r\nbytes\r\n0\r\n\r\n")] {
        let error = Canned::answering(answer).await.fetch(100).await.unwrap_err();
        assert!(matches!(error, ObjectError::Damaged { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_transfer_that_breaks_off_is_no_success() {
    let canned = Canned::answering(ok("x-amz-version-id: v1\r\ncontent-length: 500", "bytes")).await;
    let error = canned.fetch(500).await.unwrap_err();
    assert!(matches!(error, ObjectError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn what_is_no_answer_of_s3_is_no_answer() {
    for answer in ["", "HTTP/1.1 200 OK", "SSH-2.0-OpenSSH_9.2\r\n"] {
        let error = Canned::answering(answer).await.fetch(5).await.unwrap_err();
        assert!(matches!(error, ObjectError::Unavailable(_)), "{error}");
    }
    let html = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 13\r\n\r\n<html></html>";
    let canned = Canned::answering(html).await;
    let error = canned.store.keeps_versions(&location().bucket).await.unwrap_err();
    assert!(matches!(error, ObjectError::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_new_object_is_sent_on_its_condition_and_with_its_digest() {
    let canned = Canned::taking(ok("x-amz-version-id: v7\r\ncontent-length: 0", "")).await;
    let sha256 = Sha256Digest::of(b"signed bytes");
    let version = canned.store.put_new(&location(), &canned.file(b"signed bytes"), &sha256).await.unwrap();
    assert_eq!(version.version.as_str(), "v7");
    let requests = canned.requests.lock().unwrap();
    let [look, _bucket, request] = &requests[..] else { panic!("{requests:?}") };
    assert!(look.starts_with("HEAD /signed/a%20b.zip"), "{look}");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("PUT /signed/a%20b.zip"), "{head}");
    assert_eq!(header(head, "if-none-match"), Some("*"));
    assert_eq!(header(head, "content-length"), Some("12"));
    assert_eq!(header(head, "x-amz-checksum-sha256"), Some("1ureNGtC9wfBaEqj08ApqwgJFkuLh4/Mz1b+HYOz3B0="));
    assert_eq!(header(head, "content-encoding"), None, "no aws-chunked, no trailer");
    assert_eq!(header(head, "transfer-encoding"), None);
    let signed = header(head, "authorization").unwrap();
    assert!(signed.contains("if-none-match") && signed.contains("x-amz-checksum-sha256"), "{signed}");
    assert_eq!(body, "signed bytes");
}

#[tokio::test]
async fn where_an_object_stands_nothing_is_sent() {
    for version in ["x-amz-version-id: v1\r\n", ""] {
        let canned = Canned::answering(ok(&format!("{version}content-length: 5"), "")).await;
        let put = canned.store.put_new(&location(), &canned.file(b"new"), &Sha256Digest::of(b"new")).await;
        assert_eq!(put, Err(ObjectError::AlreadyExists(location())));
        let requests = canned.requests.lock().unwrap();
        assert!(requests.iter().all(|request| request.starts_with("HEAD ")), "{requests:?}");
    }
}

#[tokio::test]
async fn what_is_told_of_a_version_is_of_that_version() {
    let canned = Canned::answering(ok("x-amz-version-id: v1\r\ncontent-length: 5", "")).await;
    assert_eq!(
        canned.store.facts(&object()).await,
        Ok(Some(ObjectFacts { object: object(), size_bytes: 5 }))
    );
    assert!(canned.requests.lock().unwrap()[0].starts_with("HEAD /signed/a%20b.zip?versionId=v1 "));
    for headers in ["x-amz-version-id: v2\r\ncontent-length: 5", "content-length: 5", "x-amz-version-id: v1"]
    {
        let error = Canned::answering(ok(headers, "")).await.store.facts(&object()).await.unwrap_err();
        assert!(matches!(error, ObjectError::Damaged { .. }), "{headers}: {error}");
    }
}

#[tokio::test]
async fn a_delete_marker_is_no_version_and_a_missing_bucket_is_told() {
    let marked = |found: &'static str| {
        Canned::answering_by(move |target| match target {
            "HEAD /signed" => found.into(),
            _ => b"HTTP/1.1 405 Method Not Allowed\r\nconnection: close\r\nx-amz-delete-marker: true\r\n\r\n"
                .into(),
        })
    };
    let there = marked("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(there.store.facts(&object()).await, Ok(None));
    let gone = marked(NOT_FOUND).await;
    assert_eq!(gone.store.facts(&object()).await, Err(ObjectError::NoSuchBucket(location().bucket)));
}

/// AWS answers HEAD with a bare 400 for a version id that it never mints, and so it does for much else.
#[tokio::test]
async fn a_bare_refusal_of_a_version_is_asked_for_its_reason() {
    let explained = |code: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>told</Message></Error>");
        let length = body.len();
        let refusal = format!(
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        Canned::answering_by(move |target| match target {
            "HEAD /signed" => ok("content-length: 0", "").into(),
            "HEAD /signed/a%20b.zip" => b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n".into(),
            _ => refusal.clone().into(),
        })
    };
    assert_eq!(explained("InvalidArgument").await.store.facts(&object()).await, Ok(None));
    let error = explained("AuthorizationHeaderMalformed").await.store.facts(&object()).await.unwrap_err();
    assert!(matches!(&error, ObjectError::Refused(why) if why.contains("Malformed")), "{error}");
}

#[tokio::test]
async fn a_ping_asks_once_for_each_bucket() {
    let buckets = ["one", "two"].map(|name| name.parse().unwrap());
    let there = Canned::answering(ok("content-length: 0", "")).await;
    assert_eq!(there.store.ping(&buckets).await, Ok(()));
    assert_eq!(there.requests.lock().unwrap().len(), 2);
    let busy = Canned::answering("HTTP/1.1 503 Slow Down\r\nconnection: close\r\n\r\n").await;
    let error = busy.store.ping(&buckets).await.unwrap_err();
    assert!(matches!(error, ObjectError::Unavailable(_)), "{error}");
    assert_eq!(busy.requests.lock().unwrap().len(), 1, "whoever asks will ask again");
    let denied = Canned::answering("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n").await;
    assert!(matches!(denied.store.ping(&buckets).await, Err(ObjectError::Denied(_))));
}

#[tokio::test]
async fn an_answer_without_a_version_says_unversioned() {
    for headers in ["content-length: 0", "content-length: 0\r\nx-amz-version-id: null"] {
        let canned = Canned::taking(ok(headers, "")).await;
        let put = canned.store.put_new(&location(), &canned.file(b""), &Sha256Digest::of(b"")).await;
        assert_eq!(put, Err(ObjectError::Unversioned(location().bucket)));
    }
}

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n";
