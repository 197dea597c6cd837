//! The canonical request: what of a request is signed, in the one form that signer and verifier agree on.

use http::header::HOST;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::claims::SIGNATURE_PARAMETER;

/// The canonical request over `signed` headers, with the hash of the payload as it was claimed. `None` if a signed
/// header is not there.
pub(super) fn canonical_request(head: &Parts, signed: &[HeaderName], payload_hash: &str) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(1024);
    let mut line = |part: &[u8]| {
        text.extend_from_slice(part);
        text.push(b'\n');
    };
    line(head.method.as_str().as_bytes());
    line(canonical_path(head.uri.path()).as_bytes());
    line(canonical_query(head.uri.query().unwrap_or_default()).as_bytes());
    for name in signed {
        line(&canonical_header(head, name)?);
    }
    line(b"");
    let names: Vec<&str> = signed.iter().map(HeaderName::as_str).collect();
    line(names.join(";").as_bytes());
    text.extend_from_slice(payload_hash.as_bytes());
    Some(text)
}

/// The path with its dot segments resolved (RFC 3986 section 5.2.4) and empty segments left out, still as encoded as it
/// came.
pub(crate) fn normalized_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let open = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let end = if open && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

/// The names and values of a query, decoded as forms are: `+` is a space. They need not be UTF-8.
pub(crate) fn form_pairs(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (form_decoded(name), form_decoded(value))
        })
        .collect()
}

/// Services other than S3 sign the path as it is sent, encoded once more.
fn canonical_path(path: &str) -> String {
    percent_encode(normalized_path(path).as_bytes(), &RESERVED_IN_PATH).to_string()
}

fn canonical_query(query: &str) -> String {
    let encoded = |bytes: &[u8]| percent_encode(bytes, &RESERVED).to_string();
    let mut pairs: Vec<(String, String)> = form_pairs(query)
        .iter()
        .filter(|(name, _)| name != SIGNATURE_PARAMETER.as_bytes())
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// `name:value,value`, each value without outer blanks and with inner runs of them as one.
fn canonical_header(head: &Parts, name: &HeaderName) -> Option<Vec<u8>> {
    let mut values: Vec<&[u8]> = head.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let authority = head.uri.authority().filter(|_| values.is_empty() && name == HOST);
    values.extend(authority.map(|authority| authority.as_str().as_bytes()));
    if values.is_empty() {
        return None;
    }
    let values: Vec<Vec<u8>> = values.into_iter().map(trimmed).collect();
    Some([name.as_str().as_bytes(), b":", values.join(&b',').as_slice()].concat())
}

fn trimmed(value: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> =
        value.split(|byte| BLANKS.contains(byte)).filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

fn form_decoded(text: &str) -> Vec<u8> {
    percent_decode(text.replace('+', " ").as_bytes()).collect()
}

/// A header's value can hold no other white space. Of AWS's clients, those for Python and Java fold tabs too; the one
/// for Rust does not, and sends none.
const BLANKS: &[u8] = b" \t";

/// RFC 3986 section 2.3: everything but the unreserved characters is encoded.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const RESERVED_IN_PATH: AsciiSet = RESERVED.remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_normalised_and_encoded_once_more() {
        for (path, canonical) in [
            ("/", "/"),
            ("", "/"),
            ("/a/./b/../c", "/a/c"),
            ("/a/b/..", "/a/"),
            ("//a//b/", "/a/b/"),
            ("/../..", "/"),
            ("/tags/arn%3Aaws%3Asigner", "/tags/arn%253Aaws%253Asigner"),
            ("/f/arn:aws", "/f/arn%3Aaws"),
            ("/%7Ea~b", "/%257Ea~b"),
        ] {
            assert_eq!(canonical_path(path), canonical, "{path}");
        }
    }

    #[test]
    fn repeated_keys_are_sorted_by_value_and_the_signature_is_left_out() {
        let query = "b=2&a=2&a=1&X-Amz-Signature=x&c&%61=%2f&d=a+b";
        assert_eq!(canonical_query(query), "a=%2F&a=1&a=2&b=2&c=&d=a%20b");
    }

    #[test]
    fn header_values_lose_outer_and_repeated_blanks() {
        let request = http::Request::builder().header("x-a", "  a   b ").header("x-a", "c\t d");
        let head = request.body(()).unwrap().into_parts().0;
        let header = canonical_header(&head, &HeaderName::from_static("x-a")).unwrap();
        assert_eq!(header, b"x-a:a b,c d");
        assert_eq!(canonical_header(&head, &HeaderName::from_static("x-b")), None);
    }
}
