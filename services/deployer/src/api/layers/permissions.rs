//! To whom a layer version is permitted: the statements of its policy.

use countersign_api::{Asks, Notes};
use countersign_domain::{
    LayerName, LayerPermission, LayerPrincipal, PermittedPrincipal, RevisionId, Scope, StatementId,
};
use countersign_gateway::model::lambda::{
    POLICY_LENGTH_EXCEEDED_ERROR, PRECONDITION_FAILED_ERROR, RESOURCE_CONFLICT_ERROR,
    RESOURCE_NOT_FOUND_ERROR,
};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::layers::{LayerError, LayerPolicy};
use serde_json::{Map, Value, json};

use super::{BELOW_ONE, Named, RESOURCE_TYPE, number_asked, version};
use crate::api::{LambdaApi, errors};

pub(in crate::api) async fn add_permission(
    api: &LambdaApi,
    call: &Call,
    notes: &mut Notes,
) -> Result<Reply, ApiError> {
    let about = permitted(api, call, notes).await?;
    let permission = permission(call)?;
    let (expected, new) = (revision(call)?, new_revision());
    let layers = &api.ports.layers;
    let added =
        layers.add_layer_permission(&about.name, about.number, &permission, expected.as_ref(), &new).await;
    added.map_err(|error| refused(&about.arn, error))?;
    let statement = statement(&api.settings.scope, &about.arn, &permission).to_string();
    Ok(told("Statement", statement, &new))
}

pub(in crate::api) async fn remove_permission(
    api: &LambdaApi,
    call: &Call,
    notes: &mut Notes,
) -> Result<Reply, ApiError> {
    let about = permitted(api, call, notes).await?;
    let expected = revision(call)?;
    let id = statement_id(call)?;
    let layers = &api.ports.layers;
    let new = new_revision();
    let removed =
        layers.remove_layer_permission(&about.name, about.number, &id, expected.as_ref(), &new).await;
    removed.map_err(|error| refused(&about.arn, error))?;
    Ok(Reply::default())
}

pub(in crate::api) async fn policy(
    api: &LambdaApi,
    call: &Call,
    notes: &mut Notes,
) -> Result<Reply, ApiError> {
    let about = permitted(api, call, notes).await?;
    let policy = api.ports.layers.layer_policy(&about.name, about.number).await.map_err(errors::store)?;
    let policy = policy.ok_or_else(|| RESOURCE_NOT_FOUND_ERROR.error(NO_POLICY))?;
    let document = document(api, &about.name, about.number, &policy).to_string();
    Ok(told("Policy", document, &policy.revision))
}

/// The policy of a layer version, as IAM reads it.
pub(super) fn document(api: &LambdaApi, layer: &LayerName, number: u64, policy: &LayerPolicy) -> Value {
    let scope = &api.settings.scope;
    let arn = Named { name: layer.clone(), scope: scope.clone() }.arn_at(number);
    let statements: Vec<Value> =
        policy.permissions.iter().map(|permission| statement(scope, &arn, permission)).collect();
    json!({"Version": "2012-10-17", "Id": "default", "Statement": statements})
}

fn statement(scope: &Scope, arn: &str, permission: &LayerPermission) -> Value {
    let principal = match &permission.principal {
        LayerPrincipal::Everyone => json!("*"),
        LayerPrincipal::Permitted(PermittedPrincipal::Account(account)) => {
            json!({"AWS": format!("arn:{}:iam::{account}:root", scope.partition())})
        }
        LayerPrincipal::Permitted(PermittedPrincipal::Arn(arn)) => json!({"AWS": arn.as_str()}),
    };
    let mut statement = json!({
        "Sid": permission.statement_id.as_str(),
        "Effect": "Allow",
        "Principal": principal,
        "Action": "lambda:GetLayerVersion",
        "Resource": arn,
    });
    if let Some(organization) = &permission.organization_id {
        statement["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": organization.as_str()}});
    }
    statement
}

/// The version whose policy a call is about. It exists, and the caller may.
struct About {
    name: LayerName,
    number: u64,
    arn: String,
}

async fn permitted(api: &LambdaApi, call: &Call, notes: &mut Notes) -> Result<About, ApiError> {
    let layer = Named::of(api, call)?;
    let number = number_asked(call);
    let arn = layer.arn_at(number.unwrap_or(0));
    api.access.authorize(call, Asks::of(call).on(&arn))?;
    let number = number.ok_or_else(|| errors::invalid(BELOW_ONE))?;
    notes.about(RESOURCE_TYPE, &*arn);
    match version(api, &layer.name, number).await? {
        Some(_) => Ok(About { name: layer.name, number, arn }),
        None => Err(missing(&arn)),
    }
}

fn permission(call: &Call) -> Result<LayerPermission, ApiError> {
    let text = |member: &str| call.input.text(&[member]);
    let organization = text("OrganizationId").map(str::parse).transpose();
    let permission = LayerPermission {
        statement_id: statement_id(call)?,
        principal: text("Principal")
            .unwrap_or_default()
            .parse()
            .map_err(|error| errors::invalid(format!("{error}")))?,
        organization_id: organization.map_err(|error| errors::invalid(format!("{error}")))?,
    };
    match (&permission.principal, &permission.organization_id) {
        (LayerPrincipal::Permitted(_), Some(_)) => Err(errors::invalid(ORGANIZATION_OF_ALL)),
        (LayerPrincipal::Everyone, _) | (LayerPrincipal::Permitted(_), None) => Ok(permission),
    }
}

fn statement_id(call: &Call) -> Result<StatementId, ApiError> {
    let id = call.input.text(&["StatementId"]).unwrap_or_default();
    id.parse().map_err(|error| errors::invalid(format!("{error}")))
}

/// The revision that the caller saw. A text that is none of ours is none that stands.
fn revision(call: &Call) -> Result<Option<RevisionId>, ApiError> {
    let text = call.input.text(&["RevisionId"]).filter(|text| !text.is_empty());
    text.map(str::parse).transpose().map_err(|_| other_revision())
}

fn new_revision() -> RevisionId {
    RevisionId::from_random(uuid::Uuid::new_v4().into_bytes())
}

fn refused(arn: &str, error: LayerError) -> ApiError {
    match error {
        LayerError::NoSuchVersion { .. } => missing(arn),
        LayerError::NoSuchStatement(id) => {
            RESOURCE_NOT_FOUND_ERROR.error(format!("Statement {id} is not found in resource policy."))
        }
        LayerError::StatementExists(id) => RESOURCE_CONFLICT_ERROR.error(format!(
            "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the \
             existing statement."
        )),
        LayerError::TooManyStatements => POLICY_LENGTH_EXCEEDED_ERROR.error(error.to_string()),
        LayerError::Refused(_) => other_revision(),
        LayerError::Store(error) => errors::store(error),
    }
}

fn missing(arn: &str) -> ApiError {
    RESOURCE_NOT_FOUND_ERROR.error(format!("Layer version {arn} does not exist."))
}

fn other_revision() -> ApiError {
    PRECONDITION_FAILED_ERROR.error(
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the \
         latest Revision Id",
    )
}

fn told(member: &str, document: String, revision: &RevisionId) -> Reply {
    Reply::new(Map::from_iter([
        (member.to_owned(), Value::from(document)),
        ("RevisionId".to_owned(), Value::from(revision.as_str())),
    ]))
}

/// Recorded for a version that is permitted to nobody.
const NO_POLICY: &str = "No policy is associated with the given resource.";

const ORGANIZATION_OF_ALL: &str = "An OrganizationId restricts the Principal *: give them together.";

#[cfg(test)]
mod tests {
    use countersign_iam::ResourcePolicy;

    use super::*;

    #[test]
    fn a_statement_is_written_as_recorded() {
        let arn = "arn:aws:lambda:us-east-1:111111111111:layer:l:1";
        let scope = Scope::new("us-east-1", "111111111111").unwrap();
        let permission = |id: &str, principal: &str, organization: Option<&str>| LayerPermission {
            statement_id: id.parse().unwrap(),
            principal: principal.parse().unwrap(),
            organization_id: organization.map(|id| id.parse().unwrap()),
        };
        let everyone = statement(&scope, arn, &permission("s1", "*", None));
        assert_eq!(
            everyone,
            json!({"Sid": "s1", "Effect": "Allow", "Principal": "*", "Action": "lambda:GetLayerVersion", "Resource": arn})
        );
        let account = statement(&scope, arn, &permission("s2", "222222222222", None));
        assert_eq!(account["Principal"], json!({"AWS": "arn:aws:iam::222222222222:root"}));
        let organization = statement(&scope, arn, &permission("s3", "*", Some("o-0123456789")));
        let document = json!({"Version": "2012-10-17", "Statement": [everyone, account, organization]});
        assert!(ResourcePolicy::parse(&document.to_string()).is_ok());
    }

    #[test]
    fn refusals_are_told_in_the_recorded_words() {
        let text = |error| refused("arn:l:1", error).message().to_owned();
        assert_eq!(
            text(LayerError::NoSuchStatement("s1".parse().unwrap())),
            "Statement s1 is not found in resource policy."
        );
        let version = LayerError::NoSuchVersion { layer: "l".parse().unwrap(), version: 1 };
        assert_eq!(text(version), "Layer version arn:l:1 does not exist.");
        let exists = refused("arn:l:1", LayerError::StatementExists("s1".parse().unwrap()));
        assert_eq!((exists.status().as_u16(), exists.class().name), (409, "ResourceConflictException"));
    }
}
