//! A zip that comes with a call: it is put into a versioned bucket first, so that there is a version to pin.

use std::path::Path;

use countersign_domain::{BucketName, CodeVersion, FunctionName, LayerName, ObjectLocation, Sha256Digest};
use countersign_ports::objects::ObjectError;

use crate::Deployer;

/// Why a zip could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The bucket keeps no versions, so nothing in it can be pinned. Nothing was written.
    #[error("bucket {0} keeps no versions: turn on bucket versioning")]
    Unversioned(BucketName),
    /// The bucket refused or did not answer.
    #[error(transparent)]
    Store(#[from] ObjectError),
}

impl Deployer {
    /// Keeps the zip at `from`, whose digest is `sha256`, as `functions/NAME/SHA256.zip` in `bucket`; the same zip again is
    /// the same object. Its bytes are fetched and digested like any other package's when it is deployed, so nothing is
    /// believed of what lies there already.
    ///
    /// # Errors
    /// [`NotKept`].
    pub async fn keep_code(
        &self,
        bucket: &BucketName,
        function: &FunctionName,
        from: &Path,
        sha256: &Sha256Digest,
    ) -> Result<CodeVersion, NotKept> {
        let key =
            format!("functions/{function}/{sha256}.zip").parse().expect("a name and a digest are a key");
        self.keep(ObjectLocation { bucket: bucket.clone(), key }, from, sha256).await
    }

    /// Keeps the zip at `from` as `layers/NAME/SHA256.zip` in `bucket`, like [`Self::keep_code`].
    ///
    /// # Errors
    /// [`NotKept`].
    pub async fn keep_layer(
        &self,
        bucket: &BucketName,
        layer: &LayerName,
        from: &Path,
        sha256: &Sha256Digest,
    ) -> Result<CodeVersion, NotKept> {
        let key = format!("layers/{layer}/{sha256}.zip").parse().expect("a name and a digest are a key");
        self.keep(ObjectLocation { bucket: bucket.clone(), key }, from, sha256).await
    }

    async fn keep(
        &self,
        place: ObjectLocation,
        from: &Path,
        sha256: &Sha256Digest,
    ) -> Result<CodeVersion, NotKept> {
        let objects = &self.ports.objects;
        if !objects.keeps_versions(&place.bucket).await? {
            return Err(NotKept::Unversioned(place.bucket));
        }
        match objects.put_new(&place, from, sha256).await {
            Ok(object) => Ok(object.into()),
            Err(ObjectError::AlreadyExists(_)) => {
                let standing = objects.newest(&place).await?;
                Ok(standing.ok_or_else(|| ObjectError::NotFound(place.to_string()))?.object.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}
