//! What the services' own models say: operations, where each member of an input stands, what it may hold, and the
//! classes of errors. `signer.rs` and `lambda.rs` are made by `generate.py`.
//!
//! Rust tables, not JSON: the compiler is the strict loader, and operations and errors have names that a service can
//! write.

pub mod lambda;
pub mod signer;

mod pattern;

pub use pattern::Pattern;

use http::Method;

/// An AWS service.
#[derive(Debug)]
pub struct Service {
    /// The name that is signed, and the prefix of IAM actions.
    pub name: &'static str,
    /// The API version.
    pub version: &'static str,
    /// Its operations, by name.
    pub operations: &'static [&'static Operation],
}

/// An operation of a service.
#[derive(Debug)]
pub struct Operation {
    /// The name, such as `StartSigningJob`.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path, segment by segment.
    pub path: &'static [Segment],
    /// A query parameter with the value that picks this operation among those of one path.
    pub query: Option<(&'static str, &'static str)>,
    /// The status of a success.
    pub status: u16,
    /// Whether a success has a body.
    pub replies: bool,
    /// The members of the input.
    pub input: &'static [Member],
}

/// A segment of an operation's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// The segment itself.
    Literal(&'static str),
    /// One segment, the value of the member of that name.
    Label(&'static str),
    /// All that is left of the path, the value of the member of that name.
    Rest(&'static str),
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// The name.
    pub name: &'static str,
    /// What it may hold.
    pub shape: &'static Shape,
    /// Where it stands in a request.
    pub place: Place,
    /// Whether it must be there.
    pub required: bool,
}

/// Where a member stands in a request. No operation here has one in a header; the generator would refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the JSON body.
    Body,
    /// In the path.
    Label,
    /// In the query, under this name.
    Query(&'static str),
}

/// What a value may be.
#[derive(Debug)]
pub struct Shape {
    /// The type, with its constraints.
    pub kind: Kind,
    /// Whether the value must not be repeated in an error or a log.
    pub sensitive: bool,
}

/// The types of a model.
#[derive(Debug)]
pub enum Kind {
    /// Members by name.
    Structure(&'static [Member]),
    /// Values of one shape.
    List {
        /// The shape of each.
        member: &'static Shape,
        /// How many.
        length: Bounds<u64>,
    },
    /// Values of one shape by keys of another.
    Map {
        /// The shape of each key.
        key: &'static Shape,
        /// The shape of each value.
        value: &'static Shape,
        /// How many.
        length: Bounds<u64>,
    },
    /// Text.
    String {
        /// How many characters.
        length: Bounds<u64>,
        /// What the whole of it must match.
        pattern: Option<Pattern>,
        /// The values that are allowed; empty if any is.
        values: &'static [&'static str],
    },
    /// Bytes, in base64.
    Blob {
        /// How many, decoded.
        length: Bounds<u64>,
    },
    /// A whole number.
    Integer {
        /// Its least and greatest value.
        range: Bounds<i64>,
        /// Whether it has 64 bits; otherwise 32.
        long: bool,
    },
    /// A number.
    Double {
        /// Its least and greatest value.
        range: Bounds<f64>,
    },
    /// `true` or `false`.
    Boolean,
    /// An instant.
    Timestamp,
}

/// The least and the greatest that is allowed, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds<T> {
    /// The least.
    pub min: Option<T>,
    /// The greatest.
    pub max: Option<T>,
}

/// A class of errors: its name, its status, and how the body of such an error looks.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorClass {
    /// The name, which `x-amzn-ErrorType` says.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The member that holds the text: `message`, or `Message` in some classes of Lambda's.
    pub message: &'static str,
    /// What else is in the body.
    pub rest: BodyRest,
}

/// What an error's body holds beside the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRest {
    /// Nothing.
    None,
    /// Lambda's `Type`: `User` or `Service`.
    Type(&'static str),
    /// Signer's `code`: the class, unless the error says something finer.
    Code,
}

impl Service {
    /// The operation of that name.
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.name == name).copied()
    }
}

impl Member {
    const fn new(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, shape, place: Place::Body, required: false }
    }

    const fn in_label(mut self) -> Self {
        self.place = Place::Label;
        self
    }

    const fn in_query(mut self, name: &'static str) -> Self {
        self.place = Place::Query(name);
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl Shape {
    const fn of(kind: Kind) -> Self {
        Self { kind, sensitive: false }
    }

    const fn structure(members: &'static [Member]) -> Self {
        Self::of(Kind::Structure(members))
    }

    const fn list(member: &'static Self, min: Option<u64>, max: Option<u64>) -> Self {
        Self::of(Kind::List { member, length: Bounds { min, max } })
    }

    const fn map(key: &'static Self, value: &'static Self, min: Option<u64>, max: Option<u64>) -> Self {
        Self::of(Kind::Map { key, value, length: Bounds { min, max } })
    }

    const fn string(min: Option<u64>, max: Option<u64>, pattern: Option<Pattern>) -> Self {
        Self::of(Kind::String { length: Bounds { min, max }, pattern, values: &[] })
    }

    const fn one_of(values: &'static [&'static str]) -> Self {
        Self::of(Kind::String { length: Bounds::ANY_LENGTH, pattern: None, values })
    }

    const fn blob(min: Option<u64>, max: Option<u64>) -> Self {
        Self::of(Kind::Blob { length: Bounds { min, max } })
    }

    const fn integer(min: Option<i64>, max: Option<i64>) -> Self {
        Self::of(Kind::Integer { range: Bounds { min, max }, long: false })
    }

    const fn double(min: Option<f64>, max: Option<f64>) -> Self {
        Self::of(Kind::Double { range: Bounds { min, max } })
    }

    const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }
}

impl Bounds<u64> {
    const ANY_LENGTH: Self = Self { min: None, max: None };
}

impl ErrorClass {
    /// A class whose errors have nothing but a text, under `message`.
    pub const fn new(name: &'static str, status: u16, message: &'static str) -> Self {
        Self { name, status, message, rest: BodyRest::None }
    }

    const fn typed(mut self, of: &'static str) -> Self {
        self.rest = BodyRest::Type(of);
        self
    }

    const fn coded(mut self) -> Self {
        self.rest = BodyRest::Code;
        self
    }
}

static STRING: Shape = Shape::string(None, None, None);
static BOOLEAN: Shape = Shape::of(Kind::Boolean);
static TIMESTAMP: Shape = Shape::of(Kind::Timestamp);
static INTEGER: Shape = Shape::integer(None, None);
static LONG: Shape = Shape::of(Kind::Integer { range: Bounds { min: None, max: None }, long: true });

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn strings(
        shape: &'static Shape,
        seen: &mut BTreeSet<*const Shape>,
        visit: &mut dyn FnMut(&'static Pattern),
    ) {
        if !seen.insert(std::ptr::from_ref(shape)) {
            return;
        }
        match &shape.kind {
            Kind::Structure(members) => members.iter().for_each(|member| strings(member.shape, seen, visit)),
            Kind::List { member, .. } => strings(member, seen, visit),
            Kind::Map { key, value, .. } => {
                strings(key, seen, visit);
                strings(value, seen, visit);
            }
            Kind::String { pattern, .. } => pattern.iter().for_each(visit),
            Kind::Blob { .. }
            | Kind::Integer { .. }
            | Kind::Double { .. }
            | Kind::Boolean
            | Kind::Timestamp => {}
        }
    }

    #[test]
    fn every_pattern_of_the_models_compiles() {
        let (mut seen, mut count) = (BTreeSet::new(), 0);
        for operation in [&signer::SERVICE, &lambda::SERVICE].iter().flat_map(|service| service.operations) {
            for member in operation.input {
                strings(member.shape, &mut seen, &mut |pattern| {
                    count += 1;
                    assert!(pattern.compiles(), "{}", pattern.text());
                });
            }
        }
        assert!(count > 25, "{count}");
    }

    #[test]
    fn every_label_of_a_path_is_a_required_member() {
        for operation in [&signer::SERVICE, &lambda::SERVICE].iter().flat_map(|service| service.operations) {
            let labels = operation.path.iter().filter_map(|segment| match segment {
                Segment::Literal(_) => None,
                Segment::Label(name) | Segment::Rest(name) => Some(*name),
            });
            let labels: BTreeSet<&str> = labels.collect();
            let members = operation.input.iter().filter(|member| member.place == Place::Label);
            assert!(members.clone().all(|member| member.required), "{}", operation.name);
            assert_eq!(labels, members.map(|member| member.name).collect(), "{}", operation.name);
        }
    }

    #[test]
    fn each_operation_has_a_name_of_its_own() {
        assert_eq!(signer::SERVICE.operations.len(), 19);
        assert_eq!(lambda::SERVICE.operations.len(), 36);
        assert_eq!(signer::SERVICE.operation("SignPayload").unwrap().name, "SignPayload");
        assert!(signer::SERVICE.operation("Invoke").is_none());
    }
}
