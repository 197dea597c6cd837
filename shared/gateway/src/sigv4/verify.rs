//! From claims to a caller.

use countersign_domain::UnixMillis;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header::HOST};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::canonical::canonical_request;
use super::claims::{ALGORITHM, Claims};
use super::credentials::{AccessKey, Credentials, Principal};
use super::instant::basic;
use super::scope::{TERMINATOR, shortened};
use super::{CredentialsUnavailable, Refused};

/// Where and when a signature is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'e> {
    /// The region, such as `us-east-1`.
    pub region: &'e str,
    /// The services that answer here, by the name that is signed: `signer`, `lambda`.
    pub services: &'e [&'e str],
    /// The time.
    pub now: UnixMillis,
}

/// Claims of a known key, for this place and time. The signature itself is not looked at yet.
pub struct Candidate {
    claims: Claims,
    key: AccessKey,
}

/// Somebody who signed the request that was looked at. Only [`Candidate::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    principal: Principal,
    access_key_id: String,
}

impl Caller {
    /// Who it is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The key that was used, which is no secret.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }
}

/// Somebody, for the tests of what needs a caller.
#[cfg(test)]
pub(crate) fn caller_for_tests(name: &str) -> Caller {
    let arn = format!("arn:aws:iam::111111111111:user/{name}");
    let principal = Principal { name: name.to_owned(), arn, account: "111111111111".to_owned() };
    Caller { principal, access_key_id: "AK".to_owned() }
}

impl Candidate {
    /// Takes `claims` that are scoped to `endpoint`, not out of time, and of a key that `credentials` know.
    ///
    /// # Errors
    /// [`Refused`], by what disagrees.
    pub async fn admit(
        claims: Claims,
        endpoint: Endpoint<'_>,
        credentials: &dyn Credentials,
    ) -> Result<Self, Refused> {
        check_time(&claims, endpoint.now)?;
        check_scope(&claims, endpoint)?;
        if !claims.signed_headers.contains(&HOST) {
            return Err(invalid("'Host' must be a 'SignedHeader' in the AWS Authorization."));
        }
        let found: Result<Option<AccessKey>, CredentialsUnavailable> =
            credentials.find(&claims.scope.access_key_id).await;
        let key = found?.ok_or(Refused::UnknownClient(UNKNOWN_KEY))?;
        Ok(Self { claims, key })
    }

    /// Takes the whole request for the caller's if it is what was signed.
    ///
    /// # Errors
    /// [`Refused::Invalid`].
    pub fn verify(self, head: &Parts, body: &[u8]) -> Result<Caller, Refused> {
        check_signed(&head.headers, &self.claims.signed_headers)?;
        let hashes = self.payload_hashes(&head.headers, body)?;
        let signed = hashes.iter().any(|hash| self.signed(head, hash));
        if !signed {
            return Err(invalid(MISMATCH));
        }
        let access_key_id = self.claims.scope.access_key_id;
        Ok(Caller { principal: self.key.into_principal(), access_key_id })
    }

    /// The hashes that may have been signed for this body: one, but for a presigned URL, whose signer may have known
    /// no body and does not say so.
    fn payload_hashes(&self, headers: &HeaderMap, body: &[u8]) -> Result<Vec<String>, Refused> {
        let actual = hex::encode(Sha256::digest(body));
        let presigned = self.claims.expires.is_some();
        let mut claimed = headers.get_all(CONTENT_HASH).iter();
        match (claimed.next().map(HeaderValue::as_bytes), claimed.next()) {
            (None, _) if presigned => Ok(vec![actual, UNSIGNED_PAYLOAD.to_owned()]),
            (None, _) => Ok(vec![actual]),
            (Some(hash), None) if hash == actual.as_bytes() => Ok(vec![actual]),
            (Some(hash), None) if hash == UNSIGNED_PAYLOAD.as_bytes() && presigned => {
                Ok(vec![UNSIGNED_PAYLOAD.to_owned()])
            }
            (Some(_), _) => Err(invalid(BODY_NOT_SIGNED)),
        }
    }

    fn signed(&self, head: &Parts, payload_hash: &str) -> bool {
        let Some(canonical) = canonical_request(head, &self.claims.signed_headers, payload_hash) else {
            return false;
        };
        let scope = self.claims.scope.signed();
        let hash = hex::encode(Sha256::digest(canonical));
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{hash}", self.claims.signed_at.text);
        let expected = hmac(&self.signing_key(), text.as_bytes());
        expected.ct_eq(&self.claims.signature).into()
    }

    fn signing_key(&self) -> [u8; 32] {
        let scope = &self.claims.scope;
        let secret = Zeroizing::new(format!("AWS4{}", self.key.secret()));
        let day = hmac(secret.as_bytes(), scope.date.as_bytes());
        let region = hmac(&day, scope.region.as_bytes());
        let service = hmac(&region, scope.service.as_bytes());
        hmac(&service, TERMINATOR.as_bytes())
    }
}

/// A signature speaks for a quarter of an hour around its date, a presigned URL for as long as it says.
fn check_time(claims: &Claims, now: UnixMillis) -> Result<(), Refused> {
    let (signed, text) = (claims.signed_at.instant, &claims.signed_at.text);
    let latest = now.plus_millis(MAX_SKEW_MILLIS);
    if signed > latest {
        let (latest, now) = (basic(latest), basic(now));
        return Err(invalid(format!(
            "Signature not yet current: {text} is still later than {latest} ({now} + 15 min.)"
        )));
    }
    let good_for = claims.expires.map_or(MAX_SKEW_MILLIS, |seconds| seconds * 1000);
    if signed.plus_millis(good_for) < now {
        let earliest = basic(now.plus_millis(-good_for));
        let (now, minutes) = (basic(now), good_for / 60_000);
        return Err(invalid(format!(
            "Signature expired: {text} is now earlier than {earliest} ({now} - {minutes} min.)"
        )));
    }
    Ok(())
}

fn check_scope(claims: &Claims, endpoint: Endpoint<'_>) -> Result<(), Refused> {
    let scope = &claims.scope;
    let (day, text) = (claims.signed_at.text.get(..8).unwrap_or_default(), &claims.signed_at.text);
    if !endpoint.services.contains(&scope.service.as_str()) {
        let services = endpoint.services.join("' or '");
        return Err(invalid(format!("Credential should be scoped to correct service: '{services}'.")));
    }
    if scope.region != endpoint.region {
        let (region, wrong) = (endpoint.region, shortened(&scope.region));
        return Err(invalid(format!(
            "Credential should be scoped to a valid region: '{region}', not '{wrong}'."
        )));
    }
    if scope.date != day {
        let wrong = shortened(&scope.date);
        return Err(invalid(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{wrong}' != \
             '{day}', from '{text}'."
        )));
    }
    Ok(())
}

/// A header of AWS's that is not signed may have been added or changed by anyone on the way.
fn check_signed(headers: &HeaderMap, signed: &[HeaderName]) -> Result<(), Refused> {
    let unsigned: Vec<&str> = headers
        .keys()
        .filter(|name| name.as_str().starts_with(MUST_BE_SIGNED) && !signed.contains(name))
        .map(HeaderName::as_str)
        .collect();
    if unsigned.is_empty() {
        return Ok(());
    }
    let names = shortened(&unsigned.join(", "));
    Err(invalid(format!("There were headers present in the request which were not signed: {names}")))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length (RFC 2104 section 2).
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn invalid(message: impl Into<String>) -> Refused {
    Refused::Invalid(message.into())
}

/// How far the clocks of caller and gateway may be apart: 15 minutes, as on AWS. It bounds how long a request that
/// was overheard can be sent again.
const MAX_SKEW_MILLIS: i64 = 15 * 60 * 1000;

const CONTENT_HASH: &str = "x-amz-content-sha256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
const MUST_BE_SIGNED: &str = "x-amz-";

const BODY_NOT_SIGNED: &str =
    "The 'X-Amz-Content-SHA256' of the request must be the SHA-256 of its body, and the body must be signed";

const UNKNOWN_KEY: &str = "The security token included in the request is invalid.";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";
