//! CopyObject: a put whose body is another object.

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, MetadataDirective,
    TaggingDirective,
};
use s3s::{S3ErrorCode, S3Request};

use super::source::{Found, Reading, Selection, copy_condition_failed};
use super::{Attributes, Body, Expected, MAX_OBJECT, NewObject, attributes_of};
use crate::checksums::{self, Algorithm, Declared, DeclaredValue, set_checksum};
use crate::conditions::{ReadConditions, WriteConditions};
use crate::content::Bytestream;
use crate::errors::{Failure, Result, invalid_argument, invalid_request};
use crate::metadata::Version;
use crate::notifications::EventName;
use crate::store::{Store, timestamp};
use crate::tagging::Tags;

/// The conditions on a copy source; CopyObject and UploadPartCopy share these members.
macro_rules! source_conditions {
    ($input:expr) => {
        $crate::conditions::ReadConditions {
            if_match: $input.copy_source_if_match.clone(),
            if_none_match: $input.copy_source_if_none_match.clone(),
            if_modified_since: $input.copy_source_if_modified_since.clone(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.clone(),
        }
    };
}
pub(crate) use source_conditions;

impl Store {
    pub(crate) async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Result<CopyObjectOutput> {
        let conditions = WriteConditions::from_headers(&request.headers)?;
        let input = request.input;
        self.check_writable(&input.bucket, &input.key, &conditions).await?;
        let (source, bytes) =
            self.open_copy_source(&input.copy_source, source_conditions!(input), Selection::Whole).await?;
        require_copyable(&input, &source)?;
        let (attributes, tags) = copied(&input, &source.version)?;
        let checksum = Some(recomputed(&input, &source.version)?);
        let expected = Expected { length: Some(source.version.size), checksum, ..Expected::default() };
        let received = Body::from(bytes).receive(&self.content, expected, MAX_OBJECT).await?;
        let object = NewObject::whole(&input.key, &received, &attributes, &tags, EventName::Copy);
        let (bucket, version) =
            self.publish(&input.bucket, object, &conditions).await?.after(self, received).await?;
        Ok(CopyObjectOutput {
            copy_object_result: Some(result(&version)?),
            copy_source_version_id: source.bucket.versioning.told(&source.version.version_id),
            version_id: bucket.versioning.told(&version.version_id),
            ..CopyObjectOutput::default()
        })
    }

    /// The source of a copy, once its conditions hold.
    pub(crate) async fn open_copy_source(
        &self,
        source: &CopySource,
        conditions: ReadConditions,
        selection: Selection,
    ) -> Result<(Found, Bytestream)> {
        let reading = Reading::of_copy_source(source, conditions, selection)?;
        let opened = self.open_object(&reading, copy_condition_failed).await;
        opened.map_err(|failure| if is_delete_marker(&failure) { marker_as_source() } else { failure })
    }
}

fn is_delete_marker(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(error) if *error.code() == S3ErrorCode::MethodNotAllowed)
}

fn marker_as_source() -> Failure {
    let message = "The source of a copy request may not specifically refer to a delete marker by version id.";
    invalid_request(message).into()
}

/// S3 refuses a copy of an object onto itself that changes nothing, and one that is too large for one
/// request.
fn require_copyable(input: &CopyObjectInput, source: &Found) -> Result<()> {
    let onto_itself =
        source.version.bucket == input.bucket && source.version.key == input.key && source.version.is_latest;
    if onto_itself && !replaces_metadata(input)? && input.website_redirect_location.is_none() {
        let message = "This copy request is illegal because it is trying to copy an object to itself without \
                       changing the object's metadata, storage class, website redirect location or \
                       encryption attributes.";
        return Err(invalid_request(message).into());
    }
    if source.version.size > MAX_OBJECT {
        let message =
            "The specified copy source is larger than the maximum allowable size for a copy source: ";
        return Err(invalid_request(format!("{message}{MAX_OBJECT}")).into());
    }
    Ok(())
}

fn replaces_metadata(input: &CopyObjectInput) -> Result<bool> {
    match input.metadata_directive.as_ref().map(MetadataDirective::as_str) {
        None | Some(MetadataDirective::COPY) => Ok(false),
        Some(MetadataDirective::REPLACE) => Ok(true),
        Some(_) => Err(invalid_argument("Unknown metadata directive.").into()),
    }
}

/// Attributes and tags of the copy: the source's, or the request's where a directive says REPLACE.
fn copied(input: &CopyObjectInput, source: &Version) -> Result<(Attributes, Tags)> {
    let mut attributes = match replaces_metadata(input)? {
        true => attributes_of!(input)?,
        false => Attributes::from_column(&source.attributes)?,
    };
    attributes.website_redirect_location.clone_from(&input.website_redirect_location);
    let tags = match input.tagging_directive.as_ref().map(TaggingDirective::as_str) {
        None | Some(TaggingDirective::COPY) => Tags::from_column(&source.tags)?,
        Some(TaggingDirective::REPLACE) => Tags::from_header(input.tagging.as_deref())?,
        Some(_) => return Err(invalid_argument("Unknown tagging directive.").into()),
    };
    Ok((attributes, tags))
}

/// The copy has a checksum of the algorithm asked for, else of the source's.
fn recomputed(input: &CopyObjectInput, source: &Version) -> Result<Declared> {
    let inherited = source.checksum()?.map_or(Algorithm::DEFAULT, |checksum| checksum.algorithm);
    let algorithm = checksums::requested(input.checksum_algorithm.as_ref())?.unwrap_or(inherited);
    Ok(Declared { algorithm, value: DeclaredValue::Computed })
}

fn result(version: &Version) -> Result<CopyObjectResult> {
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(version.etag.clone())),
        last_modified: Some(timestamp(version.created_at)),
        ..CopyObjectResult::default()
    };
    if let Some(checksum) = version.checksum()? {
        set_checksum!(result, checksum.algorithm, checksum.value);
        result.checksum_type = Some(checksum.wire_type());
    }
    Ok(result)
}
