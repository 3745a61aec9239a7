//! What became of requests between two looks at the store.
//!
//! The invariant: of every request that is open at a look, each later state in which a look finds it is
//! told once, and its end is never left out.

use std::collections::{HashMap, HashSet};

use aegize::{ApprovalDesk, ApprovalList, ApprovalQuery, ApprovalRequest, ApprovalState};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::list::warn_unreadable;
use crate::exit::Failure;

/// How many requests are looked at at once.
const PAGE: usize = 500;

/// The requests that were open when they were last looked at.
#[derive(Default)]
pub(super) struct Changes {
    open: HashMap<Uuid, Known>,
    /// The newest request that was seen. Those before it that are not open have ended before.
    newest: Option<Uuid>,
    /// What could not be read at the last look.
    unreadable: HashSet<Uuid>,
}

struct Known {
    revision: u64,
    expires_at: OffsetDateTime,
}

impl Changes {
    /// What has changed since the last look, in that order; at the first, what is open.
    ///
    /// # Errors
    ///
    /// If the store or the log fails.
    pub(super) async fn look(
        &mut self,
        desk: &ApprovalDesk,
    ) -> Result<Vec<ApprovalRequest>, Failure> {
        let mut found = open(desk).await?;
        match self.newest {
            None => {
                let newest = desk.requests(&ApprovalQuery::newest(1)).await?;
                self.newest = newest
                    .requests
                    .first()
                    .map(ApprovalRequest::id)
                    .or(Some(Uuid::nil()));
            }
            Some(newest) => {
                let since = since(desk, newest).await?;
                found.requests.extend(since.requests);
                found.unreadable.extend(since.unreadable);
            }
        }
        let unreadable: HashSet<_> = found.unreadable.into_iter().collect();
        let new: Vec<_> = unreadable.difference(&self.unreadable).copied().collect();
        warn_unreadable(&new);
        let mut now = HashMap::with_capacity(found.requests.len());
        let mut changed = Vec::new();
        for request in found.requests {
            let id = request.id();
            if now.contains_key(&id) {
                continue;
            }
            let known = self.open.remove(&id);
            now.insert(id, Known::from(&request));
            self.newest = self.newest.max(Some(id));
            if known.is_none_or(|known| known.revision != request.revision()) {
                changed.push(request);
            }
        }
        for (id, known) in self.open.drain() {
            if unreadable.contains(&id) {
                // Whatever it is when it can be read again is told then.
                now.insert(id, known);
                continue;
            }
            let request = desk.request(id).await?;
            now.insert(id, Known::from(&request));
            changed.push(request);
        }
        self.unreadable = unreadable;
        let ended = changed.iter().filter(|request| request.state().is_end());
        for request in ended {
            now.remove(&request.id());
        }
        self.open = now;
        changed.sort_by_key(|request| (request.updated_at(), request.id()));
        Ok(changed)
    }

    /// Whether something has expired that was open: no store tells of that.
    pub(super) fn has_expired(&self) -> bool {
        let now = OffsetDateTime::now_utc();
        self.open.values().any(|known| known.expires_at <= now)
    }
}

impl From<&ApprovalRequest> for Known {
    fn from(request: &ApprovalRequest) -> Self {
        Self {
            revision: request.revision(),
            expires_at: request.expires_at(),
        }
    }
}

/// Everything that may still change.
async fn open(desk: &ApprovalDesk) -> Result<ApprovalList, Failure> {
    let mut query = ApprovalQuery::newest(PAGE);
    query.states = vec![ApprovalState::Requested, ApprovalState::Granted];
    pages(desk, query, |_| true).await
}

/// Everything that is newer than a request, also what has ended already.
async fn since(desk: &ApprovalDesk, id: Uuid) -> Result<ApprovalList, Failure> {
    pages(desk, ApprovalQuery::newest(PAGE), |found| found > id).await
}

async fn pages(
    desk: &ApprovalDesk,
    mut query: ApprovalQuery,
    is_wanted: impl Fn(Uuid) -> bool,
) -> Result<ApprovalList, Failure> {
    let mut found = ApprovalList::default();
    loop {
        let mut page = desk.requests(&query).await?;
        query.before = page.requests.last().map(ApprovalRequest::id);
        page.requests.retain(|request| is_wanted(request.id()));
        page.unreadable.retain(|id| is_wanted(*id));
        let is_last = page.requests.len() < PAGE;
        found.requests.append(&mut page.requests);
        found.unreadable.append(&mut page.unreadable);
        if is_last {
            return Ok(found);
        }
    }
}
