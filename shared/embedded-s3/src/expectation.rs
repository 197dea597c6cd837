//! `Expect: 100-continue` (RFC 9110 section 10.1.1), where the connection must not outlive the response.

use http::{HeaderMap, HeaderValue, header};
use hyper::body::Body as _;
use s3s::{Body, HttpResponse};

/// What a client that awaits `100 Continue` is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// Nothing: it awaits none.
    None,
    /// The HTTP layer continues it once the body is read.
    WithBody,
    /// The HTTP layer continues no empty body.
    WithoutBody,
}

impl Expectation {
    pub(crate) fn of(headers: &HeaderMap, body: &Body) -> Self {
        let expects = headers.get(header::EXPECT).is_some_and(|value| {
            value.to_str().is_ok_and(|value| value.eq_ignore_ascii_case("100-continue"))
        });
        match (expects, body.is_end_stream()) {
            (false, _) => Self::None,
            (true, false) => Self::WithBody,
            (true, true) => Self::WithoutBody,
        }
    }

    /// Ends the connection with a response that came without `100 Continue`, as AWS does. The Python SDK keeps
    /// the status of such a response and takes it, a success included, for that of the next one on the
    /// connection.
    pub(crate) fn settle(self, mut response: HttpResponse) -> HttpResponse {
        let unread = match self {
            Self::None => false,
            Self::WithBody => !response.status().is_success(),
            Self::WithoutBody => true,
        };
        if unread {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closes(expect: Option<&'static str>, body: &'static str, status: u16) -> bool {
        let expect = expect.map(|value| (header::EXPECT, HeaderValue::from_static(value)));
        let expectation = Expectation::of(&HeaderMap::from_iter(expect), &Body::from(body.to_owned()));
        let mut response = HttpResponse::new(Body::empty());
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        expectation.settle(response).headers().contains_key(header::CONNECTION)
    }

    #[test]
    fn a_response_without_continue_ends_the_connection() {
        assert!(closes(Some("100-continue"), "", 200));
        assert!(closes(Some("100-Continue"), "body", 412));
        assert!(!closes(Some("100-continue"), "body", 200));
        assert!(!closes(None, "", 200));
        assert!(!closes(None, "body", 412));
    }
}
