//! The flow of a request: authenticate, route, limit, bind, validate, then the service, then the reply.
//!
//! What needs no body comes before the body is read: that the request claims a known key, here and now. What needs to
//! know the caller, above all whether there is such an operation, is told after the signature was verified.

mod api;
mod body;

pub use api::{Api, Call, Clock, Refusal};

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use countersign_domain::UnixMillis;
use http::request::Parts;
use http::{Request, Response};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::bind::bind;
use crate::error::{ACCESS_DENIED, ApiError, UNKNOWN_OPERATION, internal, too_many_requests};
use crate::limits::{Limiter, Rate, check_headers};
use crate::model::{Operation, Service};
use crate::reply::{Reply, ResponseBody, failure, success};
use crate::route::{Route, route};
use crate::sigv4::{Caller, Candidate, Claims, Credentials, Endpoint};
use crate::validate::{Input, validate};

/// Where the gateway stands, and what it allows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region that credentials must be scoped to, such as `us-east-1`.
    pub region: String,
    /// The account of the installation: 12 digits.
    pub account: String,
    /// How often a caller may call each operation.
    pub rate: Rate,
    /// How long a service may take; a call that takes longer goes on, but the client is told of a failure. AWS's
    /// clients wait for 60 seconds.
    pub timeout: Duration,
}

/// Answers requests to the services that it was given. Clones share everything.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    clock: Clock,
    credentials: Arc<dyn Credentials>,
    services: Vec<(&'static Service, Arc<dyn Api>)>,
    names: Vec<&'static str>,
    limiter: Limiter,
    large_bodies: Semaphore,
    calls: TaskTracker,
}

impl Gateway {
    /// A gateway before `services`, each with who implements it.
    pub fn new(
        settings: Settings,
        clock: Clock,
        credentials: Arc<dyn Credentials>,
        services: Vec<(&'static Service, Arc<dyn Api>)>,
    ) -> Self {
        let names = services.iter().map(|(service, _)| service.name).collect();
        let limiter = Limiter::new(settings.rate);
        let large_bodies = Semaphore::new(body::MAX_LARGE_BODIES);
        let calls = TaskTracker::new();
        let shared = Shared { settings, clock, credentials, services, names, limiter, large_bodies, calls };
        Self { shared: Arc::new(shared) }
    }

    /// The calls that are being carried out, also those whose client went away: wait for them before the process ends.
    pub fn calls(&self) -> &TaskTracker {
        &self.shared.calls
    }

    /// Answers `request`. A [`std::net::SocketAddr`] in its extensions says where it came from.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        let request_id = Uuid::new_v4();
        match self.shared.answer(request, request_id).await {
            Ok((operation, reply)) => success(operation, reply, request_id),
            Err(error) => failure(&error, request_id),
        }
    }
}

/// A request whose caller is known, for an operation that there is.
struct Authenticated<'g> {
    service: &'static Service,
    api: &'g Arc<dyn Api>,
    caller: Caller,
    now: UnixMillis,
    request_id: Uuid,
}

impl Shared {
    async fn answer<B>(
        &self,
        request: Request<B>,
        request_id: Uuid,
    ) -> Result<(&'static Operation, Reply), ApiError>
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        let (head, body) = request.into_parts();
        check_headers(&head.headers)?;
        let now = (self.clock)();
        let (service, api, candidate) = self.candidate(&head, now).await?;
        let route = route(service, &head.method, &head.uri);
        let operation = route.as_ref().map(|route| route.operation);
        let (body, _memory) = body::read(body, operation, &self.large_bodies).await?;
        let caller = candidate.verify(&head, &body)?;
        let known = Authenticated { service, api, caller, now, request_id };
        let Some(route) = route else {
            return Err(known.refused(&head, None, ACCESS_DENIED.error(UNKNOWN_OPERATION)).await);
        };
        match self.admitted(&known, &route, &head, &body) {
            Ok(input) => {
                drop(body);
                let call = self.call_of(&known, route.operation, input, &head);
                Ok((route.operation, self.call(&known, call).await?))
            }
            Err(error) => Err(known.refused(&head, Some(route.operation), error).await),
        }
    }

    async fn candidate(
        &self,
        head: &Parts,
        now: UnixMillis,
    ) -> Result<(&'static Service, &Arc<dyn Api>, Candidate), ApiError> {
        let claims = Claims::of(head)?;
        let service = self.services.iter().find(|(service, _)| service.name == claims.service());
        let endpoint = Endpoint { region: &self.settings.region, services: &self.names, now };
        let admitted = Candidate::admit(claims, endpoint, self.credentials.as_ref()).await;
        match (admitted, service) {
            (Ok(candidate), Some((service, api))) => Ok((*service, api, candidate)),
            (Ok(_), None) => Err(ACCESS_DENIED.error(UNKNOWN_OPERATION)),
            (Err(refused), _) => Err(refused.into()),
        }
    }

    /// The input of a request that is within the caller's rate and satisfies the model.
    fn admitted(
        &self,
        known: &Authenticated<'_>,
        route: &Route,
        head: &Parts,
        body: &[u8],
    ) -> Result<Input, ApiError> {
        let operation = route.operation;
        self.limiter
            .take(&known.caller, operation, known.now)
            .map_err(|seconds| too_many_requests(known.service, operation.name, seconds))?;
        let members = bind(route, head.uri.query().unwrap_or_default(), body)?;
        validate(known.service, operation, members)
    }

    fn call_of(
        &self,
        known: &Authenticated<'_>,
        operation: &'static Operation,
        input: Input,
        head: &Parts,
    ) -> Call {
        Call {
            service: known.service,
            operation,
            input,
            caller: known.caller.clone(),
            request_id: known.request_id,
            received_at: known.now,
            region: self.settings.region.clone(),
            account: self.settings.account.clone(),
            source_ip: api::source_ip(head),
            user_agent: api::user_agent(head),
        }
    }

    /// Has the service do it, in a task of its own: a client that goes away cannot stop it between two of its steps,
    /// and a panic ends it alone.
    async fn call(&self, known: &Authenticated<'_>, call: Call) -> Result<Reply, ApiError> {
        let (operation, request_id) = (call.operation.name, known.request_id);
        let api = Arc::clone(known.api);
        let task = self.calls.spawn(async move { api.call(call).await });
        match tokio::time::timeout(self.settings.timeout, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panicked)) => {
                tracing::error!(operation, %request_id, error = %panicked, "a call ended without an answer");
                Err(internal(known.service))
            }
            Err(_) => {
                tracing::error!(operation, %request_id, "a call took longer than its client waits");
                Err(internal(known.service))
            }
        }
    }
}

impl Authenticated<'_> {
    /// Tells the service of a refusal that it did not decide, before the client learns of it.
    async fn refused(
        &self,
        head: &Parts,
        operation: Option<&'static Operation>,
        error: ApiError,
    ) -> ApiError {
        let refusal = Refusal {
            service: self.service,
            operation,
            error: &error,
            caller: &self.caller,
            request_id: self.request_id,
            received_at: self.now,
            source_ip: api::source_ip(head),
            user_agent: api::user_agent(head),
        };
        self.api.refused(refusal).await;
        error
    }
}

impl<B> tower::Service<Request<B>> for Gateway
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let gateway = self.clone();
        Box::pin(async move { Ok(gateway.handle(request).await) })
    }
}
