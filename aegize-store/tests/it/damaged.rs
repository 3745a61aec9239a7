//! What somebody changed behind the store is refused.

use aegize_core::{ApprovalErrorKind, Approver, GuardError};
use pollster::block_on;
use tempfile::TempDir;

use crate::places::Place;
use crate::samples::{ASK, asked, context, pay};

of_every_database!(
    a_grant_that_was_changed_lets_nothing_run,
    a_key_that_was_changed_is_told
);

fn a_grant_that_was_changed_lets_nothing_run(place: &Place) {
    // What is set, and what then is told; all of it lets a call run or extends a grant.
    let changes = [
        ("state = 'granted'", "its columns and its body differ"),
        (
            r#"body = replace(body, '"state":"requested"', '"state":"granted"'), state = 'granted'"#,
            "it is granted, and its approvers do not meet its terms",
        ),
        (
            r#"body = replace(body, '"quorum":2', '"quorum":1')"#,
            "its columns and its body differ",
        ),
        (
            "expires_at = expires_at + 1",
            "its columns and its body differ",
        ),
        ("revision = revision + 1", "its columns and its body differ"),
        (
            "updated_at = updated_at - 1",
            "its columns and its body differ",
        ),
        ("agent_id = 'other'", "its columns and its body differ"),
        ("body = '{}'", "cannot be read: missing field `id`"),
        ("body = ''", "cannot be read: EOF"),
        (
            r#"body = replace(body, '"id":', '"more":1,"id":')"#,
            "unknown field `more`",
        ),
    ];
    let policy = ASK.replace("tool: pay", "tool: pay, quorum: 2");
    for (change, told) in changes {
        let place = place.another();
        let folder = TempDir::new().unwrap();
        let approvals = place.approvals();
        let context = context(&policy, &folder, approvals.clone());
        let id = asked(pay(&context, 5));
        place.tamper(&format!("UPDATE aegize_requests SET {change}"));
        match pay(&context, 5) {
            Err(GuardError::ApprovalUnavailable(error)) => {
                let error = error.to_string();
                assert!(error.contains(told), "{change}: {error}");
            }
            other => panic!("{change}: {other:?}"),
        }
        let desk = approvals.desk(context.audit_log());
        let alice = Approver::new("alice").unwrap();
        let error = block_on(desk.approve(id, &alice, None)).unwrap_err();
        assert_eq!(error.kind(), ApprovalErrorKind::Store);
        assert!(error.to_string().contains(&id.to_string()), "{error}");
    }
}

fn a_key_that_was_changed_is_told(place: &Place) {
    let store = place.open();
    block_on(store.key()).unwrap();
    match place {
        Place::Sqlite(_) => place.tamper("UPDATE aegize_key SET bytes = x'00'"),
        _ => place.tamper(r"UPDATE aegize_key SET bytes = '\x00'"),
    }
    let error = block_on(place.open().key()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the key of the store is not one of 32 bytes"
    );
}
