//! The decision, without a single effect.

use countersign_domain::UnixMillis;
use countersign_policy::{Evidence, PackageEvidence, Policy, evaluate};
use countersign_ports::deployments::{Basis, Decision};

use crate::gather::Gathered;
use crate::intake::Asked;

/// What `evidence` and what binds the deployment add up to at the instant `now`.
pub(crate) fn decide(
    asked: &Asked,
    basis: Basis,
    require_code_signing: bool,
    gathered: &Gathered,
    evidence: Vec<PackageEvidence>,
    now: UnixMillis,
) -> Decision {
    let policy = Policy { code_signing_config: basis.code_signing_config, require_code_signing };
    let evaluation = evaluate(&policy, &Evidence { now, packages: evidence });
    Decision {
        deployment: asked.id,
        request: asked.request.clone(),
        revision: basis.revision,
        verdict: evaluation.verdict,
        findings: evaluation.findings,
        reason: evaluation.reason,
        code: gathered.code.clone(),
        layers: gathered.layers.clone(),
    }
}
