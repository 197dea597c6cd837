//! The S3 operations, each handed to the module that does it.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::integrity;
use crate::store::Store;

/// The operations over one store.
pub(crate) struct Operations(pub(crate) Arc<Store>);

/// `method(Input) -> Output` of the trait. Those of `plain` are done by `store.by(input)`; those of
/// `documents` compare the document in the body with its digest before. The rest has one answer whatever the
/// bucket: `absent` is what no bucket is ever configured to, `same` what holds for every bucket, and `lists`
/// are always empty.
macro_rules! operations {
    (
        plain { $($method:ident($input:ty) -> $output:ty = $by:ident;)* }
        documents { $($put:ident($put_input:ty) -> $put_output:ty = $put_by:ident;)* }
        absent { $($absent:ident($absent_input:ty) -> $absent_output:ty = $code:ident;)* }
        same { $($same:ident($same_input:ty) -> $same_output:ty;)* }
        lists { $($list:ident($list_input:ty) -> $list_output:ty;)* }
    ) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(
                async fn $method(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    Ok(S3Response::new(self.0.$by(request.input).await?))
                }
            )*

            $(
                async fn $put(&self, mut request: S3Request<$put_input>) -> S3Result<S3Response<$put_output>> {
                    integrity::verify(&request.headers, &mut request.extensions)?;
                    Ok(S3Response::new(self.0.$put_by(request.input).await?))
                }
            )*

            $(
                async fn $absent(
                    &self,
                    request: S3Request<$absent_input>,
                ) -> S3Result<S3Response<$absent_output>> {
                    Ok(self.0.never_configured(&request.input.bucket, stringify!($code)).await?)
                }
            )*

            $(
                async fn $same(&self, request: S3Request<$same_input>) -> S3Result<S3Response<$same_output>> {
                    Ok(S3Response::new(self.0.for_every_bucket(&request.input.bucket).await?))
                }
            )*

            $(
                async fn $list(&self, request: S3Request<$list_input>) -> S3Result<S3Response<$list_output>> {
                    let mut output: $list_output = self.0.for_every_bucket(&request.input.bucket).await?;
                    output.is_truncated = Some(false);
                    Ok(S3Response::new(output))
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
    plain {
        list_buckets(ListBucketsInput) -> ListBucketsOutput = list_buckets;
        delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = delete_bucket;
        head_bucket(HeadBucketInput) -> HeadBucketOutput = head_bucket;
        get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = bucket_location;
        get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = versioning;
        get_bucket_notification_configuration(GetBucketNotificationConfigurationInput)
            -> GetBucketNotificationConfigurationOutput = notification_configuration;
        list_objects(ListObjectsInput) -> ListObjectsOutput = list_objects;
        list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list_objects_v2;
        list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list_object_versions;
        delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete_object;
        get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tags;
        delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = delete_tags;
        create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = create_upload;
        upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = upload_part_copy;
        list_parts(ListPartsInput) -> ListPartsOutput = list_parts;
        list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = list_uploads;
        complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = complete_upload;
        abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = abort_upload;
        get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = bucket_tags;
        delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = delete_bucket_tags;
        get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput = public_access_block;
        delete_public_access_block(DeletePublicAccessBlockInput)
            -> DeletePublicAccessBlockOutput = delete_public_access_block;
        get_bucket_ownership_controls(GetBucketOwnershipControlsInput)
            -> GetBucketOwnershipControlsOutput = ownership_controls;
        delete_bucket_ownership_controls(DeleteBucketOwnershipControlsInput)
            -> DeleteBucketOwnershipControlsOutput = delete_ownership_controls;
        get_bucket_request_payment(GetBucketRequestPaymentInput)
            -> GetBucketRequestPaymentOutput = request_payment;
        get_bucket_acl(GetBucketAclInput) -> GetBucketAclOutput = bucket_acl;
        get_object_acl(GetObjectAclInput) -> GetObjectAclOutput = object_acl;
        put_bucket_acl(PutBucketAclInput) -> PutBucketAclOutput = put_bucket_acl;
        put_object_acl(PutObjectAclInput) -> PutObjectAclOutput = put_object_acl;
    }
    documents {
        create_bucket(CreateBucketInput) -> CreateBucketOutput = create_bucket;
        put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = put_versioning;
        put_bucket_notification_configuration(PutBucketNotificationConfigurationInput)
            -> PutBucketNotificationConfigurationOutput = put_notification_configuration;
        delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = delete_objects;
        put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = put_tags;
        put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = put_bucket_tags;
        put_public_access_block(PutPublicAccessBlockInput) -> PutPublicAccessBlockOutput = put_public_access_block;
        put_bucket_ownership_controls(PutBucketOwnershipControlsInput)
            -> PutBucketOwnershipControlsOutput = put_ownership_controls;
        put_bucket_request_payment(PutBucketRequestPaymentInput)
            -> PutBucketRequestPaymentOutput = put_request_payment;
        put_bucket_logging(PutBucketLoggingInput) -> PutBucketLoggingOutput = put_logging;
    }
    absent {
        get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = NoSuchBucketPolicy;
        get_bucket_policy_status(GetBucketPolicyStatusInput) -> GetBucketPolicyStatusOutput = NoSuchBucketPolicy;
        get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput = NoSuchCORSConfiguration;
        get_bucket_website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput = NoSuchWebsiteConfiguration;
        get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput)
            -> GetBucketLifecycleConfigurationOutput = NoSuchLifecycleConfiguration;
        get_bucket_replication(GetBucketReplicationInput)
            -> GetBucketReplicationOutput = ReplicationConfigurationNotFoundError;
        get_bucket_encryption(GetBucketEncryptionInput)
            -> GetBucketEncryptionOutput = ServerSideEncryptionConfigurationNotFoundError;
        get_object_lock_configuration(GetObjectLockConfigurationInput)
            -> GetObjectLockConfigurationOutput = ObjectLockConfigurationNotFoundError;
        get_bucket_analytics_configuration(GetBucketAnalyticsConfigurationInput)
            -> GetBucketAnalyticsConfigurationOutput = NoSuchConfiguration;
        delete_bucket_analytics_configuration(DeleteBucketAnalyticsConfigurationInput)
            -> DeleteBucketAnalyticsConfigurationOutput = NoSuchConfiguration;
        get_bucket_intelligent_tiering_configuration(GetBucketIntelligentTieringConfigurationInput)
            -> GetBucketIntelligentTieringConfigurationOutput = NoSuchConfiguration;
        delete_bucket_intelligent_tiering_configuration(DeleteBucketIntelligentTieringConfigurationInput)
            -> DeleteBucketIntelligentTieringConfigurationOutput = NoSuchConfiguration;
        get_bucket_inventory_configuration(GetBucketInventoryConfigurationInput)
            -> GetBucketInventoryConfigurationOutput = NoSuchConfiguration;
        delete_bucket_inventory_configuration(DeleteBucketInventoryConfigurationInput)
            -> DeleteBucketInventoryConfigurationOutput = NoSuchConfiguration;
        get_bucket_metrics_configuration(GetBucketMetricsConfigurationInput)
            -> GetBucketMetricsConfigurationOutput = NoSuchConfiguration;
        delete_bucket_metrics_configuration(DeleteBucketMetricsConfigurationInput)
            -> DeleteBucketMetricsConfigurationOutput = NoSuchConfiguration;
    }
    same {
        get_bucket_accelerate_configuration(GetBucketAccelerateConfigurationInput)
            -> GetBucketAccelerateConfigurationOutput;
        get_bucket_logging(GetBucketLoggingInput) -> GetBucketLoggingOutput;
        delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput;
        delete_bucket_cors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput;
        delete_bucket_website(DeleteBucketWebsiteInput) -> DeleteBucketWebsiteOutput;
        delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput;
        delete_bucket_replication(DeleteBucketReplicationInput) -> DeleteBucketReplicationOutput;
        delete_bucket_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput;
    }
    lists {
        list_bucket_analytics_configurations(ListBucketAnalyticsConfigurationsInput)
            -> ListBucketAnalyticsConfigurationsOutput;
        list_bucket_intelligent_tiering_configurations(ListBucketIntelligentTieringConfigurationsInput)
            -> ListBucketIntelligentTieringConfigurationsOutput;
        list_bucket_inventory_configurations(ListBucketInventoryConfigurationsInput)
            -> ListBucketInventoryConfigurationsOutput;
        list_bucket_metrics_configurations(ListBucketMetricsConfigurationsInput)
            -> ListBucketMetricsConfigurationsOutput;
    }
}
