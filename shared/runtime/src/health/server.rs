//! The answers over HTTP. Whoever asks gets little room and time: small heads, no bodies, one request a connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Health;
use super::metrics::MEDIA_TYPE;

/// Answers on `listener` until `shutdown`, which belongs behind the end of the work: until then a process that stops
/// says so.
pub async fn serve(listener: TcpListener, health: Health, shutdown: CancellationToken) {
    let (connections, room) = (TaskTracker::new(), Arc::new(Semaphore::new(MAX_CONNECTIONS)));
    loop {
        let next = async { (Arc::clone(&room).acquire_owned().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (health, shutdown) = (health.clone(), shutdown.clone());
                connections.spawn(async move {
                    shutdown.run_until_cancelled(answer_one(stream, health)).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, accepting fails at once and again; without a pause the loop would spin.
                tracing::warn!(%error, "a connection to the health endpoint was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

async fn answer_one(stream: TcpStream, health: Health) {
    let service = service_fn(move |request| {
        let health = health.clone();
        async move { Ok::<_, Infallible>(answer(&request, &health).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_TIMEOUT, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the health endpoint ended"),
        Err(_elapsed) => tracing::debug!("a connection to the health endpoint took too long"),
    }
}

async fn answer(request: &Request<Incoming>, health: &Health) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let counted = health.metrics.as_ref().filter(|_| path == METRICS);
    if !matches!(path, LIVE | READY) && counted.is_none() {
        return json(
            StatusCode::NOT_FOUND,
            &json!({"error": "not_found: there are GET /live, GET /ready and GET /metrics"}),
        );
    }
    if request.method() != Method::GET {
        let error = json!({"error": "method_not_allowed: use GET"});
        let mut refusal = json(StatusCode::METHOD_NOT_ALLOWED, &error);
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return refusal;
    }
    if let Some(counted) = counted {
        return reply(StatusCode::OK, MEDIA_TYPE, counted.text().into_bytes());
    }
    if path == LIVE {
        return json(StatusCode::OK, &json!({"live": true}));
    }
    let report = health.report().await;
    json(if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &report)
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    // What is written here has texts for keys, so that it can always be written.
    reply(status, "application/json", serde_json::to_vec(value).unwrap_or_default())
}

fn reply(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const LIVE: &str = "/live";
const METRICS: &str = "/metrics";
pub(super) const READY: &str = "/ready";

/// Connections at a time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 64;
const MAX_HEADERS: usize = 32;
/// The least that hyper takes.
const MAX_HEAD_BYTES: usize = 8192;
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// From the connection to its end. The checks take 2 s at most, and one may wait for the round of another first.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
