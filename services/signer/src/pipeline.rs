//! From a dropped object or a requested job to a signed one: the only place with control flow, and where a crash is thought about.

use countersign_ports::jobs::Signature;

use crate::Signer;
use crate::admit::{self, Plan};
use crate::claim::{self, Claimed};
use crate::halt::Halt;
use crate::intake::Asked;
use crate::{publish, report, reuse, sign};

/// Handles one dropped version or requested job to its end. A repetition, after a crash or because it is told twice, takes the same path.
pub(crate) async fn run(signer: &Signer, asked: &Asked<'_>) -> Result<(), Halt> {
    let profile = claim::profile_of(signer, asked).await?;
    // CRASH: nothing happened. The message comes again, or the sweep finds a version without an ended job, or a requested
    // job that nobody holds.
    let Some(claimed) = claim::claim(signer, asked, profile).await? else { return Ok(()) };
    // CRASH: the job is in progress under a lease that runs out; then the same message claims the same job again,
    // and `started` stays told once.
    let ended = match claim::hold(signer, &claimed, produce(signer, &claimed, asked)).await {
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
async fn produce(signer: &Signer, claimed: &Claimed, asked: &Asked<'_>) -> Result<(Signature, Plan), Halt> {
    let plan = admit::admit(signer, claimed, asked.route()).await?;
    let folder = signer.scratch.folder().map_err(Halt::later)?;
    let unsigned = sign::fetch(signer, claimed, folder.path()).await?;
    // The same package by the same profile is signed once: whoever comes second here finds the signature of the first.
    let _turn = signer.turns.take((claimed.profile.arn.clone(), unsigned.sha256())).await;
    if let Some(earlier) = reuse::find(signer, claimed, asked, &unsigned, folder.path()).await? {
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
