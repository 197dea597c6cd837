//! What the command line shows: jobs, deployments and functions, newest first.

use std::collections::BTreeMap;

use countersign_domain::{AliasName, CodeVersion, FunctionVersion, ObjectVersion, Sha256Digest};
use countersign_ports::StoreError;
use countersign_ports::deployments::Deployment;
use countersign_ports::functions::Function;
use countersign_ports::jobs::Job;

use crate::attempt::attempt;
use crate::columns::{count, from_json, parse};
use crate::database::{Database, Session};
use crate::deployments::DeploymentRow;
use crate::functions::{FunctionRow, alias_version};
use crate::jobs::JobRow;
use crate::statement::{Statement, sql};
use crate::store::Store;

/// A function with what stands of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionState {
    /// The function.
    pub function: Function,
    /// The versions that stand, oldest first.
    pub versions: Vec<VersionState>,
    /// The version that each alias points to.
    pub aliases: BTreeMap<AliasName, FunctionVersion>,
}

/// A version that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionState {
    /// Its number, from 1.
    pub version: u64,
    /// SHA-256 of the function's whole package.
    pub code_sha256: Sha256Digest,
    /// SHA-256 of each layer's whole package, in order.
    pub layer_sha256: Vec<Sha256Digest>,
}

impl<D: Database> Store<D> {
    /// Up to `max` jobs, newest first.
    ///
    /// # Errors
    /// As the ports' methods.
    pub async fn newest_jobs(&self, max: u32) -> Result<Vec<Job>, StoreError> {
        self.jobs("ORDER BY created_at DESC, arn DESC LIMIT $1", |jobs| jobs.bind(i64::from(max))).await
    }

    /// The jobs of one dropped package, newest first: one for each profile that a route signs it with.
    ///
    /// # Errors
    /// As the ports' methods.
    pub async fn jobs_of_source(&self, source: &ObjectVersion) -> Result<Vec<Job>, StoreError> {
        let of_source = "WHERE source_bucket = $1 AND source_key = $2 AND source_version = $3
             ORDER BY created_at DESC, arn DESC";
        self.jobs(of_source, |jobs| {
            jobs.bind(source.bucket.as_str()).bind(source.key.as_str()).bind(source.version.as_str())
        })
        .await
    }

    async fn jobs(&self, which: &str, bind: impl Fn(Statement) -> Statement) -> Result<Vec<Job>, StoreError> {
        let rows = attempt(|| self.database.rows::<JobRow>(bind(JobRow::select(which)))).await?;
        rows.into_iter().map(Job::try_from).collect()
    }

    /// Up to `max` deployments, newest first.
    ///
    /// # Errors
    /// As the ports' methods.
    pub async fn newest_deployments(&self, max: u32) -> Result<Vec<Deployment>, StoreError> {
        self.deployments("ORDER BY created_at DESC, id LIMIT $1", |deployments| {
            deployments.bind(i64::from(max))
        })
        .await
    }

    /// The deployments of one signed package, newest first.
    ///
    /// # Errors
    /// As the ports' methods.
    pub async fn deployments_of_code(&self, code: &CodeVersion) -> Result<Vec<Deployment>, StoreError> {
        let of_code = "WHERE code_bucket = $1 AND code_key = $2 AND code_version = $3
             ORDER BY created_at DESC, id";
        self.deployments(of_code, |deployments| {
            deployments.bind(code.bucket.as_str()).bind(code.key.as_str()).bind(code.version.as_str())
        })
        .await
    }

    async fn deployments(
        &self,
        which: &str,
        bind: impl Fn(Statement) -> Statement,
    ) -> Result<Vec<Deployment>, StoreError> {
        let rows =
            attempt(|| self.database.rows::<DeploymentRow>(bind(DeploymentRow::select(which)))).await?;
        rows.into_iter().map(Deployment::try_from).collect()
    }

    /// Every function with its versions and aliases, in the order of their names.
    ///
    /// # Errors
    /// As the ports' methods.
    pub async fn functions(&self) -> Result<Vec<FunctionState>, StoreError> {
        let (functions, versions, aliases) = attempt(move || async move {
            let mut snapshot = self.database.snapshot().await?;
            let functions: Vec<FunctionRow> =
                snapshot.rows(FunctionRow::select("WHERE deleted = 0 ORDER BY name")).await?;
            let versions = "SELECT function_name, version, code_sha256, layer_sha256 FROM versions
                 ORDER BY function_name, version";
            let versions: Vec<(String, i64, String, String)> = snapshot.rows(sql(versions)).await?;
            let aliases = sql("SELECT function_name, name, version FROM aliases");
            let aliases: Vec<(String, String, Option<i64>)> = snapshot.rows(aliases).await?;
            Ok((functions, versions, aliases))
        })
        .await?;
        let functions = functions.iter().filter_map(|row| row.existing().transpose());
        functions.map(|function| function_state(function?, &versions, &aliases)).collect()
    }
}

fn function_state(
    function: Function,
    versions: &[(String, i64, String, String)],
    aliases: &[(String, String, Option<i64>)],
) -> Result<FunctionState, StoreError> {
    let name = function.name.as_str();
    let versions = versions.iter().filter(|(function, ..)| function == name);
    let versions = versions.map(|(_, version, code, layers)| {
        Ok(VersionState {
            version: count("versions.version", *version)?,
            code_sha256: parse("versions.code_sha256", code)?,
            layer_sha256: from_json("versions.layer_sha256", layers)?,
        })
    });
    let versions = versions.collect::<Result<_, StoreError>>()?;
    let aliases = aliases.iter().filter(|(function, ..)| function == name);
    let aliases =
        aliases.map(|(_, alias, version)| Ok((parse("aliases.name", alias)?, alias_version(*version)?)));
    let aliases = aliases.collect::<Result<_, StoreError>>()?;
    Ok(FunctionState { function, versions, aliases })
}
