//! Serving the endpoint on a listener: bounded connections, timeouts, and an orderly end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::endpoint::S3Endpoint;

/// Serves until `shutdown`, then lets the requests under way end, for at most [`GRACE`].
pub(crate) async fn serve(
    endpoint: S3Endpoint,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let next = async { (Arc::clone(&room).acquire_owned().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = serve_connection(endpoint.clone(), stream, shutdown.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => pause_after(&error).await,
        }
    }
    connections.close();
    endpoint.requests().close();
    let ended = async {
        connections.wait().await;
        endpoint.requests().wait().await;
    };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!("s3 requests still running after {GRACE:?} were cut off");
    }
    endpoint.requests().reopen();
    Ok(())
}

async fn serve_connection(endpoint: S3Endpoint, stream: TcpStream, shutdown: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay not set");
    }
    let service = TowerToHyperService::new(endpoint);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "s3 connection ended");
    }
}

/// Out of file descriptors, accepting fails at once and again; without a pause the loop would spin.
async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "s3 connection not accepted");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Connections at a time; each costs a file descriptor and buffers, and more wait to be accepted.
const MAX_CONNECTIONS: usize = 512;

/// Header fields of a request; user metadata of 2 KiB fits.
const MAX_HEADERS: usize = 128;

/// How long a client may take to send a request's head, or hold an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long requests under way may take to end at shutdown.
const GRACE: Duration = Duration::from_secs(10);

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
