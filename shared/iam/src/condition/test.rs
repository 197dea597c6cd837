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
        let template = |wildcards| {
            texts(values, |text| Template::parse(text, wildcards, variables), Code::InvalidVariable)
        };
        Ok(match family {
            Family::Text => Self::Text(template(Wildcards::Off)?),
            Family::TextPattern => Self::Text(template(Wildcards::On)?),
            Family::TextIgnoringCase => Self::TextIgnoringCase(template(Wildcards::Off)?),
            Family::Arn => {
                let patterns = texts(
                    values,
                    |text| Template::parse(text, Wildcards::On, variables),
                    Code::InvalidVariable,
                )?;
                let of = |(template, item): (&Template, Element<'_>)| {
                    ArnPattern::of(template).ok_or_else(|| item.error(Code::InvalidConditionValue, ARN_FORM))
                };
                Self::Arn(patterns.iter().zip(values.one_or_many()?).map(of).collect::<Result<_, _>>()?)
            }
            Family::Number(relation) => Self::Number(relation, scalars(values, Decimal::parse, NUMBER_FORM)?),
            Family::Date(relation) => Self::Date(relation, scalars(values, date::parse, DATE_FORM)?),
            Family::Bool => Self::Bool(boolean(values)?),
            Family::Null => Self::Null(boolean(values)?),
            Family::Binary => {
                Self::Binary(scalars(values, |text| BASE64_STANDARD.decode(text).ok(), BINARY_FORM)?)
            }
            Family::IpAddress => Self::IpAddress(scalars(values, network, IP_FORM)?),
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

fn texts<T>(
    values: &Element<'_>,
    read: impl Fn(&str) -> Result<T, &'static str>,
    code: Code,
) -> Result<Vec<T>, PolicyError> {
    let one = |item: &Element<'_>| read(item.text()?).map_err(|broken| item.error(code, broken));
    values.one_or_many()?.iter().map(one).collect()
}

/// Values that JSON can also write without quotation marks.
fn scalars<T>(
    values: &Element<'_>,
    read: impl Fn(&str) -> Option<T>,
    form: &'static str,
) -> Result<Vec<T>, PolicyError> {
    let one = |item: &Element<'_>| {
        let text = match item.json {
            // What a float has lost of its digits nobody can know, so only whole numbers go without quotation marks.
            Json::Number(number) if !number.is_f64() => number.to_string(),
            Json::Bool(value) => value.to_string(),
            Json::Text(text) => text.clone(),
            Json::Number(_) | Json::Null | Json::List(_) | Json::Object(_) => {
                return Err(item.error(Code::InvalidConditionValue, format!("must be {form}, as a string")));
            }
        };
        let invalid = || item.error(Code::InvalidConditionValue, format!("{} is not {form}", quoted(&text)));
        read(&text).ok_or_else(invalid)
    };
    values.one_or_many()?.iter().map(one).collect()
}

fn boolean(values: &Element<'_>) -> Result<bool, PolicyError> {
    match scalars(values, truth, "`true` or `false`")?.as_slice() {
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
    match network {
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => None,
        other => Some(other),
    }
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
