//! The function that a request names: by its name, a partial ARN or a whole one, with a qualifier or without
//! (`FunctionName` of Lambda's model).

use countersign_domain::function::InvalidQualifier;
use countersign_domain::{FunctionArn, FunctionName, Qualifier, Scope};
use countersign_gateway::error::ACCESS_DENIED;
use countersign_gateway::model::lambda::{INVALID_PARAMETER_VALUE_ERROR, RESOURCE_NOT_FOUND_ERROR};
use countersign_gateway::{ApiError, Call};

/// A function of this installation, as a request names it. Whether it exists is not asked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: FunctionName,
    /// What follows the name, or is the parameter `Qualifier`: not all that the model admits is one.
    qualifier: Option<String>,
    scope: Scope,
}

impl Named {
    /// The function of the members `FunctionName` and, where the operation has it, `Qualifier`.
    ///
    /// # Errors
    /// When it lives elsewhere, or two different qualifiers are named.
    pub(super) fn of(scope: &Scope, call: &Call) -> Result<Self, ApiError> {
        let text = call.input.text(&["FunctionName"]).unwrap_or_default();
        let Parts { partition, region, account, name, qualifier } = Parts::of(text);
        if let Some(elsewhere) = region.filter(|region| *region != scope.region()) {
            let here = scope.region();
            let text = format!("Functions from '{elsewhere}' are not reachable in this region ('{here}')");
            return Err(RESOURCE_NOT_FOUND_ERROR.error(text));
        }
        let ours = account.is_none_or(|account| account == scope.account().as_str())
            && partition.is_none_or(|partition| partition == scope.partition());
        if !ours {
            return Err(of_somebody_else(call, call.operation.name, text));
        }
        let qualifier = same(qualifier, call.input.text(&["Qualifier"]))?.map(str::to_owned);
        Ok(Self { name: function_name(scope, name)?, qualifier, scope: scope.clone() })
    }

    /// Its ARN, without a qualifier.
    pub(super) fn unqualified(&self) -> FunctionArn {
        FunctionArn::new(self.scope.clone(), self.name.clone())
    }

    /// Its ARN as it was asked for: with the qualifier if there is one.
    pub(super) fn arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => self.arn_at(qualifier),
            None => self.unqualified().to_string(),
        }
    }

    /// Its ARN with another qualifier.
    pub(super) fn arn_at(&self, qualifier: &str) -> String {
        format!("{}:{qualifier}", self.unqualified())
    }

    /// The same, for an operation that is on a function as a whole.
    ///
    /// # Errors
    /// When it is asked for with a qualifier other than `$LATEST`.
    pub(super) fn whole(self) -> Result<Self, ApiError> {
        match self.qualifier.as_deref() {
            None | Some(LATEST) => Ok(Self { qualifier: None, ..self }),
            Some(qualifier) => Err(INVALID_PARAMETER_VALUE_ERROR.error(format!(
                "This operation is on a function as a whole: name it without the qualifier {qualifier}."
            ))),
        }
    }

    /// The qualifier.
    ///
    /// # Errors
    /// When it is a text that no version and no alias can have.
    pub(super) fn qualifier(&self) -> Result<Option<Qualifier>, InvalidQualifier> {
        self.qualifier.as_deref().map(str::parse).transpose()
    }
}

/// The parts of a name, each of which may be missing but the name itself.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'t> {
    partition: Option<&'t str>,
    region: Option<&'t str>,
    account: Option<&'t str>,
    name: &'t str,
    qualifier: Option<&'t str>,
}

impl<'t> Parts<'t> {
    /// Takes apart what the model's pattern admits: each part is taken where it can be and something is left for the name.
    fn of(text: &'t str) -> Self {
        let (partition, rest) = partition(text);
        let (region, rest) = leading(rest, is_region);
        let (account, rest) = leading(rest, is_account);
        let (_, rest) = leading(rest, |text| text == "function");
        let (name, qualifier) = match rest.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (rest, None),
        };
        Self { partition, region, account, name, qualifier }
    }
}

fn partition(text: &str) -> (Option<&str>, &str) {
    let parts = || {
        let (partition, rest) = text.strip_prefix("arn:")?.split_once(':')?;
        Some((Some(partition), rest.strip_prefix("lambda:")?))
    };
    parts().unwrap_or((None, text))
}

fn leading(text: &str, is_part: impl Fn(&str) -> bool) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((head, rest)) if is_part(head) => (Some(head), rest),
        Some(_) | None => (None, text),
    }
}

/// `us-east-1`, `us-gov-west-1`: no account and not the word `function`.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let letters = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    match words.as_slice() {
        [places @ .., number] if (2..=3).contains(&places.len()) => {
            places.iter().all(letters)
                && places.first().is_some_and(|country| country.len() == 2)
                && number.len() == 1
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The one qualifier that was named, in one place or in both.
fn same<'t>(derived: Option<&'t str>, given: Option<&'t str>) -> Result<Option<&'t str>, ApiError> {
    match (derived, given) {
        (Some(derived), Some(given)) if derived != given => Err(INVALID_PARAMETER_VALUE_ERROR
            .error("The derived qualifier from the function name does not match the specified qualifier.")),
        (derived, given) => Ok(derived.or(given)),
    }
}

fn function_name(scope: &Scope, name: &str) -> Result<FunctionName, ApiError> {
    name.parse().map_err(|_| {
        if name.len() > MAX_NAME {
            let text = format!(
                "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member \
                 must have length less than or equal to {MAX_NAME}"
            );
            return INVALID_PARAMETER_VALUE_ERROR.error(text);
        }
        // The model admits dots where it admits a name of another namespace; no function has one.
        let (partition, region, account) = (scope.partition(), scope.region(), scope.account());
        let arn = format!("arn:{partition}:lambda:{region}:{account}:function:{name}");
        RESOURCE_NOT_FOUND_ERROR.error(format!("Function not found: {arn}"))
    })
}

/// What `call` does with a resource of another account, which has no policy that would allow it.
pub(super) fn of_somebody_else(call: &Call, action: &str, resource: &str) -> ApiError {
    let user = &call.caller.principal().arn;
    ACCESS_DENIED.error(format!(
        "User: {user} is not authorized to perform: lambda:{action} on resource: {resource} because no \
         resource-based policy allows the lambda:{action} action"
    ))
}

/// The qualifier of what stands last.
const LATEST: &str = "$LATEST";

/// Characters of a function's name.
const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> [Option<&str>; 5] {
        let Parts { partition, region, account, name, qualifier } = Parts::of(text);
        [partition, region, account, Some(name), qualifier]
    }

    #[test]
    fn a_name_is_taken_apart_as_the_model_reads_it() {
        let (aws, region, account) = (Some("aws"), Some("us-gov-west-1"), Some("123456789012"));
        let (hello, live) = (Some("hello"), Some("live"));
        for (text, expected) in [
            ("hello", [None, None, None, hello, None]),
            ("hello:live", [None, None, None, hello, live]),
            ("function:hello", [None, None, None, hello, None]),
            ("function", [None, None, None, Some("function"), None]),
            ("123456789012", [None, None, None, Some("123456789012"), None]),
            ("123456789012:function:hello", [None, None, account, hello, None]),
            ("us-gov-west-1:123456789012:hello:live", [None, region, account, hello, live]),
            ("arn:aws:lambda:us-gov-west-1:123456789012:function:hello", [aws, region, account, hello, None]),
            (
                "arn:aws:lambda:us-gov-west-1:123456789012:function:hello:$LATEST",
                [aws, region, account, hello, Some("$LATEST")],
            ),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn two_qualifiers_have_to_be_the_same() {
        assert_eq!(same(Some("1"), None).unwrap(), Some("1"));
        assert_eq!(same(None, Some("1")).unwrap(), Some("1"));
        assert_eq!(same(Some("1"), Some("1")).unwrap(), Some("1"));
        assert!(same(Some("1"), Some("2")).is_err());
    }

    #[test]
    fn a_name_that_is_too_long_is_told_with_the_words_of_lambda() {
        let scope = Scope::new("us-east-1", "123456789012").unwrap();
        let refused = |name: &str| function_name(&scope, name).unwrap_err().message().to_owned();
        assert!(refused(&"a".repeat(65)).ends_with("Member must have length less than or equal to 64"));
        assert_eq!(refused("a.b"), "Function not found: arn:aws:lambda:us-east-1:123456789012:function:a.b");
    }
}
