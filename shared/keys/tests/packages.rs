//! What the custody signs is a package that verifies, under its root and no other.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign_domain::{JobArn, JobId, Platform, ProfileVersionArn, Scope, UnixMillis, ValidityPeriod};
use countersign_keys::{FileKeys, Passphrase};
use countersign_package::chain::{CertificateChain, TrustRoots};
use countersign_package::limits::Limits;
use countersign_package::sign::{ToBeSigned, Unsigned};
use countersign_package::statement::Statement;
use countersign_package::verify::{VerifiedPackage, VerifyError, verify};
use countersign_ports::Clock;
use countersign_ports::keys::{SigningDigest, SigningKeys as _};

const DAY: i64 = 86_400_000;

struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

struct Installation {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    keys: FileKeys,
}

impl Installation {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let start: UnixMillis = "2026-11-21T08:30:00.125Z".parse().unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(start.as_millis())));
        let keys = open(&folder, &clock).await;
        Self { folder, clock, keys }
    }

    async fn sign(&self, package: &[u8], platform: Platform) -> Vec<u8> {
        let now = self.clock.now();
        let leaf = self.keys.leaf(&profile(), platform, now).await.unwrap();
        let statement = Statement {
            platform,
            job_arn: JobArn::new(scope(), JobId::from_random([7; 16])),
            profile_version_arn: profile(),
            signing_time: now,
            expires_at: ValidityPeriod::DEFAULT.after(now),
        };
        let chain = CertificateChain::from_der(&leaf.certificates).unwrap();
        let prepared = Unsigned::open(package, &Limits::default(), platform).unwrap();
        let prepared = prepared.prepare(statement, chain).unwrap();
        let signature = self.keys.sign_digest(&leaf.id, &digest(&prepared.digest())).await.unwrap();
        let mut signed = Vec::new();
        prepared.finish(&signature, &mut signed).unwrap();
        signed
    }

    fn verify(&self, signed: &[u8]) -> Result<VerifiedPackage, Box<VerifyError>> {
        let roots = TrustRoots::from_pem(self.keys.trust_root_pem()).unwrap();
        verify(signed, &roots, self.clock.now(), &Limits::default()).map_err(Box::new)
    }
}

async fn open(folder: &tempfile::TempDir, clock: &Arc<ManualClock>) -> FileKeys {
    let passphrase = Passphrase::from_text("correct horse").unwrap();
    FileKeys::open(&folder.path().join("keys"), passphrase, scope(), clock.clone()).await.unwrap()
}

fn scope() -> Scope {
    Scope::new("us-east-1", "000000000000").unwrap()
}

fn profile() -> ProfileVersionArn {
    format!("{}:/signing-profiles/default/AbCdEfGhIj", scope()).parse().unwrap()
}

fn digest(to_be_signed: &ToBeSigned) -> SigningDigest {
    let digest = to_be_signed.digest();
    match digest.len() {
        32 => SigningDigest::Sha256(digest.try_into().unwrap()),
        _ => SigningDigest::Sha384(digest.try_into().unwrap()),
    }
}

fn package() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("handler.py", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(b"def handler(event, context): return event\n").unwrap();
    writer.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_package_verifies_now_after_the_leaf_has_expired_and_after_a_restart() {
    for platform in Platform::ALL {
        let mut installation = Installation::new().await;
        let signed = installation.sign(&package(), platform).await;
        for days in [0, 1, 30, 365] {
            installation.clock.0.fetch_add(days * DAY, Ordering::SeqCst);
            installation.keys = open(&installation.folder, &installation.clock).await;
            let verified = installation.verify(&signed).unwrap();
            assert_eq!(verified.statement().profile_version_arn, profile());
            let renewed = installation.sign(&package(), platform).await;
            assert!(installation.verify(&renewed).is_ok(), "{platform}, {days} days later");
        }
    }
}

#[tokio::test]
async fn a_package_of_another_installation_fails_integrity() {
    let (ours, theirs) = (Installation::new().await, Installation::new().await);
    for platform in Platform::ALL {
        let signed = theirs.sign(&package(), platform).await;
        let refused = ours.verify(&signed).map_err(|error| *error);
        assert!(matches!(refused, Err(VerifyError::Integrity(_))), "{platform}: {refused:?}");
    }
}
