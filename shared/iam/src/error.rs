//! Why a policy document is not taken.

use std::fmt;

/// A policy document that is not taken. Its text names the place, says what is wrong, and ends with the stable code:
/// `Statement[1].Condition.StringLikes: is no condition operator; … (unknown_operator)`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message} ({code})")]
pub struct PolicyError {
    place: String,
    code: PolicyErrorCode,
    message: String,
}

impl PolicyError {
    pub(crate) fn new(place: &str, code: PolicyErrorCode, message: impl Into<String>) -> Self {
        Self { place: place.to_owned(), code, message: message.into() }
    }

    /// Where the mistake is, such as `Statement[1].Action[0]`; statements and lists count from 0.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The rule that was broken.
    pub fn code(&self) -> PolicyErrorCode {
        self.code
    }
}

/// Each row: what is wrong, the variant, its code.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)*) => {
        /// The rule that a policy document broke. The text of a code never changes; a new rule gets a new one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PolicyErrorCode { $($(#[$doc])* $variant,)* }

        impl PolicyErrorCode {
            /// The code as programs see it: `snake_case`, stable over releases.
            pub const fn as_str(self) -> &'static str {
                match self { $(PolicyErrorCode::$variant => $code,)* }
            }
        }
    };
}

codes! {
    /// The document is larger than [`MAX_POLICY_BYTES`](crate::MAX_POLICY_BYTES).
    TooLarge = "too_large",
    /// The document is not JSON, or is nested too deeply.
    InvalidJson = "invalid_json",
    /// An object has a member twice, or a condition block one key in two spellings.
    DuplicateMember = "duplicate_member",
    /// An element that the policy language does not have, or not here.
    UnknownMember = "unknown_member",
    /// A required element is not there.
    MissingElement = "missing_element",
    /// An element and its negation stand in one statement.
    ConflictingElements = "conflicting_elements",
    /// An element has another JSON type than it must have.
    WrongType = "wrong_type",
    /// A list or an object without anything in it.
    EmptyList = "empty_list",
    /// A version of the policy language that does not exist.
    InvalidVersion = "invalid_version",
    /// An effect other than `Allow` and `Deny`.
    InvalidEffect = "invalid_effect",
    /// A statement id with other characters than it may have.
    InvalidSid = "invalid_sid",
    /// Two statements have one id.
    DuplicateSid = "duplicate_sid",
    /// An action that is neither `*` nor `service:Name`.
    InvalidAction = "invalid_action",
    /// A resource that is neither `*` nor the pattern of an ARN.
    InvalidResource = "invalid_resource",
    /// A principal of a form that does not exist, or that nobody here can have.
    InvalidPrincipal = "invalid_principal",
    /// A policy variable that does not have the form `${key}` or `${key, 'default'}`.
    InvalidVariable = "invalid_variable",
    /// A condition operator that does not exist.
    UnknownOperator = "unknown_operator",
    /// A condition key that does not have the form `prefix:name`.
    InvalidConditionKey = "invalid_condition_key",
    /// A condition value that the operator cannot compare with.
    InvalidConditionValue = "invalid_condition_value",
    /// A key with several values is compared without `ForAllValues:` or `ForAnyValue:`.
    MissingSetOperator = "missing_set_operator",
}

impl fmt::Display for PolicyErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something in a policy that is legal and that its author hardly meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWarning {
    /// Where it is, such as `Statement[1].Condition`.
    pub place: String,
    /// What it means, in words.
    pub message: String,
}

impl fmt::Display for PolicyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A value as an error shows it: quoted, and cut to 80 characters.
pub(crate) fn quoted(value: &str) -> String {
    format!("{:?}", value.chars().take(80).collect::<String>())
}
