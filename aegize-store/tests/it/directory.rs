//! Who is known by a token, a name or an id of Slack.

use std::fs;
use std::sync::{Arc, Mutex};

use aegize_core::Approver;
use aegize_store::{Directory, NewToken, StoreErrorKind};
use pollster::block_on;
use tempfile::TempDir;

use crate::places::Place;

of_every_database!(
    a_token_tells_who_has_it,
    the_last_word_about_a_person_counts,
    whoever_has_no_token_is_nobody,
    one_user_of_slack_is_one_person,
);

fn alice() -> Approver {
    let alice = Approver::new("alice@acme.com").unwrap();
    alice.group("ops").unwrap().group("finance").unwrap()
}

fn bob() -> Approver {
    Approver::new("bob@acme.com").unwrap()
}

fn known(directory: &Directory, token: &str) -> Option<Approver> {
    block_on(directory.authenticate(token)).unwrap()
}

/// The token with its last digit changed.
fn guessed(token: &str) -> String {
    let (rest, last) = token.split_at(token.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

fn a_token_tells_who_has_it(place: &Place) {
    let (directory, other) = (place.store().directory(), place.store().directory());
    let token = block_on(directory.create_token(&alice(), Some("U1"))).unwrap();
    let text = token.text().to_owned();
    assert!(text.starts_with(&format!("agz_{}_", token.id())));
    assert!(!format!("{token:?}").contains(&text[21..]));
    assert_eq!(known(&other, &text), Some(alice()));

    let bobs = block_on(other.create_token(&bob(), None)).unwrap();
    let mixed = format!("agz_{}_{}", token.id(), &bobs.text()[21..]);
    let nobodys = NewToken::generate().unwrap();
    let upper = text.to_uppercase().replace("AGZ", "agz");
    let long = format!("{text}0");
    let wrong = [
        "",
        "agz_",
        "agz__",
        &text[..84],
        &long,
        &upper,
        &mixed,
        nobodys.text(),
    ];
    for wrong in wrong
        .into_iter()
        .chain([&*guessed(&text), &text[4..], &token.hash()])
    {
        assert_eq!(known(&directory, wrong), None, "{wrong}");
    }

    assert_eq!(Directory::token_id(&text), Some(token.id()));
    assert_eq!(Directory::token_id("agz_1_2"), None);
    let info = block_on(directory.token(token.id())).unwrap().unwrap();
    assert_eq!(
        (&info.approver, info.slack.as_deref()),
        (&alice(), Some("U1"))
    );
    assert!(info.created_at.is_some());
    assert_eq!(block_on(directory.token("0")).unwrap(), None);
    let tokens = block_on(directory.tokens()).unwrap();
    assert_eq!(tokens[0], info);
    assert_eq!(tokens[1].approver, bob());
    assert_eq!(tokens.len(), 2);
    // Nothing that was kept tells a token.
    if let Place::Sqlite(folder) = place {
        for file in fs::read_dir(folder.path()).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            let secret = &text.as_bytes()[21..];
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
}

fn the_last_word_about_a_person_counts(place: &Place) {
    let directory = place.store().directory();
    let first = block_on(directory.create_token(&alice(), Some("U1"))).unwrap();
    let demoted = Approver::new("alice@acme.com").unwrap();
    let second = block_on(directory.create_token(&demoted, None)).unwrap();
    assert_eq!(known(&directory, first.text()), Some(demoted.clone()));
    assert_eq!(known(&directory, second.text()), Some(demoted.clone()));
    let by_name = block_on(directory.approver("alice@acme.com")).unwrap();
    assert_eq!(by_name, Some(demoted.clone()));
    assert_eq!(block_on(directory.by_slack("U1")).unwrap(), Some(demoted));
    assert_eq!(
        block_on(directory.approver("Alice@acme.com")).unwrap(),
        None
    );
    assert_eq!(block_on(directory.by_slack("u1")).unwrap(), None);
}

fn whoever_has_no_token_is_nobody(place: &Place) {
    let (directory, other) = (place.store().directory(), place.store().directory());
    let first = block_on(directory.create_token(&alice(), Some("U1"))).unwrap();
    let second = block_on(directory.create_token(&alice(), None)).unwrap();
    let revoked = |id: &str| block_on(other.revoke_token(id)).unwrap();
    assert_eq!(revoked(first.id()).as_deref(), Some("alice@acme.com"));
    assert_eq!(revoked(first.id()), None);
    assert_eq!(known(&directory, first.text()), None);
    assert_eq!(known(&directory, second.text()), Some(alice()));
    assert_eq!(block_on(directory.by_slack("U1")).unwrap(), Some(alice()));
    assert_eq!(revoked(second.id()).as_deref(), Some("alice@acme.com"));
    assert_eq!(known(&directory, second.text()), None);
    assert_eq!(block_on(directory.by_slack("U1")).unwrap(), None);
    assert_eq!(
        block_on(directory.approver("alice@acme.com")).unwrap(),
        None
    );
    assert_eq!(block_on(directory.tokens()).unwrap(), []);
}

fn one_user_of_slack_is_one_person(place: &Place) {
    let directory = place.store().directory();
    block_on(directory.create_token(&alice(), Some("U1"))).unwrap();
    let error = block_on(directory.create_token(&bob(), Some("U1"))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Malformed);
    assert_eq!(
        error.to_string(),
        "another approver is the user `U1` in Slack; give this one's own id"
    );
    assert_eq!(block_on(directory.approver("bob@acme.com")).unwrap(), None);
    assert_eq!(block_on(directory.tokens()).unwrap().len(), 1);
}

#[test]
fn a_file_tells_the_same_and_is_read_when_it_was_changed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("approvers.yaml");
    let token = NewToken::generate().unwrap();
    let write = |text: &str| fs::write(&path, text).unwrap();
    write(&format!(
        "approvers:\n  alice@acme.com:\n    groups: [ops, finance]\n    slack: U1\n    token: \"{}\"\n  \
         bob@acme.com: {{}}\n",
        token.hash()
    ));
    let directory = Directory::from_file(&path).unwrap();
    assert_eq!(known(&directory, token.text()), Some(alice()));
    assert_eq!(known(&directory, &guessed(token.text())), None);
    assert_eq!(
        known(&directory, NewToken::generate().unwrap().text()),
        None
    );
    assert_eq!(block_on(directory.by_slack("U1")).unwrap(), Some(alice()));
    assert_eq!(
        block_on(directory.approver("bob@acme.com")).unwrap(),
        Some(bob())
    );
    let tokens = block_on(directory.tokens()).unwrap();
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].id, token.id());
    assert_eq!(
        block_on(directory.token(token.id())).unwrap(),
        Some(tokens[0].clone())
    );
    for error in [
        block_on(directory.create_token(&bob(), None)).unwrap_err(),
        block_on(directory.revoke_token(token.id())).unwrap_err(),
    ] {
        assert!(
            error
                .to_string()
                .starts_with("the approvers are those of the file `")
        );
    }

    write("approvers: {}");
    assert_eq!(known(&directory, token.text()), None);
    assert_eq!(block_on(directory.by_slack("U1")).unwrap(), None);
    write("approvers: {");
    assert!(block_on(directory.authenticate(token.text())).is_err());
    fs::remove_file(&path).unwrap();
    assert!(block_on(directory.authenticate(token.text())).is_err());
    assert!(Directory::from_file(&path).is_err());
}

#[test]
fn what_is_wrong_with_a_file_is_told_once_for_each_change() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("approvers.yaml");
    let write = |text: &str| fs::write(&path, text).unwrap();
    write("approvers: {alice@acme.com: {}}");
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let directory = Directory::from_file(&path)
        .unwrap()
        .on_trouble(move |trouble| teller.lock().unwrap().push(trouble.to_owned()));
    let asked = || block_on(directory.clone().approver("alice@acme.com"));
    let expect = |expected: &[&str]| {
        for _ in 0..3 {
            let error = asked().unwrap_err().to_string();
            assert!(error.contains(expected.last().unwrap()), "{error}");
        }
        let told = told.lock().unwrap();
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "{told}");
            assert!(told.contains(&path.display().to_string()), "{told}");
        }
    };
    assert!(asked().unwrap().is_some());
    write("approvers: {\n");
    expect(&["approvers.yaml:1:12: "]);
    write("approvers:\n  alice@acme.com: {group: []}\n");
    expect(&["approvers.yaml:1:12: ", "`group`"]);
    // Wrong in the same way is another change all the same.
    write("approvers:\n  alice@acme.com: {group: []}\n\n");
    expect(&["approvers.yaml:1:12: ", "`group`", "`group`"]);
    fs::remove_file(&path).unwrap();
    expect(&[
        "approvers.yaml:1:12: ",
        "`group`",
        "`group`",
        "cannot be read",
    ]);
    write("approvers: {alice@acme.com: {}}");
    assert!(asked().unwrap().is_some());
    assert_eq!(told.lock().unwrap().len(), 4);
}

#[test]
fn a_file_that_is_wrong_knows_nobody() {
    let hash = NewToken::generate().unwrap().hash();
    let text = NewToken::generate().unwrap();
    let text = text.text();
    let weak = hash.replace("argon2id", "argon2i");
    let cases = [
        (
            "",
            "FILE:1:1: the text ends where more is expected; complete it",
        ),
        (
            "approvers: [a]",
            "FILE:1:12: expected a mapping; write `key: value`",
        ),
        (
            "approvers:\n  a: {groups: ops}",
            "FILE:2:15: expected a list; write `[a, b]`",
        ),
        (
            "approvers: {a: {groups: [ops}}",
            "FILE:1:25: not valid YAML: mismatched bracket",
        ),
        (
            "approvers:\n  a:\n    group: [ops]",
            "FILE:3:5: unknown key `group`; did you mean `groups`?",
        ),
        (
            "approvers: {a: {}, a: {}}",
            "FILE:1:20: the key `a` is there twice; remove one",
        ),
        (
            "approvers: {}\n---\na: 1",
            "a second document begins here; remove what separates it",
        ),
        (
            "approvers: {a: {<<: {slack: U1}}}",
            "the merge key `<<` is not read; write out what it stands for",
        ),
        ("approvers: {' a': {}}", "white space"),
        ("approvers: {a: {groups: ['group:ops']}}", "`group:`"),
        (
            "approvers: {a: {slack: U1}, b: {slack: U1}}",
            "FILE:1:32: `b`: another person is this user",
        ),
        (
            "approvers:\n  a:\n    token: 'TEXT'",
            "FILE:3:5: `a`: the token is no hash",
        ),
        (
            "approvers: {a: {token: 'WEAK'}}",
            "`a`: the token is no hash",
        ),
        (
            "approvers: {a: {token: 'HASH'}, b: {token: 'HASH'}}",
            "`b`: another person has",
        ),
        (
            "people: {}",
            "FILE:1:1: unknown key `people`; use approvers",
        ),
    ];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("approvers.yaml");
    for (written, expected) in cases {
        let written = written
            .replace("HASH", &hash)
            .replace("TEXT", text)
            .replace("WEAK", &weak);
        fs::write(&path, &written).unwrap();
        let error = Directory::from_file(&path).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Malformed);
        let told = error.to_string();
        let expected = expected.replace("FILE", &path.display().to_string());
        assert!(told.contains(&expected), "{written}: {told}");
        assert!(!told.contains(text) && !told.contains('\n'), "{told}");
    }
}
