//! The API of a service on a port: the gateway before its handlers, and what both need.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use countersign_api::{Access, Handlers, KeyRing, Recorded};
use countersign_domain::Scope;
use countersign_gateway::model::Service;
use countersign_gateway::{Api, Gateway, Pages, Rate, Settings};
use countersign_ports::Clock as _;
use countersign_ports::trail::Trail;
use countersign_runtime::{SystemClock, listen};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Context, Tasks};

/// A gateway in `scope` before `services`.
pub fn gateway(scope: &Scope, access: &Access, services: Vec<(&'static Service, Arc<dyn Api>)>) -> Gateway {
    let settings = Settings {
        region: scope.region().to_owned(),
        account: scope.account().to_string(),
        rate: Rate::DEFAULT,
        timeout: CALL_TIMEOUT,
    };
    Gateway::new(settings, Arc::new(|| SystemClock.now()), Arc::new(access.clone()), services)
}

/// The API of one service as `api_listen` asks for it, with its port taken.
pub struct ApiServer {
    access: Access,
    gateway: Gateway,
    listener: TcpListener,
}

impl ApiServer {
    /// Takes the port `listen` and puts the handlers that `make` makes before `service` on it. Nothing is answered yet.
    ///
    /// # Errors
    /// When the port is taken, or the secret of an access key cannot be read.
    pub async fn open<H: Handlers>(
        context: &Context,
        listen: SocketAddr,
        service: &'static Service,
        trail: Arc<dyn Trail>,
        make: impl FnOnce(Access, Pages) -> H,
    ) -> anyhow::Result<Self> {
        let Context { config, data, environment } = context;
        let listener = TcpListener::bind(listen).await;
        let listener =
            listener.with_context(|| format!("cannot listen on {listen}: choose another api_listen"))?;
        let keys = KeyRing::of(&config.authority, data, environment)?;
        let pages = Pages::new(keys.page_key());
        let access = Access::new(config.authority.clone(), keys);
        let api: Arc<dyn Api> =
            Arc::new(Recorded::new(make(access.clone(), pages), trail, config.scope.clone()));
        let gateway = gateway(&config.scope, &access, vec![(service, api)]);
        Ok(Self { access, gateway, listener })
    }

    /// Who may call: to be replaced at a reload.
    pub fn access(&self) -> Access {
        self.access.clone()
    }

    /// Answers as one of `tasks`.
    pub fn spawn(self, tasks: &mut Tasks) {
        tasks.spawn(|stop| self.serve(stop));
    }

    async fn serve(self, stop: CancellationToken) {
        listen::serve(self.gateway.clone(), self.listener, stop).await;
        settle(&self.gateway).await;
    }
}

/// Waits until the calls under way have ended, also those whose clients went away, for at most [`listen::GRACE`].
pub async fn settle(gateway: &Gateway) {
    let calls = gateway.calls();
    calls.close();
    if tokio::time::timeout(listen::GRACE, calls.wait()).await.is_err() {
        tracing::warn!("calls still running after {:?} were cut off", listen::GRACE);
    }
}

/// What `access` becomes when the configuration was read again.
///
/// # Errors
/// When the secret of an access key cannot be read; then nothing changed.
pub fn replace(access: &Access, context: &Context) -> anyhow::Result<()> {
    let Context { config, data, environment } = context;
    let keys = KeyRing::of(&config.authority, data, environment)?;
    access.replace(config.authority.clone(), keys);
    Ok(())
}

/// How long a call may take before its client is told of a failure: AWS's clients wait for 60 seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(55);
