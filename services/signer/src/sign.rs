//! From the dropped bytes to signed ones, in private files. The key holder sees a digest, never the package.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_domain::Sha256Digest;
use countersign_package::append::AppendError;
use countersign_package::chain::CertificateChain;
use countersign_package::cms::SignatureAlgorithm;
use countersign_package::gate;
use countersign_package::limits::Limits;
use countersign_package::sign::{SignError, ToBeSigned, Unsignable, Unsigned};
use countersign_package::statement::Statement;
use countersign_ports::keys::{Leaf, SigningDigest, SigningKeys};
use tokio::runtime::Handle;

use crate::Signer;
use crate::check::{Expected, check};
use crate::claim::Claimed;
use crate::halt::{Halt, Refusal, reading_source};

/// The dropped package in a private file.
#[derive(Debug)]
pub(crate) struct Fetched {
    path: PathBuf,
    sha256: Sha256Digest,
}

/// The signed package in a private file; it was verified there.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) path: PathBuf,
    /// SHA-256 of the signed package.
    pub(crate) sha256: Sha256Digest,
    /// SHA-256 of the package before it was signed.
    pub(crate) unsigned_sha256: Sha256Digest,
}

impl Fetched {
    /// SHA-256 of the dropped bytes.
    pub(crate) fn sha256(&self) -> Sha256Digest {
        self.sha256
    }
}

/// Brings the bytes of exactly the dropped version into `folder`.
pub(crate) async fn fetch(signer: &Signer, claimed: &Claimed, folder: &Path) -> Result<Fetched, Halt> {
    let (source, path) = (&claimed.job.source, folder.join("unsigned.zip"));
    let limit = signer.settings.package_limit_bytes;
    let fetched = signer.ports.objects.fetch(source, limit, &path).await;
    let sha256 = fetched.map_err(|error| reading_source(source, error))?.sha256;
    Ok(Fetched { path, sha256 })
}

/// Gates and signs the package, and verifies what came out before anybody else sees it.
pub(crate) async fn sign(
    signer: &Signer,
    claimed: &Claimed,
    unsigned: Fetched,
    folder: &Path,
) -> Result<Signed, Halt> {
    let now = signer.ports.clock.now();
    let profile = &claimed.profile;
    let leaf = signer.ports.keys.leaf(&profile.arn, profile.platform, now).await?;
    let work = Work {
        keys: signer.ports.keys.clone(),
        limits: signer.settings.gate_limits.clone(),
        leaf,
        statement: Statement {
            platform: profile.platform,
            job_arn: claimed.job.arn.clone(),
            profile_version_arn: profile.arn.clone(),
            signing_time: now,
            expires_at: profile.validity.after(now),
        },
        unsigned,
        signed: folder.join("signed.zip"),
    };
    let runtime = Handle::current();
    let signed = tokio::task::spawn_blocking(move || work.run(&runtime)).await.map_err(Halt::later)??;
    let expected =
        Expected { job: &claimed.job.arn, profile: &profile.arn, unsigned_sha256: &signed.unsigned_sha256 };
    let verified = check(signer, &signed.path, &expected).await?;
    verified.map_err(|mismatch| Halt::later(format!("what was just signed does not verify: {mismatch}")))?;
    Ok(signed)
}

/// The three steps of signing in one piece, for a thread that may block.
struct Work {
    keys: Arc<dyn SigningKeys>,
    limits: Limits,
    leaf: Leaf,
    statement: Statement,
    unsigned: Fetched,
    signed: PathBuf,
}

impl Work {
    fn run(self, runtime: &Handle) -> Result<Signed, Halt> {
        let file = File::open(&self.unsigned.path).map_err(Halt::later)?;
        let unsigned = Unsigned::open(&file, &self.limits, self.statement.platform).map_err(halt)?;
        if unsigned.digest() != self.unsigned.sha256 {
            return Err(Halt::later("the fetched file changed on this machine before it was signed"));
        }
        let chain = CertificateChain::from_der(&self.leaf.certificates).map_err(Halt::later)?;
        let prepared = unsigned.prepare(self.statement, chain).map_err(halt)?;
        let digest = signing_digest(&prepared.digest())?;
        let signature = runtime.block_on(self.keys.sign_digest(&self.leaf.id, &digest))?;
        let mut out = BufWriter::new(File::create_new(&self.signed).map_err(Halt::later)?);
        let signed = prepared.finish(&signature, &mut out).map_err(halt)?;
        out.flush().map_err(Halt::later)?;
        Ok(Signed {
            path: self.signed,
            sha256: signed.package_digest,
            unsigned_sha256: signed.unsigned_digest,
        })
    }
}

fn signing_digest(to_be_signed: &ToBeSigned) -> Result<SigningDigest, Halt> {
    let digest = to_be_signed.digest();
    let digest = match to_be_signed.algorithm() {
        SignatureAlgorithm::RsaPssSha256 => digest.try_into().map(SigningDigest::Sha256),
        SignatureAlgorithm::EcdsaP384Sha384 => digest.try_into().map(SigningDigest::Sha384),
    };
    digest.map_err(Halt::later)
}

/// What of a failed signing speaks against the package. All else is the machine's, the custody's or the
/// configuration's fault, and the package is signed once that is mended.
fn halt(error: SignError) -> Halt {
    match error {
        SignError::Gate(refusal) => refused_by_gate(&refusal).into(),
        SignError::Unsignable(unsignable) => unsignable_package(&unsignable).into(),
        SignError::Append(error) => unappendable(error),
        error @ (SignError::Io(_)
        | SignError::Statement(_)
        | SignError::OtherPlatform { .. }
        | SignError::OtherKey { .. }
        | SignError::OtherProfile { .. }
        | SignError::Chain(_)
        | SignError::Cms(_)
        | SignError::BadSignature) => Halt::later(error),
    }
}

fn refused_by_gate(refusal: &gate::Refusal) -> Refusal {
    let code = refusal.code.as_str();
    let text = refusal.to_string();
    let detail = text.strip_prefix(code).unwrap_or(&text).trim_start();
    Refusal::new(code, detail)
}

fn unsignable_package(unsignable: &Unsignable) -> Refusal {
    let code = match unsignable {
        Unsignable::AlreadySigned { .. } => "already_signed",
        Unsignable::ReservedName { .. } => "reserved_name",
    };
    Refusal::new(code, unsignable.to_string())
}

fn unappendable(error: AppendError) -> Halt {
    match error {
        AppendError::Refused(refusal) => refused_by_gate(&refusal).into(),
        error @ AppendError::WouldChangeForm { .. } => {
            Refusal::new("would_change_form", error.to_string()).into()
        }
        // A record's magic inside a signature is chance; the next signature is another one.
        error @ (AppendError::Io(_)
        | AppendError::SourceChanged { .. }
        | AppendError::BodyTooLarge { .. }
        | AppendError::RecordSignature { .. }
        | AppendError::TooFewEntries { .. }
        | AppendError::NotAppended { .. }) => Halt::later(error),
    }
}
