//! What came out, held against what should.

use std::fmt;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use countersign_domain::{Check, Finding, Outcome};

use crate::follow::Followed;
use crate::output;

/// What should come of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Deployed,
    /// Deployed, with a warning because of this check.
    Warned(Check),
    /// Blocked because of this check.
    Blocked(Check),
    NotSigned,
}

/// What came of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Deployed,
    Warned(Vec<Check>),
    Blocked(Vec<Check>),
    NotSigned,
    /// Something that no case expects.
    Other(&'static str),
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Row {
    package: &'static str,
    policy: &'static str,
    expected: Expected,
    verdict: Verdict,
    findings: String,
}

impl Row {
    pub(super) fn new(
        package: &'static str,
        policy: &'static str,
        expected: Expected,
        followed: &Followed,
    ) -> Self {
        Self { package, policy, expected, verdict: Verdict::of(followed), findings: findings(followed) }
    }

    /// True only if the verdict is the expected one, because of the expected check.
    pub(super) fn as_expected(&self) -> bool {
        match (&self.expected, &self.verdict) {
            (Expected::Deployed, Verdict::Deployed) | (Expected::NotSigned, Verdict::NotSigned) => true,
            (Expected::Warned(check), Verdict::Warned(failed))
            | (Expected::Blocked(check), Verdict::Blocked(failed)) => failed.as_slice() == [*check],
            _ => false,
        }
    }
}

impl Verdict {
    fn of(followed: &Followed) -> Self {
        match followed {
            Followed::NotSigned { .. } => Self::NotSigned,
            Followed::Signed { .. } => Self::Other("signed, not deployed"),
            Followed::Failed { .. } => Self::Other("failed"),
            Followed::Blocked { report } => Self::Blocked(failed_checks(&report.findings)),
            Followed::Deployed { report, warnings } => match failed_checks(&report.findings).as_slice() {
                // A deployment without findings was not validated at all.
                [] if report.findings.is_empty() => Self::Other("deployed unvalidated"),
                [] if warnings.is_empty() => Self::Deployed,
                failed => Self::Warned(failed.to_vec()),
            },
        }
    }
}

/// The checks that failed; those that could not be judged because of that are not among them.
fn failed_checks(findings: &[Finding]) -> Vec<Check> {
    let failed = findings.iter().filter(|finding| matches!(finding.outcome, Outcome::Failed(_)));
    failed.map(|finding| finding.check).collect()
}

fn findings(followed: &Followed) -> String {
    let report = match followed {
        Followed::NotSigned { reason } => return output::shown(reason),
        Followed::Signed { .. } => return String::new(),
        Followed::Deployed { report, .. } | Followed::Blocked { report } | Followed::Failed { report } => {
            report
        }
    };
    let failed = report.findings.iter().filter_map(|finding| match &finding.outcome {
        Outcome::Failed(reason) => Some(format!("{}: {}", finding.check, output::shown(reason))),
        Outcome::Passed | Outcome::Inconclusive(_) => None,
    });
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() { "every check passed".to_owned() } else { failed.join("\n") }
}

/// The rows as a table.
pub(super) fn table(rows: &[Row]) -> String {
    let mut table = output::table(["package", "policy", "expected", "verdict", "findings"]);
    table.load_style(UTF8_FULL_CONDENSED);
    if !table.is_tty() {
        table.set_width(WIDTH);
    }
    for row in rows {
        let mark = if row.as_expected() { "" } else { " (!)" };
        let verdict = format!("{}{mark}", row.verdict);
        table.add_row([row.package, row.policy, &row.expected.to_string(), &verdict, &row.findings]);
    }
    table.to_string()
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployed => DEPLOYED,
            Self::Warned(_) => WARNED,
            Self::Blocked(_) => BLOCKED,
            Self::NotSigned => NOT_SIGNED,
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployed => DEPLOYED,
            Self::Warned(_) => WARNED,
            Self::Blocked(_) => BLOCKED,
            Self::NotSigned => NOT_SIGNED,
            Self::Other(what) => what,
        })
    }
}

const DEPLOYED: &str = "deployed";
const WARNED: &str = "deployed, warned";
const BLOCKED: &str = "blocked";
const NOT_SIGNED: &str = "not signed";

/// The width where no terminal has one.
const WIDTH: u16 = 140;
