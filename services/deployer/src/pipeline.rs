//! From a request to a deployment: the only place with control flow, and where a crash is thought about.

use countersign_ports::deployments::{Decision, RecordedVerdict};

use crate::begin::{self, Begun};
use crate::enact::{self, Enacted};
use crate::halt::Halt;
use crate::intake::Asked;
use crate::{Deployer, Outcome, authorize, gather, record, report};

/// Carries one request to its end. A repetition, after a crash or because it is told twice, takes the same path.
pub(crate) async fn run(deployer: &Deployer, asked: &Asked) -> Result<Outcome, Halt> {
    // Deployments of one function follow each other; here they queue for it instead of finding it busy.
    let _turn = begin::turn(deployer, asked).await?;
    let recorded = match begin::begin(deployer, asked).await? {
        Begun::Held { recorded } => recorded,
        Begun::Ended(ended) => return Ok(Outcome::EndedBefore(Box::new(ended))),
    };
    // CRASH: the deployment is begun under a lease that runs out, and nothing is decided. The message comes again and
    // begins the same deployment.
    let ended = match begin::hold(deployer, asked, carry_out(deployer, asked, recorded)).await {
        Ok(enacted) => report::ended(deployer, asked, enacted).await,
        Err(Halt::Failed(failure)) => report::failed(deployer, asked, failure).await,
        Err(other @ (Halt::Later { .. } | Halt::Busy(_) | Halt::Rejected(_))) => Err(other),
    };
    // CRASH: the outcome is durable, its events are in the outbox, and the repeated message finds the deployment ended.
    ended
}

/// What would be decided now. Nothing is begun or recorded, so nothing can follow from it.
pub(crate) async fn dry_run(deployer: &Deployer, asked: &Asked) -> Result<Decision, Halt> {
    let folder = deployer.scratch.folder().map_err(Halt::later)?;
    let permitted = authorize::basis(deployer, asked).await?;
    let gathered = gather::packages(deployer, asked, folder.path()).await?;
    record::decided(deployer, asked, permitted, &gathered).await
}

/// Everything between the beginning and the end.
async fn carry_out(
    deployer: &Deployer,
    asked: &Asked,
    recorded: Option<RecordedVerdict>,
) -> Result<Enacted, Halt> {
    if let Some(blocked) = recorded.as_ref().and_then(enact::blocked) {
        return Ok(blocked);
    }
    let folder = deployer.scratch.folder().map_err(Halt::later)?;
    // A version of what stands was decided upon when that was deployed.
    let recorded = match recorded {
        None if !asked.change.sets_latest() => Some(record::published(deployer, asked).await?),
        recorded => recorded,
    };
    let (recorded, gathered) = match recorded {
        Some(recorded) => {
            let gathered = gather::packages(deployer, asked, folder.path()).await?;
            (record::still_about(recorded, &gathered)?, gathered)
        }
        None => {
            let permitted = authorize::basis(deployer, asked).await?;
            let gathered = gather::packages(deployer, asked, folder.path()).await?;
            (record::settle(deployer, asked, permitted, &gathered).await?, gathered)
        }
    };
    // CRASH: the verdict is durable, with the version's number. The next attempt fetches the same versions again, finds
    // the same bytes, and carries out the same verdict.
    enact::enact(deployer, asked, recorded, &gathered.local).await
    // CRASH: the version may stand, the alias may point to it, and no outcome is recorded. Both steps may be repeated.
}
