//! The tables of the models are what the generator makes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_tables_are_what_the_generator_makes_of_the_same_botocore() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("python3")
        .args(["-B", "generate.py"])
        .arg(folder.path())
        .current_dir(home)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    for file in ["signer.rs", "lambda.rs"] {
        let ours = std::fs::read_to_string(home.join("src/model").join(file)).unwrap();
        let made = std::fs::read_to_string(folder.path().join(file)).unwrap();
        let (ours_from, made_from) = (ours.lines().next(), made.lines().next());
        if ours_from == made_from {
            assert!(ours == made, "{file} differs: run generate.py src/model");
        } else {
            println!("not compared: {ours_from:?}, but here {made_from:?}");
        }
    }
}
