//! Buckets: making and removing them, where they are, versioning, notification configuration.

use s3s::dto::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput,
    DeleteBucketInput, DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput, MFADelete, NotificationConfiguration, OwnershipControls, OwnershipControlsRule,
    PutBucketNotificationConfigurationInput, PutBucketNotificationConfigurationOutput,
    PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Error, S3ErrorCode};
use uuid::Uuid;

use crate::documents::{from_xml, to_xml};
use crate::errors::{Result, invalid_argument, not_implemented, refusal};
use crate::metadata::configurations::{self, Subresource};
use crate::metadata::{Versioning, buckets, uploads};
use crate::store::{Store, owner, timestamp};

impl Store {
    /// Making one's own bucket again is a success in us-east-1 and an error everywhere else, as on AWS; in
    /// neither case does it change the bucket.
    pub(crate) async fn create_bucket(&self, input: CreateBucketInput) -> Result<CreateBucketOutput> {
        self.require_own_region(&input)?;
        if input.object_lock_enabled_for_bucket == Some(true) {
            return Err(not_implemented("object lock").into());
        }
        let mut tx = self.metadata.begin().await?;
        let made = buckets::insert(&mut *tx, &input.bucket, self.now()).await?;
        if !made && self.region != UNNAMED_REGION {
            return Err(refusal(S3ErrorCode::BucketAlreadyOwnedByYou).into());
        }
        if let Some(object_ownership) = input.object_ownership.filter(|_| made) {
            let controls = OwnershipControls { rules: vec![OwnershipControlsRule { object_ownership }] };
            let (name, document) = (Subresource::OwnershipControls, to_xml(&controls)?);
            configurations::put(&mut *tx, &input.bucket, name, &document).await?;
        }
        tx.commit().await?;
        Ok(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
    }

    /// Removes a bucket without versions; unfinished uploads to it go with it, as on AWS.
    pub(crate) async fn delete_bucket(&self, input: DeleteBucketInput) -> Result<DeleteBucketOutput> {
        let mut tx = self.metadata.begin().await?;
        buckets::find(&mut *tx, &input.bucket).await?;
        if buckets::holds_versions(&mut *tx, &input.bucket).await? {
            return Err(refusal(S3ErrorCode::BucketNotEmpty).into());
        }
        let contents = uploads::contents_of_bucket(&mut *tx, &input.bucket).await?;
        buckets::delete(&mut *tx, &input.bucket).await?;
        tx.commit().await?;
        self.content.remove(contents).await;
        Ok(DeleteBucketOutput {})
    }

    pub(crate) async fn head_bucket(&self, input: HeadBucketInput) -> Result<HeadBucketOutput> {
        buckets::find(self.metadata.readers(), &input.bucket).await?;
        Ok(HeadBucketOutput { bucket_region: Some(self.region.clone()), ..HeadBucketOutput::default() })
    }

    pub(crate) async fn list_buckets(&self, input: ListBucketsInput) -> Result<ListBucketsOutput> {
        let max = match input.max_buckets.unwrap_or(MAX_BUCKETS) {
            max @ 1..=MAX_BUCKETS => max,
            _ => return Err(invalid_argument("max-buckets must be between 1 and 10000").into()),
        };
        let elsewhere = input.bucket_region.is_some_and(|region| region != self.region);
        let (prefix, after) =
            (input.prefix.unwrap_or_default(), input.continuation_token.unwrap_or_default());
        let limit = if elsewhere { 0 } else { i64::from(max) + 1 };
        let mut rows = buckets::list(self.metadata.readers(), &prefix, &after, limit).await?;
        let more = rows.len() > usize::try_from(max)?;
        rows.truncate(usize::try_from(max)?);
        let continuation_token = rows.last().filter(|_| more).map(|last| last.name.clone());
        let buckets = rows.into_iter().map(|row| s3s::dto::Bucket {
            bucket_region: Some(self.region.clone()),
            creation_date: Some(timestamp(row.created_at)),
            name: Some(row.name),
        });
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        Ok(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            continuation_token,
            owner: Some(owner()),
            prefix,
        })
    }

    pub(crate) async fn bucket_location(
        &self,
        input: GetBucketLocationInput,
    ) -> Result<GetBucketLocationOutput> {
        buckets::find(self.metadata.readers(), &input.bucket).await?;
        let named =
            (self.region != UNNAMED_REGION).then(|| BucketLocationConstraint::from(self.region.clone()));
        Ok(GetBucketLocationOutput { location_constraint: named })
    }

    pub(crate) async fn versioning(
        &self,
        input: GetBucketVersioningInput,
    ) -> Result<GetBucketVersioningOutput> {
        let status = match buckets::find(self.metadata.readers(), &input.bucket).await?.versioning {
            Versioning::Disabled => None,
            Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
            Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
        };
        let status = status.map(BucketVersioningStatus::from_static);
        Ok(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() })
    }

    pub(crate) async fn put_versioning(
        &self,
        input: PutBucketVersioningInput,
    ) -> Result<PutBucketVersioningOutput> {
        let wanted = input.versioning_configuration;
        if wanted.mfa_delete.is_some_and(|mfa| mfa.as_str() != MFADelete::DISABLED) {
            return Err(not_implemented("MFA delete").into());
        }
        let versioning = match wanted.status.as_ref().map(BucketVersioningStatus::as_str) {
            Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
            Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
            Some(_) | None => return Err(refusal(S3ErrorCode::MalformedXML).into()),
        };
        let mut tx = self.metadata.begin().await?;
        require_found(buckets::set_versioning(&mut *tx, &input.bucket, versioning).await?)?;
        tx.commit().await?;
        Ok(PutBucketVersioningOutput {})
    }

    pub(crate) async fn notification_configuration(
        &self,
        input: GetBucketNotificationConfigurationInput,
    ) -> Result<GetBucketNotificationConfigurationOutput> {
        let bucket = buckets::find(self.metadata.readers(), &input.bucket).await?;
        let stored = bucket
            .notification
            .as_deref()
            .map(from_xml::<NotificationConfiguration>)
            .transpose()?
            .unwrap_or_default();
        Ok(GetBucketNotificationConfigurationOutput {
            event_bridge_configuration: stored.event_bridge_configuration,
            lambda_function_configurations: stored.lambda_function_configurations,
            queue_configurations: stored.queue_configurations,
            topic_configurations: stored.topic_configurations,
        })
    }

    /// Keeps the configuration; its destinations are not called, for whoever embeds the endpoint takes every
    /// event.
    pub(crate) async fn put_notification_configuration(
        &self,
        input: PutBucketNotificationConfigurationInput,
    ) -> Result<PutBucketNotificationConfigurationOutput> {
        let xml = to_xml(&with_ids(input.notification_configuration))?;
        let mut tx = self.metadata.begin().await?;
        require_found(buckets::set_notification(&mut *tx, &input.bucket, &xml).await?)?;
        tx.commit().await?;
        Ok(PutBucketNotificationConfigurationOutput {})
    }

    fn require_own_region(&self, input: &CreateBucketInput) -> Result<()> {
        let Some(wanted) = &input.create_bucket_configuration else { return Ok(()) };
        if wanted.bucket.is_some() || wanted.location.is_some() {
            return Err(not_implemented("a directory bucket").into());
        }
        let constraint = wanted.location_constraint.as_ref().map(BucketLocationConstraint::as_str);
        match constraint {
            Some(constraint) if constraint != self.region => {
                let message = format!(
                    "The {constraint} location constraint is incompatible for the region specific endpoint \
                     this request was sent to."
                );
                let code = S3ErrorCode::IllegalLocationConstraintException;
                Err(S3Error::with_message(code, message).into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn require_found(found: bool) -> Result<()> {
    if found { Ok(()) } else { Err(refusal(S3ErrorCode::NoSuchBucket).into()) }
}

/// S3 names each configuration that the client did not name.
fn with_ids(mut configuration: NotificationConfiguration) -> NotificationConfiguration {
    let fill = |id: &mut Option<String>| {
        id.get_or_insert_with(|| Uuid::new_v4().to_string());
    };
    configuration.queue_configurations.iter_mut().flatten().for_each(|queue| fill(&mut queue.id));
    configuration.topic_configurations.iter_mut().flatten().for_each(|topic| fill(&mut topic.id));
    configuration.lambda_function_configurations.iter_mut().flatten().for_each(|lambda| fill(&mut lambda.id));
    configuration
}

/// S3's limit for one page of buckets.
const MAX_BUCKETS: i32 = 10_000;

/// The first region, whose name S3 leaves out of answers.
const UNNAMED_REGION: &str = "us-east-1";
