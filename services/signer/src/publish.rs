//! From a private file to an object that stands under the job's own key, read back and verified.

use std::path::Path;

use countersign_domain::{ObjectLocation, ObjectVersion};
use countersign_ports::jobs::Signature;
use countersign_ports::objects::ObjectError;

use crate::Signer;
use crate::admit::Plan;
use crate::check::{Expected, check};
use crate::claim::Claimed;
use crate::halt::{Halt, Refusal, using_destination};
use crate::sign::Signed;

/// Writes the signed package to the job's own key, or finds there what an earlier attempt of this job wrote. Either way
/// the object is read back by version and verified: only then is there a signature to report.
pub(crate) async fn publish(
    signer: &Signer,
    claimed: &Claimed,
    plan: &Plan,
    signed: &Signed,
    folder: &Path,
) -> Result<Signature, Halt> {
    let object = match signer.ports.objects.put_new(&plan.destination, &signed.path, &signed.sha256).await {
        Ok(object) => object,
        Err(ObjectError::AlreadyExists(taken)) => standing(signer, &taken).await?,
        Err(error) => return Err(using_destination(error)),
    };
    let path = folder.join("published.zip");
    match signer.ports.objects.fetch(&object, signer.signed_limit_bytes(), &path).await {
        Ok(_) => {}
        Err(error @ ObjectError::TooLarge { .. }) => return Err(taken(&object, &error).into()),
        Err(error) => return Err(using_destination(error)),
    }
    let job = &claimed.job.arn;
    let expected = Expected { job, profile: &claimed.profile.arn, unsigned_sha256: &signed.unsigned_sha256 };
    let expires_at = check(signer, &path, &expected).await?.map_err(|mismatch| taken(&object, &mismatch))?;
    Ok(Signature {
        object,
        signed_by: job.clone(),
        unsigned_sha256: signed.unsigned_sha256,
        expires_at,
        completed_at: signer.ports.clock.now(),
    })
}

/// The version that stands under the job's key.
async fn standing(signer: &Signer, object: &ObjectLocation) -> Result<ObjectVersion, Halt> {
    let newest = signer.ports.objects.newest(object).await.map_err(using_destination)?;
    let facts = newest.ok_or_else(|| Halt::later(format!("{object} was there and is gone again")))?;
    Ok(facts.object)
}

/// Only this job writes under its key, so whatever else stands there was put by somebody without business there.
fn taken(object: &ObjectVersion, why: &dyn std::error::Error) -> Refusal {
    Refusal::new(
        "destination_taken",
        format!(
            "{object} is not the package that this job signed: {why}; find out who wrote it, delete it and upload again"
        ),
    )
}
