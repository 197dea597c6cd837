//! Signing a file with a key of the custody, without a job in the store.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use countersign_package::append::AppendError;
use countersign_package::chain::CertificateChain;
use countersign_package::cms::SignatureAlgorithm;
use countersign_package::limits::Limits;
use countersign_package::sign::{SignError, SignedPackage, ToBeSigned, Unsignable, Unsigned};
use countersign_package::statement::Statement;
use countersign_ports::keys::{SigningDigest, SigningKeys};
use tokio::runtime::Handle;

use crate::package_file::{self, Pending};

/// Signs the package at `input` as `statement` says, and writes the signed one to `output`.
pub(crate) async fn sign_file(
    keys: Arc<dyn SigningKeys>,
    statement: Statement,
    limits: Limits,
    input: &Path,
    output: &Path,
) -> anyhow::Result<SignedPackage> {
    let leaf = keys.leaf(&statement.profile_version_arn, statement.platform, statement.signing_time).await?;
    let (input, output, runtime) = (input.to_owned(), output.to_owned(), Handle::current());
    let work = move || {
        let file: File = package_file::open_package(&input)?;
        let unsigned = Unsigned::open(&file, &limits, statement.platform).map_err(coded)?;
        let chain = CertificateChain::from_der(&leaf.certificates)?;
        let prepared = unsigned.prepare(statement, chain)?;
        let digest = signing_digest(&prepared.digest())?;
        let signature = runtime.block_on(keys.sign_digest(&leaf.id, &digest))?;
        let mut pending = Pending::begin(&output, &input)?;
        let signed = prepared.finish(&signature, pending.out()).map_err(coded)?;
        pending.commit()?;
        Ok(signed)
    };
    tokio::task::spawn_blocking(work).await.context("signing was cut off")?
}

fn signing_digest(to_be_signed: &ToBeSigned) -> anyhow::Result<SigningDigest> {
    let digest = to_be_signed.digest();
    let digest = match to_be_signed.algorithm() {
        SignatureAlgorithm::RsaPssSha256 => digest.try_into().map(SigningDigest::Sha256),
        SignatureAlgorithm::EcdsaP384Sha384 => digest.try_into().map(SigningDigest::Sha384),
    };
    digest.map_err(|error| anyhow!("the digest has the wrong length: {error}"))
}

/// The refusal with its stable code in front, the same as in a failed signing job. The gate's begin with theirs.
fn coded(error: SignError) -> anyhow::Error {
    let code = match &error {
        SignError::Unsignable(Unsignable::AlreadySigned { .. }) => "already_signed",
        SignError::Unsignable(Unsignable::ReservedName { .. }) => "reserved_name",
        SignError::Append(AppendError::WouldChangeForm { .. }) => "would_change_form",
        SignError::Gate(_)
        | SignError::Append(_)
        | SignError::Io(_)
        | SignError::Statement(_)
        | SignError::OtherPlatform { .. }
        | SignError::OtherKey { .. }
        | SignError::OtherProfile { .. }
        | SignError::Chain(_)
        | SignError::Cms(_)
        | SignError::BadSignature => return error.into(),
    };
    anyhow!("{code}: {error}")
}
