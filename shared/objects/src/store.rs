//! The port's adapter: each method one request, or one and what explains its answer.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Config;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::create_bucket::CreateBucketError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
};
use countersign_domain::{BucketName, ObjectLocation, ObjectVersion, Prefix, Sha256Digest};
use countersign_ports::objects::{
    Fetched, ObjectError, ObjectFacts, ObjectStore, PageMarker, PresignedReads, VersionPage,
};

use crate::failure::Subject;
use crate::settings::{S3Settings, probe_timeouts};
use crate::upload::{self, Condition, Progress};
use crate::{download, listing};

/// S3, or whatever speaks its protocol. Clones share their connections.
#[derive(Clone)]
pub struct S3Objects {
    client: Client,
    region: String,
    page_size: i32,
}

impl S3Objects {
    /// A client of the S3 that `settings` mean. Nothing is sent yet; only the default chain of credentials may look
    /// around.
    pub async fn new(settings: &S3Settings) -> Self {
        let client = settings.client().await;
        Self { client, region: settings.region.clone(), page_size: listing::PAGE_SIZE }
    }

    /// The same store, listing at most `page_size` versions a page: 1 to 1000, S3's own limit.
    #[must_use]
    pub fn with_page_size(self, page_size: u16) -> Self {
        Self { page_size: i32::from(page_size).clamp(1, listing::PAGE_SIZE), ..self }
    }

    /// Uploads the file at `from`, whatever was there, and tells `progress` of the bytes sent.
    ///
    /// # Errors
    /// As [`ObjectStore::put_new`], without `AlreadyExists`.
    pub async fn put(
        &self,
        object: &ObjectLocation,
        from: &Path,
        progress: Option<Progress>,
    ) -> Result<ObjectVersion, ObjectError> {
        let file = upload::LocalFile::read(from).await?;
        upload::send(&self.client, object, file, Condition::None, progress).await
    }

    /// Deletes the object as it is; in a versioned bucket its versions stay behind a delete marker.
    ///
    /// # Errors
    /// What the store answers. That there is no such object is no error.
    pub async fn delete(&self, object: &ObjectLocation) -> Result<(), ObjectError> {
        let request = self.client.delete_object().bucket(object.bucket.as_str()).key(object.key.as_str());
        request.send().await.map_err(|error| Subject::Object(object).failed(&error))?;
        Ok(())
    }

    /// Makes the bucket, unless it is this account's already, and turns on its versioning if it shall be `versioned`.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`] or [`ObjectError::Refused`], also if the bucket is somebody else's.
    pub async fn create_bucket(&self, name: &BucketName, versioned: bool) -> Result<(), ObjectError> {
        let request = self.client.create_bucket().bucket(name.as_str());
        let created = request.set_create_bucket_configuration(self.location()).send().await;
        if let Err(error) = created {
            let owned =
                error.as_service_error().is_some_and(CreateBucketError::is_bucket_already_owned_by_you);
            if !owned {
                return Err(Subject::Bucket(name).failed(&error));
            }
        }
        if versioned { self.enable_versioning(name).await } else { Ok(()) }
    }

    async fn enable_versioning(&self, name: &BucketName) -> Result<(), ObjectError> {
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let request =
            self.client.put_bucket_versioning().bucket(name.as_str()).versioning_configuration(enabled);
        request.send().await.map_err(|error| Subject::Bucket(name).failed(&error))?;
        Ok(())
    }

    /// S3 wants every region named but its first.
    fn location(&self) -> Option<CreateBucketConfiguration> {
        let constraint = BucketLocationConstraint::from(self.region.as_str());
        let configuration = CreateBucketConfiguration::builder().location_constraint(constraint).build();
        (self.region != "us-east-1").then_some(configuration)
    }

    /// Whether these buckets are there and may be read: one short request each, for a readiness check.
    ///
    /// # Errors
    /// What the store answers about the first that is not.
    pub async fn ping(&self, buckets: &[BucketName]) -> Result<(), ObjectError> {
        for bucket in buckets {
            let probe =
                Config::builder().retry_config(RetryConfig::disabled()).timeout_config(probe_timeouts());
            let request = self.client.head_bucket().bucket(bucket.as_str()).customize();
            let answer = request.config_override(probe).send().await;
            answer.map_err(|error| Subject::Bucket(bucket).failed(&error))?;
        }
        Ok(())
    }

    /// An answer to HEAD has no body, so that "no such bucket" and "no such key" look alike.
    async fn demand_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError> {
        let answer = self.client.head_bucket().bucket(bucket.as_str()).send().await;
        answer.map(|_| ()).map_err(|error| Subject::Bucket(bucket).failed(&error))
    }

    /// Why HEAD refused the version, by an answer that has a body: a version id that the store never mints is malformed
    /// to some, and such a version does not exist.
    async fn explained(&self, object: &ObjectVersion, refused: ObjectError) -> ObjectError {
        let request = self.client.get_object().bucket(object.bucket.as_str()).key(object.key.as_str());
        let request = request.version_id(object.version.as_str()).range("bytes=0-0");
        request.send().await.map_or_else(|error| Subject::Version(object).failed(&error), |_| refused)
    }
}

#[async_trait]
impl ObjectStore for S3Objects {
    async fn keeps_versions(&self, bucket: &BucketName) -> Result<bool, ObjectError> {
        let answer = self.client.get_bucket_versioning().bucket(bucket.as_str()).send().await;
        let versioning = answer.map_err(|error| Subject::Bucket(bucket).failed(&error))?;
        Ok(versioning.status() == Some(&BucketVersioningStatus::Enabled))
    }

    async fn newest(&self, object: &ObjectLocation) -> Result<Option<ObjectFacts>, ObjectError> {
        let request = self.client.head_object().bucket(object.bucket.as_str()).key(object.key.as_str());
        let head = match request.send().await.map_err(|error| Subject::Object(object).failed(&error)) {
            Ok(head) => head,
            Err(ObjectError::NotFound(_)) => return self.demand_bucket(&object.bucket).await.map(|()| None),
            Err(error) => return Err(error),
        };
        let version = upload::version(object, head.version_id())?;
        let size_bytes = download::announced_size(&version, head.content_length())?;
        Ok(Some(ObjectFacts { object: version, size_bytes }))
    }

    async fn facts(&self, object: &ObjectVersion) -> Result<Option<ObjectFacts>, ObjectError> {
        let request = self.client.head_object().bucket(object.bucket.as_str()).key(object.key.as_str());
        let request = request.version_id(object.version.as_str());
        let mut answer = request.send().await.map_err(|error| Subject::Version(object).failed(&error));
        if let Err(refused @ ObjectError::Refused(_)) = answer {
            answer = Err(self.explained(object, refused).await);
        }
        let head = match answer {
            Ok(head) => head,
            Err(ObjectError::NotFound(_)) => return self.demand_bucket(&object.bucket).await.map(|()| None),
            Err(error) => return Err(error),
        };
        download::demand_version(object, head.version_id())?;
        let size_bytes = download::announced_size(object, head.content_length())?;
        Ok(Some(ObjectFacts { object: object.clone(), size_bytes }))
    }

    async fn fetch(
        &self,
        object: &ObjectVersion,
        limit_bytes: u64,
        into: &Path,
    ) -> Result<Fetched, ObjectError> {
        download::fetch(&self.client, object, limit_bytes, into).await
    }

    async fn put_new(
        &self,
        object: &ObjectLocation,
        from: &Path,
        sha256: &Sha256Digest,
    ) -> Result<ObjectVersion, ObjectError> {
        let file = upload::LocalFile::read(from).await?;
        file.demand(object, sha256)?;
        // Ceph does not heed the condition of the upload: it would write a second version. Where it is not heeded, only
        // the lease of the job keeps two writers apart between this look and the upload.
        match self.newest(object).await {
            Ok(None) => {}
            Ok(Some(_)) | Err(ObjectError::Unversioned(_)) => {
                return Err(ObjectError::AlreadyExists(object.clone()));
            }
            Err(error) => return Err(error),
        }
        upload::send(&self.client, object, file, Condition::NoneThere, None).await
    }

    async fn list_versions(
        &self,
        prefix: &Prefix,
        from: Option<&PageMarker>,
    ) -> Result<VersionPage, ObjectError> {
        listing::page(&self.client, prefix, from, self.page_size).await
    }
}

#[async_trait]
impl PresignedReads for S3Objects {
    async fn presigned_read(
        &self,
        object: &ObjectVersion,
        valid_for: Duration,
    ) -> Result<String, ObjectError> {
        let terms = PresigningConfig::expires_in(valid_for);
        let terms = terms.map_err(|error| ObjectError::Refused(error.to_string()))?;
        let request = self.client.get_object().bucket(object.bucket.as_str()).key(object.key.as_str());
        let request = request.version_id(object.version.as_str()).presigned(terms).await;
        Ok(request.map_err(|error| Subject::Version(object).failed(&error))?.uri().to_owned())
    }
}
