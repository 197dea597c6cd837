//! Signing profiles.

use async_trait::async_trait;
use countersign_domain::{ProfileName, ProfileVersionArn, TagKey, Tags, UnixMillis};
use countersign_ports::StoreError;
use countersign_ports::profiles::{
    NewProfile, Profile, ProfileFilter, ProfileRevocation, ProfileStatus, Profiles,
};

use crate::attempt::{Failure, attempt};
use crate::columns::{corrupt, from_json, instant, parse, to_json};
use crate::database::{Database, Session};
use crate::statement::{Conditions, Statement, sql};
use crate::store::Store;

#[async_trait]
impl<D: Database> Profiles for Store<D> {
    async fn create_profile(&self, profile: &NewProfile) -> Result<Profile, StoreError> {
        let NewProfile { arn, platform, validity, tags, created_at } = profile;
        let name = arn.profile().name();
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let created =
                sql("INSERT INTO profiles (name, arn, platform, validity, status, tags, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING")
                .bind(name.as_str())
                .bind(arn.to_string())
                .bind(platform.id())
                .bind(validity.to_string())
                .bind(ProfileStatus::Active.to_string())
                .bind(to_json("profiles.tags", tags)?)
                .bind(created_at.as_millis());
            if change.execute(created).await? == 0 {
                return Err(StoreError::AlreadyExists(format!("signing profile {name}")).into());
            }
            change.commit().await
        })
        .await?;
        Ok(profile.clone().created())
    }

    async fn profile(&self, name: &ProfileName) -> Result<Option<Profile>, StoreError> {
        attempt(move || async move {
            let row = ProfileRow::select("WHERE name = $1").bind(name.as_str());
            let rows: Vec<ProfileRow> = self.database.rows(row).await?;
            Ok(rows.into_iter().next().map(Profile::try_from).transpose()?)
        })
        .await
    }

    async fn list_profiles(
        &self,
        filter: &ProfileFilter,
        after: Option<&ProfileName>,
        max: usize,
    ) -> Result<Vec<Profile>, StoreError> {
        let rows = attempt(move || self.database.rows::<ProfileRow>(page(filter, after, max))).await?;
        rows.into_iter().map(Profile::try_from).collect()
    }

    async fn cancel_profile(&self, name: &ProfileName, at: UnixMillis) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            match held(&mut change, name).await?.status {
                ProfileStatus::Revoked => {
                    Err(StoreError::Conflict(format!("signing profile {name} is revoked")).into())
                }
                ProfileStatus::Canceled => Ok(()),
                ProfileStatus::Active => {
                    let canceled = sql("UPDATE profiles SET status = $1, canceled_at = $2 WHERE name = $3")
                        .bind(ProfileStatus::Canceled.to_string())
                        .bind(at.as_millis())
                        .bind(name.as_str());
                    change.execute(canceled).await?;
                    change.commit().await
                }
            }
        })
        .await
    }

    async fn tag_profile(&self, name: &ProfileName, tags: &Tags) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let standing = held(&mut change, name).await?.tags;
            let tags = standing.with(tags);
            let tags =
                tags.map_err(|error| StoreError::Conflict(format!("signing profile {name}: {error}")))?;
            set_tags(&mut change, name, &tags).await?;
            change.commit().await
        })
        .await
    }

    async fn untag_profile(&self, name: &ProfileName, keys: &[TagKey]) -> Result<(), StoreError> {
        attempt(move || async move {
            let mut change = self.database.begin().await?;
            let tags = held(&mut change, name).await?.tags.without(keys);
            set_tags(&mut change, name, &tags).await?;
            change.commit().await
        })
        .await
    }
}

fn page(filter: &ProfileFilter, after: Option<&ProfileName>, max: usize) -> Statement {
    let mut wanted = Conditions::default();
    let [active, canceled, revoked] = ProfileStatus::ALL
        .map(|status| filter.wanted_statuses().contains(&status).then(|| status.to_string()).into());
    wanted.and("profiles.status IN (?, ?, ?)", [active, canceled, revoked]);
    if let Some(platform) = filter.platform {
        wanted.and("profiles.platform = ?", [platform.id().into()]);
    }
    if let Some(after) = after {
        wanted.and("profiles.name > ?", [after.as_str().into()]);
    }
    let page = wanted.statement(|which, next| {
        ProfileRow::select(&format!("{which} ORDER BY profiles.name LIMIT ${next}"))
    });
    page.bind(i64::try_from(max).unwrap_or(i64::MAX))
}

/// The profile, whose row this change holds.
async fn held(change: &mut impl Session, name: &ProfileName) -> Result<Profile, Failure> {
    let row = ProfileRow::select("WHERE name = $1").bind(name.as_str()).for_update("profiles");
    let row: Option<ProfileRow> = change.row(row).await?;
    let missing = || StoreError::NotFound(format!("signing profile {name}"));
    Ok(Profile::try_from(row.ok_or_else(missing)?)?)
}

async fn set_tags(change: &mut impl Session, name: &ProfileName, tags: &Tags) -> Result<(), Failure> {
    let set = sql("UPDATE profiles SET tags = $1 WHERE name = $2");
    change.execute(set.bind(to_json("profiles.tags", tags)?).bind(name.as_str())).await?;
    Ok(())
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
    tags: String,
    created_at: i64,
    canceled_at: Option<i64>,
    effective_from: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by: Option<String>,
    reason: Option<String>,
}

impl ProfileRow {
    fn select(which: &str) -> Statement {
        sql(format!(
            "SELECT name, arn, platform, validity, status, tags, created_at, canceled_at, effective_from, revoked_at,
                 revoked_by, reason
             FROM profiles LEFT JOIN revocations ON revocations.revoked = profiles.arn {which}"
        ))
    }

    fn revocation(&self) -> Result<Option<ProfileRevocation>, StoreError> {
        let Some(reason) = self.reason.clone() else { return Ok(None) };
        let missing = || corrupt("revocations.revoked", format!("the record of {} has gaps", self.arn));
        Ok(Some(ProfileRevocation {
            effective_from: instant("revocations.effective_from", self.effective_from.ok_or_else(missing)?)?,
            revoked_at: instant("revocations.revoked_at", self.revoked_at.ok_or_else(missing)?)?,
            revoked_by: parse("revocations.revoked_by", self.revoked_by.as_deref().ok_or_else(missing)?)?,
            reason,
        }))
    }
}

impl TryFrom<ProfileRow> for Profile {
    type Error = StoreError;

    fn try_from(row: ProfileRow) -> Result<Self, StoreError> {
        let arn: ProfileVersionArn = parse("profiles.arn", &row.arn)?;
        if arn.profile().name().as_str() != row.name {
            return Err(corrupt("profiles.arn", format!("profile {} has the ARN {arn}", row.name)));
        }
        let (status, revocation) = (parse_status(&row.status)?, row.revocation()?);
        if (status == ProfileStatus::Revoked) != revocation.is_some() {
            return Err(corrupt(
                "profiles.status",
                format!("{arn} is {status}, its revocation says otherwise"),
            ));
        }
        Ok(Self {
            arn,
            platform: parse("profiles.platform", &row.platform)?,
            validity: parse("profiles.validity", &row.validity)?,
            status,
            tags: from_json("profiles.tags", &row.tags)?,
            created_at: instant("profiles.created_at", row.created_at)?,
            canceled_at: row.canceled_at.map(|at| instant("profiles.canceled_at", at)).transpose()?,
            revocation,
        })
    }
}

fn parse_status(text: &str) -> Result<ProfileStatus, StoreError> {
    let known = ProfileStatus::ALL.into_iter().find(|status| status.to_string() == text);
    known.ok_or_else(|| corrupt("profiles.status", format!("{text:?} is no status")))
}
