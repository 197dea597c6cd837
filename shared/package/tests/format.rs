//! FORMAT.md lists the codes that the signature layer gives, all and no others; `gate_rules` does so for the gate's.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::BTreeSet;

const FORMAT: &str = include_str!("../FORMAT.md");
/// Where the codes of the signature layer are given.
const SOURCES: [&str; 4] = [
    include_str!("../src/cms/error.rs"),
    include_str!("../src/chain/mod.rs"),
    include_str!("../src/statement.rs"),
    include_str!("../src/verify/error.rs"),
];

fn section(from: &str, to: &str) -> &'static str {
    let begin = FORMAT.find(from).unwrap();
    &FORMAT[begin..begin + FORMAT[begin..].find(to).unwrap()]
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The text between each pair of `quote` in the rows of a section's table.
fn quoted(text: &str, quote: char) -> BTreeSet<&str> {
    text.lines().flat_map(|line| line.split(quote).skip(1).step_by(2)).filter(|text| is_code(text)).collect()
}

fn table(section: &str) -> String {
    section.lines().filter(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_code_of_the_signature_layer_is_listed() {
    let table = table(section("## 10. Codes", "## 11."));
    let arms = |source: &'static str| {
        source.lines().filter(|line| line.contains("=> \"") || line.contains("Some(\""))
    };
    let given: BTreeSet<&str> =
        SOURCES.into_iter().flat_map(arms).flat_map(|line| quoted(line, '"')).collect();
    assert!(given.len() > 20);
    assert_eq!(quoted(&table, '`'), given);
}
