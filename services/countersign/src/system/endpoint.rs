//! The one port of `up`: S3, Signer and Lambda behind it, told apart by the scope that a request is signed for.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign_embedded_s3::{EmbeddedS3, S3Endpoint};
use countersign_gateway::{Gateway, credential_scope_service};
use countersign_process::api;
use countersign_runtime::listen;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// What a listener calls with each request. Clones share everything.
#[derive(Clone)]
pub(super) struct Endpoint {
    s3: S3Endpoint,
    apis: Gateway,
}

/// Serves `s3` and `apis` until `stop`, then lets requests under way end.
pub(super) async fn serve(s3: EmbeddedS3, apis: Gateway, listener: TcpListener, stop: CancellationToken) {
    let endpoint = Endpoint { s3: s3.service(), apis: apis.clone() };
    listen::serve(endpoint, listener, stop).await;
    tokio::join!(api::settle(&apis), s3.settle(listen::GRACE));
}

type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

impl Service<Request<Incoming>> for Endpoint {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let (head, body) = request.into_parts();
        let service = credential_scope_service(&head);
        let request = Request::from_parts(head, body);
        match service.as_deref() {
            // Who signs nothing is told so by S3, which is what most ask for.
            None | Some("s3") => {
                let answer = self.s3.call(request);
                Box::pin(async move {
                    answer.await.map(|response| response.map(|body| body.map_err(Into::into).boxed_unsync()))
                })
            }
            Some(_) => {
                let answer = self.apis.call(request);
                Box::pin(async move {
                    answer.await.map(|response| response.map(|body| body.map_err(Into::into).boxed_unsync()))
                })
            }
        }
    }
}
