//! From method and path to an operation.

use http::{Method, Uri};
use percent_encoding::percent_decode_str;

use crate::model::{Operation, Segment, Service};
use crate::sigv4::{form_pairs, normalized_path};

/// An operation, with the labels of its path.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The operation.
    pub operation: &'static Operation,
    /// The members in the path with their values, decoded once.
    pub labels: Vec<(&'static str, String)>,
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// The operation of `service` that a request is for, whatever its host: the host of GetRevocationStatus has a prefix
/// on AWS that clients may or may not put before an endpoint of their own.
///
/// The path is matched as it was sent: an ARN in it may have its slashes encoded or not. A path that is not the one
/// that was signed (with dot segments, or empty ones) is for no operation.
pub fn route(service: &'static Service, method: &Method, uri: &Uri) -> Option<Route> {
    let path = uri.path();
    if normalized_path(path) != path {
        return None;
    }
    let candidates = service.operations.iter().filter(|operation| operation.method == *method);
    let matched = candidates.filter(|operation| asked_for(operation, uri)).filter_map(|operation| {
        let labels = labels(operation.path, path)?;
        Some(Route { operation, labels })
    });
    matched.max_by_key(|route| specificity(route.operation))
}

/// `GetLayerVersionByArn` and `ListLayers` share a path; what the query asks for tells them apart.
fn asked_for(operation: &Operation, uri: &Uri) -> bool {
    operation.query.is_none_or(|(name, value)| {
        let pairs = form_pairs(uri.query().unwrap_or_default());
        pairs.iter().any(|(known, given)| known == name.as_bytes() && given == value.as_bytes())
    })
}

/// A literal segment is worth more than a label that would take it.
fn specificity(operation: &Operation) -> (usize, bool) {
    let literals = operation.path.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count();
    (literals, operation.query.is_some())
}

fn labels(template: &'static [Segment], path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut labels = Vec::new();
    let mut rest = Some(path.strip_prefix('/')?);
    for segment in template {
        let path = rest?;
        let (head, tail) = path.split_once('/').map_or((path, None), |(head, tail)| (head, Some(tail)));
        rest = tail;
        match segment {
            Segment::Literal(literal) if *literal == head => {}
            Segment::Literal(_) => return None,
            Segment::Label(name) => labels.push((*name, decoded(head)?)),
            Segment::Rest(name) => {
                labels.push((*name, decoded(path)?));
                rest = None;
            }
        }
    }
    // Older clients end the path of a collection with a slash.
    rest.is_none_or(str::is_empty).then_some(labels)
}

/// A label's value: not empty, and UTF-8.
fn decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    (!decoded.is_empty()).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{lambda, signer};

    fn routed(service: &'static Service, method: &Method, path: &str) -> Option<(&'static str, Vec<String>)> {
        let route = route(service, method, &path.parse().unwrap())?;
        Some((route.operation.name, route.labels.into_iter().map(|(_, value)| value).collect()))
    }

    fn get(service: &'static Service, path: &str) -> Option<(&'static str, Vec<String>)> {
        routed(service, &Method::GET, path)
    }

    #[test]
    fn an_arn_in_the_path_may_be_encoded_or_not() {
        let arn = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/a";
        let encoded = "arn%3Aaws%3Asigner%3Aus-east-1%3A111111111111%3A%2Fsigning-profiles%2Fa";
        for path in [arn, encoded] {
            let routed = get(&signer::SERVICE, &format!("/tags/{path}"));
            assert_eq!(routed, Some(("ListTagsForResource", vec![arn.to_owned()])));
        }
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:tf-f:2";
        let path = format!("/2015-03-31/functions/{arn}/configuration?Qualifier=2");
        assert_eq!(get(&lambda::SERVICE, &path), Some(("GetFunctionConfiguration", vec![arn.to_owned()])));
    }

    #[test]
    fn the_query_tells_a_layer_by_arn_from_the_list_of_layers() {
        let name = |path| get(&lambda::SERVICE, path).map(|(name, _)| name);
        assert_eq!(name("/2018-10-31/layers?find=LayerVersion&Arn=x"), Some("GetLayerVersionByArn"));
        assert_eq!(name("/2018-10-31/layers?MaxItems=1"), Some("ListLayers"));
        assert_eq!(name("/2018-10-31/layers?find=Other"), Some("ListLayers"));
        assert_eq!(name("/2018-10-31/layers/"), Some("ListLayers"));
    }

    #[test]
    fn a_literal_is_taken_before_a_label() {
        let post = |path| routed(&signer::SERVICE, &Method::POST, path).map(|(name, _)| name);
        assert_eq!(post("/signing-jobs/with-payload"), Some("SignPayload"));
        assert_eq!(post("/signing-jobs"), Some("StartSigningJob"));
        assert_eq!(get(&signer::SERVICE, "/revocations").map(|(name, _)| name), Some("GetRevocationStatus"));
    }

    #[test]
    fn what_is_no_operation_has_no_route() {
        for path in [
            "/",
            "/signing-profiles/a/b",
            "/signing-profiles//permissions",
            "/signing-profiles/./a",
            "/x/../signing-jobs",
            "/signing-jobs/%ff",
            "/signing-jobs/a/revoke",
        ] {
            assert_eq!(get(&signer::SERVICE, path), None, "{path}");
        }
        assert_eq!(get(&lambda::SERVICE, "/2015-03-31/functions/f/invocations"), None);
    }
}
