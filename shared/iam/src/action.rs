//! Actions: what is asked for, and the patterns of `Action` and `NotAction`.

use std::fmt;
use std::str::FromStr;

use crate::element::Element;
use crate::error::{PolicyError, PolicyErrorCode as Code, quoted};
use crate::glob::{Piece, matches};

/// What is asked for: `signer:StartSigningJob`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(String);

/// A text that is no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an action: write service:Name, such as signer:StartSigningJob")]
pub struct InvalidAction(String);

impl Action {
    /// The action as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Action {
    type Err = InvalidAction;

    fn from_str(text: &str) -> Result<Self, InvalidAction> {
        let legal = text.split_once(':').is_some_and(|(service, name)| is_word(service) && is_word(name));
        legal.then(|| Self(text.to_owned())).ok_or_else(|| InvalidAction(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `Action`, or `NotAction` if negated. Case does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionElement {
    negated: bool,
    patterns: Vec<Vec<Piece>>,
}

impl ActionElement {
    pub(crate) fn parse(element: &Element<'_>, negated: bool) -> Result<Self, PolicyError> {
        let patterns = element.one_or_many()?.iter().map(pattern).collect::<Result<_, _>>()?;
        Ok(Self { negated, patterns })
    }

    pub(crate) fn covers(&self, action: &Action) -> bool {
        let action = action.0.to_ascii_lowercase();
        self.patterns.iter().any(|pattern| matches(pattern, &action)) != self.negated
    }
}

fn pattern(element: &Element<'_>) -> Result<Vec<Piece>, PolicyError> {
    let text = element.text()?;
    let named = |(service, name): (&str, &str)| is_word(service) && is_word(&name.replace(['*', '?'], "x"));
    if text != "*" && !text.split_once(':').is_some_and(named) {
        let message =
            format!("{} is neither `*` nor service:Name; only the name can have wildcards", quoted(text));
        return Err(element.error(Code::InvalidAction, message));
    }
    Ok(text.to_ascii_lowercase().chars().map(Piece::of).collect())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
