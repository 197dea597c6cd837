//! The custody as a whole, over a clock that is stepped by hand.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign_domain::{Platform, ProfileVersionArn, Scope, UnixMillis};
use countersign_ports::Clock;
use countersign_ports::conformance;
use countersign_ports::keys::{KeyError, Leaf, SigningDigest, SigningKeys as _};
use der::{Decode as _, Encode as _};
use p384::ecdsa::signature::hazmat::PrehashVerifier as _;
use x509_cert::Certificate;

use crate::{FileKeys, Passphrase};

const PASSPHRASE: &str = "correct horse battery staple";
const ECDSA: Platform = Platform::CountersignSha384Ecdsa;
const DIGEST: SigningDigest = SigningDigest::Sha384([7; 48]);
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A directory and a clock. The clock starts at the machine's time, for OpenSSL judges by that.
struct Bench {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Bench {
    fn new() -> Self {
        let made = tempfile::tempdir().unwrap();
        let now = std::fs::metadata(made.path()).unwrap().modified().unwrap();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        Self { folder: made, clock: Arc::new(ManualClock(AtomicI64::new(now.try_into().unwrap()))) }
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    fn step(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    async fn open(&self) -> FileKeys {
        self.open_with(PASSPHRASE).await.ok().unwrap()
    }

    async fn open_with(&self, passphrase: &str) -> Result<FileKeys, KeyError> {
        let passphrase = Passphrase::from_text(passphrase).unwrap();
        FileKeys::open(&self.directory(), passphrase, scope(), self.clock.clone()).await
    }

    async fn refused(&self, passphrase: &str) -> String {
        match self.open_with(passphrase).await {
            Err(KeyError::Unusable(why)) => why,
            other => panic!("expected unusable, got {:?}", other.err()),
        }
    }

    fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.directory()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn scope() -> Scope {
    Scope::new("us-east-1", "000000000000").unwrap()
}

fn profile(name: &str) -> ProfileVersionArn {
    format!("{}:/signing-profiles/{name}/AbCdEfGhIj", scope()).parse().unwrap()
}

fn verifies(leaf: &Leaf, signature: &[u8]) -> bool {
    let certificate = Certificate::from_der(&leaf.certificates[0]).unwrap();
    let key = certificate.tbs_certificate().subject_public_key_info().to_der().unwrap();
    let key = <p384::ecdsa::VerifyingKey as p384::pkcs8::DecodePublicKey>::from_public_key_der(&key).unwrap();
    let SigningDigest::Sha384(digest) = DIGEST else { unreachable!() };
    key.verify_prehash(&digest, &p384::ecdsa::Signature::from_der(signature).unwrap()).is_ok()
}

fn openssl(args: &[&str]) -> Result<String, String> {
    let output = Command::new("openssl").args(args).output().expect("openssl is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn pem_file(folder: &Path, name: &str, der: &[u8]) -> String {
    use der::EncodePem as _;
    let pem = Certificate::from_der(der).unwrap().to_pem(der::pem::LineEnding::LF).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, pem).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_keeps_the_contract_of_the_port() {
    let bench = Bench::new();
    conformance::keys::check(&bench.open().await, &scope(), bench.now()).await;
}

#[tokio::test]
async fn a_leaf_is_renewed_after_a_day_and_what_it_signed_still_verifies() {
    let bench = Bench::new();
    let keys = bench.open().await;
    let first = keys.leaf(&profile("rotated"), ECDSA, bench.now()).await.unwrap();
    let signature = keys.sign_digest(&first.id, &DIGEST).await.unwrap();
    bench.step(DAY - MINUTE);
    assert_eq!(keys.leaf(&profile("rotated"), ECDSA, bench.now()).await.unwrap(), first);
    bench.step(MINUTE);
    let second = keys.leaf(&profile("rotated"), ECDSA, bench.now()).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_ne!(first.certificates[0], second.certificates[0]);
    assert_eq!(first.certificates[1], second.certificates[1], "the root stays");
    assert!(verifies(&first, &signature) && !verifies(&second, &signature));
    let late = keys.sign_digest(&first.id, &DIGEST).await.unwrap();
    assert!(verifies(&first, &late), "work under way still ends with the leaf it began with");
}

#[tokio::test]
async fn an_expired_leaf_does_not_sign_and_its_key_is_removed() {
    let bench = Bench::new();
    let keys = bench.open().await;
    let old = keys.leaf(&profile("old"), ECDSA, bench.now()).await.unwrap();
    let file = format!("{}.pem", old.id.0);
    bench.step(3 * DAY - 5 * MINUTE - 1000);
    assert!(keys.sign_digest(&old.id, &DIGEST).await.is_ok());
    bench.step(2000);
    assert_eq!(keys.sign_digest(&old.id, &DIGEST).await, Err(KeyError::UnknownLeaf(old.id.0.clone())));
    assert!(bench.files().contains(&file));
    keys.leaf(&profile("new"), ECDSA, bench.now()).await.unwrap();
    assert!(!bench.files().contains(&file), "another profile's leaf sweeps it away");
    let reopened = bench.open().await;
    assert_eq!(reopened.sign_digest(&old.id, &DIGEST).await, Err(KeyError::UnknownLeaf(old.id.0)));
}

#[tokio::test]
async fn a_restart_finds_the_root_and_the_leaf() {
    let bench = Bench::new();
    let before = bench.open().await;
    let root = before.trust_root_pem().to_owned();
    for platform in Platform::ALL {
        let leaf = before.leaf(&profile("stays"), platform, bench.now()).await.unwrap();
        bench.step(1000);
        let after = bench.open().await;
        assert_eq!(after.trust_root_pem(), root);
        assert_eq!(after.leaf(&profile("stays"), platform, bench.now()).await.unwrap(), leaf, "{platform}");
    }
    let leaf = before.leaf(&profile("stays"), ECDSA, bench.now()).await.unwrap();
    let signature = bench.open().await.sign_digest(&leaf.id, &DIGEST).await.unwrap();
    assert!(verifies(&leaf, &signature), "a leaf signs after a restart without being asked for first");
}

#[tokio::test]
async fn two_processes_on_an_empty_directory_agree() {
    let bench = Bench::new();
    let (a, b) = tokio::join!(bench.open(), bench.open());
    assert_eq!(a.trust_root_pem(), b.trust_root_pem());
    let wanted = profile("shared");
    let ask = |keys| FileKeys::leaf(keys, &wanted, ECDSA, bench.now());
    let (first, second) = tokio::join!(ask(&a), ask(&b));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first, second);
    assert_eq!(bench.files().len(), 3, "lock, root and one leaf: {:?}", bench.files());
    let signature = b.sign_digest(&first.id, &DIGEST).await.unwrap();
    assert!(verifies(&second, &signature));
    bench.step(DAY);
    let (first, second) = tokio::join!(ask(&a), ask(&b));
    assert_eq!(first.unwrap(), second.unwrap(), "they renew together");
}

#[tokio::test]
async fn a_wrong_passphrase_names_the_file_and_the_way_out() {
    let bench = Bench::new();
    bench.open().await;
    let files = bench.files();
    let why = bench.refused("wrong").await;
    assert!(why.contains("root.pem") && why.contains("passphrase is not the one"), "{why}");
    assert!(why.contains("give that passphrase"), "{why}");
    assert_eq!(bench.files(), files, "nothing is made anew");
}

#[tokio::test]
async fn a_damaged_root_is_refused_whatever_the_damage() {
    let bench = Bench::new();
    bench.open().await;
    let path = bench.directory().join("root.pem");
    let whole = std::fs::read_to_string(&path).unwrap();
    let (certificate, key) = whole.split_at(whole.find("-----BEGIN ENCRYPTED").unwrap());
    let other = Bench::new();
    other.open().await;
    let others = std::fs::read_to_string(other.directory().join("root.pem")).unwrap();
    let (_, others_key) = others.split_at(others.find("-----BEGIN ENCRYPTED").unwrap());
    for damage in [
        String::new(),
        certificate.to_owned(),
        key.to_owned(),
        whole[..whole.len() - 40].to_owned(),
        format!("{certificate}{others_key}"),
        format!("{whole}{key}"),
        format!("{certificate}{certificate}{key}"),
        flip_a_character(certificate) + key,
        certificate.to_owned() + &flip_a_character(key),
        "x".repeat(70_000),
    ] {
        std::fs::write(&path, &damage).unwrap();
        let why = bench.refused(PASSPHRASE).await;
        assert!(why.contains("root.pem: "), "{why}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damage, "it is left for its owner to judge");
    }
}

fn flip_a_character(pem: &str) -> String {
    let middle = pem.len() / 2;
    let flipped = if pem.as_bytes()[middle] == b'A' { "B" } else { "A" };
    format!("{}{flipped}{}", &pem[..middle], &pem[middle + 1..])
}

#[tokio::test]
async fn a_lost_root_is_not_silently_replaced() {
    let bench = Bench::new();
    let keys = bench.open().await;
    keys.leaf(&profile("left"), ECDSA, bench.now()).await.unwrap();
    std::fs::remove_file(bench.directory().join("root.pem")).unwrap();
    let why = bench.refused(PASSPHRASE).await;
    assert!(why.contains("root.pem: it is missing, yet there is left.AbCdEfGhIj."), "{why}");
}

#[tokio::test]
async fn a_damaged_leaf_stops_its_own_profile_alone() {
    let bench = Bench::new();
    let leaf = bench.open().await.leaf(&profile("hurt"), ECDSA, bench.now()).await.unwrap();
    let path = bench.directory().join(format!("{}.pem", leaf.id.0));
    let whole = std::fs::read_to_string(&path).unwrap();
    let key = whole.find("-----BEGIN ENCRYPTED").unwrap();
    std::fs::write(&path, whole[..key].to_owned() + &flip_a_character(&whole[key..])).unwrap();
    let keys = bench.open().await;
    let refused = keys.leaf(&profile("hurt"), ECDSA, bench.now()).await.unwrap_err().to_string();
    assert!(refused.contains(&leaf.id.0) && refused.contains("may also be deleted"), "{refused}");
    assert!(keys.sign_digest(&leaf.id, &DIGEST).await.is_err());
    assert!(keys.leaf(&profile("sound"), ECDSA, bench.now()).await.is_ok());
}

#[tokio::test]
async fn a_leaf_of_another_root_is_not_used() {
    let (bench, other) = (Bench::new(), Bench::new());
    let keys = bench.open().await;
    let foreign = other.open().await.leaf(&profile("mine"), ECDSA, other.now()).await.unwrap();
    let file = format!("{}.pem", foreign.id.0);
    std::fs::copy(other.directory().join(&file), bench.directory().join(&file)).unwrap();
    let refused = keys.leaf(&profile("mine"), ECDSA, bench.now()).await.unwrap_err().to_string();
    assert!(refused.contains("not issued by root.pem"), "{refused}");
    assert!(keys.sign_digest(&foreign.id, &DIGEST).await.is_err());
}

#[tokio::test]
async fn only_the_owner_may_use_the_directory_and_its_files() {
    let bench = Bench::new();
    let keys = bench.open().await;
    keys.leaf(&profile("private"), ECDSA, bench.now()).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.directory()), 0o700);
    for file in bench.files() {
        assert_eq!(mode(&bench.directory().join(&file)), 0o600, "{file}");
    }
    let root = bench.directory().join("root.pem");
    for (path, loose, strict) in [(&root, 0o640, 0o600), (&bench.directory(), 0o750, 0o700)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(loose)).unwrap();
        let why = bench.refused(PASSPHRASE).await;
        assert!(why.contains(&format!("mode {loose:04o}")) && why.contains("chmod"), "{why}");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(strict)).unwrap();
    }
    bench.open().await;
}

#[tokio::test]
async fn a_file_left_unfinished_is_swept_away() {
    let bench = Bench::new();
    bench.open().await;
    std::fs::write(bench.directory().join(".unfinished-AbCdEf"), "half a key").unwrap();
    bench.open().await;
    assert_eq!(bench.files(), ["lock", "root.pem"]);
}

#[tokio::test]
async fn leaves_are_for_this_installation_and_for_now() {
    let bench = Bench::new();
    let keys = bench.open().await;
    let foreign = profile("mine").to_string().replace("us-east-1", "eu-west-1").parse().unwrap();
    let refused = keys.leaf(&foreign, ECDSA, bench.now()).await.unwrap_err().to_string();
    assert!(refused.contains("eu-west-1") && refused.contains("us-east-1"), "{refused}");
    for (offset, served) in [(-DAY - 1, false), (-DAY, true), (5 * MINUTE, true), (5 * MINUTE + 1, false)] {
        let at = bench.now().plus_millis(offset);
        let leaf = keys.leaf(&profile("mine"), ECDSA, at).await;
        assert_eq!(leaf.is_ok(), served, "{offset}: {leaf:?}");
        let Ok(leaf) = leaf else { continue };
        for der in leaf.certificates {
            let (from, until) =
                crate::certificate::validity_of(&Certificate::from_der(&der).unwrap()).unwrap();
            assert!(from <= at && at <= until, "{from} {at} {until}");
        }
    }
}

#[tokio::test]
async fn openssl_accepts_the_chain_and_opens_the_keys() {
    let bench = Bench::new();
    let keys = bench.open().await;
    let root = bench.folder.path().join("trust-root.pem");
    std::fs::write(&root, keys.trust_root_pem()).unwrap();
    let root = root.to_str().unwrap();
    for platform in Platform::ALL {
        let leaf = keys.leaf(&profile("default"), platform, bench.now()).await.unwrap();
        let file = pem_file(bench.folder.path(), "leaf.pem", &leaf.certificates[0]);
        let verified = openssl(&["verify", "-x509_strict", "-CAfile", root, "-purpose", "any", &file]);
        assert!(verified.as_ref().is_ok_and(|text| text.contains(": OK")), "{verified:?}");
        let text = openssl(&["x509", "-in", &file, "-noout", "-text"]).unwrap();
        for line in [
            "CA:FALSE",
            "X509v3 Key Usage: critical\n                Digital Signature\n",
            "Code Signing\n",
            "URI:arn:aws:signer:us-east-1:000000000000:/signing-profiles/default/AbCdEfGhIj\n",
            "Signature Algorithm: ecdsa-with-SHA384",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        let stored = bench.directory().join(format!("{}.pem", leaf.id.0));
        opens_with_the_passphrase(stored.to_str().unwrap());
    }
    let text = openssl(&["x509", "-in", root, "-noout", "-text"]).unwrap();
    for line in [
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
        "Certificate Sign, CRL Sign\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    opens_with_the_passphrase(bench.directory().join("root.pem").to_str().unwrap());
}

fn opens_with_the_passphrase(path: &str) {
    let opened = openssl(&["pkcs8", "-in", path, "-passin", &format!("pass:{PASSPHRASE}")]);
    assert!(opened.as_ref().is_ok_and(|key| key.contains("BEGIN PRIVATE KEY")), "{:?}", opened.err());
    assert!(openssl(&["pkcs8", "-in", path, "-passin", "pass:wrong"]).is_err());
    let certificate = openssl(&["x509", "-in", path, "-noout", "-pubkey"]).unwrap();
    let key = openssl(&["pkey", "-in", path, "-passin", &format!("pass:{PASSPHRASE}"), "-pubout"]).unwrap();
    assert_eq!(certificate, key);
}

#[tokio::test]
async fn nothing_secret_is_at_rest_or_in_an_error() {
    let bench = Bench::new();
    let keys = bench.open().await;
    for platform in Platform::ALL {
        keys.leaf(&profile("secret"), platform, bench.now()).await.unwrap();
    }
    for file in bench.files() {
        let text = std::fs::read_to_string(bench.directory().join(&file)).unwrap();
        assert!(
            !text.contains("BEGIN PRIVATE KEY") && !text.contains("BEGIN RSA") && !text.contains("BEGIN EC")
        );
        assert!(!text.contains(PASSPHRASE));
    }
    let root = bench.directory().join("root.pem");
    let whole = std::fs::read_to_string(&root).unwrap();
    for passphrase in ["wrong secret", PASSPHRASE] {
        for damage in [whole.clone(), flip_a_character(&whole), whole[..whole.len() - 99].to_owned()] {
            std::fs::write(&root, damage).unwrap();
            let Err(error) = bench.open_with(passphrase).await else { continue };
            let said = format!("{error} {error:?}");
            assert!(!said.contains(passphrase), "{said}");
            assert!(!whole.lines().any(|line| said.contains(line)), "{said}");
        }
    }
    let long = "secret\n".repeat(2);
    let error = Passphrase::from_text(&long).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

/// Does not compile if one of these types implements Debug: the second `check` would then be a candidate too.
#[test]
fn secrets_cannot_be_printed() {
    trait NotDebug<Marker> {
        fn check() {}
    }
    struct IsDebug;
    impl<T: ?Sized> NotDebug<()> for T {}
    impl<T: ?Sized + std::fmt::Debug> NotDebug<IsDebug> for T {}
    <Passphrase as NotDebug<_>>::check();
    <FileKeys as NotDebug<_>>::check();
    <crate::private_key::PrivateKey as NotDebug<_>>::check();
    <crate::credential::Credential as NotDebug<_>>::check();
    <crate::root::Root as NotDebug<_>>::check();
    <crate::leaf::Leaves as NotDebug<_>>::check();
}
