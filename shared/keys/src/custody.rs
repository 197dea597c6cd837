//! The port: what blocks runs aside, and what may be asked is decided here.

use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_domain::{Platform, ProfileVersionArn, Scope, UnixMillis};
use countersign_ports::Clock;
use countersign_ports::keys::{KeyError, Leaf, LeafId, SigningDigest, SigningKeys};
use tokio::task::spawn_blocking;

use crate::directory::KeyDirectory;
use crate::leaf::{CLOCK_SKEW_MILLIS, Leaves, RENEWED_AFTER_MILLIS, Wanted};
use crate::passphrase::Passphrase;
use crate::root::{ROOT, Root};

/// Key custody in a directory of encrypted files. Any number of processes may use one directory.
pub struct FileKeys {
    leaves: Arc<Leaves>,
    scope: Scope,
    clock: Arc<dyn Clock>,
    turn: tokio::sync::Mutex<()>,
}

impl FileKeys {
    /// Opens the custody in `directory`, which is made, with a new root for `scope`, if it is not there. On `Ok` the root
    /// is durable. Leaves are issued for profiles of `scope` alone.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] for a wrong passphrase, a damaged file, or a directory that others may enter; the message
    /// names the file and what to do. [`KeyError::Unavailable`] if the directory cannot be read or written.
    pub async fn open(
        directory: &Path,
        passphrase: Passphrase,
        scope: Scope,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeyError> {
        let (path, installation, now) = (directory.to_owned(), scope.clone(), clock.now());
        let open = move || {
            let directory = KeyDirectory::open(&path)?;
            let root = Root::load_or_create(&directory, &passphrase, &installation, now)?;
            Ok(Leaves::new(directory, passphrase, root))
        };
        let leaves = Arc::new(blocking(open).await?);
        Ok(Self { leaves, scope, clock, turn: tokio::sync::Mutex::default() })
    }

    /// True if `directory` holds a root, so that opening it makes no new one.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn has_root(directory: &Path) -> io::Result<bool> {
        directory.join(ROOT).try_exists()
    }

    /// The root certificate in PEM, for the trust roots of verifiers.
    pub fn trust_root_pem(&self) -> &str {
        self.leaves.root().pem()
    }

    fn admit(&self, profile: &ProfileVersionArn, at: UnixMillis, now: UnixMillis) -> Result<(), KeyError> {
        if *profile.profile().scope() != self.scope {
            let scope = &self.scope;
            return Err(KeyError::Unusable(format!("it signs for {scope}, and not for {profile}")));
        }
        let earliest = now.plus_millis(-RENEWED_AFTER_MILLIS);
        let latest = now.plus_millis(CLOCK_SKEW_MILLIS);
        if at < earliest || at > latest {
            return Err(KeyError::Unusable(format!(
                "a leaf is wanted for {at}, which is not between {earliest} and {latest}; sign at the present time"
            )));
        }
        Ok(())
    }
}

#[async_trait]
impl SigningKeys for FileKeys {
    async fn leaf(
        &self,
        profile: &ProfileVersionArn,
        platform: Platform,
        at: UnixMillis,
    ) -> Result<Leaf, KeyError> {
        let now = self.clock.now();
        self.admit(profile, at, now)?;
        let wanted = Wanted { profile: profile.clone(), platform, at, now };
        if let Some(leaf) = self.leaves.opened_for(&wanted) {
            return Ok(leaf);
        }
        // One at a time: the others would only wait for the directory's lock, each on a thread of its own.
        let _turn = self.turn.lock().await;
        let leaves = Arc::clone(&self.leaves);
        blocking(move || leaves.obtain(&wanted)).await
    }

    async fn sign_digest(&self, id: &LeafId, digest: &SigningDigest) -> Result<Vec<u8>, KeyError> {
        let (leaves, id, digest, now) = (Arc::clone(&self.leaves), id.clone(), *digest, self.clock.now());
        blocking(move || leaves.sign(&id, &digest, now)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    let ended = spawn_blocking(work).await;
    ended.map_err(|error| KeyError::Unavailable(format!("the work with keys was cut off: {error}")))?
}
