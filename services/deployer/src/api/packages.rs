//! The packages that a request names: code, in the request or in a bucket, and layers. Each is pinned to a version before
//! anything is decided about it.

use countersign_api::Asks;
use countersign_domain::event::MAX_LAYERS;
use countersign_domain::{
    CodeVersion, FunctionName, LayerVersionArn, ObjectLocation, ObjectVersion, Sha256Digest,
};
use countersign_gateway::error::{ACCESS_DENIED, REQUEST_ENTITY_TOO_LARGE};
use countersign_gateway::model::lambda::GET_LAYER_VERSION;
use countersign_gateway::{ApiError, Call};
use countersign_ports::objects::ObjectError;
use serde_json::Value;
use tempfile::TempDir;

use crate::NotKept;
use crate::api::LambdaApi;
use crate::api::errors::{self, failed, invalid};
use crate::api::names::of_somebody_else;

/// The code that a request brings for `function`, pinned. `at` is the path of the structure that names it.
///
/// # Errors
/// When it names none or two, or what it names cannot be read by the caller.
pub(super) async fn code(
    api: &LambdaApi,
    call: &Call,
    function: &FunctionName,
    at: &[&str],
) -> Result<CodeVersion, ApiError> {
    match source(call, at)? {
        Source::Zip(bytes) => kept(api, function, bytes).await,
        Source::Bucket(named) => pinned(api, call, named).await,
    }
}

/// Where the bytes of a package come from.
pub(super) enum Source<'c> {
    /// The request itself.
    Zip(Vec<u8>),
    /// A bucket.
    Bucket(InBucket<'c>),
}

/// A package in a bucket, as a request names it.
#[derive(Clone, Copy)]
pub(super) struct InBucket<'c> {
    bucket: &'c str,
    key: &'c str,
    version: Option<&'c str>,
}

/// What the structure at `at` names.
///
/// # Errors
/// When it names no package, or one in two ways.
pub(super) fn source<'c>(call: &'c Call, at: &[&str]) -> Result<Source<'c>, ApiError> {
    let path = |name| [at, &[name]].concat();
    let text = |name| call.input.text(&path(name));
    let version = text("S3ObjectVersion");
    match (call.input.bytes(&path("ZipFile")), text("S3Bucket"), text("S3Key")) {
        (Some(bytes), None, None) if version.is_none() => zip(bytes).map(Source::Zip),
        (Some(_), ..) => {
            Err(invalid("Please do not provide other FunctionCode parameters when providing a ZipFile."))
        }
        (None, Some(bucket), Some(key)) => Ok(Source::Bucket(InBucket { bucket, key, version })),
        (None, None, None) => Err(invalid("Please provide a source for function code.")),
        (None, ..) => Err(invalid("Please provide both S3Bucket and S3Key.")),
    }
}

fn zip(bytes: Vec<u8>) -> Result<Vec<u8>, ApiError> {
    match bytes.len() {
        0 => Err(invalid(EMPTY_ZIP)),
        size if size >= ZIPPED_SIZE_LIMIT => Err(REQUEST_ENTITY_TOO_LARGE
            .error(format!("Zipped size must be smaller than {ZIPPED_SIZE_LIMIT} bytes"))),
        _ => Ok(bytes),
    }
}

/// Puts a zip of a request where it has a version.
async fn kept(api: &LambdaApi, function: &FunctionName, bytes: Vec<u8>) -> Result<CodeVersion, ApiError> {
    let (folder, sha256) = spooled(api, bytes).await?;
    let kept = api
        .deployer
        .keep_code(api.deployer.code_bucket(), function, &folder.path().join(SPOOLED), &sha256)
        .await;
    kept.map_err(|error| match error {
        error @ (NotKept::Unversioned(_) | NotKept::Store(_)) => failed(error),
    })
}

/// The bytes in a private file named [`SPOOLED`], with their digest.
pub(super) async fn spooled(api: &LambdaApi, bytes: Vec<u8>) -> Result<(TempDir, Sha256Digest), ApiError> {
    let folder = api.deployer.scratch.folder().map_err(failed)?;
    let path = folder.path().join(SPOOLED);
    let written = tokio::task::spawn_blocking(move || {
        std::fs::write(&path, &bytes)?;
        Ok::<_, std::io::Error>(Sha256Digest::of(&bytes))
    });
    let sha256 = written.await.map_err(failed)?.map_err(failed)?;
    Ok((folder, sha256))
}

/// The version of a package in a bucket that the caller may read: the named one, or the newest as it is now.
///
/// # Errors
/// When the caller may not read it, or it is not there.
pub(super) async fn pinned(
    api: &LambdaApi,
    call: &Call,
    named: InBucket<'_>,
) -> Result<CodeVersion, ApiError> {
    let action = if named.version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let arn = format!("arn:aws:s3:::{}/{}", named.bucket, named.key);
    let allowed = api.access.authorize(call, Asks::to(call, action).on(arn));
    allowed.map_err(|denied| access_denied(named, denied.message()))?;
    let (Ok(bucket), Ok(key)) = (named.bucket.parse(), named.key.parse()) else {
        return Err(of_s3("NoSuchKey", "The specified key does not exist."));
    };
    let place = ObjectLocation { bucket, key };
    let facts = match named.version.map(str::parse) {
        Some(Ok(version)) => {
            let ObjectLocation { bucket, key } = place;
            api.ports.objects.facts(&ObjectVersion { bucket, key, version }).await
        }
        Some(Err(_)) => Ok(None),
        None => api.ports.objects.newest(&place).await,
    };
    match facts {
        Ok(Some(facts)) => Ok(facts.object.into()),
        Ok(None) if named.version.is_some() => {
            Err(of_s3("NoSuchVersion", "The specified version does not exist."))
        }
        Ok(None) => Err(of_s3("NoSuchKey", "The specified key does not exist.")),
        Err(error) => Err(unreadable(named, error)),
    }
}

fn unreadable(named: InBucket<'_>, error: ObjectError) -> ApiError {
    match error {
        ObjectError::NoSuchBucket(_) => of_s3("NoSuchBucket", "The specified bucket does not exist"),
        ObjectError::NotFound(_) => of_s3("NoSuchKey", "The specified key does not exist."),
        ObjectError::Denied(_) => access_denied(named, "Access Denied"),
        // Without versions nothing says which bytes are meant: what is decided about must be what is deployed.
        error @ (ObjectError::Unversioned(_) | ObjectError::Refused(_) | ObjectError::TooLarge { .. }) => {
            invalid(error.to_string())
        }
        error @ (ObjectError::AlreadyExists(_)
        | ObjectError::Damaged { .. }
        | ObjectError::Unavailable(_)
        | ObjectError::LocalFile { .. }) => failed(error),
    }
}

/// S3 refused, as Lambda passes that on.
pub(super) fn of_s3(code: &str, message: &str) -> ApiError {
    invalid(format!("Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"))
}

fn access_denied(named: InBucket<'_>, message: &str) -> ApiError {
    ACCESS_DENIED.error(format!(
        "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for \
         {}/{}. S3 Error Code: AccessDenied. S3 Error Message: {message}",
        named.bucket, named.key
    ))
}

/// The layers that a request names, with their packages, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct NamedLayers {
    pub(super) arns: Vec<LayerVersionArn>,
    pub(super) packages: Vec<CodeVersion>,
}

/// What the member `Layers` says, if it is there.
pub(super) fn layer_texts(call: &Call) -> Option<Vec<&str>> {
    let Some(Value::Array(layers)) = call.input.at(&["Layers"]) else { return None };
    Some(layers.iter().filter_map(Value::as_str).collect())
}

/// The layers of these ARNs, which the caller may use.
///
/// # Errors
/// When they are too many, two of one layer, elsewhere, not there, or not for this caller.
pub(super) async fn layers(api: &LambdaApi, call: &Call, texts: &[&str]) -> Result<NamedLayers, ApiError> {
    if texts.len() > MAX_LAYERS {
        return Err(invalid(format!("Cannot reference more than {MAX_LAYERS} layers.")));
    }
    let arns: Vec<LayerVersionArn> =
        texts.iter().map(|text| here(api, call, text)).collect::<Result<_, _>>()?;
    each_once(&arns)?;
    let mut packages = Vec::new();
    for arn in &arns {
        let asks = Asks::to(call, &format!("lambda:{}", GET_LAYER_VERSION.name)).on(arn.to_string());
        api.access.authorize(call, asks)?;
        let version = api.ports.layers.layer_version(arn.layer(), arn.version()).await;
        let version = version.map_err(errors::store)?;
        let missing = || invalid(format!("Layer version {arn} does not exist."));
        packages.push(version.ok_or_else(missing)?.content.object);
    }
    Ok(NamedLayers { arns, packages })
}

/// The layer version of this ARN, in this region and account.
fn here(api: &LambdaApi, call: &Call, text: &str) -> Result<LayerVersionArn, ApiError> {
    // The model admits numbers that no version has.
    let arn: LayerVersionArn =
        text.parse().map_err(|_| invalid(format!("Layer version {text} does not exist.")))?;
    let scope = &api.settings.scope;
    if arn.scope().region() != scope.region() {
        let region = scope.region();
        return Err(invalid(format!(
            "Layers are not in the same region as the function. Layers are expected to be in region {region}."
        )));
    }
    if arn.scope() == scope { Ok(arn) } else { Err(of_somebody_else(call, GET_LAYER_VERSION.name, text)) }
}

fn each_once(arns: &[LayerVersionArn]) -> Result<(), ApiError> {
    for (place, arn) in arns.iter().enumerate() {
        let same = arns.iter().take(place).find(|earlier| earlier.layer() == arn.layer());
        if let Some(earlier) = same {
            return Err(invalid(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. {earlier} \
                 and {arn} are versions of the same layer."
            )));
        }
    }
    Ok(())
}

/// What an archive without an entry is refused with.
pub(super) const EMPTY_ZIP: &str = "Uploaded file must be a non-empty zip";

/// The file in which the zip of a request stands before it is kept.
pub(super) const SPOOLED: &str = "request.zip";

/// Bytes of a zip in a request (Lambda's quota, 50 MiB).
const ZIPPED_SIZE_LIMIT: usize = 52_428_800;

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(text: &str) -> LayerVersionArn {
        format!("arn:aws:lambda:us-east-1:000000000000:layer:{text}").parse().unwrap()
    }

    #[test]
    fn a_layer_is_referenced_once() {
        assert!(each_once(&[arn("a:1"), arn("b:1")]).is_ok());
        for two in [["a:1", "a:2"], ["a:1", "a:1"]] {
            let refused = each_once(&[arn(two[0]), arn("b:1"), arn(two[1])]).unwrap_err();
            let (one, other) = (arn(two[0]), arn(two[1]));
            assert!(
                refused.message().ends_with(&format!("{one} and {other} are versions of the same layer."))
            );
        }
    }

    #[test]
    fn the_zip_of_a_request_is_neither_empty_nor_too_large() {
        assert!(zip(vec![0; ZIPPED_SIZE_LIMIT - 1]).is_ok());
        let refused = zip(vec![0; ZIPPED_SIZE_LIMIT]).unwrap_err();
        assert_eq!(refused.status(), 413);
        assert_eq!(refused.message(), "Zipped size must be smaller than 52428800 bytes");
        assert_eq!(zip(Vec::new()).unwrap_err().message(), EMPTY_ZIP);
    }
}
