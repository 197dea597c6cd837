//! Packages of real tools, signed by the command line and read by real tools: nobody has to trust our reader.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_tests::tools::{countersign, everything, run, succeeded};

const PLATFORMS: [(&str, &str); 3] = [
    ("rsa", "Countersign-SHA256-RSA"),
    ("ecdsa", "Countersign-SHA384-ECDSA"),
    ("lambda", "AWSLambda-SHA384-ECDSA"),
];

struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    /// A data directory with one profile a platform, and a tree of files to pack.
    fn new() -> Self {
        let workshop = Self { folder: tempfile::tempdir().expect("a folder") };
        for (profile, platform) in PLATFORMS {
            workshop.countersign(&["profile", "create", profile, "--platform", platform]);
        }
        let tree = workshop.path("tree");
        std::fs::create_dir_all(tree.join("lib/empty")).expect("folders");
        std::fs::write(tree.join("handler.py"), "def handler(event, context):\n    return 1\n")
            .expect("a file");
        std::fs::write(tree.join("lib/data.bin"), vec![7; 300_000]).expect("a file");
        std::fs::write(tree.join("lib/nothing"), "").expect("a file");
        workshop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    fn countersign(&self, arguments: &[&str]) -> String {
        let output =
            countersign().args(arguments).args(["--data-dir", &self.text("data")]).output().expect("it runs");
        succeeded(&format!("countersign {arguments:?}"), &output)
    }

    /// Runs a shell line inside the tree; `$OUT` is the package to be made.
    fn pack(&self, name: &str, line: &str) -> PathBuf {
        let package = self.path(name);
        let output = Command::new("bash")
            .args(["-euc", line])
            .current_dir(self.path("tree"))
            .env("OUT", &package)
            .output()
            .expect("bash runs");
        succeeded(name, &output);
        package
    }

    /// A package of each tool that people pack with.
    fn packages(&self) -> Vec<PathBuf> {
        [
            ("zip.zip", "zip -qr $OUT ."),
            ("zip-stored.zip", "zip -q0r $OUT ."),
            ("zip-stream.zip", "zip -qr - . | cat > $OUT"),
            ("zip-zip64.zip", "zip -qr -fz $OUT ."),
            ("zip-comment.zip", "zip -qr $OUT . && printf 'made for a test' | zip -qz $OUT"),
            ("python.zip", "python3 -m zipfile -c $OUT handler.py lib/"),
            ("python-stream.zip", PYTHON_STREAM),
            ("jar.zip", "jar --create --file $OUT ."),
            ("7z.zip", "7z a -bso0 -tzip $OUT ."),
            ("bsdtar.zip", "bsdtar -a -cf $OUT --format zip *"),
        ]
        .map(|(name, line)| self.pack(name, line))
        .into()
    }
}

/// A writer that cannot seek, as Go's and Node's are: data descriptors and zip64 extras throughout.
const PYTHON_STREAM: &str = r#"python3 - <<'P' | cat > $OUT
import sys, zipfile
class Pipe:
    def write(self, data): return sys.stdout.buffer.write(data)
    def flush(self): sys.stdout.buffer.flush()
with zipfile.ZipFile(Pipe(), 'w', zipfile.ZIP_DEFLATED) as package:
    for name in ('handler.py', 'lib/data.bin'):
        with package.open(name, 'w', force_zip64=True) as entry: entry.write(open(name, 'rb').read())
P"#;

#[test]
fn every_tools_package_is_signed_read_by_all_tools_and_given_back() {
    let workshop = Workshop::new();
    for package in workshop.packages() {
        for (profile, platform) in PLATFORMS {
            let what = format!("{} as {platform}", package.display());
            let (signed, back) = (workshop.text("signed.zip"), workshop.text("back.zip"));
            let _ = std::fs::remove_file(&signed);
            let _ = std::fs::remove_file(&back);
            workshop.countersign(&["sign", &package.to_string_lossy(), "--profile", profile, "-o", &signed]);
            assert_eq!(verify(&workshop, &signed), Some(0), "{what}");
            let strip = countersign().args(["strip", &signed, "-o", &back]).output().expect("it runs");
            succeeded("strip", &strip);
            assert!(same(&package, Path::new(&back)), "{what}: strip gives other bytes");
            assert_listings_gain_the_signature_alone(&package, Path::new(&signed), platform, &what);
        }
    }
}

#[test]
fn openssl_agrees_and_disagrees_with_us() {
    let workshop = Workshop::new();
    let [package, other] = [("one.zip", "zip -qr $OUT ."), ("two.zip", "zip -qr $OUT handler.py")]
        .map(|(n, l)| workshop.pack(n, l));
    for profile in ["rsa", "ecdsa"] {
        let signed = workshop.text(&format!("{profile}.zip"));
        workshop.countersign(&["sign", &package.to_string_lossy(), "--profile", profile, "-o", &signed]);
        run("unzip", ["-qo", &signed, "META-INF/countersign.p7s", "-d", &workshop.text(profile)]);
        let verifies = |content: &Path| {
            Command::new("openssl")
                .args([
                    "cms",
                    "-verify",
                    "-binary",
                    "-inform",
                    "DER",
                    "-purpose",
                    "any",
                    "-out",
                    "/dev/null",
                    "-in",
                ])
                .arg(workshop.path(profile).join("META-INF/countersign.p7s"))
                .arg("-CAfile")
                .arg(workshop.path("data/trust/root.pem"))
                .arg("-content")
                .arg(content)
                .output()
                .expect("openssl runs")
        };
        succeeded("openssl", &verifies(&package));
        assert!(!verifies(&other).status.success(), "{profile}: another package verifies");
    }
}

#[test]
fn another_installations_root_is_a_failed_integrity() {
    let (ours, theirs) = (Workshop::new(), Workshop::new());
    let package = ours.pack("one.zip", "zip -qr $OUT .");
    let signed = ours.text("signed.zip");
    ours.countersign(&["sign", &package.to_string_lossy(), "--profile", "rsa", "-o", &signed]);
    let output = countersign()
        .args(["verify", &signed, "--json", "--trust-root"])
        .arg(theirs.path("data/trust/root.pem"))
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{}", everything(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = report.to_string();
    assert!(text.contains("untrusted_chain") && text.contains("integrity"), "{text}");
}

fn verify(workshop: &Workshop, signed: &str) -> Option<i32> {
    let root = workshop.text("data/trust/root.pem");
    countersign().args(["verify", signed, "--trust-root", &root]).output().expect("it runs").status.code()
}

fn same(one: &Path, other: &Path) -> bool {
    std::fs::read(one).expect("a file") == std::fs::read(other).expect("a file")
}

fn assert_listings_gain_the_signature_alone(package: &Path, signed: &Path, platform: &str, what: &str) {
    let signature: &[&str] = match platform {
        "AWSLambda-SHA384-ECDSA" => &["META_INF/", "META_INF/aws_signer_signature_v1.0.SF"],
        _ => &["META-INF/countersign.p7s"],
    };
    run("unzip", ["-tqq", &*signed.to_string_lossy()]);
    for (reader, listing) in LISTINGS {
        let names = |path: &Path| -> BTreeSet<String> {
            let text = run("bash", ["-euc", listing, "list", &path.to_string_lossy()]);
            text.lines().map(without_slash).collect()
        };
        let mut expected = names(package);
        expected.extend(signature.iter().copied().map(without_slash));
        assert_eq!(names(signed), expected, "{reader} on {what}");
    }
}

const LISTINGS: [(&str, &str); 5] = [
    ("unzip", "unzip -Z1 $1"),
    (
        "Python",
        "python3 -c 'import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep=\"\\n\")' $1",
    ),
    ("jar", "jar --list --file $1"),
    ("7z", "7z l -ba -slt $1 | sed -n 's/^Path = //p'"),
    ("bsdtar", "bsdtar -tf $1"),
];

/// Tools print a folder with or without its slash.
fn without_slash(name: &str) -> String {
    name.trim_end_matches('/').to_owned()
}
