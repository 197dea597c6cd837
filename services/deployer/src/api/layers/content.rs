//! The content of a layer version: a zip within the request, or an object in S3, whose bytes pass the gate.

use countersign_domain::{Code, CodeVersion, LayerName};
use countersign_gateway::{ApiError, Call};
use countersign_package::gate::GateCode;
use countersign_ports::objects::ObjectError;

use crate::NotExamined;
use crate::api::packages::{EMPTY_ZIP, SPOOLED, Source, of_s3, pinned, source, spooled};
use crate::api::{LambdaApi, errors};

/// The content that the call publishes, pinned to a version of its object.
pub(super) async fn of_request(api: &LambdaApi, call: &Call, layer: &LayerName) -> Result<Code, ApiError> {
    let version = match source(call, &["Content"])? {
        Source::Zip(bytes) => kept(api, layer, bytes).await?,
        Source::Bucket(named) => pinned(api, call, named).await?,
    };
    api.deployer.examine(&version).await.map_err(|error| refused(&error))
}

async fn kept(api: &LambdaApi, layer: &LayerName, bytes: Vec<u8>) -> Result<CodeVersion, ApiError> {
    let (folder, sha256) = spooled(api, bytes).await?;
    let bucket = api.deployer.code_bucket();
    let kept = api.deployer.keep_layer(bucket, layer, &folder.path().join(SPOOLED), &sha256).await;
    kept.map_err(errors::failed)
}

fn refused(error: &NotExamined) -> ApiError {
    match error {
        NotExamined::Gate(refusal) => match refusal.code {
            GateCode::UnpackedSizeExceeded => errors::invalid(UNPACKED_TOO_LARGE),
            GateCode::EmptyArchive => errors::invalid(EMPTY_ZIP),
            // What is wrong with it, and where, is told beside AWS's text.
            _ => errors::invalid(NO_ZIP).with("Reason", refusal.to_string()),
        },
        NotExamined::NotFetched(ObjectError::NoSuchBucket(_)) => {
            of_s3("NoSuchBucket", "The specified bucket does not exist")
        }
        NotExamined::NotFetched(ObjectError::NotFound(_)) => {
            of_s3("NoSuchKey", "The specified key does not exist.")
        }
        NotExamined::NotFetched(error) if !error.is_transient() => errors::invalid(error.to_string()),
        NotExamined::NotFetched(_) | NotExamined::Local(_) => errors::failed(error),
    }
}

/// Recorded for a zip that cannot be read.
const NO_ZIP: &str = "Could not unzip uploaded file. Please check your file, then try to upload again.";

/// Recorded for one that unpacks to more.
const UNPACKED_TOO_LARGE: &str = "Unzipped size must be smaller than 262144000 bytes";
