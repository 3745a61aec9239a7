//! The value matchers against tables of hostile values.

use super::{
    Decimal, EmailPattern, HostPattern, Match, ProgramPattern, Scheme, UrlPath, UrlPattern, argv,
    command_line, email, host,
};

#[test]
fn smoke() {
    let patterns = [EmailPattern::new("@acme.com").unwrap()];
    assert_eq!(email("a@acme.com", &patterns), Match::Yes);
    let patterns = [HostPattern::new("*.acme.com").unwrap()];
    assert_eq!(host("www.acme.com", &patterns), Match::Yes);
    let pattern = UrlPattern {
        scheme: Some(vec![Scheme::new("https").unwrap()]),
        path: Some(vec![UrlPath::new("/v1/**").unwrap()]),
        ..UrlPattern::default()
    };
    assert_eq!(pattern.judge("https://acme.com/v1/x"), Match::Yes);
    let patterns = [ProgramPattern::new("git").unwrap()];
    assert_eq!(command_line("git status", &patterns), Match::Yes);
    assert_eq!(argv(["git", "status"], &patterns), Match::Yes);
    assert!(Decimal::parse("1e2").unwrap() == Decimal::from(100_u128));
    assert!(Decimal::from_f64(0.5) < Decimal::parse("0.6"));
}
