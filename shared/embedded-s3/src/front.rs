//! What stands before and behind the protocol layer: requests it would take too kindly are refused, and its
//! responses get a request id and, where it gave none, S3's error message.

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use s3s::{Body, HttpResponse, S3Error, S3ErrorCode};
use uuid::Uuid;

use crate::errors::{invalid_argument, invalid_request, not_implemented, standard_message};
use crate::query;

/// Refuses what must not reach the protocol layer.
///
/// # Errors
/// Signature version 2, form uploads, presigned URLs for longer than a week, credentials of another region or
/// service, and `x-amz-` headers that the signature does not cover.
pub(crate) fn check(request: &Parts, region: &str) -> Result<(), S3Error> {
    let query = query::pairs(request.uri.query().unwrap_or_default());
    let authorizations: Vec<&str> = request
        .headers
        .get_all(http::header::AUTHORIZATION)
        .iter()
        .map(|v| v.to_str().unwrap_or_default())
        .collect();
    refuse_signature_v2(&authorizations, &query)?;
    refuse_form_upload(request)?;
    let presigned = parameter(&query, "X-Amz-Signature").is_some();
    match (authorizations.first(), presigned) {
        (Some(_), true) => Err(invalid_argument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
             string parameter or the Authorization header should be specified",
        )),
        (Some(authorization), false) => {
            check_scope(field(authorization, "Credential"), region, AUTHORIZATION_HEADER)?;
            check_signed(&request.headers, field(authorization, "SignedHeaders"))
        }
        (None, true) => {
            check_expiry(parameter(&query, "X-Amz-Expires"))?;
            check_scope(parameter(&query, "X-Amz-Credential"), region, AUTHORIZATION_QUERY)?;
            check_signed(&request.headers, parameter(&query, "X-Amz-SignedHeaders"))
        }
        (None, false) => Ok(()),
    }
}

/// Puts the headers that the signer of a presigned URL moved into its query back where the protocol layer
/// reads them. They are signed with the query, and so were not there for [`check`].
///
/// # Errors
/// When one is no header value, or contradicts the header of that name.
pub(crate) fn unhoist(request: &mut Parts) -> Result<(), S3Error> {
    let query = query::pairs(request.uri.query().unwrap_or_default());
    let hoisted = query.iter().filter(|(name, _)| is_hoisted(name, &query));
    for (name, value) in hoisted.filter(|(name, value)| (name.as_str(), value.as_str()) != CRC32_OF_NO_BODY) {
        let unusable = || invalid_argument(format!("the parameter {name} is no header"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
        let value = HeaderValue::from_str(value).map_err(|_| unusable())?;
        if request.headers.get(&header).is_some_and(|known| *known != value) {
            return Err(invalid_argument(format!("{name} differs between query and header")));
        }
        request.headers.insert(header, value);
    }
    Ok(())
}

/// Whether the parameter is a header that was moved into a presigned `query`.
pub(crate) fn is_hoisted(name: &str, query: &[(String, String)]) -> bool {
    let start = name.get(..HEADER_PREFIX.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(HEADER_PREFIX))
        && !SIGNATURE_PARAMETERS.contains(&name)
        && parameter(query, "X-Amz-Signature").is_some()
}

/// A response as a client of S3 expects it.
pub(crate) fn complete(mut response: HttpResponse) -> HttpResponse {
    // The protocol layer has one status for each operation: 200 also for the head of a range.
    if response.status() == StatusCode::OK && response.headers().contains_key(http::header::CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let id = format!("{:X}", Uuid::new_v4().as_simple());
    let id = id.get(..16).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HeaderName::from_static("x-amz-request-id"), value);
    }
    response.headers_mut().insert(http::header::SERVER, HeaderValue::from_static("Countersign"));
    let failed = response.status().is_client_error() || response.status().is_server_error();
    match response.body().bytes().filter(|_| failed) {
        Some(body) => replace_body(response, &with_message(&String::from_utf8_lossy(&body), id)),
        None => response,
    }
}

/// What a failure that the protocol layer could not express is answered with.
pub(crate) fn answer(error: S3Error) -> HttpResponse {
    let response = error.to_http_response().unwrap_or_else(|_| {
        let mut response = HttpResponse::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    complete(response)
}

fn refuse_signature_v2(authorizations: &[&str], query: &[(String, String)]) -> Result<(), S3Error> {
    let in_header = authorizations.iter().any(|value| value.trim_start().starts_with("AWS "));
    let in_query = ["AWSAccessKeyId", "Signature"].iter().any(|name| parameter(query, name).is_some());
    if in_header || in_query {
        let message =
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(invalid_request(message));
    }
    Ok(())
}

/// The protocol layer holds a form in memory before it knows who sends it, and takes signature version 2 in
/// it.
fn refuse_form_upload(request: &Parts) -> Result<(), S3Error> {
    let types = request.headers.get_all(http::header::CONTENT_TYPE);
    let form = types.iter().any(|value| value.to_str().is_ok_and(is_form));
    if request.method == Method::POST && form {
        return Err(not_implemented("an upload by form"));
    }
    Ok(())
}

fn is_form(content_type: &str) -> bool {
    content_type.trim_start().get(..FORM.len()).is_some_and(|start| start.eq_ignore_ascii_case(FORM))
}

/// AWS's bounds: a URL that never expires is a credential that nobody can withdraw.
fn check_expiry(expires: Option<&str>) -> Result<(), S3Error> {
    let message = match expires.map(str::parse::<i64>) {
        Some(Ok(0..=MAX_EXPIRES)) => return Ok(()),
        Some(Ok(seconds)) if seconds < 0 => "X-Amz-Expires must be non-negative",
        Some(Ok(_)) => EXPIRES_TOO_LATE,
        Some(Err(_)) => "X-Amz-Expires should be a number",
        None => INCOMPLETE_PRESIGNED_URL,
    };
    Err(S3Error::with_message(S3ErrorCode::AuthorizationQueryParametersError, message))
}

/// A credential reads `access-key/date/region/service/aws4_request`; what does not is for the protocol layer
/// to refuse.
fn check_scope(credential: Option<&str>, region: &str, kind: ScopeKind) -> Result<(), S3Error> {
    let mut scope = credential.unwrap_or_default().rsplit('/').skip(1);
    let (Some(service), Some(signed)) = (scope.next(), scope.next()) else { return Ok(()) };
    let subject = kind.subject;
    let message = match (service == SERVICE, signed == region) {
        (true, true) => return Ok(()),
        (false, _) => {
            format!("{subject}; incorrect service {service:?}. This endpoint belongs to {SERVICE:?}.")
        }
        (true, false) => format!("{subject}; the region '{signed}' is wrong; expecting '{region}'"),
    };
    Err(S3Error::with_message(kind.code, message))
}

/// A header that is not signed may have been added or changed by anyone on the way.
fn check_signed(headers: &HeaderMap, signed: Option<&str>) -> Result<(), S3Error> {
    let Some(signed) = signed else { return Ok(()) };
    let signed: Vec<&str> = signed.split(';').collect();
    let must_be_signed = |name: &str| name == "host" || name.starts_with("x-amz-");
    let unsigned: Vec<&str> = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| must_be_signed(name) && !signed.contains(name))
        .collect();
    if unsigned.is_empty() {
        return Ok(());
    }
    let message =
        format!("There were headers present in the request which were not signed: {}", unsigned.join(", "));
    Err(S3Error::with_message(S3ErrorCode::AccessDenied, message))
}

fn parameter<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The value of `name=` in an Authorization header.
fn field<'h>(authorization: &'h str, name: &str) -> Option<&'h str> {
    let (_, fields) = authorization.split_once(' ')?;
    fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The error document with S3's message for its code, if it has none, and the request id.
fn with_message(document: &str, id: &str) -> String {
    let request_id = format!("<RequestId>{id}</RequestId></Error>");
    let code = document.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let Some((code, rest)) = code else { return document.to_owned() };
    let message = standard_message(code).filter(|_| !rest.contains("<Message>")).unwrap_or_default();
    let message = match message {
        "" => String::new(),
        text => format!("</Code><Message>{}</Message>", text.replace('\'', "&apos;")),
    };
    let document = match message.as_str() {
        "" => document.to_owned(),
        message => document.replacen("</Code>", message, 1),
    };
    document.replacen("</Error>", &request_id, 1)
}

fn replace_body(response: HttpResponse, body: &str) -> HttpResponse {
    let (mut head, _) = response.into_parts();
    head.headers.remove(http::header::CONTENT_LENGTH);
    HttpResponse::from_parts(head, Body::from(body.to_owned()))
}

/// How a credential of another region or service is refused, by where it stands.
#[derive(Clone)]
struct ScopeKind {
    code: S3ErrorCode,
    subject: &'static str,
}

const AUTHORIZATION_HEADER: ScopeKind = ScopeKind {
    code: S3ErrorCode::AuthorizationHeaderMalformed,
    subject: "The authorization header is malformed",
};
const AUTHORIZATION_QUERY: ScopeKind = ScopeKind {
    code: S3ErrorCode::AuthorizationQueryParametersError,
    subject: "Error parsing the X-Amz-Credential parameter",
};

/// What a presigned URL has in its query by itself.
pub(crate) const SIGNATURE_PARAMETERS: &[&str] = &[
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// What the JavaScript SDK signs into every URL for an upload, for want of the body; S3 passes over it.
const CRC32_OF_NO_BODY: (&str, &str) = ("x-amz-checksum-crc32", "AAAAAA==");

const HEADER_PREFIX: &str = "x-amz-";
const SERVICE: &str = "s3";
const FORM: &str = "multipart/form-data";

const EXPIRES_TOO_LATE: &str = "X-Amz-Expires must be less than a week (in seconds); that is, the given \
                                X-Amz-Expires must be less than 604800 seconds";
const INCOMPLETE_PRESIGNED_URL: &str = "Query-string authentication version 4 requires the X-Amz-Algorithm, \
                                        X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, \
                                        and X-Amz-Expires parameters.";

/// Seven days, in seconds.
const MAX_EXPIRES: i64 = 604_800;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: Method, uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, "us-east-1").err().map(|error| error.code().as_str().to_owned())
    }

    fn get(uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        refused(Method::GET, uri, headers)
    }

    fn v4(scope: &str, signed: &str) -> String {
        let credential = format!("AK/20260101/{scope}/aws4_request");
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature=0")
    }

    #[test]
    fn signature_version_2_is_refused_in_header_and_query() {
        assert_eq!(get("/b/k", &[("authorization", "AWS AK:sig")]).as_deref(), Some("InvalidRequest"));
        assert_eq!(get("/b/k?AWSAccessKeyId=AK&Signature=x", &[]).as_deref(), Some("InvalidRequest"));
        assert_eq!(get("/b/k?%41WSAccessKeyId=AK", &[]).as_deref(), Some("InvalidRequest"));
        assert_eq!(get("/b/k?Signature=x", &[]).as_deref(), Some("InvalidRequest"));
        let form = [("content-type", "Multipart/Form-Data; boundary=x")];
        assert_eq!(refused(Method::POST, "/b", &form).as_deref(), Some("NotImplemented"));
    }

    #[test]
    fn a_presigned_url_lives_for_a_week_at_most() {
        let url = |expires: &str| {
            let credential = "AK%2F20260101%2Fus-east-1%2Fs3%2Faws4_request";
            format!("/b/k?X-Amz-Signature=0&X-Amz-Credential={credential}&X-Amz-Expires={expires}")
        };
        assert_eq!(get(&url("604800"), &[]), None);
        for expires in ["604801", "-1", "x", ""] {
            let code = get(&url(expires), &[]);
            assert_eq!(code.as_deref(), Some("AuthorizationQueryParametersError"), "{expires}");
        }
        assert!(get(&url("60"), &[("authorization", &v4("us-east-1/s3", "host"))]).is_some());
    }

    #[test]
    fn the_scope_must_be_this_region_and_service() {
        let code = |scope| get("/b/k", &[("authorization", &v4(scope, "host"))]);
        assert_eq!(code("us-east-1/s3"), None);
        assert_eq!(code("eu-west-1/s3").as_deref(), Some("AuthorizationHeaderMalformed"));
        assert_eq!(code("us-east-1/signer").as_deref(), Some("AuthorizationHeaderMalformed"));
        assert_eq!(code("us-east-1/sts").as_deref(), Some("AuthorizationHeaderMalformed"));
    }

    #[test]
    fn an_unsigned_amz_header_is_refused() {
        let code = |signed| {
            let authorization = v4("us-east-1/s3", signed);
            get("/b/k", &[("authorization", &authorization), ("host", "h"), ("x-amz-meta-a", "1")])
        };
        assert_eq!(code("host;x-amz-meta-a"), None);
        assert_eq!(code("host").as_deref(), Some("AccessDenied"));
        assert_eq!(code("x-amz-meta-a").as_deref(), Some("AccessDenied"));
    }

    #[test]
    fn an_error_without_message_gets_the_standard_one() {
        let bare = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>";
        let filled = with_message(bare, "ID");
        assert!(filled.contains("<Message>The specified key does not exist.</Message>"), "{filled}");
        assert!(filled.ends_with("<RequestId>ID</RequestId></Error>"), "{filled}");
        let told = "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>";
        assert_eq!(with_message(told, "ID").matches("<Message>").count(), 1);
    }
}
