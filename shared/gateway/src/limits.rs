//! How much one caller may ask for: the size of a request, and how often.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use countersign_domain::UnixMillis;

use crate::error::{ApiError, HEADERS_TOO_LARGE, REQUEST_ENTITY_TOO_LARGE};
use crate::model::Operation;
use crate::sigv4::Caller;

/// How often a caller may call each operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second, in the long run.
    pub per_second: u32,
    /// Calls at once, after a pause.
    pub burst: u32,
}

impl Rate {
    /// What no tool comes near, and a loop without a pause exceeds. AWS's own quotas are 15 a second for Lambda's
    /// control plane; Signer's are not published.
    pub const DEFAULT: Self = Self { per_second: 100, burst: 500 };
}

/// A token bucket for each caller and operation.
pub(crate) struct Limiter {
    rate: Rate,
    buckets: Mutex<HashMap<(String, &'static str), Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// Thousandths of a call.
    left: u64,
    at: UnixMillis,
}

impl Limiter {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one call of `operation` from what `caller` has at `now`.
    ///
    /// # Errors
    /// The seconds after which there is one again, if none is left.
    pub(crate) fn take(&self, caller: &Caller, operation: &Operation, now: UnixMillis) -> Result<(), u64> {
        let key = (caller.principal().arn.clone(), operation.name);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.filled(*bucket, now).left < self.most());
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: self.most(), at: now });
        *bucket = self.filled(*bucket, now);
        match bucket.left.checked_sub(CALL) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => Err((CALL - bucket.left).div_ceil(u64::from(self.rate.per_second.max(1)) * CALL).max(1)),
        }
    }

    /// The bucket at `now`; a clock that went back adds nothing.
    fn filled(&self, bucket: Bucket, now: UnixMillis) -> Bucket {
        let millis = now.as_millis().saturating_sub(bucket.at.as_millis());
        let added = u64::try_from(millis).unwrap_or(0).saturating_mul(u64::from(self.rate.per_second));
        Bucket { left: bucket.left.saturating_add(added).min(self.most()), at: bucket.at.max(now) }
    }

    fn most(&self) -> u64 {
        u64::from(self.rate.burst.max(1)) * CALL
    }
}

/// The largest body, in bytes, of a request for `operation`; of one that is for none, the smallest of the limits.
pub(crate) fn largest_body(operation: Option<&Operation>) -> usize {
    let carries_code = operation.is_some_and(|operation| WITH_CODE.contains(&operation.name));
    if carries_code { MAX_BODY_WITH_CODE } else { MAX_BODY }
}

/// The body is larger than [`largest_body`].
pub(crate) fn body_too_large(operation: Option<&Operation>) -> ApiError {
    let name = operation.map_or("unknown", |operation| operation.name);
    let least = largest_body(operation) + 1;
    let message = format!("Request must be smaller than {least} bytes for the {name} operation");
    REQUEST_ENTITY_TOO_LARGE.error(message)
}

/// Refuses a request with more headers than any client sends.
pub(crate) fn check_headers(headers: &http::HeaderMap) -> Result<(), ApiError> {
    if headers.len() <= MAX_HEADERS {
        return Ok(());
    }
    Err(HEADERS_TOO_LARGE.error(format!("A request may have {MAX_HEADERS} header fields at most")))
}

/// Thousandths of a call, so that a millisecond can add less than one.
const CALL: u64 = 1000;

/// Buckets that are kept; when there are more, full ones are forgotten, which changes no decision. Callers are known
/// principals, so their number is bounded by the configuration.
const MAX_BUCKETS: usize = 10_000;

/// Header fields of a request.
const MAX_HEADERS: usize = 100;

/// Operations that carry a package in the request.
const WITH_CODE: &[&str] = &["CreateFunction", "PublishLayerVersion", "UpdateFunctionCode"];

/// Recorded for CreateFunction: 50 MiB in base64, and 256 KiB for the rest.
const MAX_BODY_WITH_CODE: usize = 70_167_210;

/// Every other input of the models fits many times.
const MAX_BODY: usize = 1024 * 1024 - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{lambda, signer};
    use crate::sigv4::caller_for_tests;

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let limiter = Limiter::new(Rate { per_second: 2, burst: 3 });
        let (caller, start) = (caller_for_tests("maria"), UnixMillis::EPOCH.plus_millis(1_000_000));
        let take = |millis| limiter.take(&caller, &signer::START_SIGNING_JOB, start.plus_millis(millis));
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(1));
        assert_eq!(take(499), Err(1));
        assert_eq!((take(500), take(501)), (Ok(()), Err(1)));
        assert_eq!(take(-5000), Err(1), "a clock that goes back adds nothing");
        assert_eq!([take(3_600_000); 1], [Ok(())]);
    }

    #[test]
    fn callers_and_operations_have_buckets_of_their_own() {
        let limiter = Limiter::new(Rate { per_second: 1, burst: 1 });
        let now = UnixMillis::EPOCH.plus_millis(1);
        let take = |name, operation| limiter.take(&caller_for_tests(name), operation, now);
        assert!(take("a", &signer::START_SIGNING_JOB).is_ok());
        assert!(take("a", &signer::START_SIGNING_JOB).is_err());
        assert!(take("a", &signer::LIST_SIGNING_JOBS).is_ok());
        assert!(take("b", &signer::START_SIGNING_JOB).is_ok());
    }

    #[test]
    fn the_largest_body_is_told_in_the_recorded_words() {
        let error = body_too_large(Some(&lambda::CREATE_FUNCTION));
        let recorded = "Request must be smaller than 70167211 bytes for the CreateFunction operation";
        assert_eq!((error.message(), error.status().as_u16()), (recorded, 413));
        assert!(
            largest_body(Some(&signer::TAG_RESOURCE)) < largest_body(Some(&lambda::UPDATE_FUNCTION_CODE))
        );
    }
}
