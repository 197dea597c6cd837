//! What every service's process is made of: configuration, who may do what, the data directory, the clock, the environment, tracing,
//! signals, health, the receive → handle → settle loop and the outbox relay.
//!
//! It is the only crate that reads the environment and the machine's clock. It never contains a decision of a service,
//! SQL, or an SDK.
#![forbid(unsafe_code)]

pub mod authority;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod environment;
pub mod files;
pub mod health;
pub mod listen;
pub mod logging;
pub mod principal;
pub mod random;
pub mod relay;
pub mod route;
pub mod scratch;
pub mod signals;
pub mod turns;
pub mod worker;

pub use authority::Authority;
pub use clock::SystemClock;
pub use config::{Config, ConfigError, LoadError, Mistake, load_config};
pub use data_dir::{DataDir, DataDirError, Running};
pub use environment::Environment;
pub use logging::{LogError, init_tracing};
pub use principal::{AccessKey, AccessKeyId, Principal, Requester, UnknownPublisher};
pub use relay::relay;
pub use route::{DeployRoute, FunctionTemplate, Route, TemplateError, route_of};
pub use scratch::Scratch;
pub use signals::{Signal, Signals};
pub use turns::{Turn, Turns};
pub use worker::{Handled, Handler, WorkSettings, work};
