//! Reading a body: within its limit, in time, and few large ones at once.

use std::pin::pin;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{ApiError, INTERNAL_FAILURE, REQUEST_TIMEOUT, SERIALIZATION};
use crate::limits::{body_too_large, largest_body};
use crate::model::Operation;

/// The body of a request for `operation`, with the right to hold a large one in memory.
///
/// # Errors
/// When it is too large, too slow, or breaks off.
pub(super) async fn read<'s, B: Body<Data = Bytes>>(
    body: B,
    operation: Option<&Operation>,
    large_bodies: &'s Semaphore,
) -> Result<(Bytes, Option<SemaphorePermit<'s>>), ApiError> {
    let largest = largest_body(operation);
    let read = async {
        let permit = match is_large(&body, largest) {
            true => Some(large_bodies.acquire().await.map_err(|_| INTERNAL_FAILURE.error(""))?),
            false => None,
        };
        let bytes = collect(body, largest).await?.ok_or_else(|| body_too_large(operation))?;
        Ok((bytes, permit))
    };
    let in_time = tokio::time::timeout(BODY_TIMEOUT, read).await;
    in_time.unwrap_or_else(|_| Err(REQUEST_TIMEOUT.error("The body of the request did not arrive in time")))
}

/// Whether a body of unknown or declared length may take more memory than every request may.
fn is_large<B: Body>(body: &B, largest: usize) -> bool {
    let largest = u64::try_from(largest).unwrap_or(u64::MAX);
    body.size_hint().upper().unwrap_or(largest).min(largest) > LARGE
}

/// The whole body, or `None` if it is larger than `largest`. What is beyond is read for a while and thrown away,
/// because most clients read no answer before they have sent their request.
async fn collect<B: Body<Data = Bytes>>(body: B, largest: usize) -> Result<Option<Bytes>, ApiError> {
    let mut body = pin!(body);
    let (mut kept, mut total) = (BytesMut::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        // The reason is the connection's; whoever sent half a body does not read it.
        let frame = frame.map_err(|_| SERIALIZATION.error("The body of the request broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        total = total.saturating_add(data.remaining());
        match total {
            total if total <= largest => kept.extend_from_slice(&data),
            total if total <= largest.saturating_add(DRAINED) => kept = BytesMut::new(),
            _ => return Ok(None),
        }
    }
    Ok((total <= largest).then(|| kept.freeze()))
}

/// Large bodies that are held at once: four times 67 MiB, and as much again for their members.
pub(super) const MAX_LARGE_BODIES: usize = 4;

/// Bytes from which a body is large: 1 MiB.
const LARGE: u64 = 1024 * 1024;

/// Bytes that are read and thrown away, so that the client can be told that its body is too large.
const DRAINED: usize = 32 * 1024 * 1024;

/// How long a body may take, with the wait for others: a client that sends a byte a minute holds nothing for long.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
