//! The endpoint as a service: what a listener, or a dispatcher that shares a port, calls with each request.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{HttpRequest, S3ErrorCode, S3Result, StdError};
use secrecy::ExposeSecret as _;
use tokio_util::task::TaskTracker;

use crate::access::Keys;
use crate::admission::Admission;
use crate::errors::refusal;
use crate::expectation::Expectation;
use crate::front;
use crate::integrity;
use crate::operations::Operations;
use crate::ranges::UnreadableRanges;
use crate::store::Store;

/// The body of a response.
pub type ResponseBody = s3s::Body;

/// A clonable tower service that answers S3 requests.
#[derive(Clone)]
pub struct S3Endpoint {
    protocol: S3Service,
    region: Arc<str>,
    requests: TaskTracker,
}

impl S3Endpoint {
    pub(crate) fn new(store: &Arc<Store>, keys: &Arc<dyn Keys>) -> Self {
        let region = store.region.as_str().into();
        let verified = protocol(store, keys, true).build();
        let mut builder = protocol(store, keys, false);
        builder.set_route(UnreadableRanges { verified });
        Self { protocol: builder.build(), region, requests: TaskTracker::new() }
    }

    /// The requests that are being answered, also those whose client went away.
    pub(crate) fn requests(&self) -> &TaskTracker {
        &self.requests
    }

    /// Each request is a task of its own, so that a client that goes away cannot stop a write between its
    /// steps.
    async fn answer(self, request: HttpRequest) -> Response<ResponseBody> {
        let (mut head, body) = request.into_parts();
        if let Err(error) = front::check(&head, &self.region).and_then(|()| front::unhoist(&mut head)) {
            return front::answer(error);
        }
        let request = integrity::watch(HttpRequest::from_parts(head, body));
        let protocol = self.protocol;
        let answered = self.requests.spawn(async move { protocol.call(request).await }).await;
        match answered {
            Ok(Ok(response)) => front::complete(response),
            Ok(Err(error)) => failed(&StdError::from(error)),
            Err(panicked) => failed(&StdError::from(panicked)),
        }
    }
}

impl<B> tower::Service<Request<B>> for S3Endpoint
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    StdError: From<B::Error>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let endpoint = self.clone();
        let request = request.map(s3s::Body::http_body_unsync);
        let expectation = Expectation::of(request.headers(), request.body());
        Box::pin(async move { Ok(expectation.settle(endpoint.answer(request).await)) })
    }
}

fn protocol(store: &Arc<Store>, keys: &Arc<dyn Keys>, of_verified: bool) -> S3ServiceBuilder {
    let mut builder = S3ServiceBuilder::new(Operations(Arc::clone(store)));
    builder.set_auth(Secrets(Arc::clone(keys)));
    builder.set_access(Admission { keys: Arc::clone(keys), of_verified });
    builder.set_host(Localhost);
    let mut limits = S3Config::default();
    limits.xml_max_body_size = MAX_XML;
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(limits))));
    builder
}

fn failed(error: &StdError) -> Response<ResponseBody> {
    tracing::error!(%error, "s3 request failed");
    front::answer(refusal(S3ErrorCode::InternalError))
}

struct Secrets(Arc<dyn Keys>);

#[async_trait::async_trait]
impl S3Auth for Secrets {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let secret = self.0.secret(access_key);
        secret
            .map(|secret| secret.expose_secret().into())
            .ok_or_else(|| refusal(S3ErrorCode::InvalidAccessKeyId))
    }
}

/// Buckets are in the path, except for clients that put them before `localhost`, as the SDKs do.
struct Localhost;

impl S3Host for Localhost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let virtual_host = VirtualHost::new(name);
        Ok(match name.strip_suffix(".localhost") {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

/// The largest XML document, in bytes: 10 000 parts with checksums, or 1000 keys of 1024 bytes, fit. It
/// bounds what a request may hold in memory.
pub(crate) const MAX_XML: usize = 4 * 1024 * 1024;
