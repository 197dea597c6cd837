//! A list of revocations in a file, for verifying without a network.

use std::path::Path;

use anyhow::Context;
use countersign_domain::{JobArn, ProfileVersionArn, UnixMillis};
use countersign_ports::revocations::{Revocation, RevocationStatus};
use serde::Deserialize;

/// The revocations that a file lists. What it does not list is not revoked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationsFile {
    jobs: Vec<RevokedJob>,
    #[serde(rename = "profileVersions")]
    profile_versions: Vec<RevokedProfileVersion>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RevokedJob {
    job_arn: JobArn,
    revoked_at: UnixMillis,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RevokedProfileVersion {
    profile_version_arn: ProfileVersionArn,
    effective_from: UnixMillis,
    revoked_at: UnixMillis,
    reason: String,
}

/// The form of the file, for `--help`.
pub(crate) const FORM: &str = r#"{"jobs": [{"jobArn": "arn:aws:signer:...", "revokedAt": "2026-11-21T08:30:00Z", "reason": "..."}],
   "profileVersions": [{"profileVersionArn": "arn:aws:signer:...", "effectiveFrom": "2026-11-20T00:00:00Z",
                        "revokedAt": "2026-11-21T08:30:00Z", "reason": "..."}]}"#;

impl RevocationsFile {
    /// Reads the file at `path`, strictly: an entry that is not understood might be the one that matters.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let parsed = serde_json::from_str(&text);
        parsed.with_context(|| format!("{} is not a list of revocations; its form is {FORM}", path.display()))
    }

    /// What is revoked of this job and this profile version: of several entries, the one that reaches furthest back.
    pub(crate) fn status(&self, job: &JobArn, profile: &ProfileVersionArn) -> RevocationStatus {
        let job = self.jobs.iter().find(|entry| entry.job_arn == *job).map(|entry| Revocation {
            effective_from: UnixMillis::EPOCH,
            revoked_at: entry.revoked_at,
            reason: entry.reason.clone(),
        });
        let entries = self.profile_versions.iter().filter(|entry| entry.profile_version_arn == *profile);
        let profile = entries.min_by_key(|entry| entry.effective_from).map(|entry| Revocation {
            effective_from: entry.effective_from,
            revoked_at: entry.revoked_at,
            reason: entry.reason.clone(),
        });
        RevocationStatus { job, profile }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str =
        "arn:aws:signer:us-east-1:000000000000:/signing-jobs/c85aae70-b0a8-4fa4-abd9-3e39ade1ad97";
    const PROFILE: &str = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/default/AbCdEfGhIj";

    fn parse(text: &str) -> Result<RevocationsFile, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn the_earliest_effective_time_counts() {
        let entry = |from: &str| {
            format!(
                r#"{{"profileVersionArn":"{PROFILE}","effectiveFrom":"{from}","revokedAt":"2026-11-21T00:00:00Z","reason":"r"}}"#
            )
        };
        let list = format!(
            r#"{{"jobs":[],"profileVersions":[{},{}]}}"#,
            entry("2026-05-01T00:00:00Z"),
            entry("2026-04-01T00:00:00Z")
        );
        let status = parse(&list).unwrap().status(&JOB.parse().unwrap(), &PROFILE.parse().unwrap());
        assert_eq!(status.job, None);
        assert_eq!(status.profile.unwrap().effective_from.to_string(), "2026-04-01T00:00:00.000Z");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "[]",
            "{}",
            r#"{"jobs":[]}"#,
            r#"{"jobs":[],"profileVersions":[],"more":1}"#,
            r#"{"jobs":[{"jobArn":"x","revokedAt":"2026-11-21T00:00:00Z","reason":"r"}],"profileVersions":[]}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
