//! What the trail is told of a deployment: the decision, and the end. Each record commits with what it tells of, and its id is
//! a function of the deployment and the step, so that it is written once.
//!
//! Both are what the service does by itself, under names of their own: a call is told by the API that it came to.

use countersign_domain::trail::{AdditionalEventData, EventName, EventSource, Parameters, UserIdentity};
use countersign_domain::{
    CodeSigningConfigArn, CodeSigningConfigId, CodeSigningConfigName, FunctionArn, TrailEventId, TrailRecord,
    Verdict,
};
use countersign_ports::deployments::Decision;
use serde_json::{Value, json};

use crate::Deployer;
use crate::enact::Enacted;
use crate::halt::Failure;
use crate::intake::Asked;

/// The record of a decision that was made under the config `config`, if there is one.
pub(crate) fn decided(
    deployer: &Deployer,
    asked: &Asked,
    decision: &Decision,
    config: Option<&CodeSigningConfigName>,
) -> TrailRecord {
    let record = record(deployer, asked, "decided", DECIDED);
    let record = match config {
        Some(config) => {
            let authority = deployer.authority();
            let scope = authority.scope();
            let arn = CodeSigningConfigArn::new(scope.clone(), CodeSigningConfigId::of(scope, config));
            record.about("AWS::Lambda::CodeSigningConfig", &arn.to_string())
        }
        None => record,
    };
    told(checked(record, asked, decision), decision)
}

/// The record of the end of what was enacted.
pub(crate) fn ended(deployer: &Deployer, asked: &Asked, enacted: &Enacted) -> TrailRecord {
    let record = record(deployer, asked, "ended", ENDED);
    match enacted {
        Enacted::Deployed { decision, version } => {
            let answer = json!({
                "functionName": decision.request.function_name,
                "version": version.map_or_else(|| "$LATEST".to_owned(), |version| version.to_string()),
                "codeSha256": decision.code.sha256,
                "codeSize": decision.code.size_bytes,
            });
            checked(record, asked, decision).answering(parameters(&answer))
        }
        Enacted::Blocked { decision } => told(checked(record, asked, decision), decision),
    }
}

/// The record of a deployment that could not be carried out.
pub(crate) fn failed(deployer: &Deployer, asked: &Asked, failure: &Failure) -> TrailRecord {
    let record = record(deployer, asked, "ended", ENDED);
    let record = record.failing(error_code(&failure.code), &failure.detail);
    match &failure.decision {
        Some(decision) => checked(record, asked, decision),
        None => record,
    }
}

fn record(deployer: &Deployer, asked: &Asked, step: &str, name: &str) -> TrailRecord {
    let (authority, principal) = (deployer.authority(), &asked.requester.principal);
    let scope = authority.scope();
    let (user, account) = (principal.name().as_str(), principal.account().to_string());
    let who = UserIdentity::user(user, &account, &principal.arn().to_string());
    let name: EventName = name.parse().expect("a word of letters and digits is an event name");
    let id = TrailEventId::for_deployment(asked.id, step);
    let now = deployer.ports.clock.now();
    let function = FunctionArn::new(scope.clone(), asked.request.function_name.clone()).to_string();
    TrailRecord::new(id, who, (EventSource::Lambda, name), now, scope)
        .of_service()
        .writing()
        .asking(serde_json::to_value(&asked.request).ok().as_ref().and_then(parameters))
        .about("AWS::Lambda::Function", &function)
}

fn checked(record: TrailRecord, asked: &Asked, decision: &Decision) -> TrailRecord {
    let data = AdditionalEventData::of(asked.id, &decision.findings);
    record.checked(match &decision.code.signature {
        Some(signature) => data.signed(signature.profile_version_arn.clone(), signature.job_arn.clone()),
        None => data,
    })
}

/// A block is told as Lambda answers it.
fn told(record: TrailRecord, decision: &Decision) -> TrailRecord {
    match decision.verdict {
        Verdict::Block => record.failing("CodeVerificationFailedException", &decision.reason),
        Verdict::Deploy | Verdict::DeployWithWarning => record,
    }
}

/// CloudTrail's word where it has one, ours otherwise.
fn error_code(code: &str) -> &str {
    if code == "access_denied" { "AccessDenied" } else { code }
}

fn parameters(value: &Value) -> Option<Parameters> {
    value.as_object().and_then(Parameters::of)
}

const DECIDED: &str = "ValidateCodeSignature";
const ENDED: &str = "EndDeployment";
