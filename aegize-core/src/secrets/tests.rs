//! What is found and what is left alone, and that looking twice changes nothing.

use serde_json::json;

use super::canaries::{canaries, filler};
use super::*;

/// A stretch of a secret that would betray it.
fn middle(secret: &str) -> &str {
    &secret[secret.len() / 2 - 3..secret.len() / 2 + 3]
}

#[test]
fn every_rule_finds_its_credentials_wherever_they_stand() {
    let redactor = Redactor::new();
    let canaries = canaries();
    for (rule, before, secret) in &canaries {
        for text in [
            format!("{before}{secret}"),
            format!("run it with {before}{secret} and see"),
            format!("line\n{before}{secret}\n"),
            format!("{:?}", format!("line\n{before}{secret}\n")),
            format!("é→{before}{secret}, …"),
            format!("x=({before}{secret})"),
            format!("<{before}{secret}>"),
        ] {
            let mut found = Redactions::default();
            let redacted = redactor.text(&text, &mut found);
            assert!(!redacted.contains(middle(secret)), "{text}: {redacted}");
            assert!(redacted.contains(REDACTED), "{text}: {redacted}");
            assert!(found.iter().any(|name| name == *rule), "{text}: {found:?}");
        }
    }
    for rule in &rules::RULES {
        assert!(
            canaries.iter().any(|(name, ..)| *name == rule.name),
            "no canary for {}",
            rule.name
        );
    }
}

#[test]
fn only_the_secret_is_replaced() {
    let redactor = Redactor::new();
    let bearer = filler("q7Wz3Kx9", 24);
    let token = format!("ghp_{}", filler("q7Wz3Kx9", 36));
    for (text, expected) in [
        (
            format!("curl -H \"Authorization: Bearer {bearer}\" https://a.example"),
            "curl -H \"Authorization: [redacted]\" https://a.example",
        ),
        (
            "curl -H 'Cookie: a=1; b=2' -d x".to_owned(),
            "curl -H 'Cookie: [redacted]' -d x",
        ),
        (
            format!("git clone https://{token}@github.com/a/b.git"),
            "git clone https://[redacted]@github.com/a/b.git",
        ),
        (
            "postgres://shop:hunter2@db.internal:5432/shop?sslmode=require".to_owned(),
            "postgres://shop:[redacted]@db.internal:5432/shop?sslmode=require",
        ),
        (
            "redis://:p@ss@cache/0".to_owned(),
            "redis://:[redacted]@cache/0",
        ),
        (
            "mysql --password=hunter2 --user=shop".to_owned(),
            "mysql --password=[redacted] --user=shop",
        ),
        (
            "login --password hunter2 -v".to_owned(),
            "login --password [redacted] -v",
        ),
        (
            "login -token  'a b' -v".to_owned(),
            "login -token  '[redacted]' -v",
        ),
        (
            r#"Command: "login" "--token" "hunter2" "-v""#.to_owned(),
            r#"Command: "login" "--token" "[redacted]" "-v""#,
        ),
        (
            r#"["login", "--token", "hunter2", "-v"]"#.to_owned(),
            r#"["login", "--token", "[redacted]", "-v"]"#,
        ),
        (
            "AWS_SECRET_ACCESS_KEY=abc/def+g REGION=eu".to_owned(),
            "AWS_SECRET_ACCESS_KEY=[redacted] REGION=eu",
        ),
        (
            "https://a.example/x?token=abc&page=2".to_owned(),
            "https://a.example/x?token=[redacted]&page=2",
        ),
    ] {
        assert_eq!(redactor.redact(&text), expected, "{text}");
    }
}

#[test]
fn a_value_that_is_printed_is_replaced_to_its_end() {
    let redactor = Redactor::new();
    for (text, expected) in [
        (
            r#"{"user":"a","password":"hunter2","n":1}"#.to_owned(),
            r#"{"user":"a","password":"[redacted]","n":1}"#,
        ),
        (
            r#"{"password" : "a\"b", "n": 1}"#.to_owned(),
            r#"{"password" : "[redacted]", "n": 1}"#,
        ),
        (
            r#"body: "{\"password\":\"hunter2\",\"n\":1}""#.to_owned(),
            r#"body: "{\"password\":\"[redacted]\",\"n\":1}""#,
        ),
        (
            r#"Login { user: "a", password: "hunter2", n: 1 }"#.to_owned(),
            r#"Login { user: "a", password: "[redacted]", n: 1 }"#,
        ),
        (
            r#"Login { password: Some("hunter2"), n: 1 }"#.to_owned(),
            "Login { password: [redacted], n: 1 }",
        ),
        (
            r#"Login { api_keys: ["a", "b"], token: Token { value: "x" }, n: 1 }"#.to_owned(),
            "Login { api_keys: [redacted], token: [redacted], n: 1 }",
        ),
        (
            "{password: 1234, n: 1}".to_owned(),
            "{password: [redacted], n: 1}",
        ),
        (
            "config[\"password\"] = 'hunter2'".to_owned(),
            "config[\"password\"] = '[redacted]'",
        ),
        (
            "Server=db;User Id=a;Password=hunter2; Timeout=3".to_owned(),
            "Server=db;User Id=a;Password=[redacted]; Timeout=3",
        ),
        (
            "Authorization: Bearer abcdefgh\r\nHost: a.example".to_owned(),
            "Authorization: [redacted]\r\nHost: a.example",
        ),
        (
            "token: bearer abcdefgh, next".to_owned(),
            "token: [redacted], next",
        ),
        (
            "the password is fine; password: unfinished \"quote".to_owned(),
            "the password is fine; password: [redacted] \"quote",
        ),
        (
            "password=\"never closed".to_owned(),
            "password=\"[redacted]",
        ),
        ("passwört=x".to_owned(), "passwört=x"),
        ("é_password=x".to_owned(), "é_password=[redacted]"),
    ] {
        assert_eq!(redactor.redact(&text), expected, "{text}");
    }
}

#[test]
fn what_is_no_secret_stays_readable() {
    let redactor = Redactor::new();
    let image = format!(
        "data:image/png;base64,{}",
        filler("iVBORw0KGgoAAAANSUhEUgAAAAUA+/", 400)
    );
    for text in [
        "",
        "Send the quarterly numbers to the board, please: it is due on Friday.",
        "the secretary tokenizes passwords for the password manager's documentation",
        "Bearer of bad news; Basic understanding, Basic Authentication, bearer certificates",
        "01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f",
        "commit e66d09f5a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "/srv/data/reports/2026-07/summary-final_v2.md",
        r"C:\Users\shop\Documents\report.docx",
        "https://example.com:8443/a/b@2x.png?page=2&sort=-name#top",
        "https://shop@example.com/path and git@github.com:acme/shop.git",
        "-12.5e-3 +49 30 123456, 4111 1111, 1e100, 0xdeadbeef",
        "2026-06-27T18:00:00.123456Z",
        "max_tokens=4096 token_count: 12 tokenizer=cl100k total_tokens: 7 tokens=5",
        "tokenType: x, token_url=https://a.example/t, password_length: 12",
        "task-management-and-planning risk-assessment-for-2026-projects disk-image-20260101",
        "class=\"sk-folding-cube sk-loading-spinner-container\"",
        "SELECT id, name FROM users WHERE name = 'a' AND age > 3",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
        "std::collections::HashMap<String, Token::Kind>; secret::Store::new()",
        "3.14.159-rc.1+build.5",
        "a=b, key=value, monkey: 3, sort_key=name, public_key=AAAA, author: me",
        image.as_str(),
    ] {
        assert_eq!(redactor.redact(text), text);
    }
}

#[test]
fn names_are_read_by_their_words() {
    let redactor = Redactor::new().name("Employee-ID");
    for name in "\
        password Password userPassword db_password dbpassword PASSWORD2 passwd
        passphrase secret client_secret clientSecret CLIENTSECRET secrets token
        accessToken access_token idToken X-Auth-Token refresh_tokens api_key apikey
        apiKey APIKey X-Api-Key OPENAI_API_KEY x.api.key authorization
        Proxy-Authorization cookie Set-Cookie private_key privateKeyPem
        aws_secret_access_key accessKey AccountKey credential credentials
        google_credentials_json jwt pwd db_pwd basic_auth creds password_hash secret_id
        --password $password employee_id employeeId EMPLOYEE-ID the_employee_id
        spring.datasource.password bearer token_value
    "
    .split_whitespace()
    {
        assert!(redactor.is_name(name), "{name}");
    }
    for name in "\
        _ tokenizer token_count tokenCount max_tokens maxTokens tokens secretary
        secretaryName key keys sort_key monkey public_key primary_key password_length
        passwordPolicy token_type token_url access_token_url expires author authors
        compass bypass passport passenger session_id path query to cookie_policy
        employee employees api_key_id access_key_id name auth_type oauth_url authored
    "
    .split_whitespace()
    {
        assert!(!redactor.is_name(name), "{name}");
    }
}

#[test]
fn looking_twice_changes_nothing() {
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut parts: Vec<String> = [
        "password",
        "token",
        "\"api_key\"",
        "Authorization",
        "--secret",
        "cookie",
        "x",
        "é",
        "12",
        "=",
        ":",
        " ",
        "  ",
        "\n",
        "\"",
        "'",
        "\\\"",
        "\\",
        ",",
        ";",
        "&",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        "Bearer ",
        "://a:",
        "@",
        "[redacted]",
        "…",
        "::",
        "=>",
    ]
    .map(str::to_owned)
    .into();
    parts.extend(
        canaries()
            .into_iter()
            .map(|(_, before, secret)| before + &secret),
    );
    let redactor = Redactor::new().pattern("x", "x(1|2)").unwrap();
    for _ in 0..1_000 {
        let length = random(12);
        let text: String = (0..length)
            .map(|_| parts[random(parts.len())].as_str())
            .collect();
        let once = redactor.redact(&text).into_owned();
        assert_eq!(redactor.redact(&once), once, "{text:?}");
    }
}

#[test]
fn a_cut_text_shows_no_part_of_a_secret_that_the_cut_went_through() {
    const WINDOW: usize = 2048;
    let redactor = Redactor::new();
    for (_, before, secret) in canaries() {
        for start in (WINDOW - MARGIN - 700..=WINDOW).step_by(61) {
            let text = format!(
                "{} {before}{secret} {}",
                " ".repeat(start),
                "a ".repeat(2000)
            );
            let shown = redactor.excerpt(&text, WINDOW, &mut Redactions::default());
            let shown = shown.trim_end_matches(['…', ' ', 'a']);
            let tail = shown
                .trim_start()
                .replace(REDACTED, "")
                .replace(before.as_str(), "");
            let tail = tail.trim_start_matches(|c| before.contains(c));
            assert!(
                !secret[..secret.len() - 3].contains(tail) || tail.len() < 3,
                "{start}: {tail:?} of {secret}"
            );
        }
    }
}

#[test]
fn the_work_on_hostile_texts_is_linear() {
    let redactor = Redactor::new();
    for unit in [
        " ",
        "=",
        ":",
        "\"",
        "\\",
        "password=",
        "password=(",
        "--password ",
        "token: \"",
        "sk-",
        "eyJ",
        "Bearer ",
        "://",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "{ ",
        "password=bearer ",
        "a=\"'(",
        "é",
    ] {
        // Work that grew with the square of this would take minutes in all.
        let text = unit.repeat(20_000 / unit.len());
        let once = redactor.redact(&text).into_owned();
        assert_eq!(redactor.redact(&once), once, "{unit}");
    }
}

#[test]
fn values_of_json_are_replaced_by_name_and_by_shape() {
    let token = format!("ghp_{}", filler("q7Wz3Kx9", 36));
    let mut value = json!({"a": {"password": {"deep": 1}, "note": format!("use {token}"), "n": 3}, "list": [null, {"api_key": 7, "has_token": true, "token": null}]});
    value[&token] = json!("key");
    let mut found = Redactions::default();
    let map = value.as_object().unwrap();
    let redacted = Redactor::new().map(map, &mut found).unwrap();
    assert_eq!(
        Value::Object(redacted),
        json!({
            "a": {"password": "[redacted]", "note": "use [redacted]", "n": 3},
            "list": [null, {"api_key": "[redacted]", "has_token": true, "token": null}],
            "[redacted]": "key",
        })
    );
    let found: Vec<_> = found.iter().collect();
    assert_eq!(found, ["password", "github_token", "api_key"]);
}

#[test]
fn a_pattern_that_is_none_is_an_error() {
    let error = Redactor::new().pattern("open", "(").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`(` is no regular expression: "),
        "{error}"
    );
}
