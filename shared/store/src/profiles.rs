//! Signing profiles.

use async_trait::async_trait;
use countersign_domain::{ProfileName, ProfileVersionArn};
use countersign_ports::StoreError;
use countersign_ports::profiles::{NewProfile, Profile, ProfileStatus, Profiles};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::rows::{corrupt, instant, parse, unavailable};

#[async_trait]
impl Profiles for SqliteStore {
    async fn create_profile(&self, profile: &NewProfile) -> Result<Profile, StoreError> {
        let NewProfile { arn, platform, validity, created_at } = profile.clone();
        let name = arn.profile().name().clone();
        let mut change = self.begin_write().await?;
        let created = sqlx::query(
            "INSERT INTO profiles (name, arn, platform, validity, status, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name.as_str())
        .bind(arn.to_string())
        .bind(platform.id())
        .bind(validity.to_string())
        .bind(ProfileStatus::Active.to_string())
        .bind(created_at.as_millis())
        .execute(&mut *change)
        .await
        .map_err(unavailable)?;
        if created.rows_affected() == 0 {
            return Err(StoreError::AlreadyExists(format!("signing profile {name}")));
        }
        self.commit(change).await?;
        Ok(Profile { arn, platform, validity, status: ProfileStatus::Active, created_at })
    }

    async fn profile(&self, name: &ProfileName) -> Result<Option<Profile>, StoreError> {
        let row =
            sqlx::query_as::<_, ProfileRow>("SELECT * FROM profiles WHERE name = $1").bind(name.as_str());
        row.fetch_optional(&self.readers).await.map_err(unavailable)?.map(Profile::try_from).transpose()
    }

    async fn profiles(&self) -> Result<Vec<Profile>, StoreError> {
        let rows = sqlx::query_as::<_, ProfileRow>("SELECT * FROM profiles ORDER BY name");
        rows.fetch_all(&self.readers).await.map_err(unavailable)?.into_iter().map(Profile::try_from).collect()
    }

    async fn cancel_profile(&self, name: &ProfileName) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let row =
            sqlx::query_as::<_, ProfileRow>("SELECT * FROM profiles WHERE name = $1").bind(name.as_str());
        let row = row.fetch_optional(&mut *change).await.map_err(unavailable)?;
        let profile =
            Profile::try_from(row.ok_or_else(|| StoreError::NotFound(format!("signing profile {name}")))?)?;
        match profile.status {
            ProfileStatus::Revoked => Err(StoreError::Conflict(format!("signing profile {name} is revoked"))),
            ProfileStatus::Canceled => Ok(()),
            ProfileStatus::Active => {
                set_status(&mut change, &profile.arn, ProfileStatus::Canceled).await?;
                self.commit(change).await
            }
        }
    }
}

/// Sets the status of a profile version; false if there is none.
pub(super) async fn set_status(
    change: &mut SqliteConnection,
    profile: &ProfileVersionArn,
    status: ProfileStatus,
) -> Result<bool, StoreError> {
    let set = sqlx::query("UPDATE profiles SET status = $1 WHERE arn = $2");
    let set = set.bind(status.to_string()).bind(profile.to_string());
    Ok(set.execute(change).await.map_err(unavailable)?.rows_affected() == 1)
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
