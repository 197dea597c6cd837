//! `countersign demo`: real packages through the real parts, and whether each got the verdict it should.

mod packages;
mod stage;
mod verdict;

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use countersign_domain::{Check, ObjectVersion};
use countersign_ports::Clock;
use countersign_ports::revocations::RevocationRegistry;
use countersign_runtime::SystemClock;

use crate::exit::Exit;
use crate::follow::Followed;
use crate::signals::Signals;
use crate::{output, package_file};
use stage::{Policy, Stage};
use verdict::{Expected, Row};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Use this package instead of a small one made for the run
    #[arg(long, value_name = "ZIP")]
    package: Option<PathBuf>,
}

const HELP: &str = "\
Runs what `countersign up` runs, on a free port and in a temporary directory
that is removed afterwards. It drops a package that is signed and deployed, and
asks for the deployment of packages that are unsigned, tampered with, expired,
revoked, or signed by someone else, each under Warn and under Enforce.

Exit codes: 0 every verdict is the expected one, 1 one is not, 2 it could not run.

Examples:
  countersign demo
  countersign demo --package function.zip";

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut signals = Signals::new()?;
    let folder = tempfile::Builder::new().prefix("countersign-demo-").tempdir()?;
    let package = folder.path().join("package.zip");
    match &args.package {
        Some(given) => {
            drop(package_file::open_package(given)?);
            std::fs::copy(given, &package).with_context(|| format!("cannot copy {}", given.display()))?;
        }
        None => packages::build(&package)?,
    }
    output::complain(
        "Starting the S3 endpoint, the queue, the signer and the deployer in a temporary directory.",
    );
    let mut stage = Stage::open(folder.path()).await?;
    let rows = tokio::select! {
        rows = play(&mut stage, &package) => rows,
        () = signals.next() => Err(anyhow!("stopped before the end")),
    };
    stage.close().await;
    let rows = rows?;
    output::result(&verdict::table(&rows))?;
    let unexpected = rows.iter().filter(|row| !row.as_expected()).count();
    match unexpected {
        0 => output::complain(&format!(
            "All {} verdicts are the expected ones. Try next: countersign up",
            rows.len()
        )),
        some => output::complain(&format!("{some} of {} verdicts are not the expected ones", rows.len())),
    }
    Ok(Exit::of(unexpected == 0))
}

/// The whole play: what is dropped first, then what somebody asks to deploy.
async fn play(stage: &mut Stage, package: &std::path::Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    output::complain("Dropping a package into s3://unsigned/hello/: it is to be signed and deployed.");
    let dropped = stage.drop_package(package, "hello/package.zip").await?;
    if let Followed::NotSigned { reason } = &dropped {
        bail!("this package cannot be signed: {}", output::shown(reason));
    }
    rows.push(Row::new("dropped into S3", "Enforce", Expected::Deployed, &dropped));
    rows.push(refused_at_signing(stage).await?);
    let signed = stage.signed_object()?;
    for (name, object, check) in crafted(stage, package, &signed).await? {
        judge(stage, &mut rows, name, &object, check).await?;
    }
    output::complain("Revoking the signing job of the package that was deployed before.");
    let job = stage.job_of(&signed).await?;
    let reason = "the demo's build machine was not clean";
    stage.store().revoke_job(&job, &stage.operator(), reason, SystemClock.now()).await?;
    judge(stage, &mut rows, "revoked job", &signed, Some(Check::Revocation)).await?;
    Ok(rows)
}

async fn refused_at_signing(stage: &mut Stage) -> anyhow::Result<Row> {
    output::complain("Dropping a file that only calls itself a zip: it is to be refused.");
    let path = stage.path("no.zip");
    std::fs::write(&path, "this is no zip\n")?;
    let dropped = stage.drop_package(&path, "hello/no.zip").await?;
    Ok(Row::new("not a zip", "-", Expected::NotSigned, &dropped))
}

/// Each crafted package as it lies in the bucket `signed`, with the check that it is to fail.
async fn crafted(
    stage: &Stage,
    package: &std::path::Path,
    signed: &ObjectVersion,
) -> anyhow::Result<Vec<(&'static str, ObjectVersion, Option<Check>)>> {
    output::complain(
        "Preparing packages that are unsigned, tampered with, expired, or signed by someone else.",
    );
    let mut crafted = vec![("signed", signed.clone(), None)];
    crafted.push(("unsigned", stage.put(package, "unsigned.zip").await?, Some(Check::Mismatch)));
    let tampered = stage.tampered(signed).await?;
    crafted.push(("tampered with", tampered, Some(Check::Integrity)));
    crafted.push(("expired", stage.expired(package).await?, Some(Check::Expiry)));
    crafted.push(("foreign publisher", stage.by_outsider(package).await?, Some(Check::Mismatch)));
    crafted.push(("foreign root", stage.by_impostor(package).await?, Some(Check::Integrity)));
    crafted.push(("revoked profile", stage.by_retired(package).await?, Some(Check::Revocation)));
    Ok(crafted)
}

/// Asks for the deployment of one package under both policies.
async fn judge(
    stage: &mut Stage,
    rows: &mut Vec<Row>,
    name: &'static str,
    object: &ObjectVersion,
    check: Option<Check>,
) -> anyhow::Result<()> {
    output::complain(&format!("Asking for the deployment of a package: {name}."));
    for policy in [Policy::Warn, Policy::Enforce] {
        let followed = stage.deploy(name, object, policy).await?;
        rows.push(Row::new(name, policy.as_str(), expected(check, policy), &followed));
    }
    Ok(())
}

/// Integrity always blocks; the other checks block under Enforce and warn under Warn.
fn expected(check: Option<Check>, policy: Policy) -> Expected {
    match (check, policy) {
        (None, _) => Expected::Deployed,
        (Some(Check::Integrity), _) => Expected::Blocked(Check::Integrity),
        (Some(check), Policy::Warn) => Expected::Warned(check),
        (Some(check), Policy::Enforce) => Expected::Blocked(check),
    }
}
