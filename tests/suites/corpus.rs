//! The corpus of the gate (`tests/corpus`): every hostile zip is refused with the code of the rule that it breaks, and what is
//! accepted is one archive for every reader, this project's own among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_domain::{FunctionName, ObjectVersion, Sha256Digest};
use countersign_package::gate::{Archive, Entry, EntryKind, GateCode};
use countersign_package::limits::Limits;
use countersign_ports::targets::{DeployTarget, LocalPackage, LocalPackages, TargetError};
use countersign_targets::DirectoryTarget;
use countersign_tests::tools::{self, countersign, everything, succeeded};
use serde::Deserialize;
use tempfile::TempDir;

/// The cases, written into a folder of their own.
struct Corpus {
    folder: TempDir,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    file: String,
    /// `accept`, or the code of the refusal.
    expect: String,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
    /// The platform on which it cannot be signed although the gate accepts it.
    sign: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    cases: Vec<Case>,
}

impl Corpus {
    fn new(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut generator = script("generate.py");
        succeeded("generate.py", &generator.arg(folder.path()).args(options).output().expect("python3 runs"));
        let manifest = std::fs::read(folder.path().join("manifest.json")).expect("a manifest");
        let Manifest { cases } = serde_json::from_slice(&manifest).expect("a manifest");
        Self { folder, cases }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn open(&self, file: &str) -> File {
        File::open(self.path(file)).expect("a case")
    }

    fn package(&self, case: &Case) -> LocalPackages {
        let path = self.path(&case.file);
        let sha256 = Sha256Digest::of(&fs::read(&path).expect("a case"));
        let (bucket, version) = ("signed".parse().expect("a bucket"), "v1".parse().expect("a version"));
        let object = ObjectVersion { bucket, key: "hello.zip".parse().expect("a key"), version };
        LocalPackages { code: LocalPackage { path, sha256, object }, layers: Vec::new() }
    }

    /// Runs a script of the corpus on the folder.
    fn run(&self, name: &str, arguments: &[&str]) -> String {
        let output = script(name).args(arguments).arg(self.folder.path()).output().expect("python3 runs");
        assert!(output.status.success(), "{name}: {}", everything(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Case {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for (name, value) in &self.limits {
            let size = usize::try_from(*value).expect("a small limit");
            match name.as_str() {
                "entries_max" => limits.entries_max = *value,
                "name_size_max" => limits.name_size_max = size,
                "component_size_max" => limits.component_size_max = size,
                "central_directory_size_max" => limits.central_directory_size_max = *value,
                "extra_size_max" => limits.extra_size_max = size,
                "comment_size_max" => limits.comment_size_max = size,
                "unpacked_size_max" => limits.unpacked_size_max = *value,
                "ratio_max" => limits.ratio_max = *value,
                "deflate_overhead_max" => limits.deflate_overhead_max = *value,
                "symlink_target_size_max" => limits.symlink_target_size_max = *value,
                other => panic!("{}: there is no limit {other}", self.name),
            }
        }
        limits
    }
}

#[test]
fn every_case_ends_with_its_code_and_every_code_has_a_case() {
    let corpus = Corpus::new(&[]);
    let mut wrong = Vec::new();
    let mut refused = 0;
    for case in corpus.cases.iter().filter(|case| case.sign.is_none()) {
        let found = match Archive::parse(&corpus.open(&case.file), &case.limits()) {
            Ok(_) => "accept".to_owned(),
            Err(error) => error.code().map_or_else(|| error.to_string(), |code| code.as_str().to_owned()),
        };
        refused += usize::from(case.expect != "accept");
        if found != case.expect {
            wrong.push(format!("{}: {found} instead of {}", case.file, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    let accepted = corpus.cases.len() - refused;
    assert!(refused >= 250 && accepted >= 60, "{refused} to refuse, {accepted} to accept");
    let without =
        GateCode::ALL.iter().filter(|code| !corpus.cases.iter().any(|case| case.expect == code.as_str()));
    assert_eq!(without.map(|code| code.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn what_cannot_be_appended_to_is_not_signed() {
    let corpus = Corpus::new(&["--no-tools"]);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let run = |arguments: &[&str]| {
        countersign().args(arguments).arg("--data-dir").arg(&data).output().expect("it runs")
    };
    let mut profiles = BTreeMap::new();
    for case in &corpus.cases {
        let Some(platform) = &case.sign else { continue };
        let number = profiles.len();
        let profile = profiles.entry(platform.clone()).or_insert_with(|| {
            let name = format!("p{number}");
            succeeded("profile", &run(&["profile", "create", &name, "--platform", platform]));
            name
        });
        assert!(Archive::parse(&corpus.open(&case.file), &case.limits()).is_ok(), "{}", case.file);
        let (from, to) = (corpus.path(&case.file), folder.path().join("signed.zip"));
        let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
        let output = run(&["sign", &from, "--profile", profile, "-o", &to]);
        let told = everything(&output);
        assert!(output.status.code() == Some(2) && told.contains(&case.expect), "{}: {told}", case.file);
    }
    assert!(!profiles.is_empty());
}

/// What one reader sees of an entry.
#[derive(Debug, PartialEq, Deserialize)]
struct Seen {
    name: String,
    size: u64,
    sha256: String,
    /// Where one is recorded: four octal digits.
    mode: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Listing {
    file: String,
    entries: Vec<Seen>,
}

#[test]
fn every_reader_sees_each_accepted_archive_as_the_gate_does() {
    let corpus = Corpus::new(&[]);
    let listings: Vec<Listing> =
        serde_json::from_str(&corpus.run("agree.py", &["--json", "--require-all"])).expect("listings");
    let cases: BTreeMap<&str, &Case> = corpus.cases.iter().map(|case| (case.file.as_str(), case)).collect();
    assert!(listings.len() >= 60);
    for Listing { file, entries } in listings {
        let source = corpus.open(&file);
        let archive = Archive::parse(&source, &cases[file.as_str()].limits()).expect(&file);
        let ours: Vec<Seen> = archive.entries().iter().map(|entry| ours(&archive, &source, entry)).collect();
        assert_alike(&file, &ours, &entries);
        assert_alike(&file, &zip_crate(&corpus.path(&file)), &entries);
    }
}

/// Where no mode is recorded each reader chooses one, and none is compared.
fn assert_alike(file: &str, ours: &[Seen], theirs: &[Seen]) {
    assert_eq!(ours.len(), theirs.len(), "{file}");
    for (ours, theirs) in ours.iter().zip(theirs) {
        let mode = theirs.mode.is_none() || ours.mode == theirs.mode;
        let same = (&ours.name, ours.size, &ours.sha256) == (&theirs.name, theirs.size, &theirs.sha256);
        assert!(same && mode, "{file}: {ours:?} and {theirs:?}");
    }
}

fn ours(archive: &Archive, source: &File, entry: &Entry) -> Seen {
    let mut body = Vec::new();
    archive.reader(source, entry).read_to_end(&mut body).expect("a body that was checked");
    Seen { mode: Some(format!("{:04o}", entry.permissions())), ..seen(entry.name(), &body) }
}

/// The archive as the `zip` crate sees it.
fn zip_crate(path: &Path) -> Vec<Seen> {
    let mut archive = zip::ZipArchive::new(File::open(path).expect("a case")).expect("an archive");
    let count = archive.len();
    let mut read = |index: usize| {
        let mut entry = archive.by_index(index).expect("an entry");
        let mut body = Vec::new();
        entry.read_to_end(&mut body).expect("a body");
        let name = entry.name().expect("UTF-8").into_owned();
        let mode = entry.unix_mode().map(|mode| format!("{:04o}", mode & 0o777));
        Seen { mode, ..seen(&name, &body) }
    };
    (0..count).map(&mut read).collect()
}

fn seen(name: &str, body: &[u8]) -> Seen {
    Seen {
        name: name.to_owned(),
        size: body.len() as u64,
        sha256: Sha256Digest::of(body).to_string(),
        mode: None,
    }
}

/// A target is given each case as if nobody had looked at it before.
#[tokio::test]
async fn what_is_refused_writes_nothing_and_what_is_accepted_is_extracted_as_it_is() {
    let corpus = Corpus::new(&[]);
    let world = tempfile::tempdir().expect("a folder");
    let root = world.path().join("a/b/c/target");
    let function = root.join("functions/hello");
    fs::create_dir_all(&function).expect("a folder");
    for (number, case) in (1..).zip(corpus.cases.iter().filter(|case| case.limits.is_empty())) {
        let target = DirectoryTarget::open(&root, Limits::default()).expect("a target");
        let before = everything_in(world.path());
        let published = target.publish_version(&hello(), number, &corpus.package(case)).await;
        let version = function.join("versions").join(number.to_string());
        if case.sign.is_some() || case.expect == "accept" {
            published.unwrap_or_else(|error| panic!("{}: {error}", case.file));
            assert_extracted(case, &corpus.open(&case.file), &version);
        } else {
            let refused =
                matches!(&published, Err(TargetError::Refused { code, .. }) if *code == case.expect);
            assert!(refused, "{}: {published:?}", case.file);
            assert_eq!(everything_in(world.path()), before, "{}", case.file);
        }
        fs::remove_dir_all(&root).expect("a folder");
        fs::create_dir_all(&function).expect("a folder");
        assert_eq!(fs::read_dir(world.path().join("a/b/c")).expect("a folder").count(), 1, "{}", case.file);
    }
}

fn assert_extracted(case: &Case, source: &File, version: &Path) {
    let archive = Archive::parse(source, &Limits::default()).expect(&case.file);
    let mut expected = BTreeSet::new();
    for entry in archive.entries() {
        let name = entry.name().trim_end_matches('/');
        expected.extend(Path::new(name).ancestors().map(|part| version.join(part)));
        let path = version.join(name);
        let found = fs::symlink_metadata(&path).expect(&case.file);
        let kind = match entry.kind() {
            EntryKind::Symlink { target } => {
                assert_eq!(fs::read_link(&path).expect(&case.file), Path::new(target), "{}", case.file);
                found.is_symlink()
            }
            EntryKind::Directory => found.is_dir(),
            EntryKind::File => found.is_file() && found.len() == entry.size(),
        };
        let mode = found.is_symlink() || found.permissions().mode() & 0o7777 == entry.permissions();
        assert!(kind && mode, "{}: {name:?} is {found:?}", case.file);
    }
    expected.insert(version.to_owned());
    assert_eq!(everything_in(version), expected, "{}", case.file);
}

/// All paths in a folder, itself among them. No link is followed.
fn everything_in(folder: &Path) -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::from([folder.to_owned()]);
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_folder = fs::symlink_metadata(&path).expect("an entry").is_dir();
        paths.extend(if is_folder { everything_in(&path) } else { BTreeSet::from([path]) });
    }
    paths
}

fn hello() -> FunctionName {
    "hello".parse().expect("a name")
}

#[test]
fn no_package_of_ten_mebibytes_takes_two_seconds_or_64_mebibytes_to_refuse() {
    let corpus = Corpus::new(&["--worst"]);
    let program = tools::binary("countersign");
    corpus.run("measure.py", &[&program.to_string_lossy()]);
}

fn script(name: &str) -> Command {
    let mut python = Command::new("python3");
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name));
    python
}
