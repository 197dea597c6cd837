//! From a request to the members of an operation's input, each of the model's type.
//!
//! All places become one map with the model's names. Timestamps, which are ISO 8601 in a query and epoch seconds in a
//! body, become epoch seconds; blobs stay base64, checked. What the model does not know is left out, as on AWS, so it
//! never reaches a handler.

mod json;
mod text;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_domain::UnixMillis;
use serde_json::{Map, Number, Value};

use crate::error::{ApiError, SERIALIZATION};
use crate::model::{Kind, Member, Place, Shape};
use crate::route::Route;
use crate::sigv4::form_pairs;

/// The members that labels, `query` and `body` hold. Their values are of the model's types; whether they satisfy its
/// constraints is not asked yet.
///
/// # Errors
/// `SerializationException`, when something is not of its type or is there twice.
pub fn bind(route: &Route, query: &str, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let input = route.operation.input;
    let mut members = Map::new();
    if input.iter().any(|member| member.place == Place::Body) && !body.is_empty() {
        let document = json::parse(body).map_err(|error| refused(error.to_string()))?;
        let body_members = input.iter().filter(|member| member.place == Place::Body);
        members = structure(body_members, document)?;
    }
    for (name, value) in &route.labels {
        if let Some(member) = input.iter().find(|member| member.name == *name) {
            members.insert(member.name.to_owned(), text::scalar(member.shape, value)?);
        }
    }
    let pairs = parameters(query)?;
    for member in input {
        if let Place::Query(name) = member.place {
            let values = pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
            if let Some(value) = text::parameter(name, member.shape, &values.collect::<Vec<_>>())? {
                members.insert(member.name.to_owned(), value);
            }
        }
    }
    Ok(members)
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, ApiError> {
    let utf8 = |bytes| String::from_utf8(bytes).map_err(|_| refused("the query is not UTF-8"));
    form_pairs(query).into_iter().map(|(name, value)| Ok((utf8(name)?, utf8(value)?))).collect()
}

/// The known members of a JSON object; `null` is as good as absent.
fn structure<'m>(
    members: impl Iterator<Item = &'m Member>,
    document: Value,
) -> Result<Map<String, Value>, ApiError> {
    let Value::Object(mut given) = document else { return Err(unexpected(&document, "a structure")) };
    let mut known = Map::new();
    for member in members {
        match given.remove(member.name) {
            None | Some(Value::Null) => {}
            Some(given) => {
                known.insert(member.name.to_owned(), value(member.shape, given)?);
            }
        }
    }
    Ok(known)
}

/// `given` as a value of `shape`. `null` in a list or map stays, for validation to refuse.
fn value(shape: &Shape, given: Value) -> Result<Value, ApiError> {
    if given.is_null() {
        return Ok(given);
    }
    match (&shape.kind, given) {
        (Kind::Structure(members), given) => Ok(Value::Object(structure(members.iter(), given)?)),
        (Kind::List { member, .. }, Value::Array(values)) => {
            Ok(Value::Array(values.into_iter().map(|given| value(member, given)).collect::<Result<_, _>>()?))
        }
        (Kind::Map { value: shape, .. }, Value::Object(values)) => {
            let values = values.into_iter().map(|(key, given)| Ok((key, value(shape, given)?)));
            Ok(Value::Object(values.collect::<Result<_, ApiError>>()?))
        }
        (Kind::String { .. }, given @ Value::String(_)) | (Kind::Boolean, given @ Value::Bool(_)) => {
            Ok(given)
        }
        (Kind::Blob { .. }, Value::String(text)) => blob(text),
        (Kind::Integer { long, .. }, Value::Number(number)) => integer(&number, *long),
        (Kind::Double { .. }, Value::Number(number)) => {
            Ok(number.as_f64().and_then(Number::from_f64).map_or(Value::Null, Value::Number))
        }
        (Kind::Timestamp, Value::Number(number)) => timestamp(number),
        (
            Kind::List { .. }
            | Kind::Map { .. }
            | Kind::String { .. }
            | Kind::Blob { .. }
            | Kind::Integer { .. }
            | Kind::Double { .. }
            | Kind::Boolean
            | Kind::Timestamp,
            given,
        ) => Err(unexpected(&given, type_name(shape))),
    }
}

fn blob(text: String) -> Result<Value, ApiError> {
    match STANDARD.decode(&text) {
        Ok(_) => Ok(Value::String(text)),
        Err(error) => Err(refused(format!("a blob must be base64: {error}"))),
    }
}

fn integer(number: &Number, long: bool) -> Result<Value, ApiError> {
    let fits = number.as_i64().filter(|value| long || i32::try_from(*value).is_ok());
    fits.map(Value::from).ok_or_else(|| {
        refused(format!(
            "NUMBER_VALUE {number} can not be converted to {}",
            if long { "a Long" } else { "an Integer" }
        ))
    })
}

fn timestamp(number: Number) -> Result<Value, ApiError> {
    match instant(&number) {
        Some(_) => Ok(Value::Number(number)),
        None => Err(refused(format!("NUMBER_VALUE {number} can not be converted to a Timestamp"))),
    }
}

/// The instant that epoch seconds stand for, to the millisecond, between the years 1970 and 9999.
pub(crate) fn instant(seconds: &Number) -> Option<UnixMillis> {
    let millis = seconds.as_f64().map(|seconds| (seconds * 1000.0).round());
    // The range holds whole numbers below 2^53 alone.
    #[allow(clippy::cast_possible_truncation, reason = "within the range of instants, checked before")]
    let millis = millis.filter(|millis| (0.0..=MAX_MILLIS).contains(millis)).map(|millis| millis as i64);
    millis.and_then(|millis| UnixMillis::new(millis).ok())
}

/// `SerializationException` with AWS's words for a value of the wrong type.
fn unexpected(given: &Value, wanted: &str) -> ApiError {
    refused(match given {
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        Value::Array(_) => "Start of list found where not expected.".to_owned(),
        Value::Null => format!("NULL_VALUE can not be converted to {wanted}"),
        Value::Bool(value) => {
            format!("{}_VALUE can not be converted to {wanted}", value.to_string().to_uppercase())
        }
        Value::Number(_) => format!("NUMBER_VALUE can not be converted to {wanted}"),
        Value::String(_) => format!("STRING_VALUE can not be converted to {wanted}"),
    })
}

fn type_name(shape: &Shape) -> &'static str {
    match shape.kind {
        Kind::Structure(_) => "a structure",
        Kind::List { .. } => "a list",
        Kind::Map { .. } => "a map",
        Kind::String { .. } => "a String",
        Kind::Blob { .. } => "a Blob",
        Kind::Integer { long: true, .. } => "a Long",
        Kind::Integer { long: false, .. } => "an Integer",
        Kind::Double { .. } => "a Double",
        Kind::Boolean => "a Boolean",
        Kind::Timestamp => "a Timestamp",
    }
}

fn refused(message: impl Into<String>) -> ApiError {
    SERIALIZATION.error(message)
}

/// Above the last instant that [`UnixMillis`] holds.
const MAX_MILLIS: f64 = 253_402_300_800_000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Service, lambda, signer};
    use crate::route::route;
    use http::Method;
    use serde_json::json;

    fn bound(service: &'static Service, method: &Method, uri: &str, body: &str) -> Result<Value, String> {
        let uri: http::Uri = uri.parse().unwrap();
        let route = route(service, method, &uri).expect("a route");
        let members = bind(&route, uri.query().unwrap_or_default(), body.as_bytes());
        members.map(Value::Object).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn all_places_become_one_map() {
        let uri = "/2018-10-31/layers/l/versions/3/policy?RevisionId=r%2Bx";
        let body = json!({
            "StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "*",
            "Newer": 1, "OrganizationId": null,
        });
        let expected = json!({
            "LayerName": "l", "VersionNumber": 3, "RevisionId": "r+x",
            "StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "*",
        });
        assert_eq!(bound(&lambda::SERVICE, &Method::POST, uri, &body.to_string()), Ok(expected));
    }

    #[test]
    fn parameters_have_the_types_of_the_model() {
        let uri =
            "/signing-jobs?maxResults=5&isRevoked=true&signatureExpiresBefore=2023-11-14T22:13:20Z&x-id=a";
        let expected = json!({"maxResults": 5, "isRevoked": true, "signatureExpiresBefore": 1_700_000_000});
        assert_eq!(bound(&signer::SERVICE, &Method::GET, uri, ""), Ok(expected));
        let uri = "/signing-profiles?statuses=Active&statuses=Canceled";
        let expected = json!({"statuses": ["Active", "Canceled"]});
        assert_eq!(bound(&signer::SERVICE, &Method::GET, uri, ""), Ok(expected));
        for query in [
            "maxResults=five",
            "maxResults=1&maxResults=2",
            "isRevoked=yes",
            "signatureExpiresBefore=1",
            "status=%ff",
        ] {
            assert!(
                bound(&signer::SERVICE, &Method::GET, &format!("/signing-jobs?{query}"), "").is_err(),
                "{query}"
            );
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_the_words_of_aws() {
        let refused =
            |body: &str| bound(&signer::SERVICE, &Method::PUT, "/signing-profiles/p", body).unwrap_err();
        assert_eq!(refused(r#"{"platformId":1}"#), "NUMBER_VALUE can not be converted to a String");
        assert_eq!(refused(r#"{"platformId":true}"#), "TRUE_VALUE can not be converted to a String");
        assert_eq!(refused(r#"{"platformId":[]}"#), "Start of list found where not expected.");
        assert_eq!(refused("[]"), "Start of list found where not expected.");
        let integer = refused(r#"{"signatureValidityPeriod":{"value":"1"}}"#);
        assert_eq!(integer, "STRING_VALUE can not be converted to an Integer");
        for number in ["1.5", "2147483648", "1e3"] {
            refused(&format!(r#"{{"signatureValidityPeriod":{{"value":{number}}}}}"#));
        }
    }

    #[test]
    fn blobs_and_instants_are_checked() {
        let sign = |payload: &str| {
            let body = json!({"profileName": "p", "payload": payload, "payloadFormat": "f"}).to_string();
            bound(&signer::SERVICE, &Method::POST, "/signing-jobs/with-payload", &body)
        };
        assert!(sign("AAEC").is_ok() && sign("AAE").is_err() && sign("A A=").is_err());
        let revoke = |time: &str| {
            let body = format!(r#"{{"effectiveTime":{time}}}"#);
            bound(&signer::SERVICE, &Method::PUT, "/signing-profiles/p/revoke", &body)
        };
        assert!(revoke("1700000000.25").is_ok());
        for time in ["-1", "1e300", "253402300801", "\"2023-11-14T22:13:20Z\""] {
            assert!(revoke(time).is_err(), "{time}");
        }
    }
}
