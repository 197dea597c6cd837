//! Zips made by the tools that people use. A tool that is not installed fails the test; `tests/run` installs them.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its part, and a test stops at what it did not expect"
)]

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A way to make a zip: a shell script that runs in the folder to pack and writes the zip to `$OUT`.
struct Recipe {
    name: &'static str,
    links: bool,
    script: &'static str,
}

const RECIPES: &[Recipe] = &[
    Recipe { name: "zip", links: false, script: r#"zip -qr "$OUT" ."# },
    Recipe { name: "zip with links", links: true, script: r#"zip -qry "$OUT" ."# },
    Recipe { name: "zip stored", links: false, script: r#"zip -qr -0 "$OUT" ."# },
    Recipe { name: "zip without extra fields", links: false, script: r#"zip -qrXD "$OUT" ."# },
    Recipe { name: "zip to a pipe", links: false, script: r#"zip -qr - . | cat > "$OUT""# },
    Recipe { name: "zip -fz", links: false, script: r#"zip -qr -fz "$OUT" ."# },
    Recipe { name: "zip with a comment", links: false, script: r#"echo "a comment" | zip -qrz "$OUT" ."# },
    Recipe {
        name: "zip updated",
        links: false,
        script: r#"zip -q "$OUT" text && zip -qr "$OUT" . && zip -qd "$OUT" text"#,
    },
    Recipe { name: "jar", links: false, script: r#"jar cf "$OUT" ."# },
    Recipe { name: "jar stored", links: false, script: r#"jar c0f "$OUT" ."# },
    Recipe { name: "jar without manifest", links: false, script: r#"jar cfM "$OUT" ."# },
    Recipe { name: "7z", links: false, script: r#"7z a -tzip -bso0 "$OUT" ."# },
    Recipe { name: "7z stored", links: false, script: r#"7z a -tzip -mx0 -bso0 "$OUT" ."# },
    Recipe { name: "bsdtar", links: true, script: r#"bsdtar -cf "$OUT" --format zip *"# },
    Recipe {
        name: "bsdtar zip64",
        links: true,
        script: r#"bsdtar -cf "$OUT" --format zip --options zip:zip64 *"#,
    },
    Recipe { name: "python -m zipfile", links: false, script: r#"python3 -m zipfile -c "$OUT" *"# },
    Recipe {
        name: "python make_archive",
        links: false,
        script: r#"python3 -c 'import os, shutil; shutil.make_archive(os.environ["OUT"][:-4], "zip", ".")'"#,
    },
    Recipe {
        name: "python to a pipe",
        links: false,
        script: concat!("python3 -c '", include_str!("stream.py"), "' 0 | cat > \"$OUT\""),
    },
    Recipe {
        name: "python zip64 to a pipe",
        links: false,
        script: concat!("python3 -c '", include_str!("stream.py"), "' 1 | cat > \"$OUT\""),
    },
    Recipe {
        name: "python zip64",
        links: false,
        script: concat!("python3 -c '", include_str!("stream.py"), "' 1 > \"$OUT\""),
    },
];

/// (recipe, zip) for every recipe.
pub(crate) fn zips() -> Vec<(&'static str, Vec<u8>)> {
    RECIPES.iter().map(|recipe| (recipe.name, recipe.run())).collect()
}

/// Tools that write what is no zip by the book, each with the flaw's code: `zip -fz` to a pipe refers to a zip64 end
/// record and forgets to write it; bsdtar fills its last tape block with zeros, and streams stored data, whose end a
/// streaming reader can only guess.
const FLAWED: &[(&str, Recipe)] = &[
    ("zip64_missing", Recipe { name: "zip -fz", links: false, script: r#"zip -qr -fz - . | cat > "$OUT""# }),
    (
        "trailing_data",
        Recipe { name: "bsdtar", links: true, script: r#"bsdtar -cf - --format zip * | cat > "$OUT""# },
    ),
    (
        "descriptor_on_stored_data",
        Recipe {
            name: "bsdtar",
            links: false,
            script: r#"bsdtar -cf "$OUT" --format zip --options zip:compression=store *"#,
        },
    ),
];

/// (tool, code of its flaw, zip).
pub(crate) fn flawed() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    FLAWED.iter().map(|(code, recipe)| (recipe.name, *code, recipe.run())).collect()
}

impl Recipe {
    fn run(&self) -> Vec<u8> {
        let folder = TempDir::new().unwrap();
        let tree = folder.path().join("tree");
        let out = folder.path().join("out.zip");
        plant(&tree, self.links);
        let mut shell = Command::new("bash");
        shell.args(["-e", "-o", "pipefail", "-c", self.script]).current_dir(&tree).env("OUT", &out);
        let output = shell.stdin(Stdio::null()).output().unwrap();
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {messages} (is the tool installed?)", self.name);
        fs::read(&out).unwrap()
    }
}

/// Files of all sizes that matter, folders full and empty, an executable, and links where the tool can store them.
pub(crate) fn plant(tree: &Path, links: bool) {
    fs::create_dir_all(tree.join("folder/deeper")).unwrap();
    fs::create_dir_all(tree.join("nothing here")).unwrap();
    fs::write(tree.join("text"), "some text, some text, some text\n".repeat(50)).unwrap();
    fs::write(tree.join("none"), "").unwrap();
    fs::write(tree.join("folder/run"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(tree.join("folder/run"), Permissions::from_mode(0o755)).unwrap();
    let mut noise = fs::File::create(tree.join("folder/deeper/noise")).unwrap();
    noise.write_all(&noise_bytes(300_000)).unwrap();
    if links {
        symlink("../text", tree.join("folder/link")).unwrap();
        symlink("folder", tree.join("to-folder")).unwrap();
    }
}

/// Bytes that do not compress, the same in every run.
pub(crate) fn noise_bytes(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..size).map(|_| next()).collect()
}
