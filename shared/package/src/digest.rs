//! The two digests of a package (FORMAT.md section 5). Both stream.

use std::io::{self, Read};

use countersign_domain::Sha256Digest;
use sha2::{Digest, Sha256, Sha384};

use crate::cms::SignatureAlgorithm;
use crate::gate::{Archive, Entry};
use crate::source::{BLOCK_SIZE, ReadAt, Section};

/// What one pass over a package gives (FORMAT.md section 5.1).
#[derive(Debug, Clone)]
pub(crate) struct ExactBytes {
    pub(crate) size: u64,
    pub(crate) sha256: Sha256Digest,
    /// With the algorithm's own digest.
    pub(crate) digest: Vec<u8>,
}

/// Hashes all of `source`.
pub(crate) fn exact_bytes<S: ReadAt + ?Sized>(
    source: &S,
    algorithm: SignatureAlgorithm,
) -> io::Result<ExactBytes> {
    let section = Section::whole(source)?;
    let size = section.remaining();
    let mut sha256 = Sha256::new();
    let digest = match algorithm {
        SignatureAlgorithm::RsaPssSha256 => {
            each_block(section, |block| sha256.update(block))?;
            sha256.clone().finalize().to_vec()
        }
        SignatureAlgorithm::EcdsaP384Sha384 => {
            let mut sha384 = Sha384::new();
            each_block(section, |block| {
                sha256.update(block);
                sha384.update(block);
            })?;
            sha384.finalize().to_vec()
        }
    };
    Ok(ExactBytes { size, sha256: Sha256Digest::new(sha256.finalize().into()), digest })
}

/// SHA-256 of all of `source`.
pub(crate) fn sha256<S: ReadAt + ?Sized>(source: &S) -> io::Result<Sha256Digest> {
    let mut sha256 = Sha256::new();
    each_block(Section::whole(source)?, |block| sha256.update(block))?;
    Ok(Sha256Digest::new(sha256.finalize().into()))
}

/// AWS Signer's inner digest over `entries`, then over the names in `empty` as entries without content (FORMAT.md
/// section 5.2).
pub(crate) fn names_and_contents<'a, S: ReadAt + ?Sized>(
    source: &S,
    archive: &Archive,
    entries: impl IntoIterator<Item = &'a Entry>,
    empty: &[&str],
) -> io::Result<[u8; 48]> {
    let mut sha384 = Sha384::new();
    for entry in entries {
        sha384.update(entry.name().as_bytes());
        each_block(archive.reader(source, entry), |block| sha384.update(block))?;
    }
    for name in empty {
        sha384.update(name.as_bytes());
    }
    Ok(sha384.finalize().into())
}

fn each_block(mut reader: impl Read, mut block: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; BLOCK_SIZE];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(size) => block(buffer.get(..size).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_algorithms_hash_the_same_bytes() {
        let source = vec![7; 3 * BLOCK_SIZE + 5];
        let rsa = exact_bytes(&source, SignatureAlgorithm::RsaPssSha256).unwrap();
        let ecdsa = exact_bytes(&source, SignatureAlgorithm::EcdsaP384Sha384).unwrap();
        assert_eq!(rsa.digest, Sha256::digest(&source).to_vec());
        assert_eq!(ecdsa.digest, Sha384::digest(&source).to_vec());
        assert_eq!((rsa.sha256, ecdsa.sha256), (Sha256Digest::of(&source), Sha256Digest::of(&source)));
        assert_eq!(sha256(&source).unwrap(), Sha256Digest::of(&source));
        assert_eq!((rsa.size, ecdsa.size), (source.len() as u64, source.len() as u64));
    }
}
