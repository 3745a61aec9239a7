//! What somebody changed behind the store is refused.

use aegize_core::{
    ApprovalErrorKind, ApprovalQuery, ApprovalStore as _, Approvals, Approver, AuditLog, GuardError,
};
use pollster::block_on;
use tempfile::TempDir;

use crate::places::Place;
use crate::samples::{ASK, Samples, asked, context, pay};

of_every_database!(
    a_grant_that_was_changed_lets_nothing_run,
    what_cannot_be_read_hides_nothing_else,
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
        assert_eq!(error.kind(), ApprovalErrorKind::Damaged);
        assert!(error.to_string().contains(&id.to_string()), "{error}");
    }
}

fn what_cannot_be_read_hides_nothing_else(place: &Place) {
    let samples = Samples::new();
    let store = place.store();
    let requests: Vec<_> = (0..9).map(|number| samples.bound(number)).collect();
    for request in &requests {
        assert!(block_on(store.insert(request.clone())).unwrap());
    }
    let damaged = [0, 3, 7, 8].map(|number: usize| requests[number].id());
    for (id, change) in damaged.iter().zip([
        "body = ''",
        "state = 'granted'",
        "revision = 9",
        "agent_id = 'other'",
    ]) {
        let id = match place {
            Place::Sqlite(_) => format!("x'{}'", id.simple()),
            _ => format!("'{id}'"),
        };
        place.tamper(&format!(
            "UPDATE aegize_requests SET {change} WHERE id = {id}"
        ));
    }
    let expected = |numbers: &[usize]| -> Vec<_> {
        let numbers = numbers.iter();
        numbers.map(|number| requests[*number].clone()).collect()
    };
    let mut query = ApprovalQuery::newest(4);
    let page = block_on(store.list(query.clone())).unwrap().value;
    assert_eq!(page.requests, expected(&[6, 5, 4, 2]));
    assert_eq!(page.unreadable, [damaged[3], damaged[2], damaged[1]]);
    query.before = Some(page.requests[3].id());
    let page = block_on(store.list(query)).unwrap().value;
    assert_eq!(page.requests, expected(&[1]));
    assert_eq!(page.unreadable, [damaged[0]]);

    let folder = TempDir::new().unwrap();
    let log = AuditLog::open(folder.path().join("audit.jsonl")).unwrap();
    let desk = Approvals::new(store).desk(&log);
    let all = block_on(desk.requests(&ApprovalQuery::newest(9))).unwrap();
    assert_eq!(all.requests, expected(&[6, 5, 4, 2, 1]));
    assert_eq!(all.unreadable.len(), 4);
    let alice = Approver::new("alice").unwrap();
    block_on(desk.approve(all.requests[0].id(), &alice, None)).unwrap();
    for id in all.unreadable {
        let error = block_on(desk.approve(id, &alice, None)).unwrap_err();
        assert_eq!(error.kind(), ApprovalErrorKind::Damaged);
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
