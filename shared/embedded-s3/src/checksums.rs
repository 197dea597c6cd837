//! Checksums: which one a request declares, computing it while the body passes, and refusing a body that
//! differs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use s3s::S3ErrorCode;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{ChecksumAlgorithm, ChecksumType};

use crate::errors::{Failure, Result, invalid_request, refusal};

/// An algorithm of the `x-amz-checksum-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// What a multipart checksum covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Every byte, in order.
    FullObject,
    /// The checksums of the parts.
    Composite,
}

/// A checksum that was computed here, and equals what the client sent if it sent one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredChecksum {
    pub(crate) algorithm: Algorithm,
    /// Base64; for a composite followed by `-` and the number of parts.
    pub(crate) value: String,
    pub(crate) coverage: Coverage,
}

/// The checksum a request declares for its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) algorithm: Algorithm,
    pub(crate) value: DeclaredValue,
}

/// Where the declared value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeclaredValue {
    /// In a header: base64.
    Header(String),
    /// In a trailer that follows the body.
    Trailer,
    /// Nowhere: the server is asked to compute it.
    Computed,
}

/// The `checksum_*` members of a request's input, which S3 repeats in every operation.
macro_rules! checksum_members {
    ($input:expr) => {{
        use $crate::checksums::Algorithm;
        [
            (Algorithm::Crc32, $input.checksum_crc32.clone()),
            (Algorithm::Crc32c, $input.checksum_crc32c.clone()),
            (Algorithm::Crc64Nvme, $input.checksum_crc64nvme.clone()),
            (Algorithm::Sha1, $input.checksum_sha1.clone()),
            (Algorithm::Sha256, $input.checksum_sha256.clone()),
        ]
    }};
}

/// Sets the `checksum_*` member of an output that belongs to `$algorithm`.
macro_rules! set_checksum {
    ($output:expr, $algorithm:expr, $value:expr) => {{
        let value = Some($value.to_owned());
        match $algorithm {
            $crate::checksums::Algorithm::Crc32 => $output.checksum_crc32 = value,
            $crate::checksums::Algorithm::Crc32c => $output.checksum_crc32c = value,
            $crate::checksums::Algorithm::Crc64Nvme => $output.checksum_crc64nvme = value,
            $crate::checksums::Algorithm::Sha1 => $output.checksum_sha1 = value,
            $crate::checksums::Algorithm::Sha256 => $output.checksum_sha256 = value,
        }
    }};
}
pub(crate) use {checksum_members, set_checksum};

/// What `members` (at most one may be set), the trailer announced in `headers`, and the algorithm named in
/// `headers` declare together.
pub(crate) fn declared(
    members: [(Algorithm, Option<String>); 5],
    headers: &HeaderMap,
) -> Result<Option<Declared>> {
    let mut found: Vec<Declared> = members
        .into_iter()
        .filter_map(|(algorithm, value)| Some(Declared { algorithm, value: DeclaredValue::Header(value?) }))
        .collect();
    for trailer in trailer_names(headers)? {
        let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.header() == trailer);
        let algorithm = algorithm.ok_or_else(|| invalid_request(format!("unknown trailer {trailer:?}")))?;
        found.push(Declared { algorithm, value: DeclaredValue::Trailer });
    }
    if found.len() > 1 {
        let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
        return Err(invalid_request(message).into());
    }
    let named = named_algorithm(headers)?;
    match (found.pop(), named) {
        (Some(declared), Some(named)) if declared.algorithm != named => {
            Err(invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.").into())
        }
        (Some(declared), _) => Ok(Some(declared)),
        (None, named) => Ok(named.map(|algorithm| Declared { algorithm, value: DeclaredValue::Computed })),
    }
}

/// The algorithm a request names for an object it begins or copies.
pub(crate) fn requested(algorithm: Option<&ChecksumAlgorithm>) -> Result<Option<Algorithm>> {
    algorithm.map(|algorithm| Algorithm::parse(algorithm.as_str())).transpose()
}

/// `value` as the client sent it must be well formed and equal to `computed`.
pub(crate) fn require_equal(algorithm: Algorithm, sent: &str, computed: &str) -> Result<()> {
    let length = BASE64.decode(sent).map(|bytes| bytes.len());
    if length != Ok(algorithm.length()) {
        let message = format!("Value for {} header is invalid.", algorithm.header());
        return Err(invalid_request(message).into());
    }
    if sent == computed {
        return Ok(());
    }
    let message = format!("The {} you specified did not match the calculated checksum.", algorithm.name());
    Err(s3s::S3Error::with_message(S3ErrorCode::BadDigest, message).into())
}

/// `sent` must be the base64 of `computed`.
pub(crate) fn require_md5(sent: &str, computed: [u8; 16]) -> Result<()> {
    match BASE64.decode(sent) {
        Ok(bytes) if bytes.len() != computed.len() => Err(refusal(S3ErrorCode::InvalidDigest).into()),
        Ok(bytes) if bytes == computed => Ok(()),
        Ok(_) => {
            let message = "The Content-MD5 you specified did not match what we received.";
            Err(s3s::S3Error::with_message(S3ErrorCode::BadDigest, message).into())
        }
        Err(_) => Err(refusal(S3ErrorCode::InvalidDigest).into()),
    }
}

/// The checksum of the checksums of parts.
pub(crate) fn composite(algorithm: Algorithm, parts: &[String]) -> Result<String> {
    let mut hasher = Hasher::new(algorithm);
    for part in parts {
        let bytes = BASE64.decode(part).map_err(|error| Failure::Damaged(error.to_string()))?;
        hasher.update(&bytes);
    }
    Ok(format!("{}-{}", hasher.finish(), parts.len()))
}

/// The ETag of a multipart object: the MD5 of the MD5s of its parts, and their number.
pub(crate) fn multipart_etag<'p>(parts: impl ExactSizeIterator<Item = &'p str>) -> Result<String> {
    let (mut md5, count) = (Md5::new(), parts.len());
    for part in parts {
        md5.update(&hex::decode(part).map_err(|error| Failure::Damaged(error.to_string()))?);
    }
    Ok(format!("{}-{count}", hex::encode(md5.finalize())))
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// What S3 computes for a client that declares nothing.
    pub(crate) const DEFAULT: Self = Self::Crc64Nvme;

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => ChecksumAlgorithm::CRC32,
            Self::Crc32c => ChecksumAlgorithm::CRC32C,
            Self::Crc64Nvme => ChecksumAlgorithm::CRC64NVME,
            Self::Sha1 => ChecksumAlgorithm::SHA1,
            Self::Sha256 => ChecksumAlgorithm::SHA256,
        }
    }

    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The coverage S3 takes for a multipart upload that names none.
    pub(crate) fn default_coverage(self) -> Coverage {
        match self {
            Self::Crc64Nvme => Coverage::FullObject,
            Self::Crc32 | Self::Crc32c | Self::Sha1 | Self::Sha256 => Coverage::Composite,
        }
    }

    /// S3 offers no composite CRC64NVME and no full-object SHA of several parts.
    pub(crate) fn allows(self, coverage: Coverage) -> bool {
        match self {
            Self::Crc32 | Self::Crc32c => true,
            Self::Crc64Nvme => coverage == Coverage::FullObject,
            Self::Sha1 | Self::Sha256 => coverage == Coverage::Composite,
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        let unknown = || invalid_request(UNKNOWN_ALGORITHM);
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name));
        Ok(known.ok_or_else(unknown)?)
    }

    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl Coverage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => ChecksumType::FULL_OBJECT,
            Self::Composite => ChecksumType::COMPOSITE,
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        match name {
            ChecksumType::FULL_OBJECT => Ok(Self::FullObject),
            ChecksumType::COMPOSITE => Ok(Self::Composite),
            _ => Err(invalid_request("Value for x-amz-checksum-type header is invalid.").into()),
        }
    }
}

impl StoredChecksum {
    /// The checksum that the columns of a row hold; none if they are all NULL.
    pub(crate) fn from_columns(
        algorithm: Option<&str>,
        value: Option<&str>,
        coverage: Option<&str>,
    ) -> Result<Option<Self>> {
        let (Some(algorithm), Some(value), Some(coverage)) = (algorithm, value, coverage) else {
            return Ok(None);
        };
        let (algorithm, coverage) = (Algorithm::parse(algorithm)?, Coverage::parse(coverage)?);
        Ok(Some(Self { algorithm, value: value.to_owned(), coverage }))
    }

    /// The coverage as S3 writes it.
    pub(crate) fn wire_type(&self) -> ChecksumType {
        ChecksumType::from_static(self.coverage.name())
    }

    /// The algorithm as S3 writes it.
    pub(crate) fn wire_algorithm(&self) -> ChecksumAlgorithm {
        ChecksumAlgorithm::from_static(self.algorithm.name())
    }
}

/// A checksum being computed.
pub(crate) enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Box<Sha1>),
    Sha256(Box<Sha256>),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Box::new(Sha1::new())),
            Algorithm::Sha256 => Self::Sha256(Box::new(Sha256::new())),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64Nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum in base64.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Crc32(hasher) => BASE64.encode(hasher.finalize()),
            Self::Crc32c(hasher) => BASE64.encode(hasher.finalize()),
            Self::Crc64Nvme(hasher) => BASE64.encode(hasher.finalize()),
            Self::Sha1(hasher) => BASE64.encode(hasher.finalize()),
            Self::Sha256(hasher) => BASE64.encode(hasher.finalize()),
        }
    }
}

const UNKNOWN_ALGORITHM: &str = "Checksum algorithm provided is unsupported. Please try again with any of \
                                 the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]";

fn trailer_names(headers: &HeaderMap) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for value in headers.get_all("x-amz-trailer") {
        let value = value.to_str().map_err(|_| invalid_request("x-amz-trailer is not ASCII"))?;
        names.extend(value.split(',').map(|name| name.trim().to_ascii_lowercase()));
    }
    Ok(names)
}

fn named_algorithm(headers: &HeaderMap) -> Result<Option<Algorithm>> {
    let Some(value) = headers.get("x-amz-sdk-checksum-algorithm") else { return Ok(None) };
    let name = value.to_str().map_err(|_| invalid_request("x-amz-sdk-checksum-algorithm is not ASCII"))?;
    Algorithm::parse(name).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the CRC catalogue and of FIPS 180, for "123456789" and "abc".
    #[test]
    fn known_answers() {
        let computed = |algorithm, text: &str| {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(text.as_bytes());
            hex::encode(BASE64.decode(hasher.finish()).unwrap())
        };
        assert_eq!(computed(Algorithm::Crc32, "123456789"), "cbf43926");
        assert_eq!(computed(Algorithm::Crc32c, "123456789"), "e3069283");
        assert_eq!(computed(Algorithm::Crc64Nvme, "123456789"), "ae8b14860a799888");
        assert_eq!(computed(Algorithm::Sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(computed(Algorithm::Sha256, "abc").starts_with("ba7816bf8f01cfea"));
    }

    #[test]
    fn one_checksum_at_most_is_declared() {
        let none: [(Algorithm, Option<String>); 5] = Algorithm::ALL.map(|algorithm| (algorithm, None));
        let both = Algorithm::ALL.map(|algorithm| (algorithm, Some("AAAAAA==".to_owned())));
        assert_eq!(declared(none.clone(), &HeaderMap::new()).unwrap(), None);
        assert!(declared(both, &HeaderMap::new()).is_err());
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-trailer", "x-amz-checksum-crc32".parse().unwrap());
        let trailer = Declared { algorithm: Algorithm::Crc32, value: DeclaredValue::Trailer };
        assert_eq!(declared(none.clone(), &headers).unwrap(), Some(trailer));
        headers.insert("x-amz-sdk-checksum-algorithm", "SHA256".parse().unwrap());
        assert!(declared(none.clone(), &headers).is_err());
        headers.insert("x-amz-trailer", "x-amz-checksum-crc77".parse().unwrap());
        assert!(declared(none, &headers).is_err());
    }

    #[test]
    fn a_malformed_value_and_a_wrong_one_are_different_errors() {
        let code = |result: Result<()>| s3s::S3Error::from(result.unwrap_err()).code().clone();
        assert!(require_equal(Algorithm::Crc32, "AAAAAA==", "AAAAAA==").is_ok());
        assert_eq!(code(require_equal(Algorithm::Crc32, "AAAAAQ==", "AAAAAA==")), S3ErrorCode::BadDigest);
        assert_eq!(code(require_equal(Algorithm::Crc32, "AAAA", "AAAAAA==")), S3ErrorCode::InvalidRequest);
        assert_eq!(code(require_md5("AAAA", [0; 16])), S3ErrorCode::InvalidDigest);
        assert_eq!(code(require_md5("AAAAAAAAAAAAAAAAAAAAAQ==", [0; 16])), S3ErrorCode::BadDigest);
    }

    /// AWS's rule, worked by hand: MD5 over the 16-byte MD5s, then the count.
    #[test]
    fn a_multipart_etag_counts_its_parts() {
        let part = "d41d8cd98f00b204e9800998ecf8427e";
        assert_eq!(multipart_etag([part].into_iter()).unwrap(), "59adb24ef3cdbe0297f05b395827453f-1");
    }
}
