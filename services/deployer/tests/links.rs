//! The program `countersign-deployer` links no signing code and no key custody: a deployer that is taken over cannot sign.

use std::process::Command;

#[test]
fn the_program_links_verification_and_nothing_that_signs() {
    let symbols =
        Command::new("nm").args(["--demangle", env!("CARGO_BIN_EXE_countersign-deployer")]).output();
    let symbols = symbols.expect("nm runs: install binutils");
    let symbols = String::from_utf8_lossy(&symbols.stdout);
    assert!(symbols.contains("countersign_package::verify::"), "there are no symbols to look at");
    for signing in ["countersign_keys::", "countersign_signer::", "countersign_package::sign::"] {
        let found = symbols.lines().find(|line| line.contains(signing));
        assert_eq!(found, None, "the program links {signing}");
    }
}
