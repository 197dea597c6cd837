//! What a signature says: who signed, in which job, when, and until when that counts.

use countersign_domain::{JobArn, Platform, ProfileVersionArn, UnixMillis};
use serde::Serialize;

/// The statement that the signed attributes make about a package (FORMAT.md section 4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The signing platform.
    pub platform: Platform,
    /// The signing job.
    pub job_arn: JobArn,
    /// The signing profile version whose key signed.
    pub profile_version_arn: ProfileVersionArn,
    /// When it was signed. The Countersign platforms keep whole seconds.
    pub signing_time: UnixMillis,
    /// Until when the signature counts. The Countersign platforms keep whole seconds.
    pub expires_at: UnixMillis,
}

/// A statement that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Job and profile live in different partitions, regions or accounts.
    #[error(
        "the job {job_arn} and the profile version {profile_version_arn} must share partition, region and account"
    )]
    ScopeMismatch {
        /// The signing job.
        job_arn: Box<JobArn>,
        /// The profile version.
        profile_version_arn: Box<ProfileVersionArn>,
    },
    /// The signature would expire before it was made.
    #[error("the signature expires at {expires_at}, which is not after its signing time {signing_time}")]
    ExpiresBeforeSigning {
        /// When it was signed.
        signing_time: UnixMillis,
        /// When it expires.
        expires_at: UnixMillis,
    },
}

impl StatementError {
    /// The stable code of FORMAT.md section 10.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ScopeMismatch { .. } => "scope_mismatch",
            Self::ExpiresBeforeSigning { .. } => "expires_before_signing",
        }
    }
}

impl Statement {
    /// The statement with both times as the platform can say them (FORMAT.md section 4.4.1).
    #[must_use]
    pub fn rounded(self) -> Self {
        match self.platform {
            Platform::AwsLambdaSha384Ecdsa => self,
            Platform::CountersignSha256Rsa | Platform::CountersignSha384Ecdsa => Self {
                signing_time: whole_seconds(self.signing_time),
                expires_at: whole_seconds(self.expires_at),
                ..self
            },
        }
    }

    /// Checks that the statement does not contradict itself.
    pub(crate) fn check(&self) -> Result<(), StatementError> {
        if self.job_arn.scope() != self.profile_version_arn.profile().scope() {
            return Err(StatementError::ScopeMismatch {
                job_arn: Box::new(self.job_arn.clone()),
                profile_version_arn: Box::new(self.profile_version_arn.clone()),
            });
        }
        let (signing_time, expires_at) = (self.signing_time, self.expires_at);
        if expires_at <= signing_time {
            return Err(StatementError::ExpiresBeforeSigning { signing_time, expires_at });
        }
        Ok(())
    }
}

fn whole_seconds(instant: UnixMillis) -> UnixMillis {
    instant.plus_millis(-(instant.as_millis() % 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(platform: Platform) -> Statement {
        Statement {
            platform,
            job_arn:
                "arn:aws:signer:us-east-1:123456789012:/signing-jobs/c85aae70-b0a8-4fa4-abd9-3e39ade1ad97"
                    .parse()
                    .unwrap(),
            profile_version_arn: "arn:aws:signer:us-east-1:123456789012:/signing-profiles/default/AbCdEfGhIj"
                .parse()
                .unwrap(),
            signing_time: "2026-11-21T08:30:00.999Z".parse().unwrap(),
            expires_at: "2027-11-21T08:30:00.999Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_countersign_platforms_keep_whole_seconds() {
        let rounded = statement(Platform::CountersignSha256Rsa).rounded();
        assert_eq!(rounded.signing_time.to_string(), "2026-11-21T08:30:00.000Z");
        assert_eq!(rounded.expires_at.to_string(), "2027-11-21T08:30:00.000Z");
        let aws = statement(Platform::AwsLambdaSha384Ecdsa);
        assert_eq!(aws.clone().rounded(), aws);
    }

    #[test]
    fn contradictions_are_named() {
        let good = statement(Platform::AwsLambdaSha384Ecdsa);
        assert_eq!(good.check(), Ok(()));
        let instant = Statement { expires_at: good.signing_time, ..good.clone() };
        assert_eq!(instant.check().unwrap_err().code(), "expires_before_signing");
        for (from, to) in
            [("us-east-1", "us-east-2"), ("123456789012", "123456789013"), ("arn:aws", "arn:aws-cn")]
        {
            let job_arn = good.job_arn.to_string().replace(from, to).parse().unwrap();
            let elsewhere = Statement { job_arn, ..good.clone() };
            assert_eq!(elsewhere.check().unwrap_err().code(), "scope_mismatch", "{to}");
        }
    }
}
