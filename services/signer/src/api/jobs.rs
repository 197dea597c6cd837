//! Signing jobs as they are read: one, or a page of them. A job belongs to the account of its profile, and to that of whoever
//! started it.

use countersign_api::{Asks, Notes};
use countersign_domain::{AccountId, JobArn, JobStatus, UnixMillis};
use countersign_gateway::{ApiError, Call, Reply, epoch_seconds};
use countersign_ports::job_registry::{JobCursor, JobFilter};
use countersign_ports::jobs::Job;
use serde_json::{Value, json};

use super::answer::{present, reply};
use super::page::Page;
use super::platforms::display_name;
use super::refusal::{failed, invalid};
use super::subject::{caller, no_such_job};
use super::{JOB, SignerApi};

impl SignerApi {
    /// `DescribeSigningJob`.
    pub(super) async fn describe_job(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let id = call.input.text(&["jobId"]).unwrap_or_default();
        let job = self.job(call, id).await?;
        let arn = self.arn_of(self.settings.scope.account().as_str(), &format!("signing-jobs/{id}"));
        let asks = Asks::of(call).on(&arn);
        let account = caller(call)?.account().clone();
        if job.as_ref().is_some_and(|job| job.invoker == account) {
            self.authorize_by_identity(call, asks)?;
        } else {
            self.access.authorize(call, asks)?;
        }
        notes.about(JOB, arn);
        let job = job.ok_or_else(|| no_such_job(id))?;
        Ok(reply(described(&job)))
    }

    /// `ListSigningJobs`, newest first. Other accounts see what they started.
    pub(super) async fn list_jobs(&self, call: &Call) -> Result<Reply, ApiError> {
        self.authorize_by_identity(call, Asks::of(call))?;
        let page = Page::of(call, &self.settings.pages)?;
        let after = page.after().map(cursor).transpose()?;
        let account = caller(call)?.account().clone();
        let jobs = match filter(call).and_then(|filter| self.within(filter, account)) {
            Some(filter) => {
                let listed = self.ports.jobs.list_jobs(&filter, after.as_ref(), page.wanted()).await;
                listed.map_err(|error| failed(call, &error))?
            }
            None => Vec::new(),
        };
        Ok(page.reply("jobs", jobs, position, listed))
    }

    /// What of it the caller's account sees; `None` if nothing.
    fn within(&self, filter: JobFilter, account: AccountId) -> Option<JobFilter> {
        if account == *self.settings.scope.account() {
            return Some(filter);
        }
        let own = filter.invoker.as_ref().is_none_or(|invoker| *invoker == account);
        own.then_some(JobFilter { invoker: Some(account), ..filter })
    }
}

/// Which jobs a listing wants; `None` if there can be none.
fn filter(call: &Call) -> Option<JobFilter> {
    let input = &call.input;
    let status = [JobStatus::InProgress, JobStatus::Failed, JobStatus::Succeeded]
        .into_iter()
        .find(|status| input.text(&["status"]) == Some(&status.to_string()));
    Some(JobFilter {
        status,
        platform: input.text(&["platformId"]).map(str::parse).transpose().ok()?,
        requested_by: input.text(&["requestedBy"]).map(str::parse).transpose().ok()?,
        invoker: input.text(&["jobInvoker"]).map(str::parse).transpose().ok()?,
        is_revoked: input.at(&["isRevoked"]).and_then(Value::as_bool),
        expires_before: input.instant(&["signatureExpiresBefore"]),
        expires_after: input.instant(&["signatureExpiresAfter"]),
    })
}

/// A place in the listing, as a page token carries it.
fn position(job: &Job) -> String {
    format!("{} {}", job.created_at.as_millis(), job.arn)
}

fn cursor(position: &str) -> Result<JobCursor, ApiError> {
    let parsed = || {
        let (created_at, arn) = position.split_once(' ')?;
        let created_at = UnixMillis::new(created_at.parse().ok()?).ok()?;
        Some(JobCursor { created_at, arn: arn.parse::<JobArn>().ok()? })
    };
    parsed().ok_or_else(|| invalid("the page token does not name a signing job"))
}

fn described(job: &Job) -> Value {
    let mut members = shared(job);
    let reason = job.status_reason.as_deref().or((job.status == JobStatus::Succeeded).then_some(SUCCEEDED));
    let revocation = job.revocation.as_ref().map(|revocation| {
        json!({
            "reason": revocation.reason,
            "revokedAt": epoch_seconds(revocation.revoked_at),
            "revokedBy": revocation.revoked_by.as_str(),
        })
    });
    members["completedAt"] = job.completed_at.map(epoch_seconds).into();
    members["requestedBy"] = job.requested_by.as_str().into();
    members["statusReason"] = reason.into();
    members["revocationRecord"] = revocation.into();
    members
}

fn listed(job: &Job) -> Value {
    let mut members = shared(job);
    members["isRevoked"] = job.revocation.is_some().into();
    present(members)
}

/// What a listing and a look at one job have in common.
fn shared(job: &Job) -> Value {
    let signed = job.signature.as_ref().map(|signature| &signature.object);
    json!({
        "jobId": job.arn.job().to_string(),
        "source": { "s3": {
            "bucketName": job.source.bucket.as_str(),
            "key": job.source.key.as_str(),
            "version": job.source.version.as_str(),
        } },
        "platformId": job.platform.id(),
        "platformDisplayName": display_name(job.platform),
        "profileName": job.profile.profile().name().as_str(),
        "profileVersion": job.profile.version().as_str(),
        "createdAt": epoch_seconds(job.created_at),
        "signatureExpiresAt": job.signature.as_ref().map(|signature| epoch_seconds(signature.expires_at)),
        "status": job.status.to_string(),
        "signedObject": signed.map(|object| json!({ "s3": {
            "bucketName": object.bucket.as_str(),
            "key": object.key.as_str(),
        } })),
        "jobOwner": job.owner().as_str(),
        "jobInvoker": job.invoker.as_str(),
    })
}

/// The reason of a status that needs none, as AWS gives it.
const SUCCEEDED: &str = "Signing Succeeded";

#[cfg(test)]
mod tests {
    use countersign_domain::{ObjectVersion, Platform, Sha256Digest};
    use countersign_ports::jobs::{JobRevocation, NewJob, Signature};

    use super::*;

    const ID: &str = "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97";

    fn job() -> Job {
        let arn: JobArn =
            format!("arn:aws:signer:us-east-1:000000000000:/signing-jobs/{ID}").parse().unwrap();
        let object = |key: &str| ObjectVersion {
            bucket: "bucket".parse().unwrap(),
            key: key.parse().unwrap(),
            version: "v1".parse().unwrap(),
        };
        let requested = NewJob {
            arn: arn.clone(),
            source: object("in.zip"),
            profile: "arn:aws:signer:us-east-1:000000000000:/signing-profiles/pp/AbCdEfGhIj".parse().unwrap(),
            platform: Platform::AwsLambdaSha384Ecdsa,
            destination: "s3://bucket/out/".parse().unwrap(),
            requested_by: "arn:aws:iam::000000000000:user/maria".parse().unwrap(),
            invoker: "000000000000".parse().unwrap(),
            created_at: UnixMillis::new(1_700_000_000_125).unwrap(),
        };
        let signature = Signature {
            object: object("out.zip"),
            signed_by: arn,
            unsigned_sha256: Sha256Digest::of(b""),
            expires_at: UnixMillis::new(1_800_000_000_000).unwrap(),
            completed_at: UnixMillis::new(1_700_000_001_000).unwrap(),
        };
        let completed_at = Some(signature.completed_at);
        Job { status: JobStatus::Succeeded, signature: Some(signature), completed_at, ..requested.created() }
    }

    #[test]
    fn a_job_in_progress_has_nothing_of_its_end() {
        let requested = job().asked().created();
        let described = present(described(&requested));
        for member in
            ["completedAt", "signatureExpiresAt", "statusReason", "signedObject", "revocationRecord"]
        {
            assert_eq!(described.get(member), None, "{member}");
        }
        assert_eq!(described["status"], "InProgress");
        assert_eq!(listed(&requested)["isRevoked"], false);
    }

    #[test]
    fn a_job_that_ended_well_has_the_reason_that_aws_gives_and_no_version_of_its_object() {
        let described = present(described(&job()));
        assert_eq!(described["statusReason"], "Signing Succeeded");
        assert_eq!(described["signedObject"], json!({"s3": {"bucketName": "bucket", "key": "out.zip"}}));
        assert_eq!(described["createdAt"], 1_700_000_000.125);
        assert_eq!(described["completedAt"], 1_700_000_001);
    }

    #[test]
    fn a_revocation_is_a_record_for_one_and_a_flag_in_the_listing() {
        let revoked_at = UnixMillis::new(1_700_000_002_000).unwrap();
        let revoked_by = "arn:aws:iam::000000000000:user/maria".parse().unwrap();
        let revocation = Some(JobRevocation { revoked_at, revoked_by, reason: "why".into() });
        let job = Job { revocation, ..job() };
        let record = json!({
            "reason": "why", "revokedAt": 1_700_000_002, "revokedBy": "arn:aws:iam::000000000000:user/maria",
        });
        assert_eq!(described(&job)["revocationRecord"], record);
        assert_eq!(listed(&job)["isRevoked"], true);
        assert_eq!(listed(&job).get("revocationRecord"), None);
    }

    #[test]
    fn a_place_in_the_listing_round_trips_through_its_token() {
        let job = job();
        assert_eq!(cursor(&position(&job)), Ok(JobCursor::of(&job)));
        for broken in ["", "1", "1 x", "-1 arn", "x arn:aws:signer:us-east-1:000000000000:/signing-jobs/x"] {
            assert!(cursor(broken).is_err(), "{broken}");
        }
    }
}
