//! What the deploy targets have still to follow of what changed in the state.

use async_trait::async_trait;
use countersign_domain::{AliasName, FunctionName, UnixMillis};

use crate::StoreError;

/// The changes of [`Functions`](crate::functions::Functions) that a target has to follow: each commits with the change
/// itself and stays until it was followed. It says what changed and not how it is now, which the state says: so it is
/// followed in any order, more than once, and by anybody.
#[async_trait]
pub trait TargetChanges: Send + Sync {
    /// Up to `max` changes that were not followed yet, the oldest first; with `function` only those of one.
    async fn pending(
        &self,
        function: Option<&FunctionName>,
        max: u32,
    ) -> Result<Vec<TargetChange>, StoreError>;

    /// Until when a deployment of the function is under way; what it is about to change the state does not say yet.
    async fn under_way(
        &self,
        function: &FunctionName,
        now: UnixMillis,
    ) -> Result<Option<UnixMillis>, StoreError>;

    /// Forgets these changes. One that is forgotten already is no error.
    async fn followed(&self, changes: &[TargetChange]) -> Result<(), StoreError>;
}

/// A change to be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetChange {
    /// Its place; later ones are higher.
    pub sequence: u64,
    /// Whose.
    pub function: FunctionName,
    /// What changed.
    pub changed: Changed,
}

/// What changed of a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// An alias was made, moved or deleted.
    Alias(AliasName),
    /// A published version was deleted. Its number is never given again.
    Version(u64),
    /// The function was deleted; one of the same name may have been made since.
    Function,
}
