use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use countersign_domain::{ObjectVersion, Sha256Digest};
use countersign_ports::conformance::targets::{self, TargetUnderTest};
use countersign_ports::targets::LocalPackage;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

mod changes;

struct Fixture {
    root: TempDir,
    packages: TempDir,
    target: DirectoryTarget,
}

impl Fixture {
    fn new() -> Self {
        Self::on(Disk::new())
    }

    fn on(disk: Disk) -> Self {
        let [root, packages] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let target = DirectoryTarget::open_on(root.path(), Limits::default(), disk).unwrap();
        Self { root, packages, target }
    }

    /// A package of one file that holds its own name.
    fn package(&self, name: &str) -> LocalPackage {
        self.zipped(name, |zip| file(zip, name, 0o644, name.as_bytes()))
    }

    fn zipped(&self, name: &str, fill: impl FnOnce(&mut ZipWriter<fs::File>)) -> LocalPackage {
        let path = self.packages.path().join(name);
        let mut zip = ZipWriter::new(fs::File::create(&path).unwrap());
        fill(&mut zip);
        zip.finish().unwrap();
        self.local(name)
    }

    fn local(&self, name: &str) -> LocalPackage {
        let path = self.packages.path().join(name);
        let sha256 = Sha256Digest::of(&fs::read(&path).unwrap());
        let key = format!("{name}.zip").parse().unwrap();
        let (bucket, version) = ("signed".parse().unwrap(), "v1".parse().unwrap());
        LocalPackage { path, sha256, object: ObjectVersion { bucket, key, version } }
    }

    fn in_function(&self, path: &str) -> PathBuf {
        self.root.path().join("functions/hello").join(path)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.in_function(folder)) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.in_function(path)).unwrap().permissions().mode() & 0o7777
    }

    async fn publish(&self, version: u64, packages: &LocalPackages) -> Result<(), TargetError> {
        self.target.publish_version(&hello(), version, packages).await.map(drop)
    }

    /// Nothing of a version is there, visible or not.
    fn assert_bare(&self) {
        assert_eq!(self.target.versions(&hello()).unwrap(), [0_u64; 0]);
        for folder in ["versions", "layers", ".packages"] {
            assert_eq!(self.names(folder), [""; 0], "in {folder}");
        }
        assert!(!self.names("").iter().any(|name| name.starts_with(".staging")), "{:?}", self.names(""));
    }

    fn assert_whole(&self) {
        assert_eq!(self.target.versions(&hello()).unwrap(), [1]);
        assert_eq!(fs::read_to_string(self.in_function("versions/1/code")).unwrap(), "code");
        assert_eq!(fs::read_to_string(self.in_function("layers/1/1/one")).unwrap(), "one");
        assert_eq!(fs::read_to_string(self.in_function("layers/1/2/two")).unwrap(), "two");
        assert!(!self.names("").iter().any(|name| name.starts_with(".staging")), "{:?}", self.names(""));
    }
}

#[async_trait]
impl TargetUnderTest for Fixture {
    fn target(&self) -> &dyn DeployTarget {
        &self.target
    }

    fn packages(&self) -> [LocalPackage; 3] {
        ["a", "b", "c"].map(|name| self.package(name))
    }

    async fn versions(&self, function: &FunctionName) -> Vec<TargetVersion> {
        self.target.versions(function).unwrap().into_iter().map(named).collect()
    }

    async fn resolve(&self, function: &FunctionName, alias: &AliasName) -> Option<TargetVersion> {
        self.target.resolve(function, alias).unwrap().map(|version| TargetVersion(version.to_string()))
    }

    async fn latest(&self, function: &FunctionName) -> Option<Sha256Digest> {
        let latest = self.root.path().join("functions").join(function.as_str()).join("latest");
        let file = fs::read_dir(latest).ok()?.next().unwrap().unwrap().file_name();
        Some(self.package(file.to_str().unwrap()).sha256)
    }
}

fn hello() -> FunctionName {
    "hello".parse().unwrap()
}

fn named(version: u64) -> TargetVersion {
    TargetVersion(version.to_string())
}

fn published(version: u64) -> Option<FunctionVersion> {
    Some(FunctionVersion::Published(version))
}

fn live() -> AliasName {
    "live".parse().unwrap()
}

fn code(code: LocalPackage) -> LocalPackages {
    LocalPackages { code, layers: Vec::new() }
}

fn with_layers(fixture: &Fixture) -> LocalPackages {
    LocalPackages {
        code: fixture.package("code"),
        layers: ["one", "two"].map(|name| fixture.package(name)).into(),
    }
}

fn file(zip: &mut ZipWriter<fs::File>, name: &str, mode: u32, content: &[u8]) {
    zip.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
    zip.write_all(content).unwrap();
}

/// A disk whose step number `step`, counted from 1, does as `then` says, as do all later ones.
fn stumbling(step: &Arc<AtomicI64>, then: fn() -> rustix::io::Result<()>) -> Disk {
    let remaining = Arc::clone(step);
    Disk::admitting(move || if remaining.fetch_sub(1, Ordering::Relaxed) <= 1 { then() } else { Ok(()) })
}

fn crash() -> rustix::io::Result<()> {
    std::panic::resume_unwind(Box::new("the process ends here"))
}

const NEVER: i64 = i64::MAX;

#[tokio::test]
async fn it_keeps_the_contract() {
    targets::check(&Fixture::new()).await;
}

#[tokio::test]
async fn a_version_is_called_by_our_number_and_numbers_may_be_left_out() {
    let fixture = Fixture::new();
    let packages = code(fixture.package("same"));
    for version in [1, 3, 2] {
        let published = fixture.target.publish_version(&hello(), version, &packages).await;
        assert_eq!(published, Ok(named(version)));
    }
    assert_eq!(fixture.target.versions(&hello()).unwrap(), [1, 2, 3], "also where the packages are the same");
}

#[tokio::test]
async fn a_package_is_extracted_as_it_is() {
    let fixture = Fixture::new();
    let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let package = fixture.zipped("rich.zip", |zip| {
        let options = SimpleFileOptions::default();
        file(zip, "bin/run", 0o777, b"#!/bin/sh\n");
        file(zip, "read-only", 0o400, b"");
        file(zip, "deep/er/stored", 0o666, b"stored");
        file(zip, "large", 0o644, &large);
        zip.add_directory("shut/", options.unix_permissions(0o555)).unwrap();
        file(zip, "shut/inside", 0o644, b"inside");
        zip.add_directory("empty/", options.unix_permissions(0o750)).unwrap();
        zip.add_symlink("bin/alias", "../deep/er/stored", options).unwrap();
        file(zip, "META-INF/countersign.p7s", 0o644, b"signature");
    });
    fixture.publish(1, &code(package)).await.unwrap();
    let read = |path: &str| fs::read(fixture.in_function("versions/1").join(path)).unwrap();
    assert_eq!(read("bin/run"), b"#!/bin/sh\n");
    assert!(read("large") == large);
    assert_eq!(read("shut/inside"), b"inside");
    assert_eq!(read("bin/alias"), b"stored");
    assert_eq!(read("META-INF/countersign.p7s"), b"signature");
    let names = ["META-INF", "bin", "deep", "empty", "large", "read-only", "shut"];
    assert_eq!(fixture.names("versions/1"), names, "nothing else is there");
    let modes = [("bin/run", 0o777), ("read-only", 0o400), ("deep/er/stored", 0o666), ("shut", 0o555)];
    for (path, mode) in modes.into_iter().chain([("empty", 0o750), ("deep", 0o755), ("", 0o755)]) {
        assert_eq!(fixture.mode(&format!("versions/1/{path}")), mode, "{path}");
    }
}

#[tokio::test]
async fn a_package_of_many_files_is_extracted_whole() {
    let fixture = Fixture::new();
    let names: Vec<String> = (0..1000).map(|number| format!("{}/{number}", number % 7)).collect();
    let package = fixture.zipped("many.zip", |zip| {
        for name in &names {
            file(zip, name, 0o644, name.as_bytes());
        }
    });
    fixture.publish(1, &code(package)).await.unwrap();
    for name in &names {
        assert_eq!(fs::read_to_string(fixture.in_function("versions/1").join(name)).unwrap(), *name);
    }
}

#[tokio::test]
async fn an_alias_is_a_relative_link_that_readers_follow() {
    let fixture = Fixture::new();
    for (version, name) in [(1, "first"), (2, "second")] {
        fixture.publish(version, &code(fixture.package(name))).await.unwrap();
        fixture.target.point_alias(&hello(), &live(), &named(version)).await.unwrap();
        let link = fs::read_link(fixture.in_function("aliases/live")).unwrap();
        assert_eq!(link, PathBuf::from(format!("../versions/{version}")));
        assert_eq!(fs::read_to_string(fixture.in_function("aliases/live").join(name)).unwrap(), name);
    }
    assert_eq!(fixture.names("aliases"), ["live"]);
}

#[tokio::test]
async fn a_reader_never_misses_an_alias_that_moves() {
    let fixture = Fixture::new();
    for (version, name) in [(1, "same"), (2, "same")] {
        fixture.publish(version, &code(fixture.package(name))).await.unwrap();
    }
    fixture.target.point_alias(&hello(), &live(), &named(1)).await.unwrap();
    let path = fixture.in_function("aliases/live/same");
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let reader = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let mut reads = 0;
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(fs::read_to_string(&path).unwrap(), "same");
                reads += 1;
            }
            reads
        }
    });
    for turn in 0..100 {
        fixture.target.point_alias(&hello(), &live(), &named(turn % 2 + 1)).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    assert!(reader.join().unwrap() > 0);
}

#[tokio::test]
async fn what_the_gate_refuses_is_refused_with_the_gates_code() {
    let fixture = Fixture::new();
    fs::write(fixture.packages.path().join("text"), "no zip at all").unwrap();
    let error = fixture.publish(1, &code(fixture.local("text"))).await.unwrap_err();
    assert!(matches!(&error, TargetError::Refused { code, .. } if code == "not_a_zip"), "{error:?}");
    fixture.assert_bare();
}

#[tokio::test]
async fn a_version_that_was_not_made_here_is_taken() {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.in_function("versions/1")).unwrap();
    let taken = Err(TargetError::VersionTaken { function: hello(), version: 1 });
    assert_eq!(fixture.publish(1, &code(fixture.package("code"))).await, taken);
    assert_eq!(fixture.names("versions/1"), [""; 0]);
}

#[tokio::test]
async fn a_function_folder_that_leads_elsewhere_is_not_entered() {
    let fixture = Fixture::new();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), fixture.in_function("")).unwrap_err();
    symlink(outside.path(), fixture.root.path().join("functions/hello")).unwrap();
    let published = fixture.publish(1, &code(fixture.package("code"))).await;
    assert!(matches!(published, Err(TargetError::Unavailable(_))), "{published:?}");
    assert!(fixture.target.point_alias(&hello(), &live(), &named(1)).await.is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    DirectoryTarget::open(fixture.root.path(), Limits::default()).unwrap();
}

/// The number of steps of one publication with layers.
async fn steps_of_a_publication() -> i64 {
    let step = Arc::new(AtomicI64::new(NEVER));
    let fixture = Fixture::on(stumbling(&step, || Err(Errno::NOSPC)));
    let before = step.load(Ordering::Relaxed);
    fixture.publish(1, &with_layers(&fixture)).await.unwrap();
    before - step.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_disk_that_is_full_at_any_step_leaves_nothing() {
    let steps = steps_of_a_publication().await;
    assert!(steps > 20, "{steps} steps");
    for full_at in 1..=steps {
        for error in [Errno::NOSPC, Errno::DQUOT] {
            let step = Arc::new(AtomicI64::new(NEVER));
            let full = if error == Errno::NOSPC { || Err(Errno::NOSPC) } else { || Err(Errno::DQUOT) };
            let fixture = Fixture::on(stumbling(&step, full));
            let packages = with_layers(&fixture);
            step.store(full_at, Ordering::Relaxed);
            let published = fixture.publish(1, &packages).await;
            assert!(matches!(published, Err(TargetError::Full(_))), "at step {full_at}: {published:?}");
            fixture.assert_bare();
            step.store(NEVER, Ordering::Relaxed);
            fixture.publish(1, &packages).await.unwrap();
            fixture.assert_whole();
        }
    }
}

#[tokio::test]
async fn a_crash_at_any_step_leaves_a_whole_version_or_none() {
    let mut stood = 0;
    for crash_at in 1..=steps_of_a_publication().await {
        let step = Arc::new(AtomicI64::new(NEVER));
        let fixture = Fixture::on(stumbling(&step, crash));
        let packages = with_layers(&fixture);
        step.store(crash_at, Ordering::Relaxed);
        fixture.publish(1, &packages).await.unwrap_err();
        if fixture.target.versions(&hello()).unwrap() == [1] {
            stood += 1;
            assert_eq!(fs::read_to_string(fixture.in_function("layers/1/2/two")).unwrap(), "two");
        }
        let reopened = DirectoryTarget::open(fixture.root.path(), Limits::default()).unwrap();
        if reopened.versions(&hello()).unwrap().is_empty() {
            fixture.assert_bare();
        }
        reopened.publish_version(&hello(), 1, &packages).await.unwrap();
        fixture.assert_whole();
        let other = reopened.publish_version(&hello(), 1, &code(fixture.package("code"))).await;
        assert!(matches!(other, Err(TargetError::VersionTaken { .. })));
    }
    assert!(stood > 0, "some crash comes after the version stands");
}

#[tokio::test]
async fn an_alias_survives_a_failure_and_a_crash_at_any_step() {
    let outcomes: [fn() -> rustix::io::Result<()>; 2] = [|| Err(Errno::NOSPC), crash];
    for (outcome, stumble_at) in outcomes.into_iter().flat_map(|outcome| (1..=3).map(move |at| (outcome, at)))
    {
        let step = Arc::new(AtomicI64::new(NEVER));
        let fixture = Fixture::on(stumbling(&step, outcome));
        for version in [1, 2] {
            fixture.publish(version, &code(fixture.package("code"))).await.unwrap();
        }
        fixture.target.point_alias(&hello(), &live(), &named(1)).await.unwrap();
        step.store(stumble_at, Ordering::Relaxed);
        fixture.target.point_alias(&hello(), &live(), &named(2)).await.unwrap_err();
        let pointed = fixture.target.resolve(&hello(), &live()).unwrap();
        assert_eq!(pointed, published(if stumble_at == 3 { 2 } else { 1 }), "at step {stumble_at}");
        step.store(NEVER, Ordering::Relaxed);
        fixture.target.point_alias(&hello(), &live(), &named(2)).await.unwrap();
        assert_eq!(fixture.target.resolve(&hello(), &live()).unwrap(), published(2));
        assert_eq!(fixture.names("aliases"), ["live"]);
    }
}

#[tokio::test]
async fn two_targets_on_one_directory_wait_for_each_other() {
    let fixture = Fixture::new();
    let other = DirectoryTarget::open(fixture.root.path(), Limits::default()).unwrap();
    let packages = with_layers(&fixture);
    for version in 1..20 {
        let function = hello();
        let (one, two) = tokio::join!(
            fixture.publish(version, &packages),
            other.publish_version(&function, version, &packages)
        );
        assert_eq!((one, two), (Ok(()), Ok(named(version))));
    }
    assert_eq!(other.versions(&hello()).unwrap(), (1..20).collect::<Vec<_>>());
}

/// Opening a directory sweeps it. At every step of a publication there is something that only its own writer may remove.
#[tokio::test]
async fn another_process_that_opens_the_directory_waits_instead_of_sweeping_what_is_being_made() {
    let root = tempfile::tempdir().unwrap();
    let (step, opening) = (Arc::new(AtomicI64::new(NEVER)), Arc::new(Mutex::new(None)));
    let disk = Disk::admitting({
        let (step, opening, root) = (Arc::clone(&step), Arc::clone(&opening), root.path().to_owned());
        move || {
            let remaining = step.fetch_sub(1, Ordering::Relaxed);
            let mut opening = opening.lock().unwrap();
            if remaining == 1 {
                *opening = Some(separate_process(&root));
            }
            if let Some(process) = opening.as_mut().filter(|_| remaining > -STEPS_TO_WATCH) {
                std::thread::sleep(Duration::from_millis(20));
                assert!(process.try_wait().unwrap().is_none(), "it has not opened what is being written to");
            }
            Ok(())
        }
    });
    let target = DirectoryTarget::open_on(root.path(), Limits::default(), disk).unwrap();
    let fixture = Fixture { packages: tempfile::tempdir().unwrap(), target, root };
    let packages = with_layers(&fixture);
    // The folder and its lock come first.
    step.store(4, Ordering::Relaxed);
    fixture.publish(1, &packages).await.unwrap();
    let process = opening.lock().unwrap().take().expect("the publication has more than four steps");
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fixture.assert_whole();
}

/// This test program again, which opens the directory and ends. It gets as far as the lock while a few steps go by.
fn separate_process(root: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "directory::tests::opens_the_directory", "--ignored"])
        .env(FOLDER, root)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "the process that the test of two processes starts"]
#[expect(clippy::disallowed_methods, reason = "the folder comes from the test that starts this process")]
fn opens_the_directory() {
    let root = std::env::var(FOLDER).expect("run the test of two processes, which starts this one");
    DirectoryTarget::open(Path::new(&root), Limits::default()).unwrap();
}

const FOLDER: &str = "TARGETS_TEST_FOLDER";
const STEPS_TO_WATCH: i64 = 25;

#[tokio::test]
async fn an_alias_that_was_not_made_here_is_no_answer() {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.in_function("aliases")).unwrap();
    for target in ["../versions/../../other", "/etc", "../versions/01", "../versions/+1", "../versions/"] {
        let path = fixture.in_function("aliases/live");
        let _gone = fs::remove_file(&path);
        symlink(target, &path).unwrap();
        assert!(fixture.target.resolve(&hello(), &live()).is_err(), "{target}");
    }
}
