//! Whether the principal may ask for this. An event is authorized like the calls that it stands for, before anything is
//! fetched, and before it is told what exists. A call was authorized where it came in, with all that is known of it there.

use std::slice;

use countersign_domain::{
    CodeSigningConfigArn, CodeSigningConfigId, CodeSigningConfigName, CodeVersion, FunctionArn, Scope,
};
use countersign_iam::{Allowed, Context, Denied, Resource, keys};
use countersign_ports::StoreError;
use countersign_ports::deployments::Basis;

use crate::Deployer;
use crate::gather;
use crate::halt::{Failure, Halt};
use crate::intake::Asked;

/// What binds the deployment now, which its principal may ask for under it.
#[derive(Debug)]
pub(crate) struct Permitted(Basis);

impl Permitted {
    /// The assertion that every call which the deployment stands for under `basis` is allowed.
    fn assertion(basis: Basis, _calls: &[Allowed]) -> Self {
        Self(basis)
    }

    /// The name of the config under which it is decided.
    pub(crate) fn config(&self) -> Option<CodeSigningConfigName> {
        self.0.code_signing_config.as_ref().map(|config| config.name.clone())
    }

    pub(crate) fn into_basis(self) -> Basis {
        self.0
    }
}

/// Reads what binds the deployment now and authorizes it under that. To be read before the revocations, so that a change
/// between both is seen when the decision is recorded.
pub(crate) async fn basis(deployer: &Deployer, asked: &Asked) -> Result<Permitted, Halt> {
    let read = deployer.ports.deployments.basis(&asked.request).await;
    if let Some(allowed) = &asked.allowed {
        return Ok(Permitted::assertion(gather::basis(asked, read)?, slice::from_ref(&**allowed)));
    }
    let makes = match &read {
        Ok(basis) => basis.function.is_none() && asked.request.create.is_some(),
        // A config that is not declared: only a creation names one.
        Err(StoreError::NotFound(_)) => true,
        Err(error) => return Err(Halt::later(error)),
    };
    let allowed =
        calls(deployer, asked, makes).map_err(|denied| Failure::new("access_denied", denied.to_string()))?;
    Ok(Permitted::assertion(gather::basis(asked, read)?, &allowed))
}

/// Authorizes every call that the event stands for.
fn calls(deployer: &Deployer, asked: &Asked, makes: bool) -> Result<Vec<Allowed>, Box<Denied>> {
    let authority = deployer.authority();
    let function = [function_arn(authority.scope(), asked)];
    let may = |action: &str, context| {
        let action = action.parse().expect("a service and a name are an action");
        authority.authorize(&asked.requester.principal, action, &function, context)
    };
    let common = context(deployer, authority.scope());
    let code = common.clone().with_all(keys::LAMBDA_LAYER, asked.request.layers.iter().map(layer_arn));
    let mut allowed = vec![match &asked.request.create {
        Some(create) if makes => {
            let config = create.code_signing_config.as_ref().map(|name| config_arn(authority.scope(), name));
            may("lambda:CreateFunction", code.with_all(keys::LAMBDA_CODE_SIGNING_CONFIG_ARN, config))
        }
        Some(_) | None => may("lambda:UpdateFunctionCode", code),
    }?];
    if asked.request.alias.is_some() {
        allowed.push(may("lambda:UpdateAlias", common)?);
    }
    Ok(allowed)
}

/// What is known of every event.
fn context(deployer: &Deployer, scope: &Scope) -> Context {
    let now = deployer.ports.clock.now();
    Context::default()
        .with(keys::AWS_CURRENT_TIME, now.to_string())
        .with(keys::AWS_EPOCH_TIME, now.as_secs().to_string())
        .with(keys::AWS_REQUESTED_REGION, scope.region())
}

fn function_arn(scope: &Scope, asked: &Asked) -> Resource {
    let arn = FunctionArn::new(scope.clone(), asked.request.function_name.clone());
    arn.to_string().parse().expect("the ARN of a function is a resource")
}

fn config_arn(scope: &Scope, name: &CodeSigningConfigName) -> String {
    CodeSigningConfigArn::new(scope.clone(), CodeSigningConfigId::of(scope, name)).to_string()
}

/// The layers of an event are packages in S3 and no layer versions, so a policy that demands those denies them.
fn layer_arn(layer: &CodeVersion) -> String {
    format!("arn:aws:s3:::{}/{}", layer.bucket, layer.key)
}
