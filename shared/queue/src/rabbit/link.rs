//! The one connection, made anew when it was lost.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_ports::queue::QueueError;
use lapin::tcp::AMQPUriTcpExt;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::RabbitSettings;
use super::address::{Addresses, place};
use super::topology::Topology;

/// The way to the broker.
pub(super) struct Link {
    pub(super) user: String,
    addresses: Addresses,
    topology: Topology,
    state: Mutex<State>,
    closed: AtomicBool,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    /// The address that comes first at the next attempt.
    next: usize,
    failures: u32,
    trouble: Option<Trouble>,
}

/// Why there is no connection, and until when nobody tries again.
struct Trouble {
    why: String,
    until: Instant,
}

impl Link {
    /// # Errors
    /// [`QueueError::Refused`] for settings that nobody can connect with.
    pub(super) fn new(settings: RabbitSettings, topology: Topology) -> Result<Self, QueueError> {
        topology.check()?;
        let addresses = Addresses::new(&settings)?;
        let (state, closed) = (Mutex::default(), AtomicBool::new(false));
        Ok(Self { user: settings.user, addresses, topology, state, closed })
    }

    /// The connection. Where it is lost every address is tried once; until the pause after a failure is over the answer
    /// is that failure.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, QueueError> {
        let mut state = self.state.lock().await;
        if self.closed.load(Ordering::Relaxed) {
            return Err(QueueError::Unavailable("the connection was closed".to_owned()));
        }
        if let Some(connection) =
            state.connection.as_ref().filter(|connection| connection.status().connected())
        {
            return Ok(Arc::clone(connection));
        }
        state.connection = None;
        if let Some(trouble) = state.trouble.as_ref().filter(|trouble| Instant::now() < trouble.until) {
            return Err(QueueError::Unavailable(trouble.why.clone()));
        }
        match self.try_each(&mut state).await {
            Ok(connection) => {
                *state =
                    State { connection: Some(Arc::clone(&connection)), next: state.next, ..State::default() };
                Ok(connection)
            }
            Err(why) => {
                let until = Instant::now() + pause(state.failures);
                state.failures = state.failures.saturating_add(1);
                state.trouble = Some(Trouble { why: why.clone(), until });
                Err(QueueError::Unavailable(why))
            }
        }
    }

    /// A new channel.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        Ok(open(self.connection().await?.as_ref()).await?)
    }

    /// Declares the topology once more; what is there stays as it is.
    pub(super) async fn declare(&self) -> Result<(), QueueError> {
        self.topology.declare(self.connection().await?.as_ref()).await
    }

    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let connection = self.state.lock().await.connection.take();
        if let Some(connection) = connection {
            // It may be lost already, which is as good.
            let _closed = within(connection.close(REPLY_SUCCESS, "the service stops".into())).await;
        }
    }

    /// Connects to the first address that answers, and declares the topology there.
    async fn try_each(&self, state: &mut State) -> Result<Arc<Connection>, String> {
        let count = self.addresses.uris.len();
        let mut failures = Vec::new();
        for index in (0..count).map(|offset| (state.next + offset) % count) {
            let uri = &self.addresses.uris[index];
            match self.connect(uri).await {
                Ok(connection) => {
                    tracing::info!(broker = place(uri), "connected");
                    state.next = index;
                    return Ok(Arc::new(connection));
                }
                Err(error) => failures.push(format!("{}: {error}", place(uri))),
            }
        }
        state.next = (state.next + 1) % count;
        Err(failures.join("; "))
    }

    async fn connect(&self, uri: &AMQPUri) -> Result<Connection, String> {
        let properties = ConnectionProperties::default().with_connection_name(self.user.as_str().into());
        let runtime = lapin::runtime::default_runtime().map_err(|error| error.to_string())?;
        let tls = self.addresses.tls.clone();
        // The library adds certificates of ours to the system's; here they stand instead of them.
        let dial = async move |mut uri: AMQPUri, runtime| {
            let tls = tls.as_ref().filter(|_| uri.scheme == AMQPScheme::AMQPS);
            uri.scheme = AMQPScheme::AMQP;
            let stream = uri.connect_async(&runtime).await?;
            match tls {
                Some(connector) => Ok(stream.into_rustls(connector, &uri.authority.host).await?),
                None => Ok(stream),
            }
        };
        let connecting = Connection::connector(uri.clone(), runtime, dial, properties);
        let connected = tokio::time::timeout(TIMEOUT, connecting).await;
        let connection = connected
            .map_err(|_| format!("no answer within {TIMEOUT:?}"))?
            .map_err(|error| told(&Failure::from(error), &self.user))?;
        self.topology.declare(&connection).await.map_err(|error| match error {
            QueueError::Unavailable(why) => why,
            other @ (QueueError::ReceiptLost | QueueError::Refused(_)) => other.to_string(),
        })?;
        Ok(connection)
    }
}

/// A new channel of `connection`.
pub(super) async fn open(connection: &Connection) -> Result<Channel, Failure> {
    within(connection.create_channel()).await
}

/// What the broker answers, if it does in time.
pub(super) async fn within<T>(operation: impl Future<Output = lapin::Result<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(TIMEOUT, operation).await {
        Ok(answer) => answer.map_err(Failure::from),
        Err(_) => Err(Failure { code: None, why: format!("the broker did not answer within {TIMEOUT:?}") }),
    }
}

/// What the broker did not do.
#[derive(Debug)]
pub(super) struct Failure {
    /// Its reply code, if it answered.
    pub(super) code: Option<u16>,
    why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<lapin::Error> for Failure {
    fn from(error: lapin::Error) -> Self {
        let code =
            if let ErrorKind::ProtocolError(answer) = error.kind() { Some(answer.get_id()) } else { None };
        Self { code, why: error.to_string() }
    }
}

impl From<Failure> for QueueError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(failure.why)
    }
}

fn told(failure: &Failure, user: &str) -> String {
    match failure.code {
        Some(ACCESS_REFUSED) => {
            format!("the broker does not let {user:?} in: check user, password and virtual host")
        }
        Some(NOT_ALLOWED) => {
            format!("{user:?} has no permission for this virtual host, or it does not exist")
        }
        _ => failure.to_string(),
    }
}

/// How long to wait after a failure: 100 ms at first, then twice the last, at most 10 s.
fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE)
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long one answer of the broker may take.
const TIMEOUT: Duration = Duration::from_secs(15);

// Replies of AMQP 0-9-1, section 1.2.
const REPLY_SUCCESS: u16 = 200;
const ACCESS_REFUSED: u16 = 403;
const NOT_ALLOWED: u16 = 530;
