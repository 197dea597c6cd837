//! CompleteMultipartUpload: the parts become one content, the content one version.

use s3s::S3ErrorCode;
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag};

use crate::checksums::{
    self, Algorithm, Coverage, Declared, DeclaredValue, StoredChecksum, checksum_members, set_checksum,
};
use crate::conditions::WriteConditions;
use crate::errors::{Failure, Result, invalid_request, refusal};
use crate::metadata::{Bucket, Part, Upload, Version, buckets, uploads, versions};
use crate::multipart::MAX_PARTS;
use crate::notifications::EventName;
use crate::objects::{Attributes, Body, Expected, NewObject};
use crate::store::Store;
use crate::tagging::Tags;

impl Store {
    pub(crate) async fn complete_upload(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> Result<CompleteMultipartUploadOutput> {
        let bucket = buckets::find(self.metadata.readers(), &input.bucket).await?;
        match self.complete_unfinished(&bucket, &input).await {
            Err(failure) => self.repeated(&bucket, &input, failure).await,
            completed => completed,
        }
    }

    async fn complete_unfinished(
        &self,
        bucket: &Bucket,
        input: &CompleteMultipartUploadInput,
    ) -> Result<CompleteMultipartUploadOutput> {
        let db = self.metadata.readers();
        let upload = uploads::find(db, &input.bucket, &input.key, &input.upload_id).await?;
        let conditions =
            WriteConditions { if_match: input.if_match.clone(), if_none_match: input.if_none_match.clone() };
        conditions.check(versions::latest(db, &input.bucket, &input.key).await?.as_ref())?;
        let parts = self.chosen_parts(&upload, input).await?;
        let version = self.assemble(&upload, &parts, input, &conditions).await?;
        output(bucket, &version)
    }

    /// A completion whose answer was lost is answered again, and so is one that another overtook: what it
    /// then failed on is that the upload, or a part of it, is gone.
    async fn repeated(
        &self,
        bucket: &Bucket,
        input: &CompleteMultipartUploadInput,
        failure: Failure,
    ) -> Result<CompleteMultipartUploadOutput> {
        let db = self.metadata.readers();
        let completed = uploads::completed(db, &input.bucket, &input.key, &input.upload_id).await?;
        let Some(version_id) = completed else { return Err(failure) };
        match versions::named(db, &input.bucket, &input.key, &version_id).await? {
            Some(version) => output(bucket, &version),
            None => Err(failure),
        }
    }

    /// The parts that the request lists, each as it was uploaded.
    async fn chosen_parts(&self, upload: &Upload, input: &CompleteMultipartUploadInput) -> Result<Vec<Part>> {
        let listed =
            input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
        if listed.is_empty() || listed.len() > usize::try_from(MAX_PARTS)? {
            return Err(refusal(S3ErrorCode::MalformedXML).into());
        }
        if !listed.windows(2).all(|pair| matches!(pair, [a, b] if a.part_number < b.part_number)) {
            return Err(refusal(S3ErrorCode::InvalidPartOrder).into());
        }
        let db = self.metadata.readers();
        let uploaded = uploads::parts(db, &upload.upload_id, 0, i64::from(MAX_PARTS)).await?;
        let chosen: Vec<Part> =
            listed.iter().map(|listed| chosen_part(upload, &uploaded, listed)).collect::<Result<_>>()?;
        require_sizes(&chosen, input.mpu_object_size)?;
        Ok(chosen)
    }

    /// Writes the whole, then makes it visible and ends the upload in one transaction.
    ///
    /// Crash before the commit: the upload is as it was, and the whole is an orphan. After it: the parts are.
    async fn assemble(
        &self,
        upload: &Upload,
        parts: &[Part],
        input: &CompleteMultipartUploadInput,
        conditions: &WriteConditions,
    ) -> Result<Version> {
        let checksum = declared_checksum(upload, input)?;
        let expected =
            Expected { checksum: whole_checksum(upload, checksum.as_ref())?, ..Expected::default() };
        let whole = self.joined(parts).receive(&self.content, expected, MAX_MULTIPART).await?;
        let object = NewObject {
            key: &upload.key,
            content: whole.content.id(),
            size: whole.size,
            etag: checksums::multipart_etag(parts.iter().map(|part| part.etag.as_str()))?,
            attributes: &Attributes::from_column(&upload.attributes)?,
            tags: &Tags::from_column(&upload.tags)?,
            checksum: stored_checksum(upload, parts, checksum.as_ref(), whole.algorithm, &whole.checksum)?,
            part_sizes: Some(parts.iter().map(|part| part.size).collect()),
            event: EventName::CompleteMultipartUpload,
        };
        let mut tx = self.metadata.begin().await?;
        let bucket = buckets::find(&mut *tx, &upload.bucket).await?;
        uploads::find(&mut *tx, &upload.bucket, &upload.key, &upload.upload_id).await?;
        require_unchanged(
            parts,
            &uploads::parts(&mut *tx, &upload.upload_id, 0, i64::from(MAX_PARTS)).await?,
        )?;
        let (version, replaced) = self.insert_object(&mut tx, &bucket, object, conditions).await?;
        let mut gone = uploads::remove(&mut tx, &upload.upload_id).await?;
        gone.extend(replaced);
        uploads::remember_completed(&mut *tx, upload, &version.version_id, self.now()).await?;
        self.commit_object(tx, whole.content, gone).await?;
        Ok(version)
    }

    /// The bytes of the parts in order. Files are opened one at a time, for there may be ten thousand.
    fn joined(&self, parts: &[Part]) -> Body {
        let opened = parts.iter().cloned().map(|part| {
            let contents = self.content.clone();
            async move {
                let size = u64::try_from(part.size)?;
                Ok(contents.read(&part.content, size, 0, size).await?)
            }
        });
        Body::joined(opened.collect())
    }
}

fn chosen_part(upload: &Upload, uploaded: &[Part], listed: &CompletedPart) -> Result<Part> {
    let invalid = || refusal(S3ErrorCode::InvalidPart);
    let part = listed.part_number.and_then(|number| numbered(uploaded, number)).ok_or_else(invalid)?;
    let etag = listed.e_tag.as_ref().ok_or_else(|| refusal(S3ErrorCode::MalformedXML))?;
    if etag.value() != part.etag {
        return Err(invalid().into());
    }
    let mut checked = false;
    for (algorithm, value) in checksum_members!(listed) {
        let Some(value) = value else { continue };
        if algorithm.name() != part.checksum_algorithm || value != part.checksum_value {
            return Err(invalid().into());
        }
        checked = true;
    }
    let composite = upload.checksum_type.as_deref() == Some(Coverage::Composite.name());
    if composite && !checked {
        let algorithm = part.checksum_algorithm.to_lowercase();
        let message = format!(
            "The upload was created using a {algorithm} checksum. The complete request must include the \
             checksum for each part. It was missing for part {} in the request.",
            part.number
        );
        return Err(invalid_request(message).into());
    }
    Ok(part.clone())
}

/// The part of this number, of parts in order of number.
fn numbered(parts: &[Part], number: i32) -> Option<&Part> {
    parts.binary_search_by_key(&number, |part| part.number).ok().and_then(|at| parts.get(at))
}

/// Every part but the last has S3's least size, and together they have the size the client counted.
fn require_sizes(parts: &[Part], counted: Option<i64>) -> Result<()> {
    let all_but_last = parts.split_last().map(|(_, rest)| rest).unwrap_or_default();
    if all_but_last.iter().any(|part| part.size < MIN_PART) {
        return Err(refusal(S3ErrorCode::EntityTooSmall).into());
    }
    let total: i64 = parts.iter().map(|part| part.size).sum();
    if total > MAX_MULTIPART {
        return Err(refusal(S3ErrorCode::EntityTooLarge).into());
    }
    match counted {
        Some(counted) if counted != total => {
            let message = "The provided 'x-amz-mp-object-size' header does not match what was computed";
            Err(invalid_request(format!("{message}: {counted} given, {total} uploaded")).into())
        }
        Some(_) | None => Ok(()),
    }
}

/// A part uploaded again while the whole was written is not in the whole.
fn require_unchanged(chosen: &[Part], now: &[Part]) -> Result<()> {
    if chosen.iter().all(|part| numbered(now, part.number) == Some(part)) {
        return Ok(());
    }
    Err(refusal(S3ErrorCode::InvalidPart).into())
}

/// The checksum of the object that the request names, in its headers.
fn declared_checksum(upload: &Upload, input: &CompleteMultipartUploadInput) -> Result<Option<Declared>> {
    let declared = checksums::declared(checksum_members!(input), &http::HeaderMap::new())?;
    let wanted = input.checksum_type.as_ref().map(|wanted| Coverage::parse(wanted.as_str())).transpose()?;
    let created = upload.checksum_type.as_deref().map(Coverage::parse).transpose()?;
    let same_algorithm = match (&declared, upload.checksum_algorithm.as_deref()) {
        (Some(declared), Some(named)) => declared.algorithm.name() == named,
        (Some(_) | None, _) => true,
    };
    let same_coverage = wanted.is_none_or(|wanted| wanted == created.unwrap_or(Coverage::FullObject));
    if same_algorithm && same_coverage {
        return Ok(declared);
    }
    Err(invalid_request("The checksum named does not have the algorithm or type of the upload.").into())
}

/// What to compute over the whole: the full-object checksum, which the one declared must equal.
fn whole_checksum(upload: &Upload, declared: Option<&Declared>) -> Result<Option<Declared>> {
    if upload.checksum_type.as_deref() == Some(Coverage::Composite.name()) {
        return Ok(None);
    }
    let named = upload.checksum_algorithm.as_deref().map(Algorithm::parse).transpose()?;
    let computed = named.map(|algorithm| Declared { algorithm, value: DeclaredValue::Computed });
    Ok(declared.cloned().or(computed))
}

/// The checksum of the object: of its bytes, or of the checksums of its parts.
fn stored_checksum(
    upload: &Upload,
    parts: &[Part],
    declared: Option<&Declared>,
    algorithm: Algorithm,
    whole: &str,
) -> Result<StoredChecksum> {
    if upload.checksum_type.as_deref() != Some(Coverage::Composite.name()) {
        return Ok(StoredChecksum { algorithm, value: whole.to_owned(), coverage: Coverage::FullObject });
    }
    let algorithm = Algorithm::parse(upload.checksum_algorithm.as_deref().unwrap_or_default())?;
    let values: Vec<String> = parts.iter().map(|part| part.checksum_value.clone()).collect();
    let value = checksums::composite(algorithm, &values)?;
    if let Some(Declared { value: DeclaredValue::Header(sent), .. }) = declared
        && sent.split('-').next() != value.split('-').next()
    {
        return Err(refusal(S3ErrorCode::BadDigest).into());
    }
    Ok(StoredChecksum { algorithm, value, coverage: Coverage::Composite })
}

fn output(bucket: &Bucket, version: &Version) -> Result<CompleteMultipartUploadOutput> {
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(version.bucket.clone()),
        key: Some(version.key.clone()),
        location: Some(format!("/{}/{}", version.bucket, version.key)),
        e_tag: Some(ETag::Strong(version.etag.clone())),
        version_id: bucket.versioning.told(&version.version_id),
        ..CompleteMultipartUploadOutput::default()
    };
    if let Some(checksum) = version.checksum()? {
        set_checksum!(output, checksum.algorithm, checksum.value);
        output.checksum_type = Some(checksum.wire_type());
    }
    Ok(output)
}

/// S3's least size of a part that is not the last: 5 MiB.
const MIN_PART: i64 = 5 * 1024 * 1024;

/// The most that one object may hold here: 50 GiB. AWS allows 5 TiB; packages are a thousandth of this, and
/// completing an upload writes the whole once more.
const MAX_MULTIPART: i64 = 50 * 1024 * 1024 * 1024;
