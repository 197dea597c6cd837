//! The S3 operations, each handed to the module that does it.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::store::Store;

/// The operations over one store.
pub(crate) struct Operations(pub(crate) Arc<Store>);

/// `method(Input) -> Output` of the trait, done by `store.by(input)`.
macro_rules! operations {
    ($($method:ident($input:ty) -> $output:ty = $by:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(
                async fn $method(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    Ok(S3Response::new(self.0.$by(request.input).await?))
                }
            )*

            async fn put_object(
                &self,
                request: S3Request<PutObjectInput>,
            ) -> S3Result<S3Response<PutObjectOutput>> {
                Ok(S3Response::new(self.0.put_object(request).await?))
            }

            async fn get_object(
                &self,
                request: S3Request<GetObjectInput>,
            ) -> S3Result<S3Response<GetObjectOutput>> {
                Ok(S3Response::new(self.0.get_object(&request.input).await?))
            }

            async fn head_object(
                &self,
                request: S3Request<HeadObjectInput>,
            ) -> S3Result<S3Response<HeadObjectOutput>> {
                Ok(self.0.head_object(&request.input).await?)
            }

            async fn copy_object(
                &self,
                request: S3Request<CopyObjectInput>,
            ) -> S3Result<S3Response<CopyObjectOutput>> {
                Ok(S3Response::new(self.0.copy_object(request).await?))
            }

            async fn upload_part(
                &self,
                request: S3Request<UploadPartInput>,
            ) -> S3Result<S3Response<UploadPartOutput>> {
                Ok(S3Response::new(self.0.upload_part(request).await?))
            }
        }
    };
}

operations! {
    list_buckets(ListBucketsInput) -> ListBucketsOutput = list_buckets;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = create_bucket;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = delete_bucket;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = head_bucket;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = bucket_location;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = versioning;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = put_versioning;
    get_bucket_notification_configuration(GetBucketNotificationConfigurationInput)
        -> GetBucketNotificationConfigurationOutput = notification_configuration;
    put_bucket_notification_configuration(PutBucketNotificationConfigurationInput)
        -> PutBucketNotificationConfigurationOutput = put_notification_configuration;
    list_objects(ListObjectsInput) -> ListObjectsOutput = list_objects;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list_objects_v2;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list_object_versions;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete_object;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = delete_objects;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tags;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = put_tags;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = delete_tags;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = create_upload;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = upload_part_copy;
    list_parts(ListPartsInput) -> ListPartsOutput = list_parts;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = list_uploads;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = complete_upload;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = abort_upload;
}
