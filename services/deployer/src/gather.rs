//! What the decision rests on: what binds the function, the exact bytes of every package in private files and what
//! verification says of them, and what the revocation source says.

use std::fs::File;
use std::path::Path;

use countersign_domain::{Code, CodeSignature, CodeVersion, ObjectVersion, PackageRole, Sha256Digest};
use countersign_package::gate::GateCode;
use countersign_package::verify::{VerifyError, verify};
use countersign_policy::{PackageEvidence, RevocationEvidence, SignatureEvidence, SignedStatement};
use countersign_ports::StoreError;
use countersign_ports::change::Change;
use countersign_ports::deployments::Basis;
use countersign_ports::objects::Fetched;
use countersign_ports::targets::{LocalPackage, LocalPackages};

use crate::Deployer;
use crate::halt::{Failure, Halt, fetching, refused};
use crate::intake::Asked;

/// The packages of a deployment on this machine, with what verification says of each. What is deployed is these files.
#[derive(Debug, Clone)]
pub(crate) struct Gathered {
    pub(crate) local: LocalPackages,
    /// The function's package as it is kept, with what its signature states where that verified.
    pub(crate) code: Code,
    /// The layers' packages, in order.
    pub(crate) layers: Vec<Code>,
    /// The function's package first, then the layers' in order.
    signatures: Vec<(PackageRole, SignatureEvidence)>,
}

/// What binds the deployment, as the store told it to somebody who may ask.
pub(crate) fn basis(asked: &Asked, read: Result<Basis, StoreError>) -> Result<Basis, Halt> {
    let request = &asked.request;
    let basis = match read {
        Ok(Basis { function: None, .. }) if request.create.is_none() && asked.change == Change::Publish => {
            let name = &request.function_name;
            let detail = format!("there is no function {name}; create it, or ask for its creation");
            return Err(Failure::new("unknown_function", detail).into());
        }
        Ok(basis) => basis,
        Err(StoreError::NotFound(what)) => {
            let detail = format!("{what} is not declared; declare it, or ask for another one");
            return Err(Failure::new("unknown_code_signing_config", detail).into());
        }
        Err(error) => return Err(error.into()),
    };
    // Looked at again when the decision is recorded; here it saves the work.
    let refusal = asked.change.refusal(basis.function.as_ref(), request);
    refusal.map_or(Ok(basis), |refusal| Err(refused(refusal)))
}

/// Fetches every package into `folder` and verifies it there.
pub(crate) async fn packages(deployer: &Deployer, asked: &Asked, folder: &Path) -> Result<Gathered, Halt> {
    let (local, code, signature) =
        package(deployer, asked, &asked.request.code, &folder.join("function.zip")).await?;
    let (mut files, mut layers) = (Vec::new(), Vec::new());
    let mut signatures = vec![(PackageRole::Function, signature)];
    for (position, version) in (1..).zip(&asked.request.layers) {
        let path = folder.join(format!("layer-{position}.zip"));
        let (file, layer, signature) = package(deployer, asked, version, &path).await?;
        files.push(file);
        layers.push(layer);
        signatures.push((PackageRole::Layer(position), signature));
    }
    Ok(Gathered { local: LocalPackages { code: local, layers: files }, code, layers, signatures })
}

async fn package(
    deployer: &Deployer,
    asked: &Asked,
    version: &CodeVersion,
    path: &Path,
) -> Result<(LocalPackage, Code, SignatureEvidence), Halt> {
    let object = ObjectVersion::from(version.clone());
    let limit = deployer.settings.package_limit_bytes;
    let fetched = deployer.ports.objects.fetch(&object, limit, path).await;
    let Fetched { sha256, size_bytes } = fetched.map_err(|error| fetching(&object, &error))?;
    let evidence = verification(deployer, asked, path, sha256).await?;
    let code = Code { object: version.clone(), sha256, size_bytes, signature: stated(&evidence) };
    Ok((LocalPackage { path: path.to_owned(), sha256, object }, code, evidence))
}

/// What a signature states, where it verified.
pub(crate) fn stated(evidence: &SignatureEvidence) -> Option<CodeSignature> {
    match evidence {
        SignatureEvidence::Verified(statement) => Some(CodeSignature {
            profile_version_arn: statement.signer().clone(),
            job_arn: statement.job().clone(),
            signed_at: statement.signing_time(),
            expires_at: statement.expires_at(),
        }),
        SignatureEvidence::Unsigned
        | SignatureEvidence::Broken { .. }
        | SignatureEvidence::Unreadable { .. } => None,
    }
}

/// What the signature says. A file that cannot be read is read again at the next delivery, a few times.
async fn verification(
    deployer: &Deployer,
    asked: &Asked,
    path: &Path,
    fetched: Sha256Digest,
) -> Result<SignatureEvidence, Halt> {
    let (path, roots) = (path.to_owned(), deployer.trust_roots.clone());
    let (limits, now) = (deployer.settings.gate_limits.clone(), deployer.ports.clock.now());
    let verified = tokio::task::spawn_blocking(move || verify(&File::open(path)?, &roots, now, &limits));
    match verified.await.map_err(Halt::later)? {
        Ok(package) if package.package_digest() != fetched => {
            Err(Halt::later("a fetched file changed on this machine before it was verified"))
        }
        Ok(package) => Ok(SignatureEvidence::Verified(SignedStatement::from(&package))),
        Err(VerifyError::Io(error)) if asked.attempt < CHECK_ATTEMPTS => Err(Halt::later(error)),
        Err(VerifyError::Gate(refusal)) if asked.is_call() && NO_ZIP.contains(&refusal.code) => {
            Err(Failure::new(refusal.code.as_str(), refusal.to_string()).into())
        }
        Err(error) => Ok(SignatureEvidence::from(&error)),
    }
}

/// The evidence of every package, with what the revocation source says now.
pub(crate) async fn evidence(
    deployer: &Deployer,
    asked: &Asked,
    gathered: &Gathered,
) -> Result<Vec<PackageEvidence>, Halt> {
    let mut evidence = Vec::new();
    for (role, signature) in &gathered.signatures {
        let revocation = revocation(deployer, asked, signature).await?;
        evidence.push(PackageEvidence { role: role.clone(), signature: signature.clone(), revocation });
    }
    Ok(evidence)
}

/// A source that does not answer is asked again at the next delivery, a few times; then the check is inconclusive.
async fn revocation(
    deployer: &Deployer,
    asked: &Asked,
    signature: &SignatureEvidence,
) -> Result<RevocationEvidence, Halt> {
    let statement = match signature {
        SignatureEvidence::Verified(statement) => statement,
        SignatureEvidence::Unsigned
        | SignatureEvidence::Broken { .. }
        | SignatureEvidence::Unreadable { .. } => return Ok(RevocationEvidence::NotAsked),
    };
    match deployer.ports.revocations.revocation_status(statement.job(), statement.signer()).await {
        Ok(status) => Ok(RevocationEvidence::Known(status)),
        Err(error) if asked.attempt < CHECK_ATTEMPTS => Err(error.into()),
        Err(error) => Ok(RevocationEvidence::Unavailable(error.to_string())),
    }
}

/// What makes a file one that Lambda cannot unpack: its callers are told that, and nothing of a signature.
const NO_ZIP: &[GateCode] =
    &[GateCode::NotAZip, GateCode::EndRecordMissing, GateCode::EmptyArchive, GateCode::UnpackedSizeExceeded];

/// The delivery at which a check that could not be made is given up and called inconclusive; one before the last, so
/// that the decision still finds a delivery to be recorded in.
const CHECK_ATTEMPTS: u32 = countersign_ports::queue::DELIVERY_LIMIT - 1;
