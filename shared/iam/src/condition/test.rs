//! Comparing one value of a request with the values of the policy.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ipnet::IpNet;
use jiff::Timestamp;

use super::arn::ArnPattern;
use super::date;
use super::decimal::Decimal;
use super::operator::{Family, Relation};
use crate::context::Context;
use crate::element::Element;
use crate::error::{PolicyError, PolicyErrorCode as Code, quoted};
use crate::glob::{Piece, matches};
use crate::json::Json;
use crate::template::{Template, Wildcards};

/// The values of the policy, ready to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    Text(Vec<Template>),
    TextIgnoringCase(Vec<Template>),
    Arn(Vec<ArnPattern>),
    Number(Relation, Vec<Decimal>),
    Date(Relation, Vec<Timestamp>),
    Bool(bool),
    Binary(Vec<Vec<u8>>),
    IpAddress(Vec<IpNet>),
    /// True: the key must not be there.
    Null(bool),
}

impl Test {
    /// Reads the values that stand under a key, in the form that the operator compares with.
    pub(crate) fn parse(family: Family, values: &Element<'_>, variables: bool) -> Result<Self, PolicyError> {
        let texts = |wildcards| templates(values, wildcards, variables);
        Ok(match family {
            Family::Text => Self::Text(texts(Wildcards::Off)?),
            Family::TextPattern => Self::Text(texts(Wildcards::On)?),
            Family::TextIgnoringCase => Self::TextIgnoringCase(texts(Wildcards::Off)?),
            Family::Arn => {
                let of = |(template, item): (&Template, Element<'_>)| {
                    ArnPattern::of(template).ok_or_else(|| item.error(Code::InvalidConditionValue, ARN_FORM))
                };
                let templates = texts(Wildcards::On)?;
                Self::Arn(templates.iter().zip(values.one_or_many()?).map(of).collect::<Result<_, _>>()?)
            }
            Family::Number(relation) => {
                Self::Number(relation, scalars(values, Bare::WholeNumbers, Decimal::parse, NUMBER_FORM)?)
            }
            Family::Date(relation) => {
                Self::Date(relation, scalars(values, Bare::WholeNumbers, date::parse, DATE_FORM)?)
            }
            Family::Bool => Self::Bool(boolean(values)?),
            Family::Null => Self::Null(boolean(values)?),
            Family::Binary => Self::Binary(scalars(
                values,
                Bare::None,
                |text| BASE64_STANDARD.decode(text).ok(),
                BINARY_FORM,
            )?),
            Family::IpAddress => Self::IpAddress(scalars(values, Bare::None, network, IP_FORM)?),
        })
    }

    /// True if `value` equals one of the policy's. A value of another form than the operator compares equals none.
    pub(crate) fn admits(&self, value: &str, context: &Context) -> bool {
        match self {
            Self::Text(templates) => expanded(templates, context).any(|pattern| matches(&pattern, value)),
            Self::TextIgnoringCase(templates) => expanded(templates, context)
                .any(|text| caseless::default_caseless_match_str(&literal(&text), value)),
            Self::Arn(patterns) => patterns.iter().any(|pattern| pattern.matches(value, context)),
            Self::Number(relation, limits) => Decimal::parse(value)
                .is_some_and(|value| limits.iter().any(|limit| relation.holds(&value, limit))),
            Self::Date(relation, limits) => date::parse(value)
                .is_some_and(|value| limits.iter().any(|limit| relation.holds(&value, limit))),
            Self::Bool(expected) => truth(value) == Some(*expected),
            Self::Binary(expected) => {
                BASE64_STANDARD.decode(value).is_ok_and(|bytes| expected.contains(&bytes))
            }
            Self::IpAddress(networks) => {
                address(value).is_some_and(|ip| networks.iter().any(|net| net.contains(&ip)))
            }
            Self::Null(_) => false,
        }
    }
}

fn expanded<'t>(templates: &'t [Template], context: &'t Context) -> impl Iterator<Item = Vec<Piece>> + 't {
    templates.iter().filter_map(|template| template.expand(context))
}

/// The text of pieces that have no wildcards.
fn literal(pieces: &[Piece]) -> String {
    let literal = |piece: &Piece| match piece {
        Piece::Literal(c) => Some(*c),
        Piece::AnyOne | Piece::AnyRun => None,
    };
    pieces.iter().filter_map(literal).collect()
}

fn templates(
    values: &Element<'_>,
    wildcards: Wildcards,
    variables: bool,
) -> Result<Vec<Template>, PolicyError> {
    let template = |item: &Element<'_>| {
        let parsed = Template::parse(item.text()?, wildcards, variables);
        parsed.map_err(|broken| item.error(Code::InvalidVariable, broken))
    };
    values.one_or_many()?.iter().map(template).collect()
}

/// Which values JSON may also write without quotation marks.
#[derive(Clone, Copy)]
enum Bare {
    None,
    /// What a float has lost of its digits nobody can know, so fractions are written as strings.
    WholeNumbers,
    Booleans,
}

fn scalars<T>(
    values: &Element<'_>,
    bare: Bare,
    read: impl Fn(&str) -> Option<T>,
    form: &'static str,
) -> Result<Vec<T>, PolicyError> {
    let one = |item: &Element<'_>| {
        let text = match (item.json, bare) {
            (Json::Text(text), _) => text.clone(),
            (Json::Number(number), Bare::WholeNumbers) if !number.is_f64() => number.to_string(),
            (Json::Bool(value), Bare::Booleans) => value.to_string(),
            (other, _) => {
                let message = format!("must be {form}, as a string, and is {}", other.kind());
                return Err(item.error(Code::InvalidConditionValue, message));
            }
        };
        let invalid = || item.error(Code::InvalidConditionValue, format!("{} is not {form}", quoted(&text)));
        read(&text).ok_or_else(invalid)
    };
    values.one_or_many()?.iter().map(one).collect()
}

fn boolean(values: &Element<'_>) -> Result<bool, PolicyError> {
    match scalars(values, Bare::Booleans, truth, "`true` or `false`")?.as_slice() {
        [value] => Ok(*value),
        _ => Err(values
            .error(Code::InvalidConditionValue, "has several values, of which one always fits; keep one")),
    }
}

fn truth(text: &str) -> Option<bool> {
    text.parse().ok()
}

/// A network; an address alone is the network of that one address. An IPv4 network in IPv6 clothes is none, since an
/// address is compared in its own form.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let in_ipv6_clothes = matches!(network, IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some());
    (!in_ipv6_clothes).then_some(network)
}

/// An address; one of IPv4 that a socket of both kinds shows as `::ffff:192.0.2.1` is one of IPv4.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

const NUMBER_FORM: &str = "a number such as 10 or 0.5";
const DATE_FORM: &str = "a date: write 2026-11-21, 2026-11-21T08:30:00Z, or seconds since 1970 (four digits could be a year, and are neither)";
const BINARY_FORM: &str = "binary in base64";
const IP_FORM: &str = "an address or network such as 203.0.113.0/24 or 2001:db8::/32";
const ARN_FORM: &str = "is not the pattern of an ARN, whose six segments are compared one by one: write \
                        arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, with `*` for a segment that may be any, or one variable";
