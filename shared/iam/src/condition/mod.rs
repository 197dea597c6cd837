//! The `Condition` element.

use crate::context::{Context, folded};
use crate::element::Element;
use crate::error::{PolicyError, PolicyErrorCode as Code, quoted};
use crate::keys;
use crate::template::is_key;

mod arn;
mod date;
mod decimal;
mod operator;
mod test;

use operator::{Family, Operator, SetOperator};
use test::Test;

/// One key of a condition block, under one operator. All of a block must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    operator: Operator,
    /// The key in its folded form.
    key: String,
    test: Test,
}

impl Condition {
    /// Reads `{OPERATOR: {KEY: VALUES}}`.
    pub(crate) fn parse_block(block: &Element<'_>, variables: bool) -> Result<Vec<Self>, PolicyError> {
        let mut conditions: Vec<Self> = Vec::new();
        for (name, element) in block.entries()? {
            let operator =
                Operator::parse(name).map_err(|broken| element.error(Code::UnknownOperator, broken))?;
            let first = conditions.len();
            for (key, values) in element.entries()? {
                let condition = Self::parse(operator, key, &values, variables)?;
                if conditions[first..].iter().any(|earlier| earlier.key == condition.key) {
                    return Err(values
                        .error(Code::DuplicateMember, "is there twice: the case of a key does not count"));
                }
                conditions.push(condition);
            }
        }
        Ok(conditions)
    }

    /// The key in its folded form.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// True if the context fulfils the condition.
    ///
    /// | the key is | plain | negated | `ForAllValues:` | `ForAnyValue:` | `…IfExists` |
    /// |---|---|---|---|---|---|
    /// | not there | false | true | true | false | true |
    /// | there, with nothing but empty texts | compared | compared | true | false | as without |
    /// | there | some value fits | no value fits | each value fits | some value fits | as without |
    ///
    /// A value *fits* if it equals, or for a negated operator does not equal, any value of the policy.
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let values = context.folded_values(&self.key);
        let is_null = values.iter().all(String::is_empty);
        if let Test::Null(expected) = self.test {
            return is_null == expected;
        }
        if values.is_empty() && self.operator.if_exists {
            return true;
        }
        let negated = self.operator.negated;
        let admits = |value: &String| self.test.admits(value, context);
        match self.operator.set {
            SetOperator::None => values.iter().any(admits) != negated,
            SetOperator::ForAllValues => is_null || values.iter().all(|value| admits(value) != negated),
            SetOperator::ForAnyValue => !is_null && values.iter().any(|value| admits(value) != negated),
        }
    }

    fn parse(
        operator: Operator,
        key: &str,
        values: &Element<'_>,
        variables: bool,
    ) -> Result<Self, PolicyError> {
        if !is_key(key) {
            let message = format!("{} is no condition key; it has the form prefix:name", quoted(key));
            return Err(values.error(Code::InvalidConditionKey, message));
        }
        let bare = operator.set == SetOperator::None && operator.family != Family::Null;
        if bare && keys::has_several_values(key) {
            return Err(values.error(Code::MissingSetOperator, MISSING_SET_OPERATOR));
        }
        let test = Test::parse(operator.family, values, variables)?;
        Ok(Self { operator, key: folded(key), test })
    }
}

const MISSING_SET_OPERATOR: &str = "can have several values in one request, and AWS does not say which of them counts \
                                    then: put ForAllValues: or ForAnyValue: in front of the operator";
