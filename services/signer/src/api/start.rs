//! `StartSigningJob`: a request becomes a job in progress, with the event that a worker takes it up by, in one commit.

use countersign_api::{Asks, Notes};
use countersign_domain::{BucketName, JobArn, JobId, ObjectKey, ObjectVersion, Prefix, VersionId};
use countersign_gateway::error::ACCESS_DENIED;
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::StoreError;
use countersign_ports::job_registry::Requested;
use countersign_ports::jobs::NewJob;
use countersign_ports::objects::ObjectError;
use countersign_ports::profiles::{Profile, ProfileStatus};
use serde_json::json;

use super::answer::reply;
use super::refusal::{failed, invalid, invalid_job};
use super::subject::{caller, profile_owner};
use super::{JOB, PROFILE, SignerApi};
use crate::admit::{destination_of, ends_in_zip};
use crate::report;

impl SignerApi {
    /// `StartSigningJob`. The id is a function of the caller's account and token: the same request again has the same answer,
    /// whatever became of profile and package since.
    pub(super) async fn start_job(&self, call: &Call, notes: &mut Notes) -> Result<Reply, ApiError> {
        let order = Order::of(call)?;
        let profile = self.profile_of(call, profile_owner(call)).await?;
        let job = self.new_job(call, order, &profile)?;
        self.authorize_objects(call, &job)?;
        notes.about(PROFILE, profile.arn.profile().to_string());
        notes.about(JOB, job.arn.to_string());
        let known = self.ports.jobs.job(&job.arn).await.map_err(|error| failed(call, &error))?;
        match known {
            Some(known) if known.was_requested_as(&job) => return Ok(self.started(&job)),
            Some(_) => return Err(token_used()),
            None => {}
        }
        check_profile(&profile)?;
        check_key(&job)?;
        self.check_source(call, &job.source).await?;
        self.check_destination(call, &job.destination).await?;
        let requested = report::requested(&job.arn, job.created_at);
        match self.ports.jobs.request_job(&job, &requested).await {
            Ok(Requested::Created(_) | Requested::Exists(_)) => Ok(self.started(&job)),
            Err(StoreError::Conflict(_)) => Err(token_used()),
            Err(error) => Err(failed(call, &error)),
        }
    }

    fn new_job(&self, call: &Call, order: Order<'_>, profile: &Profile) -> Result<NewJob, ApiError> {
        let requested_by = caller(call)?;
        let invoker = requested_by.account().clone();
        let job = NewJob {
            arn: JobArn::new(self.settings.scope.clone(), JobId::for_token(&invoker, order.token)),
            source: order.source,
            profile: profile.arn.clone(),
            platform: profile.platform,
            destination: order.destination,
            requested_by,
            invoker,
            created_at: self.ports.clock.now(),
        };
        destination_of(&job.destination, job.arn.job()).map_err(invalid_job)?;
        Ok(job)
    }

    /// The package is read, and the signed one written, in the caller's right, as on AWS. Buckets belong to no account here.
    fn authorize_objects(&self, call: &Call, job: &NewJob) -> Result<(), ApiError> {
        let arn = |bucket: &BucketName, key: &str| {
            format!("arn:{}:s3:::{bucket}/{key}", self.settings.scope.partition())
        };
        let (source, destination) = (&job.source, &job.destination);
        let signed = destination_of(destination, job.arn.job()).map_err(invalid_job)?;
        let read = Asks::to(call, "s3:GetObjectVersion").on(arn(&source.bucket, source.key.as_str()));
        let write = Asks::to(call, "s3:PutObject").on(arn(&signed.bucket, signed.key.as_str()));
        self.authorize_by_identity(call, read)?;
        self.authorize_by_identity(call, write)
    }

    async fn check_source(&self, call: &Call, source: &ObjectVersion) -> Result<(), ApiError> {
        self.demand_versions(call, &source.bucket).await?;
        match self.ports.objects.facts(source).await {
            Ok(Some(facts)) if facts.size_bytes > self.settings.package_limit_bytes => {
                let limit = self.settings.package_limit_bytes;
                let size = facts.size_bytes;
                Err(invalid_job(format!("{source} has {size} bytes, more than the {limit} that are signed")))
            }
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(invalid_job(format!("{source} does not exist"))),
            Err(error) => Err(unusable(call, &error)),
        }
    }

    async fn check_destination(&self, call: &Call, destination: &Prefix) -> Result<(), ApiError> {
        self.demand_versions(call, &destination.bucket).await
    }

    async fn demand_versions(&self, call: &Call, bucket: &BucketName) -> Result<(), ApiError> {
        match self.ports.objects.keeps_versions(bucket).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(invalid_job(format!("Versioning must be enabled on bucket {bucket}"))),
            Err(error) => Err(unusable(call, &error)),
        }
    }

    fn started(&self, job: &NewJob) -> Reply {
        reply(json!({
            "jobId": job.arn.job().to_string(),
            "jobOwner": self.settings.scope.account().as_str(),
        }))
    }
}

/// What a request asks for.
struct Order<'c> {
    token: &'c str,
    source: ObjectVersion,
    destination: Prefix,
}

impl<'c> Order<'c> {
    fn of(call: &'c Call) -> Result<Self, ApiError> {
        let demanded = |path: &[&str]| match call.input.text(path) {
            None | Some("") => {
                let place: Vec<&str> = path.iter().filter(|name| **name != "s3").copied().collect();
                Err(invalid_job(format!("StartSigningJobRequest:{} should not be empty", place.join(":"))))
            }
            Some(text) => Ok(text),
        };
        let source = ObjectVersion {
            bucket: parsed::<BucketName>(demanded(&["source", "s3", "bucketName"])?)?,
            key: parsed::<ObjectKey>(demanded(&["source", "s3", "key"])?)?,
            version: parsed::<VersionId>(demanded(&["source", "s3", "version"])?)?,
        };
        let prefix = call.input.text(&["destination", "s3", "prefix"]).unwrap_or_default();
        let bucket = parsed::<BucketName>(demanded(&["destination", "s3", "bucketName"])?)?;
        let destination = Prefix { bucket, key_prefix: prefix.to_owned() };
        Ok(Self { token: demanded(&["clientRequestToken"])?, source, destination })
    }
}

fn parsed<T: std::str::FromStr<Err: ToString>>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| invalid_job(error.to_string()))
}

fn check_profile(profile: &Profile) -> Result<(), ApiError> {
    match profile.status {
        ProfileStatus::Active => Ok(()),
        status @ (ProfileStatus::Canceled | ProfileStatus::Revoked) => {
            let name = profile.arn.profile().name();
            Err(invalid(format!(
                "Signing Profile {name} is {status} and cannot be used to start a signing job."
            )))
        }
    }
}

fn check_key(job: &NewJob) -> Result<(), ApiError> {
    let key = job.source.key.as_str();
    if ends_in_zip(&job.source.key) {
        Ok(())
    } else {
        Err(invalid_job(format!("The key {key} must end in .zip")))
    }
}

/// An object that cannot be signed, or a bucket that cannot be used; the fault of the request, unless the store failed.
fn unusable(call: &Call, error: &ObjectError) -> ApiError {
    match error {
        ObjectError::NoSuchBucket(_)
        | ObjectError::NotFound(_)
        | ObjectError::Unversioned(_)
        | ObjectError::Refused(_) => invalid_job(error),
        // Whoever calls may; those in whose name the signer works may not.
        ObjectError::Denied(_) => ACCESS_DENIED.error(error.to_string()),
        ObjectError::AlreadyExists(_)
        | ObjectError::TooLarge { .. }
        | ObjectError::Damaged { .. }
        | ObjectError::Unavailable(_)
        | ObjectError::LocalFile { .. } => failed(call, error),
    }
}

fn token_used() -> ApiError {
    invalid_job("The clientRequestToken was used for a signing job with other parameters")
}
