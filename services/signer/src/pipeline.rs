//! From a dropped object to a signed one: the only place with control flow, and where a crash is thought about.

use countersign_ports::jobs::Signature;

use crate::Signer;
use crate::admit::{self, Plan};
use crate::claim::{self, Claimed};
use crate::halt::Halt;
use crate::intake::Dropped;
use crate::{publish, report, reuse, sign};

/// Handles one dropped version to its end. A repetition, after a crash or because it is told twice, takes the same path.
pub(crate) async fn run(signer: &Signer, dropped: &Dropped<'_>) -> Result<(), Halt> {
    let profile = claim::profile_of(signer, dropped).await?;
    // CRASH: nothing happened. The notification comes again, or the sweep finds a version without an ended job.
    let Some(claimed) = claim::claim(signer, dropped, profile).await? else { return Ok(()) };
    // CRASH: the job is in progress under a lease that runs out; then the same drop claims the same job again, and
    // `started` stays told once.
    let ended = match claim::hold(signer, &claimed, produce(signer, &claimed, dropped)).await {
        Ok((signature, plan)) => {
            report::succeeded(signer, &claimed, &signature, plan.deployment.as_ref()).await
        }
        Err(Halt::Refused(refusal)) => report::failed(signer, &claimed, &refusal).await,
        Err(later @ Halt::Later { .. }) => Err(later),
    };
    // CRASH: the job has ended, its events are in the outbox, and the repeated message finds the job ended.
    ended
}

/// Everything between the claim and the report.
async fn produce(
    signer: &Signer,
    claimed: &Claimed,
    dropped: &Dropped<'_>,
) -> Result<(Signature, Plan), Halt> {
    let plan = admit::admit(signer, claimed, dropped.route).await?;
    let folder = signer.scratch.folder().map_err(Halt::later)?;
    let unsigned = sign::fetch(signer, claimed, folder.path()).await?;
    // The same package by the same profile is signed once: whoever comes second here finds the signature of the first.
    let _turn = signer.turns.take((claimed.profile.arn.clone(), unsigned.sha256())).await;
    if let Some(earlier) = reuse::find(signer, claimed, &unsigned, folder.path()).await? {
        return Ok((earlier, plan));
    }
    let signed = sign::sign(signer, claimed, unsigned, folder.path()).await?;
    // CRASH: only private files are lost, which the next start removes. Nothing was published, the key holder kept
    // nothing but a signature count.
    let signature = publish::publish(signer, claimed, &plan, &signed, folder.path()).await?;
    // CRASH: the signed object stands under the job's own key and the job is in progress. The next attempt finds the
    // key taken, reads the object back and adopts it.
    Ok((signature, plan))
}
