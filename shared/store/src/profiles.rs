//! Signing profiles.

use async_trait::async_trait;
use countersign_domain::{ProfileName, ProfileVersionArn};
use countersign_ports::StoreError;
use countersign_ports::profiles::{NewProfile, Profile, ProfileStatus, Profiles};

use crate::attempt::{Failure, attempt};
use crate::columns::{corrupt, instant, parse};
use crate::database::{Database, Session};
use crate::statement::{Statement, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> Profiles for Store<D> {
    async fn create_profile(&self, profile: &NewProfile) -> Result<Profile, StoreError> {
        let NewProfile { arn, platform, validity, created_at } = profile;
        let name = arn.profile().name();
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let created = sql("INSERT INTO profiles (name, arn, platform, validity, status, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING")
            .bind(name.as_str())
            .bind(arn.to_string())
            .bind(platform.id())
            .bind(validity.to_string())
            .bind(ProfileStatus::Active.to_string())
            .bind(created_at.as_millis());
            if change.execute(created).await? == 0 {
                return Err(StoreError::AlreadyExists(format!("signing profile {name}")).into());
            }
            change.commit().await
        })
        .await?;
        let NewProfile { arn, platform, validity, created_at } = profile.clone();
        Ok(Profile { arn, platform, validity, status: ProfileStatus::Active, created_at })
    }

    async fn profile(&self, name: &ProfileName) -> Result<Option<Profile>, StoreError> {
        attempt(move || async move {
            let row = ProfileRow::select("WHERE name = $1").bind(name.as_str());
            let rows: Vec<ProfileRow> = self.database.rows(row).await?;
            Ok(rows.into_iter().next().map(Profile::try_from).transpose()?)
        })
        .await
    }

    async fn profiles(&self) -> Result<Vec<Profile>, StoreError> {
        let rows =
            attempt(move || self.database.rows::<ProfileRow>(ProfileRow::select("ORDER BY name"))).await?;
        rows.into_iter().map(Profile::try_from).collect()
    }

    async fn cancel_profile(&self, name: &ProfileName) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let row = ProfileRow::select("WHERE name = $1").bind(name.as_str()).for_update();
            let row: Option<ProfileRow> = change.row(row).await?;
            let missing = || StoreError::NotFound(format!("signing profile {name}"));
            let profile = Profile::try_from(row.ok_or_else(missing)?)?;
            match profile.status {
                ProfileStatus::Revoked => {
                    Err(StoreError::Conflict(format!("signing profile {name} is revoked")).into())
                }
                ProfileStatus::Canceled => Ok(()),
                ProfileStatus::Active => {
                    set_status(&mut change, &profile.arn, ProfileStatus::Canceled).await?;
                    change.commit().await
                }
            }
        })
        .await
    }
}

/// Sets the status of a profile version; false if there is none.
pub(crate) async fn set_status(
    change: &mut impl Session,
    profile: &ProfileVersionArn,
    status: ProfileStatus,
) -> Result<bool, Failure> {
    let set = sql("UPDATE profiles SET status = $1 WHERE arn = $2");
    Ok(change.execute(set.bind(status.to_string()).bind(profile.to_string())).await? == 1)
}

#[derive(sqlx::FromRow)]
struct ProfileRow {
    name: String,
    arn: String,
    platform: String,
    validity: String,
    status: String,
    created_at: i64,
}

impl ProfileRow {
    fn select(which: &str) -> Statement {
        sql(format!("SELECT name, arn, platform, validity, status, created_at FROM profiles {which}"))
    }
}

impl TryFrom<ProfileRow> for Profile {
    type Error = StoreError;

    fn try_from(row: ProfileRow) -> Result<Self, StoreError> {
        let arn: ProfileVersionArn = parse("profiles.arn", &row.arn)?;
        if arn.profile().name().as_str() != row.name {
            return Err(corrupt("profiles.arn", format!("profile {} has the ARN {arn}", row.name)));
        }
        Ok(Self {
            arn,
            platform: parse("profiles.platform", &row.platform)?,
            validity: parse("profiles.validity", &row.validity)?,
            status: parse_status(&row.status)?,
            created_at: instant("profiles.created_at", row.created_at)?,
        })
    }
}

fn parse_status(text: &str) -> Result<ProfileStatus, StoreError> {
    match text {
        "Active" => Ok(ProfileStatus::Active),
        "Canceled" => Ok(ProfileStatus::Canceled),
        "Revoked" => Ok(ProfileStatus::Revoked),
        _ => Err(corrupt("profiles.status", format!("{text:?} is no status"))),
    }
}
