//! Whether members satisfy the constraints of the model, in the words of AWS.
//!
//! A list or map of scalars is one finding with all constraints of its elements; a structure inside one is looked into.
//! Paths are in lower camel case (`code.s3Bucket`), elements are counted from one (`configs.1.member.arn`).

mod constraint;
mod shown;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::UnixMillis;
use serde_json::{Map, Value};

use crate::bind::instant;
use crate::error::{ApiError, validation};
use crate::model::{Kind, Member, Operation, Service, Shape};
use constraint::Constraint;

/// The members of an operation's input, which satisfy its model. Only [`validate`] makes one.
#[derive(Clone, PartialEq)]
pub struct Input(Map<String, Value>);

impl Input {
    /// The members, as [`crate::bind`] typed them.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The value at a path of member names, such as `["Code", "S3Key"]`.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(name))
    }

    /// The text at a path; `None` also if it is no text.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Value::as_str)
    }

    /// The bytes of the blob at a path; `None` also if it is no blob.
    pub fn bytes(&self, path: &[&str]) -> Option<Vec<u8>> {
        STANDARD.decode(self.text(path)?).ok()
    }

    /// The instant at a path; `None` also if it is no timestamp.
    pub fn instant(&self, path: &[&str]) -> Option<UnixMillis> {
        match self.at(path)? {
            Value::Number(seconds) => instant(seconds),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The members alone, to be read by `serde`.
    pub fn into_members(self) -> Map<String, Value> {
        self.0
    }
}

/// Takes `members` that satisfy the model of `operation`.
///
/// # Errors
/// `ValidationException` with every finding, as `service` answers it.
pub fn validate(
    service: &Service,
    operation: &Operation,
    members: Map<String, Value>,
) -> Result<Input, ApiError> {
    let mut findings = Findings { total: 0, told: Vec::new() };
    findings.structure("", operation.input, &members);
    match findings.into_message() {
        None => Ok(Input(members)),
        Some(message) => Err(validation(service, message)),
    }
}

/// What is wrong with an input.
struct Findings {
    total: usize,
    told: Vec<String>,
}

impl Findings {
    fn structure(&mut self, path: &str, members: &[Member], given: &Map<String, Value>) {
        for member in members {
            let path = joined(path, member.name);
            match given.get(member.name).filter(|value| !value.is_null()) {
                Some(value) => self.value(&path, member.shape, value),
                None if member.required => self.add(&path, "Value null", &Constraint::NotNull.text()),
                None => {}
            }
        }
    }

    fn value(&mut self, path: &str, shape: &Shape, value: &Value) {
        for constraint in constraint::of(shape) {
            if !constraint.holds(value) {
                self.add(path, &shown::value(shape, value), &constraint.text());
            }
        }
        match (&shape.kind, value) {
            (Kind::Structure(members), Value::Object(given)) => self.structure(path, members, given),
            (Kind::List { member, .. }, Value::Array(values)) => {
                let prefix = "Member must satisfy constraint";
                self.elements(path, shape, value, (member, prefix), || {
                    values.iter().enumerate().map(|(at, value)| (format!("{path}.{}.member", at + 1), value))
                });
            }
            (Kind::Map { key, value: inner, .. }, Value::Object(values)) => {
                self.keys(path, shape, value, key, values);
                self.elements(path, shape, value, (inner, "Map value must satisfy constraint"), || {
                    values.iter().map(|(key, value)| (format!("{path}.{key}.member"), value))
                });
            }
            // Scalars have only constraints of their own, and binding gave the rest their types.
            _ => {}
        }
    }

    /// The elements of a list, or the values of a map.
    fn elements<'v, I: Iterator<Item = (String, &'v Value)>>(
        &mut self,
        path: &str,
        shape: &Shape,
        whole: &Value,
        (element, prefix): (&Shape, &str),
        each: impl Fn() -> I,
    ) {
        let scalar = !matches!(element.kind, Kind::Structure(_) | Kind::List { .. } | Kind::Map { .. });
        let mut constraints = if scalar { constraint::of(element) } else { Vec::new() };
        constraints.push(Constraint::NotNull);
        let broken = |value: &Value| constraints.iter().any(|constraint| !constraint.holds(value));
        if each().any(|(_, value)| broken(value)) {
            self.add(path, &shown::value(shape, whole), &nested(prefix, &constraints));
        } else if !scalar {
            each().for_each(|(path, value)| self.value(&path, element, value));
        }
    }

    fn keys(&mut self, path: &str, shape: &Shape, whole: &Value, key: &Shape, values: &Map<String, Value>) {
        let constraints = constraint::of(key);
        let broken = |key: &String| {
            let key = Value::from(key.as_str());
            constraints.iter().any(|constraint| !constraint.holds(&key))
        };
        if values.keys().any(broken) {
            let text = nested("Map keys must satisfy constraint", &constraints);
            self.add(path, &shown::value(shape, whole), &text);
        }
    }

    fn add(&mut self, path: &str, value: &str, constraint: &str) {
        self.total += 1;
        if self.told.len() < MAX_TOLD {
            self.told.push(format!("{value} at '{path}' failed to satisfy constraint: {constraint}"));
        }
    }

    fn into_message(self) -> Option<String> {
        let errors = match self.total {
            0 => return None,
            1 => "error",
            _ => "errors",
        };
        Some(format!("{} validation {errors} detected: {}", self.total, self.told.join("; ")))
    }
}

fn nested(prefix: &str, constraints: &[Constraint]) -> String {
    let texts: Vec<String> = constraints.iter().map(Constraint::text).collect();
    format!("{prefix}: [{}]", texts.join(", "))
}

/// `Code` and `S3Bucket` make `code.s3Bucket`.
fn joined(path: &str, name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// Findings whose text an answer repeats; each repeats a value.
const MAX_TOLD: usize = 20;

#[cfg(test)]
mod tests;
