//! A folder to work in, and the binary to run there.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use zip::write::SimpleFileOptions;

/// A temporary folder with a data directory `data` in it.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
}

/// What a run of the binary gave.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn root(&self) -> String {
        self.path("data/trust/root.pem").to_string_lossy().into_owned()
    }

    /// The binary in this folder, without the caller's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        let ours = std::env::vars().map(|(name, _)| name);
        for name in ours
            .filter(|name| name.starts_with("COUNTERSIGN_") || name.starts_with("AWS_") || name == "RUST_LOG")
        {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("COUNTERSIGN_DATA_DIR", "data")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// Runs what must end with `code`.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}\nout: {}\nerr: {}", ran.out, ran.err);
        ran
    }

    /// Runs what must end with `code` and print JSON.
    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let ran = self.expect(code, arguments);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", ran.out))
    }

    /// Writes a package whose one file has this content, readable in its bytes.
    pub(crate) fn package(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file("handler.py", stored).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
        zip.finish().unwrap();
        path
    }

    /// A data directory with the profile `quick`, and `one.zip` signed by it as `signed.zip`.
    pub(crate) fn with_signed() -> Self {
        let workshop = Self::new();
        workshop.expect(0, &["profile", "create", "quick", "--platform", "Countersign-SHA384-ECDSA"]);
        workshop.package("one.zip", "print('one')\n");
        workshop.expect(0, &["sign", "one.zip", "--profile", "quick", "-o", "signed.zip"]);
        workshop
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).try_exists().unwrap()
    }
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The names of all files in a folder.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
