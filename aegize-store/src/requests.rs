//! What is asked of the table of requests.

use aegize_core::{
    ApprovalList, ApprovalQuery, ApprovalRequest, ApprovalState, Binding, BindingKey, Seen,
};
use sqlx::{AssertSqlSafe, FromRow as _, Row as _};
use uuid::Uuid;

use crate::database::{Database, on};
use crate::error::StoreError;
use crate::row::{self, Row, SELECTED, Written, number};

/// The key of bindings, which whoever is first makes for all.
pub(crate) async fn key(database: Database) -> Result<BindingKey, StoreError> {
    const FIND: &str = "SELECT bytes FROM aegize_key";
    const KEEP: &str = "INSERT INTO aegize_key (id, bytes) VALUES (1, $1) ON CONFLICT DO NOTHING";
    on!(&database, writes, |pool| {
        let mut found: Option<Vec<u8>> = sqlx::query_scalar(FIND).fetch_optional(pool).await?;
        if found.is_none() {
            let key = BindingKey::generate().map_err(StoreError::unavailable)?;
            let kept = sqlx::query(KEEP).bind(key.as_bytes().as_slice());
            kept.execute(pool).await?;
            found = sqlx::query_scalar(FIND).fetch_optional(pool).await?;
        }
        let key = found.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        key.map(BindingKey::from_bytes)
            .ok_or_else(|| StoreError::damaged("the key of the store is not one of 32 bytes"))
    })
}

/// How many rows that made: none, if the same is asked already.
pub(crate) async fn insert(database: Database, new: Written) -> Result<u64, StoreError> {
    const INSERT: &str = "INSERT INTO aegize_requests (id, revision, state, binding, scope, \
         standing, terms, agent_id, tool_name, operation, updated_at, expires_at, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (binding, terms) WHERE state = 'requested' DO NOTHING";
    let Written { columns, body, .. } = new;
    on!(&database, writes, |pool| {
        let inserted = sqlx::query(INSERT)
            .bind(columns.id)
            .bind(columns.revision)
            .bind(columns.state)
            .bind(columns.binding)
            .bind(columns.scope)
            .bind(columns.standing)
            .bind(columns.terms)
            .bind(columns.agent_id)
            .bind(columns.tool_name)
            .bind(columns.operation)
            .bind(columns.updated_at)
            .bind(columns.expires_at)
            .bind(body);
        Ok(inserted.execute(pool).await?.rows_affected())
    })
}

/// How many rows that changed: none, if the revision before is not there or its time is over.
pub(crate) async fn replace(database: Database, next: Written) -> Result<u64, StoreError> {
    let Written {
        columns,
        body,
        is_timeless,
    } = next;
    let statement = database.replacing();
    on!(&database, writes, |pool| {
        let replaced = sqlx::query(statement)
            .bind(columns.id)
            .bind(columns.revision)
            .bind(columns.state)
            .bind(columns.standing)
            .bind(columns.updated_at)
            .bind(columns.expires_at)
            .bind(body)
            .bind(is_timeless);
        Ok(replaced.execute(pool).await?.rows_affected())
    })
}

/// One request.
pub(crate) async fn load(
    database: Database,
    id: Uuid,
) -> Result<Seen<Option<ApprovalRequest>>, StoreError> {
    let mut select = Select::new();
    select.and("id = ", [Value::Id(id)]);
    let seen = select.run(database).await?;
    let found = seen.value.into_iter().next().transpose();
    Ok(Seen::new(found.map_err(|damage| damage.error)?, seen.at))
}

/// What may answer a call, the oldest first.
pub(crate) async fn find(
    database: Database,
    binding: Binding,
    scope: Binding,
) -> Result<Seen<Vec<ApprovalRequest>>, StoreError> {
    let mut select = Select::new();
    let bytes = |binding: Binding| [Value::Bytes(binding.as_bytes().to_vec())];
    select.and(
        "state IN ('requested', 'granted', 'rejected') AND binding = ",
        bytes(binding),
    );
    select.text.push_str(" OR standing");
    select.and("scope = ", bytes(scope));
    select.text.push_str(" ORDER BY id");
    let seen = select.run(database).await?;
    // Any of them may be the answer, also one that cannot be read.
    let found: Result<_, Damage> = seen.value.into_iter().collect();
    Ok(Seen::new(found.map_err(|damage| damage.error)?, seen.at))
}

/// What a query selects, the newest first. For what cannot be read, more is looked for.
pub(crate) async fn list(
    database: Database,
    mut query: ApprovalQuery,
) -> Result<Seen<ApprovalList>, StoreError> {
    let mut list = ApprovalList::default();
    loop {
        let seen = selected(&query).run(database.clone()).await?;
        let is_last = seen.value.len() < query.most;
        for found in seen.value {
            match found {
                Ok(request) => {
                    query.before = Some(request.id());
                    query.most -= 1;
                    list.requests.push(request);
                }
                Err(damage) => {
                    query.before = Some(damage.id);
                    list.unreadable.push(damage.id);
                }
            }
        }
        if is_last || query.most == 0 {
            return Ok(Seen::new(list, seen.at));
        }
    }
}

fn selected(query: &ApprovalQuery) -> Select {
    let mut select = Select::new();
    if !query.states.is_empty() {
        let states = query.states.iter();
        select.and("state IN ", states.map(|state| Value::text(state.as_str())));
    }
    let columns = [
        ("agent_id = ", &query.agent_id),
        ("tool_name = ", &query.tool_name),
        ("operation = ", &query.operation),
    ];
    for (column, value) in columns {
        if let Some(value) = value {
            select.and(column, [Value::text(value)]);
        }
    }
    if let Some(before) = query.before {
        select.and("id < ", [Value::Id(before)]);
    }
    select.text.push_str(" ORDER BY id DESC LIMIT ");
    let most = u64::try_from(query.most).unwrap_or(u64::MAX);
    select.values([Value::Number(number(most))]);
    select
}

/// How many requests are in a state.
pub(crate) async fn count(database: Database, state: ApprovalState) -> Result<u64, StoreError> {
    const COUNT: &str = "SELECT count(*) FROM aegize_requests WHERE state = $1";
    on!(&database, reads, |pool| {
        let counted = sqlx::query_scalar(COUNT).bind(state.as_str());
        let count: i64 = counted.fetch_one(pool).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    })
}

/// The revision of a request, if there is one.
pub(crate) async fn revision(database: Database, id: Uuid) -> Result<Option<u64>, StoreError> {
    const FIND: &str = "SELECT revision FROM aegize_requests WHERE id = $1";
    on!(&database, reads, |pool| {
        let found = sqlx::query_scalar(FIND).bind(id);
        let revision: Option<i64> = found.fetch_optional(pool).await?;
        Ok(revision.and_then(|revision| u64::try_from(revision).ok()))
    })
}

/// A row that is not as it was kept.
struct Damage {
    id: Uuid,
    error: StoreError,
}

/// A statement that selects requests.
struct Select {
    text: String,
    values: Vec<Value>,
}

enum Value {
    Id(Uuid),
    Bytes(Vec<u8>),
    Text(String),
    Number(i64),
}

impl Value {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Select {
    fn new() -> Self {
        Self {
            text: format!("SELECT {SELECTED} FROM aegize_requests WHERE TRUE"),
            values: Vec::new(),
        }
    }

    /// One more condition, with a value or, in parentheses, several.
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
        self.values(values);
    }

    fn values(&mut self, values: impl IntoIterator<Item = Value>) {
        self.text.push('(');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.values.push(value);
            self.text.push('$');
            self.text.push_str(&self.values.len().to_string());
        }
        self.text.push(')');
    }

    /// What it selects, and the time after that.
    async fn run(
        self,
        database: Database,
    ) -> Result<Seen<Vec<Result<ApprovalRequest, Damage>>>, StoreError> {
        // Made of words of this file alone; what comes from others is bound.
        let text = AssertSqlSafe(self.text);
        on!(&database, reads, |pool| {
            let mut connection = pool.acquire().await?;
            let mut query = sqlx::query(text);
            for value in self.values {
                query = match value {
                    Value::Id(id) => query.bind(id),
                    Value::Bytes(bytes) => query.bind(bytes),
                    Value::Text(text) => query.bind(text),
                    Value::Number(number) => query.bind(number),
                };
            }
            let rows = query.fetch_all(&mut *connection).await?;
            let clock = sqlx::query_scalar("SELECT now FROM aegize_clock");
            let now = clock.fetch_one(&mut *connection).await?;
            let mut found = Vec::with_capacity(rows.len());
            for row in &rows {
                let id = row.try_get(0)?;
                let read = Row::from_row(row).map_err(StoreError::from);
                let read = read.and_then(row::read);
                found.push(read.map_err(|error| Damage { id, error }));
            }
            Ok(Seen::new(found, row::time(now)?))
        })
    }
}
