//! What profiles permit to other accounts. A change holds the profile's row, so that changes of one policy wait for each other.

use async_trait::async_trait;
use countersign_domain::{ProfileName, ProfilePermission, RevisionId, StatementId};
use countersign_ports::StoreError;
use countersign_ports::permissions::{PERMISSIONS_MAX, PermissionError, ProfilePermissions, ProfilePolicy};

use crate::attempt::{Failure, attempt};
use crate::columns::{corrupt, from_json, parse, to_json};
use crate::database::{Database, Session};
use crate::statement::{Statement, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> ProfilePermissions for Store<D> {
    async fn permissions(&self, profile: &ProfileName) -> Result<Option<ProfilePolicy>, StoreError> {
        attempt(move || async move {
            let rows: Vec<PolicyRow> = self.database.rows(policy_of(profile)).await?;
            Ok(rows.into_iter().next().map(ProfilePolicy::try_from).transpose()?)
        })
        .await
    }

    async fn add_permission(
        &self,
        profile: &ProfileName,
        permission: &ProfilePermission,
        expected: Option<&RevisionId>,
        new: &RevisionId,
    ) -> Result<(), PermissionError> {
        self.change_policy(profile, |standing| {
            ProfilePolicy::adding(standing, profile, permission, expected, new).map(Some)
        })
        .await
    }

    async fn remove_permission(
        &self,
        profile: &ProfileName,
        statement: &StatementId,
        expected: &RevisionId,
        new: &RevisionId,
    ) -> Result<(), PermissionError> {
        self.change_policy(profile, |standing| {
            ProfilePolicy::removing(standing, profile, statement, expected, new)
        })
        .await
    }
}

impl<D: Database> Store<D> {
    async fn change_policy(
        &self,
        profile: &ProfileName,
        rule: impl Fn(Option<ProfilePolicy>) -> Result<Option<ProfilePolicy>, PermissionError> + Send + Sync,
    ) -> Result<(), PermissionError> {
        let rule = &rule;
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let held = sql("SELECT name FROM profiles WHERE name = $1").bind(profile.as_str());
            if change.row::<(String,)>(held.for_update("profiles")).await?.is_none() {
                return Ok(Err(PermissionError::NoSuchProfile(profile.clone())));
            }
            let standing: Option<PolicyRow> = change.row(policy_of(profile)).await?;
            let changed = match rule(standing.map(ProfilePolicy::try_from).transpose()?) {
                Ok(changed) => changed,
                Err(refused) => return Ok(Err(refused)),
            };
            put(&mut change, profile, changed.as_ref()).await?;
            change.commit().await.map(Ok)
        })
        .await?
    }
}

async fn put(
    change: &mut impl Session,
    profile: &ProfileName,
    policy: Option<&ProfilePolicy>,
) -> Result<(), Failure> {
    let Some(policy) = policy else {
        let gone = sql("DELETE FROM profile_policies WHERE profile_name = $1").bind(profile.as_str());
        return change.execute(gone).await.map(drop);
    };
    let put = sql("INSERT INTO profile_policies (profile_name, revision, permissions) VALUES ($1, $2, $3)
         ON CONFLICT (profile_name) DO UPDATE SET revision = excluded.revision, permissions = excluded.permissions")
    .bind(profile.as_str())
    .bind(policy.revision.as_str())
    .bind(to_json("profile_policies.permissions", &policy.permissions)?);
    change.execute(put).await.map(drop)
}

fn policy_of(profile: &ProfileName) -> Statement {
    sql("SELECT revision, permissions FROM profile_policies WHERE profile_name = $1").bind(profile.as_str())
}

#[derive(sqlx::FromRow)]
struct PolicyRow {
    revision: String,
    permissions: String,
}

impl TryFrom<PolicyRow> for ProfilePolicy {
    type Error = StoreError;

    fn try_from(row: PolicyRow) -> Result<Self, StoreError> {
        let permissions: Vec<ProfilePermission> =
            from_json("profile_policies.permissions", &row.permissions)?;
        if !(1..=PERMISSIONS_MAX).contains(&permissions.len()) {
            let count = permissions.len();
            return Err(corrupt("profile_policies.permissions", format!("{count} statements")));
        }
        Ok(Self { revision: parse("profile_policies.revision", &row.revision)?, permissions })
    }
}
