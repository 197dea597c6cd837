//! What every operation works on: metadata, contents, the clock, and the bell that rings when an object
//! arrives.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use countersign_domain::UnixMillis;
use s3s::dto::{Owner, Timestamp};
use sqlx::{Sqlite, Transaction};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::content::{ContentStore, Durable};
use crate::errors::Result;
use crate::metadata::Metadata;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// The store behind the endpoint.
pub(crate) struct Store {
    pub(crate) metadata: Metadata,
    pub(crate) content: ContentStore,
    pub(crate) clock: Clock,
    pub(crate) region: String,
    pub(crate) arrived: Arc<Notify>,
    /// Keeps other processes out as long as anything here may write.
    pub(crate) _lock: std::fs::File,
}

impl Store {
    /// Milliseconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)().as_millis()
    }

    /// Commits a version whose bytes are `content`, rings the bell, and removes the contents it replaced.
    ///
    /// Crash before the commit: the content is an orphan, swept at the next start. Crash after it: the
    /// version is whole, and the replaced contents are the orphans.
    pub(crate) async fn commit_object(
        &self,
        tx: Transaction<'static, Sqlite>,
        content: Durable,
        replaced: Vec<String>,
    ) -> Result<()> {
        content.keep();
        tx.commit().await?;
        self.arrived.notify_one();
        self.content.remove(replaced).await;
        Ok(())
    }
}

/// A new version or upload id: 12 hex digits of the time, so that ids sort by age, and 20 of randomness, so
/// that nobody guesses one.
pub(crate) fn new_id(now: i64) -> String {
    let random = format!("{:032x}", Uuid::new_v4().as_u128());
    format!("{now:012x}{}", random.get(12..).unwrap_or_default())
}

/// True if `text` has the form of an id made by [`new_id`].
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Milliseconds since the epoch as S3's responses carry them.
pub(crate) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs()))
}

/// The owner of every bucket and object: whoever runs the endpoint.
pub(crate) fn owner() -> Owner {
    Owner { display_name: Some("countersign".to_owned()), id: Some(OWNER_ID.to_owned()) }
}

/// The account that the endpoint stands for, as clients name it in `x-amz-expected-bucket-owner`.
pub(crate) const ACCOUNT_ID: &str = "000000000000";

/// A canonical user id has 64 hex digits.
const OWNER_ID: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const ID_LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_age_and_never_repeat() {
        let (early, late) = (new_id(1_000), new_id(1_700_000_000_000));
        assert!(early < late);
        assert!(is_id(&early) && is_id(&late));
        assert_ne!(new_id(5), new_id(5));
        assert!(!is_id("null") && !is_id("") && !is_id(&"g".repeat(32)));
    }
}
