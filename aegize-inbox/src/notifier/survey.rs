//! Notes in the outbox what the requests say has to be told. The invariant: a request that cannot be
//! read keeps nobody from being told of the others.

use std::collections::{BTreeSet, HashSet};

use aegize_core::{ApprovalErrorKind, ApprovalList, ApprovalQuery, ApprovalRequest, ApprovalState};
use aegize_store::DeliveryKind;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Notifier, NotifierError, plan};

/// How many requests are read at once.
const PAGE: usize = 100;

/// What a look at the requests came to.
pub(super) struct Survey {
    /// When there will be more to tell.
    pub(super) next: Option<OffsetDateTime>,
    /// Which requests cannot be read, in words.
    pub(super) unreadable: Option<String>,
}

impl Notifier {
    /// Notes what has to be told by now.
    pub(super) async fn survey(&self) -> Result<Survey, NotifierError> {
        let now = self.channels.now();
        let mut next: Option<OffsetDateTime> = None;
        let mut living = HashSet::new();
        let mut unreadable = BTreeSet::new();
        let mut query = ApprovalQuery::newest(PAGE);
        query.states = vec![ApprovalState::Requested, ApprovalState::Granted];
        loop {
            let ApprovalList {
                requests,
                unreadable: left_out,
                ..
            } = self.desk.requests(&query).await?;
            unreadable.extend(left_out);
            for request in &requests {
                living.insert(request.id());
                self.note(request, now).await?;
                let reminder = plan::reminder(request).filter(|reminder| *reminder > now);
                next = next.into_iter().chain(reminder).min();
            }
            match requests.last() {
                Some(last) if requests.len() == PAGE => query.before = Some(last.id()),
                _ => break,
            }
        }
        self.noted().retain(|(id, ..)| living.contains(id));
        for (id, name) in self.outbox.unended().await? {
            let mut channels = self.channels.all();
            let is_known = living.contains(&id) || unreadable.contains(&id);
            if is_known || !channels.any(|channel| channel.name == name) {
                continue;
            }
            match self.note_end(id, &name).await {
                Err(NotifierError::Approvals(error))
                    if error.kind() == ApprovalErrorKind::Damaged =>
                {
                    unreadable.insert(id);
                }
                noted => noted?,
            }
        }
        let ids: Vec<_> = unreadable.iter().map(Uuid::to_string).collect();
        let message = format!(
            "approval requests that cannot be read, and of which nobody is told: {}",
            ids.join(", ")
        );
        Ok(Survey {
            next,
            unreadable: Some(message).filter(|_| !ids.is_empty()),
        })
    }

    /// Notes what has to be told of a request that is not at its end.
    async fn note(
        &self,
        request: &ApprovalRequest,
        now: OffsetDateTime,
    ) -> Result<(), NotifierError> {
        let id = request.id();
        let kinds = plan::kinds(request, now);
        for channel in self.channels.all() {
            if !channel.selects(request) {
                continue;
            }
            for kind in &kinds {
                let noted = (id, channel.name.clone(), *kind);
                if self.noted().contains(&noted) {
                    continue;
                }
                // Who was not asked is not told of the answer.
                let is_wanted =
                    *kind != DeliveryKind::Granted || self.first(id, channel).await?.is_some();
                if is_wanted {
                    self.outbox.enqueue(id, &channel.name, *kind).await?;
                }
                self.noted().insert(noted);
            }
        }
        Ok(())
    }

    async fn note_end(&self, id: Uuid, channel: &str) -> Result<(), NotifierError> {
        match self.desk.request(id).await {
            Ok(request) if request.state().is_end() => {
                let kind = DeliveryKind::Ended;
                self.outbox.enqueue(id, channel, kind).await?;
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ApprovalErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
