//! Policy documents.

use crate::element::{Element, Members};
use crate::error::{PolicyError, PolicyErrorCode as Code, PolicyWarning, quoted};
use crate::json::Json;
use crate::keys;
use crate::statement::{Effect, Statement};

/// An identity policy: what its holders may do. It is about them, so it has no `Principal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy(pub(crate) Document);

/// A resource policy: who may do what with the resource that has it. Each statement names principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePolicy(pub(crate) Document);

/// To what a policy belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// To a principal.
    Identity,
    /// To a resource.
    Resource,
}

/// What both kinds have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) kind: PolicyKind,
    pub(crate) statements: Vec<Statement>,
    warnings: Vec<PolicyWarning>,
}

macro_rules! policy {
    ($type:ident, $kind:expr) => {
        impl $type {
            /// Reads a policy document: JSON in the grammar of AWS's IAM, at most [`MAX_POLICY_BYTES`].
            ///
            /// # Errors
            /// The first thing in it that is not understood, with its place. What is not understood is never skipped.
            pub fn parse(json: &str) -> Result<Self, PolicyError> {
                Document::parse(json, $kind).map(Self)
            }

            /// The same policy under another name, by which decisions and audit records call it.
            #[must_use]
            pub fn named(mut self, name: &str) -> Self {
                self.0.name = name.to_owned();
                self
            }

            /// The name: the document's `Id`, or `unnamed`, until it is named otherwise.
            pub fn name(&self) -> &str {
                &self.0.name
            }

            /// What is legal and hardly meant, such as a condition on a key that no request has.
            pub fn warnings(&self) -> &[PolicyWarning] {
                &self.0.warnings
            }
        }
    };
}

policy!(Policy, PolicyKind::Identity);
policy!(ResourcePolicy, PolicyKind::Resource);

impl Document {
    fn parse(json: &str, kind: PolicyKind) -> Result<Self, PolicyError> {
        if json.len() > MAX_POLICY_BYTES {
            let message = format!("has {} bytes, and may have {MAX_POLICY_BYTES}", json.len());
            return Err(PolicyError::new("policy", Code::TooLarge, message));
        }
        let tree: Json = serde_json::from_str(json)
            .map_err(|error| PolicyError::new("policy", Code::InvalidJson, error.to_string()))?;
        let members = Element::document(&tree).members(&["Version", "Id", "Statement"])?;
        let variables = has_variables(&members)?;
        let statements = statements(&members, kind, variables)?;
        let mut warnings = unknown_keys(&statements);
        if !variables && json.contains("${") {
            warnings
                .insert(0, PolicyWarning { place: "Version".to_owned(), message: OLD_VERSION.to_owned() });
        }
        let name = members.get("Id").map(Element::text).transpose()?.filter(|id| !id.is_empty());
        Ok(Self { name: name.unwrap_or("unnamed").to_owned(), kind, statements, warnings })
    }

    /// The statements with this effect, each with its index.
    pub(crate) fn with_effect(&self, effect: Effect) -> impl Iterator<Item = (usize, &Statement)> {
        self.statements.iter().enumerate().filter(move |(_, statement)| statement.effect == effect)
    }
}

/// The language of 2008 has no variables, and is meant where no version is named.
fn has_variables(members: &Members<'_>) -> Result<bool, PolicyError> {
    let Some(element) = members.get("Version") else { return Ok(false) };
    match element.text()? {
        "2012-10-17" => Ok(true),
        "2008-10-17" => Ok(false),
        other => {
            let message = format!("{} must be 2012-10-17 or 2008-10-17", quoted(other));
            Err(element.error(Code::InvalidVersion, message))
        }
    }
}

fn statements(
    members: &Members<'_>,
    kind: PolicyKind,
    variables: bool,
) -> Result<Vec<Statement>, PolicyError> {
    let mut statements: Vec<Statement> = Vec::new();
    for element in members.required("Statement")?.one_or_many()? {
        let statement = Statement::parse(&element, kind, variables)?;
        if let Some(sid) = &statement.sid
            && let Some(earlier) = statements.iter().position(|earlier| earlier.sid.as_ref() == Some(sid))
        {
            let message = format!("has the Sid {} of Statement[{earlier}]", quoted(sid));
            return Err(element.error(Code::DuplicateSid, message));
        }
        statements.push(statement);
    }
    Ok(statements)
}

fn unknown_keys(statements: &[Statement]) -> Vec<PolicyWarning> {
    let mut warnings = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        for condition in statement.conditions.iter().filter(|condition| !keys::is_known(condition.key())) {
            let place = format!("Statement[{index}].Condition");
            let message = format!("no request here has the key {}", quoted(condition.key()));
            warnings.push(PolicyWarning { place, message });
        }
    }
    warnings
}

/// The size of a policy document, white space included, in bytes: AWS's limit for the policy of a Lambda function. It
/// bounds the statements, and with them the time of a decision.
pub const MAX_POLICY_BYTES: usize = 20_480;

const OLD_VERSION: &str = "without 2012-10-17 a `${` is literal text, and no policy variable";
