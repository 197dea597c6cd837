//! What a request says of its signature, read strictly from its header or its query.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, DATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use super::Refused;
use super::canonical::form_pairs;
use super::instant::SignedAt;
use super::scope::{CredentialScope, shortened};

/// What a request claims. Nothing of it is proven.
#[derive(Debug, Clone)]
pub struct Claims {
    pub(super) scope: CredentialScope,
    pub(super) signed_at: SignedAt,
    /// How long a presigned URL is good for, in seconds; `None` if the signature is in the header.
    pub(super) expires: Option<i64>,
    /// Lower case, ascending.
    pub(super) signed_headers: Vec<HeaderName>,
    pub(super) signature: [u8; SIGNATURE_LENGTH],
}

/// The service in the credential scope of a request, signed or not: it picks who answers, before any path is
/// looked at. It proves nothing.
pub fn credential_scope_service(head: &Parts) -> Option<String> {
    let in_header = head.headers.get(AUTHORIZATION).and_then(|value| {
        let fields = value.to_str().ok()?.trim().strip_prefix(ALGORITHM)?;
        fields.split(',').find_map(|field| field.trim().strip_prefix("Credential=").map(str::to_owned))
    });
    let credential = in_header.or_else(|| {
        let pairs = form_pairs(head.uri.query().unwrap_or_default());
        let found = pairs.into_iter().find(|(name, _)| name.as_slice() == CREDENTIAL_PARAMETER.as_bytes())?;
        String::from_utf8(found.1).ok()
    })?;
    CredentialScope::parse(&credential).ok().map(|scope| scope.service)
}

impl Claims {
    /// Reads what `head` claims.
    ///
    /// # Errors
    /// When it is unsigned, signed twice, or a part is missing or cannot be read; and for session tokens, which
    /// nobody issues here.
    pub fn of(head: &Parts) -> Result<Self, Refused> {
        let query = Query::of(head)?;
        if query.has(TOKEN_PARAMETER) || head.headers.contains_key(TOKEN_HEADER) {
            return Err(Refused::UnknownClient(SESSION_TOKEN));
        }
        let mut headers = head.headers.get_all(AUTHORIZATION).iter();
        match (headers.next(), query.has(SIGNATURE_PARAMETER)) {
            (None, false) => Err(Refused::Unsigned),
            (None, true) => Self::presigned(&query),
            (Some(value), false) if headers.next().is_none() => {
                let text = value.to_str().map_err(|_| incomplete("Authorization header is not ASCII"))?;
                Self::in_header(text, &head.headers)
            }
            (Some(_), _) => Err(incomplete("The request must be signed once, in its header or in its query")),
        }
    }

    fn in_header(authorization: &str, headers: &HeaderMap) -> Result<Self, Refused> {
        let fields = Fields::parse(authorization)?;
        let mut missing = String::new();
        let mut field = |name: &str| {
            fields.get(name).unwrap_or_else(|| {
                missing.push_str(&format!("Authorization header requires '{name}' parameter. "));
                ""
            })
        };
        let (credential, signature, signed) =
            (field("Credential"), field("Signature"), field("SignedHeaders"));
        if !(headers.contains_key(DATE_HEADER) || headers.contains_key(DATE)) {
            missing.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            );
        }
        if !missing.is_empty() {
            return Err(incomplete(missing.trim_end()));
        }
        Ok(Self {
            scope: CredentialScope::parse(credential)?,
            signed_at: date_of(headers)?,
            expires: None,
            signed_headers: signed_headers(signed)?,
            signature: signature_bytes(signature)?,
        })
    }

    fn presigned(query: &Query) -> Result<Self, Refused> {
        let algorithm = query.require("X-Amz-Algorithm")?;
        if algorithm != ALGORITHM {
            return Err(unsupported(&algorithm));
        }
        let date = query.require("X-Amz-Date")?;
        let signed_at = SignedAt::from_basic(&date).ok_or_else(|| unreadable_date(&date))?;
        let expires = query.require("X-Amz-Expires")?;
        let legal = expires.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = expires.parse().ok().filter(|seconds| legal && (1..=MAX_EXPIRES).contains(seconds));
        let seconds = seconds.ok_or_else(|| {
            incomplete(format!(
                "X-Amz-Expires must be 1 to {MAX_EXPIRES} seconds, got '{}'",
                shortened(&expires)
            ))
        })?;
        Ok(Self {
            scope: CredentialScope::parse(&query.require(CREDENTIAL_PARAMETER)?)?,
            signed_at,
            expires: Some(seconds),
            signed_headers: signed_headers(&query.require("X-Amz-SignedHeaders")?)?,
            signature: signature_bytes(&query.require(SIGNATURE_PARAMETER)?)?,
        })
    }

    /// The service that the credential is scoped to.
    pub fn service(&self) -> &str {
        &self.scope.service
    }
}

/// The parameters of a query that a presigned URL has.
struct Query(Vec<(Vec<u8>, Vec<u8>)>);

impl Query {
    fn of(head: &Parts) -> Result<Self, Refused> {
        let pairs = form_pairs(head.uri.query().unwrap_or_default());
        if pairs.len() > MAX_PARAMETERS {
            return Err(incomplete(format!("The query has more than {MAX_PARAMETERS} parameters")));
        }
        Ok(Self(pairs))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name.as_bytes())
    }

    /// The one value of `name`; a second one would be read differently by somebody else.
    fn require(&self, name: &str) -> Result<Cow<'_, str>, Refused> {
        let mut values = self.0.iter().filter(|(known, _)| known == name.as_bytes());
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(String::from_utf8_lossy(value)),
            (None, _) => Err(incomplete(format!("AWS query-string parameters must include '{name}'"))),
            (Some(_), Some(_)) => Err(incomplete(format!("'{name}' is in the query more than once"))),
        }
    }
}

/// The fields of an `Authorization` header.
struct Fields<'h>(Vec<(&'h str, &'h str)>);

impl<'h> Fields<'h> {
    fn parse(authorization: &'h str) -> Result<Self, Refused> {
        let (algorithm, fields) = authorization.trim().split_once(' ').unwrap_or((authorization, ""));
        if algorithm != ALGORITHM {
            return Err(unsupported(algorithm));
        }
        let mut known: Vec<(&str, &str)> = Vec::new();
        for field in fields.split(',').map(str::trim).filter(|field| !field.is_empty()) {
            let Some((name, value)) = field.split_once('=') else {
                return Err(incomplete(format!(
                    "'{}' not a valid key=value pair (missing equal-sign) in Authorization header",
                    shortened(field)
                )));
            };
            let expected = FIELDS.contains(&name) && known.iter().all(|(other, _)| *other != name);
            if !expected {
                return Err(incomplete(format!(
                    "'{}' is unknown, or repeated, in Authorization header",
                    shortened(name)
                )));
            }
            known.push((name, value));
        }
        Ok(Self(known))
    }

    fn get(&self, name: &str) -> Option<&'h str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).filter(|v| !v.is_empty())
    }
}

/// `X-Amz-Date` if it is there, else `Date`; neither may be there twice.
fn date_of(headers: &HeaderMap) -> Result<SignedAt, Refused> {
    let name = if headers.contains_key(DATE_HEADER) { DATE_HEADER } else { DATE.as_str() };
    let mut values = headers.get_all(name).iter();
    let (value, second) = (values.next(), values.next());
    let text = value.and_then(|value| value.to_str().ok()).filter(|_| second.is_none()).unwrap_or_default();
    let date =
        if name == DATE_HEADER { SignedAt::from_basic(text) } else { SignedAt::from_date_header(text) };
    date.ok_or_else(|| unreadable_date(text))
}

fn signed_headers(text: &str) -> Result<Vec<HeaderName>, Refused> {
    let names: Vec<&str> = text.split(';').collect();
    let ascending = names.windows(2).all(|pair| pair.first() < pair.last());
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let names: Option<Vec<HeaderName>> =
        names.into_iter().map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect();
    names.filter(|_| ascending && lower).ok_or_else(|| {
        incomplete("SignedHeaders must be lower-case header names in ascending order, with ';' between them")
    })
}

fn signature_bytes(text: &str) -> Result<[u8; SIGNATURE_LENGTH], Refused> {
    let mut bytes = [0; SIGNATURE_LENGTH];
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if lower => Ok(bytes),
        Ok(()) | Err(_) => Err(incomplete("Signature must be 64 lower-case hexadecimal digits")),
    }
}

fn incomplete(message: impl Into<String>) -> Refused {
    Refused::Incomplete(message.into())
}

fn unsupported(algorithm: &str) -> Refused {
    let algorithm = shortened(algorithm);
    incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'; sign with {ALGORITHM}"))
}

fn unreadable_date(text: &str) -> Refused {
    incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{}'", shortened(text)))
}

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// Bytes of an HMAC-SHA256.
pub(super) const SIGNATURE_LENGTH: usize = 32;

const FIELDS: &[&str] = &["Credential", "SignedHeaders", "Signature"];
const CREDENTIAL_PARAMETER: &str = "X-Amz-Credential";
const TOKEN_PARAMETER: &str = "X-Amz-Security-Token";
const TOKEN_HEADER: &str = "x-amz-security-token";
const DATE_HEADER: &str = "x-amz-date";

const SESSION_TOKEN: &str = "The security token included in the request is invalid: this endpoint issues no session \
                             tokens, so sign with an access key alone";

/// Seven days in seconds, AWS's bound: a URL that never expires is a credential that nobody can withdraw.
const MAX_EXPIRES: i64 = 604_800;

/// Parameters of a query; the largest that a client sends repeats `tagKeys` 200 times.
const MAX_PARAMETERS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(uri: &str, headers: &[(&str, &str)]) -> Result<Claims, Refused> {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Claims::of(&request.body(()).unwrap().into_parts().0)
    }

    fn authorization(credential: &str) -> String {
        format!(
            "{ALGORITHM} Credential={credential}, SignedHeaders=host;x-amz-date, Signature={}",
            "0".repeat(64)
        )
    }

    const SCOPE: &str = "AK/20261121/us-east-1/lambda/aws4_request";

    #[test]
    fn the_scope_picks_the_service_in_header_and_query() {
        let service = |uri: &str, authorization: &str| {
            let request = http::Request::builder().uri(uri).header(AUTHORIZATION, authorization);
            credential_scope_service(&request.body(()).unwrap().into_parts().0)
        };
        assert_eq!(service("/", &authorization(SCOPE)).as_deref(), Some("lambda"));
        let query = "/?X-Amz-Credential=AK%2F20261121%2Fus-east-1%2Fs3%2Faws4_request";
        assert_eq!(service(query, "").as_deref(), Some("s3"));
        assert_eq!(service("/", "Basic x"), None);
        assert_eq!(service("/", &authorization("AK")), None);
    }

    #[test]
    fn a_session_token_is_refused_wherever_it_stands() {
        let signed = authorization(SCOPE);
        let header = [("authorization", signed.as_str()), ("x-amz-security-token", "t")];
        assert!(matches!(claims("/", &header), Err(Refused::UnknownClient(_))));
        assert!(matches!(claims("/?X-Amz-Security-Token=t", &[]), Err(Refused::UnknownClient(_))));
    }

    #[test]
    fn what_is_missing_is_named() {
        let refused = claims("/", &[("authorization", ALGORITHM)]).unwrap_err().to_string();
        for part in ["'Credential'", "'Signature'", "'SignedHeaders'", "'X-Amz-Date'"] {
            assert!(refused.contains(part), "{refused}");
        }
        assert_eq!(claims("/", &[]).unwrap_err(), Refused::Unsigned);
        assert!(matches!(claims("/?X-Amz-Signature=0", &[]), Err(Refused::Incomplete(_))));
    }

    #[test]
    fn a_request_is_signed_once() {
        let signed = authorization(SCOPE);
        let date = ("x-amz-date", "20261121T083000Z");
        let header = ("authorization", signed.as_str());
        assert!(claims("/", &[header, date]).is_ok());
        for (uri, headers) in [
            ("/?X-Amz-Signature=0", vec![header, date]),
            ("/", vec![header, header, date]),
            ("/", vec![header, date, date]),
        ] {
            assert!(matches!(claims(uri, &headers), Err(Refused::Incomplete(_))), "{uri} {headers:?}");
        }
    }
}
