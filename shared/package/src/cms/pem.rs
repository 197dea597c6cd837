//! The PEM around the signature of the AWS platform (FORMAT.md section 4.1).

use der::pem::{self, LineEnding};

use super::error::CmsError;

/// One block, lines of 64 characters, ended by LF.
pub(crate) fn encode(der: &[u8]) -> Result<String, CmsError> {
    pem::encode_string(LABEL, LineEnding::LF, der).map_err(|error| malformed(error.to_string()))
}

/// The bytes of the one block that `text` is: nothing before it, nothing but an end of line after it, no headers.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, CmsError> {
    if !text.starts_with(FIRST_LINE) {
        return Err(malformed("it must begin with -----BEGIN PKCS7-----"));
    }
    let block = text.trim_ascii_end();
    if !block.ends_with(LAST_LINE) || text.len() - block.len() > 2 {
        return Err(malformed("it must end with -----END PKCS7-----"));
    }
    let (label, bytes) = pem::decode_vec(block).map_err(|error| malformed(error.to_string()))?;
    if label == LABEL { Ok(bytes) } else { Err(malformed("another label")) }
}

fn malformed(detail: impl Into<String>) -> CmsError {
    CmsError::Pem { detail: detail.into() }
}

const LABEL: &str = "PKCS7";
const FIRST_LINE: &[u8] = b"-----BEGIN PKCS7-----";
const LAST_LINE: &[u8] = b"-----END PKCS7-----";

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
            String::new(),
        ];
        for case in cases {
            assert!(decode(case.as_bytes()).is_err(), "{case:?}");
        }
    }
}
