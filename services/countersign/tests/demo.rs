//! The demo plays on real parts, and every verdict is the expected one.

mod support;

use support::{Workshop, listing};

#[test]
fn every_verdict_is_the_expected_one() {
    let workshop = Workshop::new();
    let ran = workshop.expect(0, &["demo"]);
    let rows = |word: &str| ran.out.lines().filter(|line| line.contains(word)).count();
    for (package, policies) in [
        ("dropped into S3", 1),
        ("not a zip", 1),
        ("│ unsigned ", 2),
        ("│ tampered with", 2),
        ("│ expired ", 2),
        ("│ revoked job", 2),
        ("│ revoked profile", 2),
        ("│ foreign publisher", 2),
        ("│ foreign root", 2),
    ] {
        let marked = |line: &&str| {
            line.contains(package)
                && (line.contains("Warn") || line.contains("Enforce") || line.contains(" - "))
        };
        assert_eq!(ran.out.lines().filter(marked).count(), policies, "{package} in\n{}", ran.out);
    }
    assert!(rows("(digest_mismatch)") == 2 && rows("(untrusted_chain)") == 2, "{}", ran.out);
    assert!(ran.err.contains("countersign up"), "{}", ran.err);
    assert!(listing(&workshop.path(".")).is_empty(), "nothing is left behind");
}

#[test]
fn a_package_of_ones_own_is_played_with() {
    let workshop = Workshop::new();
    workshop.package("own.zip", "print('own')\n");
    workshop.expect(0, &["demo", "--package", "own.zip"]);
    std::fs::write(workshop.path("no.zip"), "no zip").unwrap();
    let refused = workshop.expect(2, &["demo", "--package", "no.zip"]);
    assert!(refused.err.contains("not_a_zip"), "{}", refused.err);
    workshop.expect(2, &["demo", "--package", "missing.zip"]);
}
