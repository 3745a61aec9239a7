//! Entries that a policy may not hold, and what the refusal says to write.

use crate::pattern::{EmailPattern, HostPattern, PatternError, ProgramPattern, Scheme, UrlPath};

fn refusals<T>(
    new: impl Fn(&str) -> Result<T, PatternError>,
    cases: &[(&str, &str)],
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (entry, remedy) in cases {
        match new(entry) {
            Ok(_) => wrong.push(format!("{entry:?} is accepted")),
            Err(error) if !error.to_string().contains(remedy) => {
                wrong.push(format!("{entry:?}: {error}"));
            }
            Err(_) => {}
        }
    }
    wrong
}

const NO_WRONG: [String; 0] = [];

#[test]
fn email_entries() {
    let cases = [
        ("", "`@acme.com`"),
        ("acme.com", "did you mean `@acme.com`"),
        ("*.acme.com", "did you mean `@*.acme.com`"),
        ("*@acme.com", "write `@acme.com`"),
        ("*@*.acme.com", "write `@*.acme.com`"),
        ("a@*.acme.com", "write the whole address"),
        ("@*", "`@acme.com`"),
        ("@", "`@acme.com`"),
        ("a@", "`@acme.com`"),
        ("*", "no `@`"),
        ("@a*.com", "write `*.`"),
        ("@*.*.acme.com", "write `*.`"),
        ("@.acme.com", "write `*.`"),
        ("@acme.com.", "leave it out"),
        ("@acme..com", "not a host name"),
        ("@acme.com,@b.com", "mailers read"),
        ("a@b@acme.com", "mailers read"),
        ("<a@acme.com>", "not a host name"),
        ("A <a@acme.com", "mailers read"),
        ("\"a\"@acme.com", "mailers read"),
        ("a%b@acme.com", "mailers read"),
        ("a..b@acme.com", "mailers read"),
        ("-f@acme.com", "mailers read"),
        ("a?@acme.com", "mailers read"),
        ("a*@acme.com", "mailers read"),
        ("@[10.0.0.1]", "not a host name"),
        ("@10.0.0.1", "a spelling of an address"),
        ("@straße.example", "xn--"),
        ("@acme.com ", "white space"),
        ("@acme\u{200b}.com", "nobody sees"),
        ("@xn--a", "not a host name"),
        ("mailto:a@acme.com", "mailers read"),
    ];
    assert_eq!(refusals(EmailPattern::new, &cases), NO_WRONG);
    for entry in [
        "@acme.com",
        "@*.acme.com",
        "@ACME.com",
        "@bücher.example",
        "@localhost",
        "o'brien+x@acme.com",
        "müller@acme.com",
    ] {
        EmailPattern::new(entry).unwrap();
    }
}

#[test]
fn host_entries() {
    let cases = [
        ("", "leave the list out"),
        ("*", "leave the list out"),
        ("https://acme.com", "write the host alone"),
        ("acme.com/x", "without a path"),
        ("acme.com/", "without a path"),
        ("/", "without a path"),
        ("acme.com:443", "port"),
        ("10.0.0.1:443", "port"),
        ("a@acme.com", "write what follows it"),
        ("[::1]", "without"),
        ("[::1]:80", "without"),
        ("10.0.0.1/8", "write `10.0.0.0/8`, or `10.0.0.1`"),
        ("2001:db8::1/32", "write `2001:db8::/32`"),
        ("10.0.0.0/33", "a block such as"),
        ("10.0.0.0/-1", "a block such as"),
        ("10/8", "a block such as"),
        ("10.*", "write `*.`"),
        ("a.*.com", "write `*.`"),
        ("*acme.com", "write `*.`"),
        ("*.*.acme.com", "write `*.`"),
        (".acme.com", "write `*.`"),
        ("acme.com.", "leave it out"),
        ("acme..com", "not a host name"),
        ("ac me.com", "not a host name"),
        ("acme.com\n", "nobody sees"),
        (" acme.com", "white space"),
        ("ac\u{ad}me.com", "nobody sees"),
        ("straße.example", "xn--"),
        ("acme.com,b.com", "not a host name"),
        ("127.1", "write `127.0.0.1`"),
        ("2130706433", "write `127.0.0.1`"),
        ("0x7f.0.0.1", "write `127.0.0.1`"),
        ("0177.0.0.1", "not a host name"),
        ("256.0.0.1", "not a host name"),
        ("*.0.0.1", "a spelling of an address"),
        ("::ffff:10.0.0.1", "`10.0.0.1/32`"),
        ("::ffff:10.0.0.0/104", "`10.0.0.0/8`"),
        ("fe80::1%eth0", "not an IPv6 address"),
        ("xn--a", "not a host name"),
    ];
    assert_eq!(refusals(HostPattern::new, &cases), NO_WRONG);
    for entry in [
        "acme.com",
        "*.acme.com",
        "*.com",
        "localhost",
        "a_b.example",
        "10.0.0.1",
        "10.0.0.0/8",
        "10.0.0.1/32",
        "0.0.0.0/0",
        "::1",
        "::/0",
        "2001:db8::/32",
        "xn--bcher-kva.example",
    ] {
        HostPattern::new(entry).unwrap();
    }
}

#[test]
fn url_entries() {
    let schemes = [
        ("", "such as `https`"),
        ("*", "such as `https`"),
        ("https:", "write `https`"),
        ("https://", "write `https`"),
        ("HTTPS", "write `https`"),
        ("https://acme.com", "such as `https`"),
        ("1a", "such as `https`"),
        (" https", "such as `https`"),
    ];
    assert_eq!(refusals(Scheme::new, &schemes), NO_WRONG);
    let paths = [
        ("", "is empty"),
        ("v1/**", "write `/v1/**`"),
        ("**", "write `/**`"),
        ("https://acme.com/v1", "begin with `/`"),
        ("/v1?x", "query"),
        ("/v1#x", "fragment"),
        ("/a%20b", "the character"),
        ("/a;b", "`;`"),
        ("/a\\b", "write `/`"),
        ("//a", "empty segment"),
        ("/a//b", "empty segment"),
        ("/a/../b", "ends with a dot"),
        ("/./a", "ends with a dot"),
        ("/a.", "ends with a dot"),
        ("/a**", "`**`"),
        ("/[a", "`[`"),
    ];
    assert_eq!(refusals(UrlPath::new, &paths), NO_WRONG);
    for entry in ["/", "/**", "/v1/*", "/a b/é", "/*.json", "/[ab]/{c,d}"] {
        UrlPath::new(entry).unwrap();
    }
}

#[test]
fn program_entries() {
    let cases = [
        ("", "such as `git`"),
        ("git status", "write `git`"),
        (" git", "white space"),
        ("./git", "write `git`"),
        ("bin/git", "write `git`"),
        ("../git", "write `git`"),
        ("/usr//bin/git", "absolute path"),
        ("/usr/../bin/git", "absolute path"),
        ("/usr/bin/", "such as `git`"),
        ("/", "such as `git`"),
        ("*", "such as `git`"),
        ("git*", "such as `git`"),
        ("git;ls", "such as `git`"),
        ("$SHELL", "such as `git`"),
        ("A=b", "such as `git`"),
        ("~/git", "such as `git`"),
        ("'git'", "such as `git`"),
        ("C:\\git.exe", "such as `git`"),
        ("git\u{200b}", "nobody sees"),
        ("time", "write a path"),
        ("if", "write a path"),
    ];
    assert_eq!(refusals(ProgramPattern::new, &cases), NO_WRONG);
    for entry in [
        "git",
        "/usr/bin/git",
        "/usr/bin/time",
        "g++",
        "python3.12",
        "été",
    ] {
        ProgramPattern::new(entry).unwrap();
    }
}
