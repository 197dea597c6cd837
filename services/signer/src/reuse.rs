//! The same package under the same profile version is signed once, so that an unchanged one never looks new.

use std::path::Path;

use countersign_ports::jobs::Signature;

use crate::Signer;
use crate::check::{Expected, check};
use crate::claim::Claimed;
use crate::halt::Halt;
use crate::intake::{Asked, AskedBy};
use crate::sign::Fetched;

/// An earlier signature of the same bytes that still holds, whose object still stands where this job's would go. Never for
/// a requested job: clients of Signer's API look for its object under its own id, and revoke its signature alone.
pub(crate) async fn find(
    signer: &Signer,
    claimed: &Claimed,
    asked: &Asked<'_>,
    unsigned: &Fetched,
    folder: &Path,
) -> Result<Option<Signature>, Halt> {
    if matches!(asked.by, AskedBy::Request(_)) {
        return Ok(None);
    }
    let (profile, sha256) = (&claimed.profile.arn, unsigned.sha256());
    let now = signer.ports.clock.now();
    let valid_until = now.plus_millis(REMAINING_VALIDITY_MIN_MILLIS);
    let earlier = signer.ports.jobs.reusable_signature(profile, &sha256, valid_until).await?;
    let Some(earlier) =
        earlier.filter(|earlier| claimed.job.destination.contains(&earlier.object.location()))
    else {
        return Ok(None);
    };
    let path = folder.join("earlier.zip");
    match signer.ports.objects.fetch(&earlier.object, signer.signed_limit_bytes(), &path).await {
        Ok(_) => {}
        Err(error) if error.is_transient() => return Err(Halt::later(error)),
        Err(error) => return Ok(unusable(&earlier, &error)),
    }
    let expected = Expected { job: &earlier.signed_by, profile, unsigned_sha256: &sha256 };
    match check(signer, &path, &expected).await? {
        Ok(expires_at) => Ok(Some(Signature { expires_at, completed_at: now, ..earlier })),
        Err(mismatch) => Ok(unusable(&earlier, &mismatch)),
    }
}

/// The package is then signed anew, so this is no failure.
fn unusable(earlier: &Signature, why: &dyn std::error::Error) -> Option<Signature> {
    tracing::warn!(object = %earlier.object, %why, "an earlier signature cannot be reused; signing anew");
    None
}

/// How long an earlier signature has to be valid at least, so that it does not expire on its way to a deployment.
const REMAINING_VALIDITY_MIN_MILLIS: i64 = 60 * 60 * 1000;
