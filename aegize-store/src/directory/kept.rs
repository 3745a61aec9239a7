//! Approvers and their tokens in a database.

use aegize_core::Approver;

use super::{KeptToken, TokenInfo};
use crate::database::{Database, on};
use crate::error::StoreError;
use crate::row;

const SELECT: &str = "SELECT id, name, groups, slack, created_at, hash FROM aegize_tokens \
     JOIN aegize_approvers ON approver = name ORDER BY name, created_at, id";

const SELECT_ONE: &str = "SELECT id, name, groups, slack, created_at, hash FROM aegize_tokens \
     JOIN aegize_approvers ON approver = name WHERE id = $1";

type Row = (String, String, String, Option<String>, i64, String);

/// Keeps a token, and who has it.
pub(super) async fn keep(database: Database, token: KeptToken) -> Result<(), StoreError> {
    const PERSON: &str = "INSERT INTO aegize_approvers (name, groups, slack) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET groups = excluded.groups, \
         slack = coalesce(excluded.slack, aegize_approvers.slack)";
    const TOKEN: &str = "INSERT INTO aegize_tokens (id, approver, hash, created_at) \
         VALUES ($1, $2, $3, (SELECT now FROM aegize_clock))";
    let KeptToken { info, hash } = token;
    let name = info.approver.name();
    let groups = serde_json::to_string(info.approver.groups()).map_err(StoreError::malformed)?;
    on!(&database, writes, |pool| {
        let mut transaction = pool.begin().await?;
        let person = sqlx::query(PERSON).bind(name).bind(groups);
        let person = person.bind(&info.slack).execute(&mut *transaction).await;
        person.map_err(|error| taken(error, info.slack.as_deref()))?;
        let token = sqlx::query(TOKEN).bind(&info.id).bind(name).bind(hash);
        token.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    })
}

fn taken(error: sqlx::Error, slack: Option<&str>) -> StoreError {
    let is_taken = error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation);
    match slack {
        Some(user) if is_taken => StoreError::malformed(format!(
            "another approver is the user `{user}` in Slack; give this one's own id"
        )),
        _ => error.into(),
    }
}

/// Removes a token, and whoever has none any more; tells whose it was. The name is not looked at: a
/// token of someone who could be no approver is removed all the same.
pub(super) async fn remove(database: Database, id: String) -> Result<Option<String>, StoreError> {
    const TOKEN: &str = "DELETE FROM aegize_tokens WHERE id = $1 RETURNING approver";
    const PERSON: &str = "DELETE FROM aegize_approvers WHERE name = $1 \
         AND NOT EXISTS (SELECT 1 FROM aegize_tokens WHERE approver = $1)";
    on!(&database, writes, |pool| {
        let mut transaction = pool.begin().await?;
        let removed = sqlx::query_scalar(TOKEN).bind(id);
        let removed: Option<String> = removed.fetch_optional(&mut *transaction).await?;
        let Some(name) = removed else {
            return Ok(None);
        };
        let person = sqlx::query(PERSON).bind(&name);
        person.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(name))
    })
}

pub(super) async fn tokens(database: Database) -> Result<Vec<KeptToken>, StoreError> {
    on!(&database, reads, |pool| {
        let rows: Vec<Row> = sqlx::query_as(SELECT).fetch_all(pool).await?;
        rows.into_iter().map(read).collect()
    })
}

pub(super) async fn token(database: Database, id: String) -> Result<Option<KeptToken>, StoreError> {
    on!(&database, reads, |pool| {
        let found = sqlx::query_as(SELECT_ONE).bind(id);
        let row: Option<Row> = found.fetch_optional(pool).await?;
        row.map(read).transpose()
    })
}

pub(super) async fn by_name(
    database: Database,
    name: String,
) -> Result<Option<Approver>, StoreError> {
    const FIND: &str = "SELECT name, groups FROM aegize_approvers WHERE name = $1";
    on!(&database, reads, |pool| {
        let found = sqlx::query_as(FIND).bind(name);
        let row: Option<(String, String)> = found.fetch_optional(pool).await?;
        row.map(|(name, groups)| person(name, &groups)).transpose()
    })
}

pub(super) async fn by_slack(
    database: Database,
    user: String,
) -> Result<Option<Approver>, StoreError> {
    const FIND: &str = "SELECT name, groups FROM aegize_approvers WHERE slack = $1";
    on!(&database, reads, |pool| {
        let found = sqlx::query_as(FIND).bind(user);
        let row: Option<(String, String)> = found.fetch_optional(pool).await?;
        row.map(|(name, groups)| person(name, &groups)).transpose()
    })
}

fn read((id, name, groups, slack, created_at, hash): Row) -> Result<KeptToken, StoreError> {
    Ok(KeptToken {
        info: TokenInfo {
            id,
            approver: person(name, &groups)?,
            slack,
            created_at: Some(row::time(created_at)?),
        },
        hash,
    })
}

fn person(name: String, groups: &str) -> Result<Approver, StoreError> {
    let damaged = |problem: &dyn std::fmt::Display| {
        StoreError::damaged(format!("the store has an approver who is none: {problem}"))
    };
    let groups: Vec<String> = serde_json::from_str(groups).map_err(|error| damaged(&error))?;
    let approver = Approver::new(name);
    groups
        .into_iter()
        .fold(approver, |approver, group| approver?.group(group))
        .map_err(|error| damaged(&error))
}
