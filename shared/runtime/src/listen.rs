//! Serving HTTP on a listener: bounded connections, timeouts, and an orderly end.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

/// Has `service` answer what comes in on `listener` until `shutdown`; connections under way then have [`GRACE`] to end.
/// The address of the peer is in the extensions of each request, as a [`SocketAddr`].
pub async fn serve<S, B>(service: S, listener: TcpListener, shutdown: CancellationToken)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let next = async { (Arc::clone(&room).acquire_owned().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let known = KnownPeer { service: service.clone(), peer };
                let connection = serve_connection(known, stream, shutdown.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => pause_after(&error).await,
        }
    }
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!("connections still open after {GRACE:?} were cut off");
    }
}

async fn serve_connection<S, B>(service: KnownPeer<S>, stream: TcpStream, shutdown: CancellationToken)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay not set");
    }
    let service = TowerToHyperService::new(service);
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
        tracing::debug!(%error, "a connection ended");
    }
}

/// A service that is told from where each request comes.
#[derive(Clone)]
struct KnownPeer<S> {
    service: S,
    peer: SocketAddr,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for KnownPeer<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Incoming>) -> S::Future {
        request.extensions_mut().insert(self.peer);
        self.service.call(request)
    }
}

/// Out of file descriptors, accepting fails at once and again; without a pause the loop would spin.
async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "a connection was not accepted");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Connections at a time; each costs a file descriptor and buffers, and more wait to be accepted.
const MAX_CONNECTIONS: usize = 512;

/// Header fields of a request; user metadata of 2 KiB fits.
const MAX_HEADERS: usize = 128;

/// How long a client may take to send a request's head, or hold an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long connections under way may take to end at shutdown.
pub const GRACE: Duration = Duration::from_secs(10);

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
