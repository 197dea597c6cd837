//! The walls of ARCHITECTURE.md, held by machine: imports run one way along the floors, each SDK has one home, and what the
//! documents say of crates and tests is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Every crate with its floor. A crate imports only from floors below its own.
const FLOORS: &[(&str, u8)] = &[
    ("countersign-domain", 0),
    ("countersign-iam", 1),
    ("countersign-package", 1),
    ("countersign-ports", 1),
    ("countersign-policy", 2),
    ("countersign-keys", 2),
    ("countersign-store", 2),
    ("countersign-queue", 2),
    ("countersign-objects", 2),
    ("countersign-embedded-s3", 2),
    ("countersign-gateway", 2),
    ("countersign-targets", 2),
    ("countersign-runtime", 2),
    ("countersign-api", 3),
    ("countersign-process", 4),
    ("countersign-signer", 5),
    ("countersign-deployer", 5),
    ("countersign", 6),
    ("countersign-tests", 7),
];

/// Who may name a crate of the outside world. `*` at the end stands for any rest.
const HOMES: &[(&str, &[&str])] = &[
    ("aws-sdk-*", &["countersign-objects", "countersign-targets"]),
    ("aws-config", &["countersign-objects", "countersign-targets"]),
    ("s3s", &["countersign-embedded-s3"]),
    ("sqlx", &["countersign-store", "countersign-queue", "countersign-embedded-s3"]),
    ("rsa", &["countersign-package", "countersign-keys"]),
    ("cms", &["countersign-package"]),
    ("rustls-webpki", &["countersign-package"]),
    ("flate2", &["countersign-package", "countersign"]),
    ("lapin", &["countersign-queue"]),
];

/// Crates that name what they must never reach, although the floor would allow it.
const NEVER: &[(&str, &str)] = &[
    ("countersign-deployer", "countersign-keys"),
    ("countersign-deployer", "countersign-signer"),
    ("countersign-api", "countersign-keys"),
    ("countersign-process", "countersign-keys"),
    ("countersign-signer", "countersign-deployer"),
    ("countersign-package", "tokio"),
    ("countersign-policy", "tokio"),
    ("countersign-iam", "tokio"),
    ("countersign-domain", "tokio"),
];

#[test]
fn every_crate_has_a_floor_and_imports_only_from_below() {
    let metadata = metadata();
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(floor) = floors.get(package.name.as_str()) else {
            wrong.push(format!("{} has no floor", package.name));
            continue;
        };
        for dependency in imports(package) {
            if floors.get(dependency.as_str()).is_some_and(|below| below >= floor) {
                wrong.push(format!("{} (floor {floor}) imports {dependency}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_sdk_is_named_in_its_home_alone() {
    let mut wrong = Vec::new();
    for package in metadata().workspace_packages() {
        for dependency in imports(package) {
            for (sdk, homes) in HOMES {
                if matches(sdk, &dependency) && !homes.contains(&package.name.as_str()) {
                    wrong.push(format!("{} names {dependency}", package.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_must_never_meet_does_not_meet_through_others_either() {
    let metadata = metadata();
    for (from, to) in NEVER {
        let reached = reachable(&metadata, from);
        assert!(!reached.contains(*to), "{from} reaches {to}");
    }
}

#[test]
fn every_library_forbids_unsafe_code_itself() {
    for package in metadata().workspace_packages() {
        for target in package.targets.iter().filter(|target| target.is_lib() || target.is_bin()) {
            let text = std::fs::read_to_string(&target.src_path).expect("a crate root can be read");
            assert!(text.contains("#![forbid(unsafe_code)]"), "{} lacks it", target.src_path);
        }
    }
}

#[test]
fn the_code_map_has_every_crate() {
    let map = document("ARCHITECTURE.md");
    for package in metadata().workspace_packages() {
        let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
        let folder =
            folder.strip_prefix(root().canonicalize().expect("the root is there")).expect("it is ours");
        assert!(map.contains(&format!("\n### `{folder}`\n")), "ARCHITECTURE.md has no entry for {folder}");
    }
}

#[test]
fn the_tests_that_security_md_names_exist() {
    let sources = metadata().workspace_packages().into_iter().fold(String::new(), |text, package| {
        text + &rust_text(package.manifest_path.parent().expect("a manifest lies in a folder").as_std_path())
    });
    let document = document("SECURITY.md");
    let (_, table) = document.split_once("| shown by |").expect("a table of threats");
    let (table, _) = table.split_once("\n## ").expect("a section behind it");
    let names: Vec<_> = table.split('`').skip(1).step_by(2).filter(|name| name.contains('_')).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}(")), "SECURITY.md names {name}, which is not there");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("a document can be read")
}

/// All Rust files below a folder, one after the other.
fn rust_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            text += &rust_text(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(&path).expect("a source can be read");
        }
    }
    text
}

fn metadata() -> Metadata {
    // Without it cargo fetches the crates of every platform there is.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), platform])
        .exec()
        .expect("cargo metadata answers")
}

/// What a crate names as dependencies of its product; tests, and what only tests turn on, may reach further.
fn imports(package: &Package) -> BTreeSet<String> {
    let product = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development && !dependency.optional);
    product.map(|dependency| dependency.name.clone()).collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |head| name.starts_with(head))
}

fn reachable(metadata: &Metadata, from: &str) -> BTreeSet<String> {
    let packages: BTreeMap<&str, &Package> =
        metadata.packages.iter().map(|package| (package.name.as_str(), package)).collect();
    let mut reached = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        let Some(package) = packages.get(name.as_str()) else { continue };
        // Outside crates are walked too: a wall that can be passed through somebody else's crate is none.
        for dependency in package.dependencies.iter().filter(|dependency| {
            dependency.kind == DependencyKind::Normal && !dependency.optional && dependency.target.is_none()
        }) {
            if reached.insert(dependency.name.clone()) {
                open.push(dependency.name.clone());
            }
        }
    }
    reached
}
