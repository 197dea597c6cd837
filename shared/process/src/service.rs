//! The life of a service's process: read, start, serve, reload, stop.

use std::process::ExitCode;

use anyhow::Context as _;
use async_trait::async_trait;
use clap::{Args as _, Command, FromArgMatches as _};
use countersign_runtime::config::ServiceConfig;
use countersign_runtime::health::{self, Check, Health, Metrics};
use countersign_runtime::signals::{Signal, Signals};
use countersign_runtime::{Config, DataDir, Environment, init_tracing, load_config};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::Args;
use crate::parts;

/// One service as a process of its own.
#[async_trait]
pub trait Service: Sized + Send {
    /// The program's name.
    const NAME: &'static str;

    /// What the program does, in a line.
    const ABOUT: &'static str;

    /// Its own section of the configuration.
    fn settings(config: &Config) -> &ServiceConfig;

    /// Opens what it needs and begins to work.
    async fn start(context: &Context) -> anyhow::Result<Self>;

    /// What has to work for it to be ready.
    fn checks(&self) -> Vec<Check>;

    /// Takes over what may change while it runs, and says what that is. On an error everything stays as it was.
    async fn reload(&self, context: &Context) -> anyhow::Result<String>;

    /// Returns only when a part of it ended that should not have.
    async fn watch(&mut self) -> anyhow::Error;

    /// Lets the work in hand finish within its grace period, gives back the rest, and closes what it opened.
    async fn stop(self);
}

/// What a service starts with, and again what it reloads.
pub struct Context {
    /// The configuration.
    pub config: Config,
    /// Where its relative paths begin.
    pub data: DataDir,
    /// The variables, some of which are secrets.
    pub environment: Environment,
}

/// Runs the program of `S` to its end.
pub fn main<S: Service>() -> ExitCode {
    let environment = Environment::of_process();
    let command = Command::new(S::NAME).about(S::ABOUT).version(env!("CARGO_PKG_VERSION"));
    let matches = Args::augment_args(command).get_matches();
    let args = match Args::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    if let Err(error) = init_tracing(&environment, DEFAULT_LOG) {
        return failed(&error.into());
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    runtime.block_on(run::<S>(&args, environment)).unwrap_or_else(|error| failed(&error))
}

async fn run<S: Service>(args: &Args, environment: Environment) -> anyhow::Result<ExitCode> {
    let data = args.data_dir();
    let config = load_config(&args.config(&data), &environment)?;
    if args.check {
        tell(&format!("{}: the configuration is right", S::NAME));
        return Ok(ExitCode::SUCCESS);
    }
    if args.healthcheck {
        return Ok(match health::probe(S::settings(&config).health_listen).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                tell(&reason);
                ExitCode::FAILURE
            }
        });
    }
    serve::<S>(args, Context { config, data, environment }).await.map(|()| ExitCode::SUCCESS)
}

async fn serve<S: Service>(args: &Args, context: Context) -> anyhow::Result<()> {
    // Caught before anything is begun, so that no stop is ever a kill.
    let mut signals = Signals::new().context("signals")?;
    for caution in context.config.cautions() {
        tracing::warn!("{caution}");
    }
    for limit in parts::gate_limits(&context.config).loosened() {
        tracing::warn!("the gate is looser than by default: {limit}");
    }
    let address = S::settings(&context.config).health_listen;
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| {
        format!("cannot listen on {address}: choose another health_listen for this process")
    })?;
    let metrics = Metrics::install().context("metrics")?;
    let mut service = tokio::select! {
        started = S::start(&context) => started?,
        () = stopped(&mut signals) => return Ok(()),
    };
    let (health, ended) = (Health::new(service.checks()).with_metrics(metrics), CancellationToken::new());
    let answering = tokio::spawn(health::serve(listener, health.clone(), ended.clone()));
    tracing::info!(health = %address, "{} is running", S::NAME);
    let outcome = attend(&mut service, &mut signals, args, &context).await;
    health.stopping();
    tell("Stopping: work under way may finish. Once more to stop at once.");
    tokio::select! {
        () = service.stop() => {}
        () = stopped(&mut signals) => tell("Stopped at once; what was under way is taken up by another process."),
    }
    ended.cancel();
    answering.await.context("health")?;
    outcome
}

/// Serves until a signal to stop, or until a part of the service fails.
async fn attend<S: Service>(
    service: &mut S,
    signals: &mut Signals,
    args: &Args,
    context: &Context,
) -> anyhow::Result<()> {
    loop {
        let signal = tokio::select! {
            signal = signals.next() => signal,
            error = service.watch() => return Err(error),
        };
        match signal {
            Signal::Stop => return Ok(()),
            Signal::Reload => match reload(service, args, context).await {
                Ok(taken) => tracing::info!("{} reloaded: {taken}", S::NAME),
                Err(error) => tracing::error!("not reloaded, everything stays as it was: {}", told(&error)),
            },
        }
    }
}

async fn reload<S: Service>(service: &S, args: &Args, old: &Context) -> anyhow::Result<String> {
    let (data, environment) = (old.data.clone(), old.environment.clone());
    let config = load_config(&args.config(&data), &environment)?;
    service.reload(&Context { config, data, environment }).await
}

async fn stopped(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}

fn failed(error: &anyhow::Error) -> ExitCode {
    tell(&format!("error: {}", told(error)));
    ExitCode::from(2)
}

/// An error and its causes on one line. A cause that its effect's text ends with is not told twice.
fn told(error: &anyhow::Error) -> String {
    error.chain().skip(1).map(ToString::to_string).fold(error.to_string(), |line, cause| {
        if line.ends_with(&cause) { line } else { format!("{line}: {cause}") }
    })
}

fn tell(line: &str) {
    use std::io::Write as _;
    // Where nobody listens there is nobody to tell that.
    let _nobody_listens = writeln!(std::io::stderr().lock(), "{line}");
}

const DEFAULT_LOG: &str = "info";
