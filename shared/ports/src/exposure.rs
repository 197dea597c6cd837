//! What runs now although its signature has since expired or been revoked. Nothing is undone: it is told.

use async_trait::async_trait;
pub use countersign_domain::event::ExposureCause;
use countersign_domain::{FunctionName, FunctionVersion, PackageRole, UnixMillis};

use crate::StoreError;

/// Looks through what stands.
#[async_trait]
pub trait Exposures: Send + Sync {
    /// Up to `max` exposures at `now`, in the order of [`Exposure::place`], those after `after`: of `$LATEST` and of each
    /// version that an alias points to. Takes as long as there are exposures, however many functions there are.
    async fn exposed(
        &self,
        now: UnixMillis,
        after: Option<&Exposure>,
        max: u32,
    ) -> Result<Vec<Exposure>, StoreError>;
}

/// A package that runs on a signature that would not pass any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// The function.
    pub function: FunctionName,
    /// Which version of it.
    pub version: FunctionVersion,
    /// Which package of that version.
    pub package: PackageRole,
    /// Why it would not pass.
    pub cause: ExposureCause,
    /// Since when: the expiry, or the instant of the revocation.
    pub since: UnixMillis,
}

impl Exposure {
    /// Where it stands in the order of all: function, version (`$LATEST` as 0), package (the function's as 0), cause.
    pub fn place(&self) -> (&FunctionName, u64, u32, u64) {
        let package = match self.package {
            PackageRole::Function => 0,
            PackageRole::Layer(position) => position,
        };
        (&self.function, self.version.number().unwrap_or(0), package, self.cause.number())
    }
}
