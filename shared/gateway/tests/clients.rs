//! boto3 against the gateway, over HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use countersign_gateway::Rate;
use support::{python, serve};

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_arrives_and_its_reply_is_parsed() {
    let (url, _) = serve(Rate::DEFAULT).await;
    python(&url, &["every_operation"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_the_exceptions_of_boto3() {
    let (url, echo) = serve(Rate::DEFAULT).await;
    python(&url, &["errors"]).await;
    let refused = echo.refused.lock().unwrap().clone();
    assert!(refused.contains(&(Some("GetSigningProfile"), "ValidationException")), "{refused:?}");
    assert!(refused.contains(&(None, "AccessDeniedException")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_without_a_valid_signature_reaches_the_service() {
    let (url, echo) = serve(Rate::DEFAULT).await;
    python(&url, &["authentication"]).await;
    assert!(echo.heard.lock().unwrap().is_none());
    assert!(echo.refused.lock().unwrap().is_empty(), "who it was is not known");
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_and_rates_are_limited() {
    let (url, _) = serve(Rate { per_second: 1, burst: 3 }).await;
    python(&url, &["limits"]).await;
}
