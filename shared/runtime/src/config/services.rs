//! `[signer]` and `[deployer]`: how each service's process runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use countersign_domain::BucketName;

use super::address::Listen;
use super::section::Section;

/// How the process of one service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Where it tells of its health, over HTTP. By default 127.0.0.1, port 4581 for the signer, 4582 for the deployer.
    pub health_listen: SocketAddr,
    /// Where it serves its API: Signer's or Lambda's. Nowhere by default.
    pub api_listen: Option<SocketAddr>,
    /// Where the files of its work in hand lie, as written: relative to the data directory. One process at a time. By
    /// default `work/signer` or `work/deployer`.
    pub work_dir: PathBuf,
    /// The most messages in hand at once, 1 to 64. By default 4.
    pub concurrency: usize,
    /// How long a stop waits for the work in hand before it gives it back, in whole seconds up to 600. By default 20 s.
    pub grace: Duration,
}

/// What is different by default.
pub(super) struct Defaults {
    pub(super) health_port: u16,
    pub(super) work_dir: &'static str,
}

pub(super) const SIGNER: Defaults = Defaults { health_port: 4581, work_dir: "work/signer" };
pub(super) const DEPLOYER: Defaults = Defaults { health_port: 4582, work_dir: "work/deployer" };

/// The deployer's section: how its process runs, and the bucket for code that comes within a request.
pub(super) fn read_deployer(mut section: Section<'_>) -> Option<(ServiceConfig, BucketName)> {
    let code_bucket = section.parsed_or("code_bucket", DEFAULT_CODE_BUCKET.parse().expect("a legal bucket"));
    Some((read(section, &DEPLOYER)?, code_bucket?))
}

pub(super) fn read(mut section: Section<'_>, defaults: &Defaults) -> Option<ServiceConfig> {
    let loopback = SocketAddr::from(([127, 0, 0, 1], defaults.health_port));
    let health_listen = section.parsed_or("health_listen", Listen(loopback));
    let api_listen = section.parsed::<Listen>("api_listen").map(|listen| listen.0);
    let work_dir = section.file("work_dir").unwrap_or_else(|| defaults.work_dir.into());
    let concurrency = section.number("concurrency", 4, 1, MAX_CONCURRENCY);
    let grace = Duration::from_secs(section.number("grace_seconds", 20, 0, MAX_GRACE_SECONDS));
    section.finish();
    Some(ServiceConfig {
        health_listen: health_listen?.0,
        api_listen,
        work_dir,
        concurrency: usize::try_from(concurrency).ok()?,
        grace,
    })
}

const DEFAULT_CODE_BUCKET: &str = "countersign-code";
const MAX_CONCURRENCY: u64 = 64;
const MAX_GRACE_SECONDS: u64 = 600;
