//! What buckets are configured to, beyond versioning and notifications. What can be kept, or describes what
//! always holds here, is answered; of what would change behaviour nothing can be put ([`crate::admission`]
//! refuses it), so that a bucket never has it, and is told about as S3 tells of a bucket that has none.

use s3s::S3ErrorCode;
use s3s::dto::{
    BucketLoggingStatus, DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput,
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetBucketAclInput, GetBucketAclOutput,
    GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput, GetBucketRequestPaymentInput,
    GetBucketRequestPaymentOutput, GetObjectAclInput, GetObjectAclOutput, GetPublicAccessBlockInput,
    GetPublicAccessBlockOutput, Grant, Grantee, ObjectOwnership, OwnershipControls, Payer, Permission,
    PublicAccessBlockConfiguration, PutBucketAclInput, PutBucketAclOutput, PutBucketLoggingInput,
    PutBucketLoggingOutput, PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput,
    PutBucketRequestPaymentInput, PutBucketRequestPaymentOutput, PutObjectAclInput, PutObjectAclOutput,
    PutPublicAccessBlockInput, PutPublicAccessBlockOutput, Type,
};

use crate::documents::{from_xml, to_xml};
use crate::errors::{Result, not_configured, not_implemented, refusal};
use crate::metadata::buckets;
use crate::metadata::configurations::{self, Subresource};
use crate::objects::require_object;
use crate::store::{Store, owner};

impl Store {
    /// The answer about what no bucket here is ever configured to: `code`.
    pub(crate) async fn never_configured<T>(&self, bucket: &str, code: &'static str) -> Result<T> {
        buckets::find(self.metadata.readers(), bucket).await?;
        Err(not_configured(code).into())
    }

    /// The answer about what holds for every bucket alike, or to a removal of what no bucket ever has.
    pub(crate) async fn for_every_bucket<T: Default>(&self, bucket: &str) -> Result<T> {
        buckets::find(self.metadata.readers(), bucket).await?;
        Ok(T::default())
    }

    /// Whoever runs the endpoint owns every bucket and may do everything; nobody else may do anything.
    pub(crate) async fn bucket_acl(&self, input: GetBucketAclInput) -> Result<GetBucketAclOutput> {
        buckets::find(self.metadata.readers(), &input.bucket).await?;
        Ok(GetBucketAclOutput { grants: Some(vec![full_control()]), owner: Some(owner()) })
    }

    pub(crate) async fn object_acl(&self, input: GetObjectAclInput) -> Result<GetObjectAclOutput> {
        let db = self.metadata.readers();
        let bucket = buckets::find(db, &input.bucket).await?;
        require_object(db, &bucket, &input.key, input.version_id.as_deref()).await?;
        Ok(GetObjectAclOutput {
            grants: Some(vec![full_control()]),
            owner: Some(owner()),
            ..GetObjectAclOutput::default()
        })
    }

    /// Refuses even what holds, as AWS does where the bucket's owner owns every object.
    pub(crate) async fn put_bucket_acl(&self, input: PutBucketAclInput) -> Result<PutBucketAclOutput> {
        buckets::find(self.metadata.readers(), &input.bucket).await?;
        Err(refusal(S3ErrorCode::AccessControlListNotSupported).into())
    }

    pub(crate) async fn put_object_acl(&self, input: PutObjectAclInput) -> Result<PutObjectAclOutput> {
        buckets::find(self.metadata.readers(), &input.bucket).await?;
        Err(refusal(S3ErrorCode::AccessControlListNotSupported).into())
    }

    pub(crate) async fn request_payment(
        &self,
        input: GetBucketRequestPaymentInput,
    ) -> Result<GetBucketRequestPaymentOutput> {
        buckets::find(self.metadata.readers(), &input.bucket).await?;
        Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) })
    }

    /// Accepts what holds already.
    pub(crate) async fn put_request_payment(
        &self,
        input: PutBucketRequestPaymentInput,
    ) -> Result<PutBucketRequestPaymentOutput> {
        if input.request_payment_configuration.payer.as_str() != Payer::BUCKET_OWNER {
            return Err(not_implemented("a requester who pays").into());
        }
        self.for_every_bucket(&input.bucket).await
    }

    /// Accepts that nothing is logged.
    pub(crate) async fn put_logging(&self, input: PutBucketLoggingInput) -> Result<PutBucketLoggingOutput> {
        let BucketLoggingStatus { logging_enabled } = input.bucket_logging_status;
        if logging_enabled.is_some() {
            return Err(not_implemented("the log of a bucket's requests").into());
        }
        self.for_every_bucket(&input.bucket).await
    }

    pub(crate) async fn public_access_block(
        &self,
        input: GetPublicAccessBlockInput,
    ) -> Result<GetPublicAccessBlockOutput> {
        let stored = self.configuration(&input.bucket, Subresource::PublicAccessBlock).await?;
        let stored = stored.ok_or_else(|| not_configured("NoSuchPublicAccessBlockConfiguration"))?;
        Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(from_xml(&stored)?) })
    }

    /// Every setting may be kept, because none changes anything: there is no public access to block. What the
    /// client leaves out is off, as on AWS.
    pub(crate) async fn put_public_access_block(
        &self,
        input: PutPublicAccessBlockInput,
    ) -> Result<PutPublicAccessBlockOutput> {
        let wanted = input.public_access_block_configuration;
        let document = PublicAccessBlockConfiguration {
            block_public_acls: Some(wanted.block_public_acls.unwrap_or(false)),
            block_public_policy: Some(wanted.block_public_policy.unwrap_or(false)),
            ignore_public_acls: Some(wanted.ignore_public_acls.unwrap_or(false)),
            restrict_public_buckets: Some(wanted.restrict_public_buckets.unwrap_or(false)),
        };
        self.configure(&input.bucket, Subresource::PublicAccessBlock, Some(&to_xml(&document)?)).await?;
        Ok(PutPublicAccessBlockOutput::default())
    }

    pub(crate) async fn delete_public_access_block(
        &self,
        input: DeletePublicAccessBlockInput,
    ) -> Result<DeletePublicAccessBlockOutput> {
        self.configure(&input.bucket, Subresource::PublicAccessBlock, None).await?;
        Ok(DeletePublicAccessBlockOutput::default())
    }

    pub(crate) async fn ownership_controls(
        &self,
        input: GetBucketOwnershipControlsInput,
    ) -> Result<GetBucketOwnershipControlsOutput> {
        let stored = self.configuration(&input.bucket, Subresource::OwnershipControls).await?;
        let stored = stored.ok_or_else(|| not_configured("OwnershipControlsNotFoundError"))?;
        Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(from_xml(&stored)?) })
    }

    /// Keeps the one rule that describes what always holds: the bucket's owner owns every object in it.
    pub(crate) async fn put_ownership_controls(
        &self,
        input: PutBucketOwnershipControlsInput,
    ) -> Result<PutBucketOwnershipControlsOutput> {
        let OwnershipControls { rules } = &input.ownership_controls;
        match rules.as_slice() {
            [rule] if rule.object_ownership.as_str() == ObjectOwnership::BUCKET_OWNER_ENFORCED => {}
            [_] => return Err(not_implemented("an object that its bucket's owner does not own").into()),
            _ => return Err(refusal(S3ErrorCode::MalformedXML).into()),
        }
        let document = to_xml(&input.ownership_controls)?;
        self.configure(&input.bucket, Subresource::OwnershipControls, Some(&document)).await?;
        Ok(PutBucketOwnershipControlsOutput::default())
    }

    pub(crate) async fn delete_ownership_controls(
        &self,
        input: DeleteBucketOwnershipControlsInput,
    ) -> Result<DeleteBucketOwnershipControlsOutput> {
        self.configure(&input.bucket, Subresource::OwnershipControls, None).await?;
        Ok(DeleteBucketOwnershipControlsOutput::default())
    }

    /// The document that a bucket has for `name`.
    pub(crate) async fn configuration(&self, bucket: &str, name: Subresource) -> Result<Option<String>> {
        let db = self.metadata.readers();
        buckets::find(db, bucket).await?;
        configurations::find(db, bucket, name).await
    }

    /// Writes the document that a bucket has for `name`, or removes it.
    pub(crate) async fn configure(
        &self,
        bucket: &str,
        name: Subresource,
        document: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.metadata.begin().await?;
        buckets::find(&mut *tx, bucket).await?;
        match document {
            Some(document) => configurations::put(&mut *tx, bucket, name, document).await?,
            None => configurations::remove(&mut *tx, bucket, name).await?,
        }
        Ok(tx.commit().await?)
    }
}

fn full_control() -> Grant {
    let owner = owner();
    let grantee = Grantee {
        display_name: owner.display_name,
        email_address: None,
        id: owner.id,
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    Grant { grantee: Some(grantee), permission: Some(Permission::from_static(Permission::FULL_CONTROL)) }
}
