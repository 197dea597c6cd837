//! Multipart uploads up to their completion: create, upload parts, list, abort.

use s3s::S3Request;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Range, StorageClass,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};

use crate::checksums::{self, Algorithm, Coverage, Declared, DeclaredValue, checksum_members, set_checksum};
use crate::errors::{Result, invalid_argument, invalid_request};
use crate::list_objects::{Encoding, page_size, query};
use crate::listing::{Item, Marker, Source, Start, page};
use crate::metadata::{Metadata, Part, Upload, buckets, uploads};
use crate::objects::{Body, Expected, MAX_OBJECT, Selection, attributes_of, source_conditions};
use crate::store::{Store, new_id, owner, timestamp};
use crate::tagging::Tags;

impl Store {
    pub(crate) async fn create_upload(
        &self,
        input: CreateMultipartUploadInput,
    ) -> Result<CreateMultipartUploadOutput> {
        let algorithm = checksums::requested(input.checksum_algorithm.as_ref())?;
        let coverage = coverage(algorithm, input.checksum_type.as_ref())?;
        let upload = Upload {
            position: 0,
            upload_id: new_id(self.now()),
            created_at: self.now(),
            attributes: attributes_of!(input)?.to_column()?,
            tags: Tags::from_header(input.tagging.as_deref())?.to_column()?,
            checksum_algorithm: algorithm.map(|algorithm| algorithm.name().to_owned()),
            checksum_type: coverage.map(|coverage| coverage.name().to_owned()),
            bucket: input.bucket,
            key: input.key,
        };
        let mut tx = self.metadata.begin().await?;
        buckets::find(&mut *tx, &upload.bucket).await?;
        uploads::insert(&mut *tx, &upload).await?;
        tx.commit().await?;
        Ok(CreateMultipartUploadOutput {
            checksum_algorithm: algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: coverage.map(|coverage| ChecksumType::from_static(coverage.name())),
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            upload_id: Some(upload.upload_id),
            ..CreateMultipartUploadOutput::default()
        })
    }

    pub(crate) async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> Result<UploadPartOutput> {
        let declared = checksums::declared(checksum_members!(request.input), &request.headers)?;
        let body = Body::from(request.input.body.take());
        let input = request.input;
        let place = PartPlace::new(&input.bucket, &input.key, &input.upload_id, input.part_number)?;
        let upload = self.find_upload(&place).await?;
        let expected = Expected {
            length: input.content_length,
            md5: input.content_md5,
            checksum: Some(part_checksum(&upload, declared)?),
            trailers: request.trailing_headers,
        };
        let (part, algorithm) = self.receive_part(&place, body, expected).await?;
        let mut output =
            UploadPartOutput { e_tag: Some(ETag::Strong(part.etag)), ..UploadPartOutput::default() };
        set_checksum!(output, algorithm, part.checksum_value);
        Ok(output)
    }

    pub(crate) async fn upload_part_copy(&self, input: UploadPartCopyInput) -> Result<UploadPartCopyOutput> {
        let place = PartPlace::new(&input.bucket, &input.key, &input.upload_id, input.part_number)?;
        let upload = self.find_upload(&place).await?;
        let selection = copy_range(input.copy_source_range.as_deref())?;
        let (source, bytes) =
            self.open_copy_source(&input.copy_source, source_conditions!(input), selection).await?;
        require_range_inside(selection, source.version.size)?;
        let length = i64::try_from(source.length)?;
        let checksum = Some(part_checksum(&upload, None)?);
        let expected = Expected { length: Some(length), checksum, ..Expected::default() };
        let (part, algorithm) = self.receive_part(&place, Body::from(bytes), expected).await?;
        let mut result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(timestamp(part.created_at)),
            ..CopyPartResult::default()
        };
        set_checksum!(result, algorithm, part.checksum_value);
        Ok(UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: source.bucket.versioning.told(&source.version.version_id),
            ..UploadPartCopyOutput::default()
        })
    }

    pub(crate) async fn list_parts(&self, input: ListPartsInput) -> Result<ListPartsOutput> {
        let max = page_size("max-parts", input.max_parts)?;
        let after = match input.part_number_marker.unwrap_or(0) {
            after if after < 0 => {
                let message = "Argument part-number-marker must be an integer between 0 and 2147483647";
                return Err(invalid_argument(message).into());
            }
            after => after,
        };
        let db = self.metadata.readers();
        buckets::find(db, &input.bucket).await?;
        let upload = uploads::find(db, &input.bucket, &input.key, &input.upload_id).await?;
        let mut rows = uploads::parts(db, &input.upload_id, after, i64::from(max) + 1).await?;
        let truncated = max > 0 && rows.len() > usize::try_from(max)?;
        rows.truncate(usize::try_from(max)?);
        Ok(ListPartsOutput {
            is_truncated: Some(truncated),
            next_part_number_marker: rows.last().map(|part| part.number),
            parts: Some(rows.into_iter().map(part_listed).collect::<Result<_>>()?),
            part_number_marker: Some(after),
            max_parts: Some(max),
            checksum_algorithm: upload.checksum_algorithm.map(ChecksumAlgorithm::from),
            checksum_type: upload.checksum_type.map(ChecksumType::from),
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            owner: Some(owner()),
            initiator: Some(initiator()),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            ..ListPartsOutput::default()
        })
    }

    pub(crate) async fn list_uploads(
        &self,
        input: ListMultipartUploadsInput,
    ) -> Result<ListMultipartUploadsOutput> {
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let max = page_size("max-uploads", input.max_uploads)?;
        buckets::find(self.metadata.readers(), &input.bucket).await?;
        let after = self.upload_marker(&input).await?;
        let query = query(input.prefix, input.delimiter, after, max)?;
        let page = page(&Uploads { metadata: &self.metadata, bucket: &input.bucket }, &query).await?;
        let next_upload = page.items.last().map(|upload| upload.upload_id.clone());
        let next_upload = next_upload.filter(|_| matches!(page.next, Some(Marker::Item(..))));
        Ok(ListMultipartUploadsOutput {
            is_truncated: Some(page.next.is_some()),
            next_key_marker: page.next.map(|next| encoding.apply(next.text())),
            next_upload_id_marker: next_upload,
            uploads: Some(page.items.into_iter().map(|upload| upload_listed(upload, encoding)).collect()),
            common_prefixes: Some(encoding.prefixes(&page.common_prefixes)),
            bucket: Some(input.bucket),
            max_uploads: Some(max),
            prefix: Some(encoding.apply(&query.prefix)),
            delimiter: query.delimiter.as_deref().map(|delimiter| encoding.apply(delimiter)),
            key_marker: Some(encoding.apply(input.key_marker.as_deref().unwrap_or_default())),
            upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
            encoding_type: input.encoding_type,
            ..ListMultipartUploadsOutput::default()
        })
    }

    pub(crate) async fn abort_upload(
        &self,
        input: AbortMultipartUploadInput,
    ) -> Result<AbortMultipartUploadOutput> {
        let mut tx = self.metadata.begin().await?;
        buckets::find(&mut *tx, &input.bucket).await?;
        uploads::find(&mut *tx, &input.bucket, &input.key, &input.upload_id).await?;
        let contents = uploads::remove(&mut tx, &input.upload_id).await?;
        tx.commit().await?;
        self.content.remove(contents).await;
        Ok(AbortMultipartUploadOutput::default())
    }

    async fn find_upload(&self, place: &PartPlace<'_>) -> Result<Upload> {
        let db = self.metadata.readers();
        buckets::find(db, place.bucket).await?;
        uploads::find(db, place.bucket, place.key, place.upload_id).await
    }

    /// Crash before the commit: the content is an orphan, and the part is what it was before.
    async fn receive_part(
        &self,
        place: &PartPlace<'_>,
        body: Body,
        expected: Expected,
    ) -> Result<(Part, Algorithm)> {
        let received = body.receive(&self.content, expected, MAX_OBJECT).await?;
        let part = Part {
            upload_id: place.upload_id.to_owned(),
            number: place.number,
            content: received.content.id().to_owned(),
            created_at: self.now(),
            size: received.size,
            etag: received.etag,
            checksum_algorithm: received.algorithm.name().to_owned(),
            checksum_value: received.checksum,
        };
        let mut tx = self.metadata.begin().await?;
        uploads::find(&mut *tx, place.bucket, place.key, place.upload_id).await?;
        let replaced = uploads::put_part(&mut tx, &part).await?;
        received.content.keep();
        tx.commit().await?;
        self.content.remove(replaced.into_iter().collect()).await;
        Ok((part, received.algorithm))
    }

    /// An upload named as marker that ended since: the key is listed from its oldest, so that nothing is
    /// missed.
    async fn upload_marker(&self, input: &ListMultipartUploadsInput) -> Result<Marker> {
        let Some(key) = input.key_marker.as_deref().filter(|key| !key.is_empty()) else {
            return Ok(Marker::None);
        };
        let Some(id) = input.upload_id_marker.as_deref().filter(|id| !id.is_empty()) else {
            return Ok(Marker::Key(key.to_owned()));
        };
        match uploads::find(self.metadata.readers(), &input.bucket, key, id).await {
            Ok(upload) => Ok(Marker::Item(key.to_owned(), upload.rank())),
            Err(crate::errors::Failure::Refused(_)) => Ok(Marker::Item(key.to_owned(), i64::MAX)),
            Err(fault) => Err(fault),
        }
    }
}

/// The part of an upload that a request means.
struct PartPlace<'r> {
    bucket: &'r str,
    key: &'r str,
    upload_id: &'r str,
    number: i32,
}

impl<'r> PartPlace<'r> {
    fn new(bucket: &'r str, key: &'r str, upload_id: &'r str, number: i32) -> Result<Self> {
        if (1..=MAX_PARTS).contains(&number) {
            return Ok(Self { bucket, key, upload_id, number });
        }
        Err(invalid_argument("Part number must be an integer between 1 and 10000, inclusive").into())
    }
}

struct Uploads<'s> {
    metadata: &'s Metadata,
    bucket: &'s str,
}

impl Source for Uploads<'_> {
    type Item = Upload;

    async fn fetch(&self, start: &Start, limit: usize) -> Result<Vec<Upload>> {
        uploads::list(self.metadata.readers(), self.bucket, start, i64::try_from(limit)?).await
    }
}

impl Item for Upload {
    fn key(&self) -> &str {
        &self.key
    }

    /// Older uploads of a key come first.
    fn rank(&self) -> i64 {
        -self.position
    }
}

fn coverage(algorithm: Option<Algorithm>, wanted: Option<&ChecksumType>) -> Result<Option<Coverage>> {
    let wanted = wanted.map(|wanted| Coverage::parse(wanted.as_str())).transpose()?;
    let Some(algorithm) = algorithm else {
        return match wanted {
            None => Ok(None),
            Some(_) => Err(invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )
            .into()),
        };
    };
    let coverage = wanted.unwrap_or(algorithm.default_coverage());
    if algorithm.allows(coverage) {
        return Ok(Some(coverage));
    }
    let (coverage, algorithm) = (coverage.name(), algorithm.name());
    let message =
        format!("The {coverage} checksum type cannot be used with the {algorithm} checksum algorithm.");
    Err(invalid_request(message).into())
}

/// Every part of an upload has a checksum of the upload's algorithm, computed here if the client sent none.
fn part_checksum(upload: &Upload, declared: Option<Declared>) -> Result<Declared> {
    let named = upload.checksum_algorithm.as_deref().map(Algorithm::parse).transpose()?;
    match (declared, named) {
        (Some(declared), Some(named)) if declared.algorithm != named => {
            let (expected, actual) = (named.name().to_lowercase(), declared.algorithm.name().to_lowercase());
            let message = "Checksum Type mismatch occurred, expected checksum Type: ";
            Err(invalid_request(format!("{message}{expected}, actual checksum Type: {actual}")).into())
        }
        (Some(declared), _) => Ok(declared),
        (None, named) => {
            Ok(Declared { algorithm: named.unwrap_or(Algorithm::DEFAULT), value: DeclaredValue::Computed })
        }
    }
}

/// A copy range has both ends.
fn copy_range(range: Option<&str>) -> Result<Selection> {
    let Some(text) = range else { return Ok(Selection::Whole) };
    match Range::parse(text) {
        Ok(range @ Range::Int { last: Some(_), .. }) => Ok(Selection::Range(range)),
        Ok(Range::Int { last: None, .. } | Range::Suffix { .. }) | Err(_) => {
            let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first \
                           and last are the zero-based offsets of the first and last bytes to copy";
            Err(invalid_argument(message).into())
        }
    }
}

/// Unlike a get, a copy is not cut to what there is.
fn require_range_inside(selection: Selection, size: i64) -> Result<()> {
    let outside = match selection {
        Selection::Range(Range::Int { last: Some(last), .. }) => last >= u64::try_from(size)?,
        Selection::Whole => size > MAX_OBJECT,
        Selection::Range(Range::Int { last: None, .. } | Range::Suffix { .. }) | Selection::Part(_) => false,
    };
    if !outside {
        return Ok(());
    }
    Err(invalid_argument(format!("Range specified is not valid for source object of size: {size}")).into())
}

fn part_listed(part: Part) -> Result<s3s::dto::Part> {
    let algorithm = Algorithm::parse(&part.checksum_algorithm)?;
    let mut listed = s3s::dto::Part {
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(timestamp(part.created_at)),
        part_number: Some(part.number),
        size: Some(part.size),
        ..s3s::dto::Part::default()
    };
    set_checksum!(listed, algorithm, part.checksum_value);
    Ok(listed)
}

fn upload_listed(upload: Upload, encoding: Encoding) -> MultipartUpload {
    MultipartUpload {
        checksum_algorithm: upload.checksum_algorithm.map(ChecksumAlgorithm::from),
        checksum_type: upload.checksum_type.map(ChecksumType::from),
        initiated: Some(timestamp(upload.created_at)),
        initiator: Some(initiator()),
        key: Some(encoding.apply(&upload.key)),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(upload.upload_id),
    }
}

fn initiator() -> s3s::dto::Initiator {
    let owner = owner();
    s3s::dto::Initiator { display_name: owner.display_name, id: owner.id }
}

/// S3's limit: the parts of one upload.
pub(crate) const MAX_PARTS: i32 = 10_000;
