//! The PEM around the signature of the AWS platform (FORMAT.md section 4.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::pem::{self, LineEnding};

use super::error::CmsError;

/// One block, lines of 64 characters, ended by LF.
pub(crate) fn encode(der: &[u8]) -> Result<String, CmsError> {
    pem::encode_string(LABEL, LineEnding::LF, der).map_err(|error| malformed(error.to_string()))
}

/// The bytes of the one block that `text` is: nothing before it, nothing but one end of line after it, no headers. How
/// long its lines are says nothing; that ours have the one form of [`encode`] is for the caller to check.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, CmsError> {
    let text = std::str::from_utf8(text).map_err(|error| malformed(error.to_string()))?;
    let rest = text.strip_prefix(FIRST_LINE).and_then(without_line_end);
    let rest = rest.ok_or_else(|| malformed("it must begin with -----BEGIN PKCS7-----"))?;
    let (body, end) = rest.split_once(LAST_LINE).unwrap_or_default();
    if !matches!(end, "" | "\n" | "\r\n") || !body.ends_with('\n') {
        return Err(malformed("it must end with -----END PKCS7-----"));
    }
    if body.lines().any(str::is_empty) {
        return Err(malformed("it has an empty line"));
    }
    let characters: String = body.lines().collect();
    STANDARD.decode(characters).map_err(|error| malformed(error.to_string()))
}

fn without_line_end(text: &str) -> Option<&str> {
    text.strip_prefix('\n').or_else(|| text.strip_prefix("\r\n"))
}

fn malformed(detail: impl Into<String>) -> CmsError {
    CmsError::Pem { detail: detail.into() }
}

const LABEL: &str = "PKCS7";
const FIRST_LINE: &str = "-----BEGIN PKCS7-----";
const LAST_LINE: &str = "-----END PKCS7-----";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_round_trips_with_either_line_ending() {
        let text = encode(&[7; 100]).unwrap();
        assert_eq!(decode(text.as_bytes()).unwrap(), [7; 100]);
        assert_eq!(decode(text.replace('\n', "\r\n").as_bytes()).unwrap(), [7; 100]);
        assert_eq!(decode(text.trim_end().as_bytes()).unwrap(), [7; 100]);
    }

    #[test]
    fn lines_may_have_any_length() {
        let text = encode(&[7; 100]).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        for width in [1, 60, 76, 1000] {
            let lines: Vec<&str> =
                body.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            for end in ["\n", "\r\n"] {
                let text = [&[FIRST_LINE], lines.as_slice(), &[LAST_LINE]].concat().join(end);
                assert_eq!(decode(text.as_bytes()).unwrap(), [7; 100], "{width}");
            }
        }
    }

    #[test]
    fn anything_around_or_inside_the_block_is_refused() {
        let text = encode(&[7; 100]).unwrap();
        let cases = [
            format!("\n{text}"),
            format!("x{text}"),
            format!("{text}\n\n"),
            format!("{text}{text}"),
            text.replace("PKCS7", "CMS"),
            text.replace("-----BEGIN PKCS7-----\n", "-----BEGIN PKCS7-----\nProc-Type: 4,ENCRYPTED\n\n"),
            text.replace("-----END PKCS7-----\n", ""),
            text.replace("-----END", "=-----END"),
            text.replace('B', " B"),
            text.replace('B', "\rB"),
            text.replace("-----\n", "-----\n\n"),
            text.replace("\n-----END", "-----END"),
            format!("{} ", text.trim_end()),
            "-----BEGIN PKCS7-----".to_owned(),
            String::new(),
        ];
        for case in cases {
            assert!(decode(case.as_bytes()).is_err(), "{case:?}");
        }
    }
}
