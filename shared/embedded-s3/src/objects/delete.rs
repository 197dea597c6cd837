//! DeleteObject and DeleteObjects: removing a version, or hiding all of them behind a delete marker.

use s3s::S3ErrorCode;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, Error, ObjectIdentifier,
};
use sqlx::SqliteConnection;

use super::put::empty_version;
use super::require_version_id;
use crate::conditions::WriteConditions;
use crate::errors::{Failure, Result, not_implemented, refusal};
use crate::metadata::{Bucket, Version, Versioning, buckets, versions};
use crate::store::Store;

/// What a delete did.
#[derive(Debug, Default)]
struct Deletion {
    /// True if it made a delete marker or removed one.
    delete_marker: bool,
    /// The version it made or removed.
    version_id: Option<String>,
    /// A content that no version has any more.
    content: Option<String>,
}

impl Store {
    pub(crate) async fn delete_object(&self, input: DeleteObjectInput) -> Result<DeleteObjectOutput> {
        let conditions = WriteConditions { if_match: input.if_match, if_none_match: None };
        let mut tx = self.metadata.begin().await?;
        let bucket = buckets::find(&mut *tx, &input.bucket).await?;
        let version_id = input.version_id.as_deref();
        let deletion = self.delete_one(&mut tx, &bucket, &input.key, version_id, &conditions).await?;
        tx.commit().await?;
        self.content.remove(deletion.content.into_iter().collect()).await;
        Ok(DeleteObjectOutput {
            delete_marker: deletion.delete_marker.then_some(true),
            version_id: deletion.version_id,
            ..DeleteObjectOutput::default()
        })
    }

    /// Deletes up to [`MAX_DELETES`] objects in one transaction; what cannot be deleted is told one by one.
    pub(crate) async fn delete_objects(&self, input: DeleteObjectsInput) -> Result<DeleteObjectsOutput> {
        if input.delete.objects.is_empty() || input.delete.objects.len() > MAX_DELETES {
            return Err(refusal(S3ErrorCode::MalformedXML).into());
        }
        let quiet = input.delete.quiet.unwrap_or(false);
        let (mut deleted, mut errors, mut contents) = (Vec::new(), Vec::new(), Vec::new());
        let mut tx = self.metadata.begin().await?;
        let bucket = buckets::find(&mut *tx, &input.bucket).await?;
        for object in input.delete.objects {
            match self.delete_listed(&mut tx, &bucket, &object).await {
                Ok(deletion) => {
                    contents.extend(deletion.content.clone());
                    deleted.push(deleted_object(object, deletion));
                }
                Err(Failure::Refused(error)) => errors.push(error_of(object, &error)),
                Err(fault) => return Err(fault),
            }
        }
        tx.commit().await?;
        self.content.remove(contents).await;
        Ok(DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            ..DeleteObjectsOutput::default()
        })
    }

    async fn delete_listed(
        &self,
        tx: &mut SqliteConnection,
        bucket: &Bucket,
        object: &ObjectIdentifier,
    ) -> Result<Deletion> {
        if object.last_modified_time.is_some() || object.size.is_some() {
            return Err(not_implemented("a delete that depends on time or size").into());
        }
        let if_match = object.e_tag.clone().map(ETagCondition::ETag);
        let conditions = WriteConditions { if_match, if_none_match: None };
        self.delete_one(tx, bucket, &object.key, object.version_id.as_deref(), &conditions).await
    }

    async fn delete_one(
        &self,
        tx: &mut SqliteConnection,
        bucket: &Bucket,
        key: &str,
        version_id: Option<&str>,
        conditions: &WriteConditions,
    ) -> Result<Deletion> {
        if conditions.if_match.is_some() {
            conditions.check(versions::latest(&mut *tx, &bucket.name, key).await?.as_ref())?;
        }
        match (version_id, bucket.versioning) {
            (Some(id), _) => remove_version(tx, bucket, key, id).await,
            (None, Versioning::Disabled) => {
                let removed = versions::remove(tx, &bucket.name, key, versions::NULL_VERSION).await?;
                Ok(Deletion { content: removed.and_then(|gone| gone.content), ..Deletion::default() })
            }
            (None, Versioning::Enabled | Versioning::Suspended) => {
                let marker = Version { is_delete_marker: true, ..empty_version(bucket, key, self.now()) };
                let (marker, content) = versions::insert(tx, marker).await?;
                Ok(Deletion { delete_marker: true, version_id: Some(marker.version_id), content })
            }
        }
    }
}

/// Removing a version that is not there is a success, as on AWS: it is gone.
async fn remove_version(tx: &mut SqliteConnection, bucket: &Bucket, key: &str, id: &str) -> Result<Deletion> {
    require_version_id(id)?;
    let removed = versions::remove(tx, &bucket.name, key, id).await?;
    Ok(Deletion {
        delete_marker: removed.as_ref().is_some_and(|gone| gone.is_delete_marker),
        version_id: Some(id.to_owned()),
        content: removed.and_then(|gone| gone.content),
    })
}

fn deleted_object(asked: ObjectIdentifier, deletion: Deletion) -> DeletedObject {
    DeletedObject {
        key: Some(asked.key),
        version_id: asked.version_id,
        delete_marker: deletion.delete_marker.then_some(true),
        delete_marker_version_id: deletion.version_id.filter(|_| deletion.delete_marker),
    }
}

fn error_of(asked: ObjectIdentifier, error: &s3s::S3Error) -> Error {
    Error {
        code: Some(error.code().as_str().to_owned()),
        key: Some(asked.key),
        message: error.message().map(str::to_owned),
        version_id: asked.version_id,
    }
}

/// S3's limit for one DeleteObjects; the transaction holds the only writer.
const MAX_DELETES: usize = 1000;
