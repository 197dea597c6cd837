//! Reads the signature of a package, steps 2 to 5 of FORMAT.md section 8: well-formed, and nothing verified.

use super::{IntegrityError, VerifyError};
use crate::append::BODY_SIZE_MAX;
use crate::chain::CertificateChain;
use crate::cms::{self, CmsError, Form, SignatureBlock};
use crate::gate::Archive;
use crate::signature_entry::{SignatureKind, find, read_body};
use crate::source::ReadAt;
use crate::statement::Statement;

pub(super) struct ReadSignature {
    pub(super) kind: SignatureKind,
    pub(super) block: SignatureBlock,
    pub(super) chain: CertificateChain,
    pub(super) statement: Statement,
}

impl ReadSignature {
    pub(super) fn is_native_aws(&self) -> bool {
        self.block.form == Form::NativeAws
    }

    pub(super) fn entry_name(&self) -> &'static str {
        self.kind.name()
    }
}

/// The signature of the package; none if it is unsigned.
pub(super) fn signature<S: ReadAt + ?Sized>(
    source: &S,
    archive: &Archive,
) -> Result<Option<ReadSignature>, VerifyError> {
    let Some((kind, entry)) = find(archive).map_err(IntegrityError::from)? else { return Ok(None) };
    let too_large = IntegrityError::SignatureTooLarge { size: entry.size(), limit: BODY_SIZE_MAX };
    let body = read_body(source, archive, entry)?.ok_or(too_large)?;
    Ok(Some(decode(kind, &body)?))
}

fn decode(kind: SignatureKind, body: &[u8]) -> Result<ReadSignature, IntegrityError> {
    let block = match kind {
        SignatureKind::P7s => cms::decode_p7s(body)?,
        SignatureKind::Sf => cms::decode_sf(body)?,
    };
    let chain = CertificateChain::from_set(block.certificates.clone(), &block.signer)?;
    let statement = statement(kind, &block, &chain)?;
    statement.check()?;
    Ok(ReadSignature { kind, block, chain, statement })
}

/// The platform follows from the entry's name and the leaf's key; the algorithms follow from the platform.
fn statement(
    kind: SignatureKind,
    block: &SignatureBlock,
    chain: &CertificateChain,
) -> Result<Statement, IntegrityError> {
    let algorithm = chain.leaf().algorithm;
    let platform = kind.platform(algorithm).ok_or_else(|| CmsError::Algorithm {
        field: "key",
        expected: "an EC P-384 key".to_owned(),
        found: format!("{algorithm:?}"),
    })?;
    block.check_algorithm(algorithm)?;
    let claims = block.claims.clone();
    Ok(Statement {
        platform,
        job_arn: claims.job_arn,
        profile_version_arn: claims.profile_version_arn,
        signing_time: claims.signing_time,
        expires_at: claims.expires_at,
    })
}
