//! Block Kit: what a request looks like in Slack.
//!
//! The invariants: words of agents are plain text, in one line, with Slack's control characters
//! escaped, so that they cannot mention, link, format or stand for another field; a button to
//! approve is only on a message that shows the call whole.

use aegize_core::{ApprovalRequest, ApprovalState};
use aegize_store::DeliveryKind;
use serde_json::{Value, json};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use super::super::notice::{Notice, names};
use super::super::text::one_line;

/// The action ids of the buttons.
pub(super) const APPROVE: &str = "aegize_approve";
pub(super) const REJECT: &str = "aegize_reject";

// Slack's limits are 2000 characters a field, 10 fields a section, 3000 characters a section,
// 150 a header, 50 blocks, and some 13 000 characters of text in all.
const LONGEST_FIELD: usize = 2000;
const MOST_FIELDS: usize = 10;
const LONGEST_HEADER: usize = 150;
pub(super) const LONGEST_SECTION: usize = 3000;
/// For names and values of arguments and metadata together.
const LONGEST_VALUES: usize = 5000;
const MOST_VALUES: usize = 50;
/// For each of the facts about the call, and for the line of notifications.
const LONGEST_FACT: usize = 500;

/// A message with where it goes.
pub(super) fn addressed(mut message: Value, place: &[(&str, Value)]) -> Value {
    if let Value::Object(fields) = &mut message {
        let place = place.iter().cloned();
        fields.extend(place.map(|(name, value)| (name.to_owned(), value)));
    }
    message
}

/// The message that tells of a request: its question while people are asked, and after that what
/// became of it.
pub(super) fn whole(notice: &Notice<'_>) -> Value {
    let request = notice.request;
    let question = request.question();
    let action = &question.action;
    let mut page = Page::default();
    page.header(&title(request));

    let mut facts = vec![
        ("Tool", action.tool_name.to_string()),
        ("Operation", action.operation.to_string()),
        ("Agent", action.agent_id.to_string()),
        ("Risk", action.risk_level.to_string()),
    ];
    if let Some(environment) = action.metadata.get("environment") {
        facts.push(("Environment", plain(environment)));
    }
    if !question.acting_for.is_empty() {
        facts.push(("On behalf of", question.acting_for.join(", ")));
    }
    let is_asked = request.state() == ApprovalState::Requested;
    if is_asked {
        facts.push(("Approvers", approvers(request)));
        facts.push(("Answer until", minute(request.expires_at())));
    }
    facts.push(("Why", question.reason.clone()));
    let mut is_cut = false;
    for (name, value) in facts {
        is_cut |= page.field(name, &value);
    }
    page.flush();

    let values = action.arguments.iter().map(|pair| ("argument", pair));
    let others = action.metadata.iter().map(|pair| ("metadata", pair));
    let others = others.filter(|(_, (name, _))| *name != "environment");
    let mut room = LONGEST_VALUES;
    for (index, (what, (name, value))) in values.chain(others).enumerate() {
        let (name, is_name_cut) = escaped(name, LONGEST_FACT);
        let (value, is_value_cut) = escaped(&value.to_string(), LONGEST_FIELD);
        let length = name.chars().count() + value.chars().count();
        if index == MOST_VALUES || length > room {
            is_cut = true;
            break;
        }
        room -= length;
        is_cut |= is_name_cut || is_value_cut;
        page.pair(plain_text(&format!("{what} {name}")), &value);
    }
    page.flush();

    page.notes(request);
    if is_asked {
        if is_cut {
            let id = request.id();
            page.section(&format!(
                "This call is too long to be shown whole, so it cannot be approved here. See all \
                 of it in the inbox, or with `aegize approvals show {id}`."
            ));
        }
        let offered: &[_] = if is_cut {
            &[REJECT]
        } else {
            &[APPROVE, REJECT]
        };
        page.buttons(notice, offered);
    } else {
        page.section(&outcome(request));
        page.buttons(notice, &[]);
    }
    json!({
        "text": fallback(notice),
        "blocks": page.blocks,
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// A reply that says that a request still waits.
pub(super) fn reminder(notice: &Notice<'_>) -> Value {
    let request = notice.request;
    let mut text = fallback(notice);
    if notice.kind == DeliveryKind::Escalated {
        let terms = request.question().terms.iter();
        let people: Vec<_> = terms.flat_map(|terms| names(terms.escalate_to())).collect();
        text = format!(
            "{text} Now also for {}.",
            escaped(&people.join(", "), LONGEST_FACT).0
        );
    }
    let mut page = Page::default();
    page.plain_section(&text);
    page.buttons(notice, &[]);
    json!({"text": text, "blocks": page.blocks, "mrkdwn": false})
}

/// Blocks, and the fields that are not yet in one.
#[derive(Default)]
struct Page {
    blocks: Vec<Value>,
    fields: Vec<Value>,
}

impl Page {
    fn header(&mut self, text: &str) {
        let text = escaped(text, LONGEST_HEADER).0;
        self.blocks
            .push(json!({"type": "header", "text": plain_text(&text)}));
    }

    /// A fact with its label. Whether it is not shown whole.
    fn field(&mut self, label: &str, value: &str) -> bool {
        let (value, is_cut) = escaped(value, LONGEST_FACT);
        self.pair(
            json!({"type": "mrkdwn", "text": format!("*{label}*")}),
            &value,
        );
        is_cut
    }

    fn pair(&mut self, label: Value, value: &str) {
        self.fields.push(label);
        self.fields.push(plain_text(value));
        if self.fields.len() == MOST_FIELDS {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.fields.is_empty() {
            let fields = std::mem::take(&mut self.fields);
            self.blocks
                .push(json!({"type": "section", "fields": fields}));
        }
    }

    fn section(&mut self, text: &str) {
        let text = escaped(text, LONGEST_SECTION).0;
        self.plain_section(&text);
    }

    /// Of a text that is escaped.
    fn plain_section(&mut self, text: &str) {
        self.blocks
            .push(json!({"type": "section", "text": plain_text(text)}));
    }

    /// Who approved so far, how many calls ask, and the rule.
    fn notes(&mut self, request: &ApprovalRequest) {
        let question = request.question();
        let mut notes = vec![format!("rule {}", question.rule)];
        if !question.redacted.is_empty() {
            notes.push(format!("redacted: {}", question.redacted.join(", ")));
        }
        if request.asked() > 1 {
            notes.push(format!("asked by {} calls", request.asked()));
        }
        if !request.approvals().is_empty() {
            let names = request.approvals().iter();
            let names: Vec<_> = names.map(|vote| vote.approver.name()).collect();
            notes.push(format!("approved by {}", names.join(", ")));
        }
        let elements = notes
            .iter()
            .map(|note| plain_text(&escaped(note, LONGEST_FACT).0));
        let elements: Vec<Value> = elements.collect();
        self.blocks
            .push(json!({"type": "context", "elements": elements}));
    }

    /// Buttons that decide, and one that leads to the inbox.
    fn buttons(&mut self, notice: &Notice<'_>, offered: &[&str]) {
        let mut elements = Vec::new();
        for action in offered {
            let (label, style) = match *action {
                APPROVE => ("Approve", "primary"),
                _ => ("Reject", "danger"),
            };
            elements.push(json!({
                "type": "button",
                "action_id": action,
                "style": style,
                "text": plain_text(label),
                "value": notice.request.id(),
            }));
        }
        if let Some(link) = notice.link() {
            elements.push(json!({
                "type": "button",
                "action_id": "aegize_open",
                "text": plain_text("Open in the inbox"),
                "url": link,
            }));
        }
        if !elements.is_empty() {
            self.blocks
                .push(json!({"type": "actions", "elements": elements}));
        }
    }
}

fn title(request: &ApprovalRequest) -> String {
    let action = &request.question().action;
    let what = match request.state() {
        ApprovalState::Requested => "Approval needed",
        ApprovalState::Granted => "Approved",
        ApprovalState::Consumed => "Approved and used",
        ApprovalState::Rejected => "Rejected",
        ApprovalState::Expired => "Expired",
        ApprovalState::Revoked => "Revoked",
        ApprovalState::Withdrawn => "Withdrawn",
    };
    format!("{what}: {} {}", action.tool_name, action.operation)
}

/// The line of notifications, escaped.
fn fallback(notice: &Notice<'_>) -> String {
    let action = &notice.request.question().action;
    let text = format!(
        "{} (agent {}, {} risk).",
        title(notice.request),
        action.agent_id,
        action.risk_level
    );
    let text = match notice.kind {
        DeliveryKind::Reminded | DeliveryKind::Escalated => format!("Still waiting. {text}"),
        _ => text,
    };
    escaped(&text, LONGEST_FACT).0
}

fn approvers(request: &ApprovalRequest) -> String {
    let terms = request.question().terms.iter().map(|terms| {
        let people = names(terms.approvers());
        let people = if people.is_empty() {
            "anyone".to_owned()
        } else {
            people.join(", ")
        };
        format!("{} of {people}", terms.quorum())
    });
    terms.collect::<Vec<_>>().join("; and ")
}

/// What became of a request, or what has been decided so far.
pub(super) fn outcome(request: &ApprovalRequest) -> String {
    let by = |what: &str| match request.refusal() {
        Some(vote) => match &vote.reason {
            Some(reason) => format!("{what} by {}: {reason}", vote.approver.name()),
            None => format!("{what} by {}.", vote.approver.name()),
        },
        None => format!("{what}."),
    };
    match request.state() {
        ApprovalState::Requested => "People are still asked.".to_owned(),
        ApprovalState::Granted => {
            let calls = match request.uses() {
                1 => "One such call".to_owned(),
                uses => format!("{uses} such calls"),
            };
            format!(
                "Granted. {calls} may run until {}.",
                minute(request.expires_at())
            )
        }
        ApprovalState::Consumed => "The approval has been used.".to_owned(),
        ApprovalState::Rejected => by("Rejected"),
        ApprovalState::Revoked => by("Revoked"),
        ApprovalState::Expired => "Nobody answered or used it in time.".to_owned(),
        ApprovalState::Withdrawn => "The caller went away.".to_owned(),
    }
}

/// A time as people read it.
fn minute(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let time = time.to_offset(UtcOffset::UTC);
    time.format(format).unwrap_or_else(|_| time.to_string())
}

/// A value without the quotes of a text.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn plain_text(text: &str) -> Value {
    // Slack refuses an empty text.
    let text = if text.is_empty() { " " } else { text };
    json!({"type": "plain_text", "text": text, "emoji": false})
}

/// A text in one line with Slack's control characters escaped, of at most so many characters; and
/// whether it was cut for that.
pub(super) fn escaped(text: &str, limit: usize) -> (String, bool) {
    let mut shown = String::new();
    let mut length = 0;
    for c in one_line(text).chars() {
        let whole = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        length += whole.len().max(1);
        if length >= limit {
            shown.push('…');
            return (shown, true);
        }
        if whole.is_empty() {
            shown.push(c);
        } else {
            shown.push_str(whole);
        }
    }
    (shown, false)
}
