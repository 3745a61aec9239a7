//! What holds for every value, tried on many that nobody thought of.

use crate::pattern::{
    Decimal, EmailPattern, HostPattern, Match, ProgramPattern, Scheme, UrlPath, UrlPattern, argv,
    command_line, email, host,
};

/// `SplitMix64`: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn piece(&mut self) -> String {
        const WORDS: &str = "acme.com a git ls https 127.0.0.1 10 0x7f ::1 [ ] @ , . / // : :// \
            %2e %2f % ? # \\ ; & ' \" \t \0 \n - e xn-- ß \u{200b} \u{202e} ＠ 。 😀 * =";
        let pieces: Vec<&str> = WORDS.split(' ').chain([" "]).collect();
        let any = |code: usize| u32::try_from(code).ok().and_then(char::from_u32);
        match self.below(8) {
            0 => any(self.below(0x11_0000)).unwrap_or('ⓐ').to_string(),
            1 => any(self.below(128)).unwrap().to_string(),
            _ => pieces[self.below(pieces.len())].to_owned(),
        }
    }

    /// A value that is well formed, with up to three characters of it changed for others.
    fn text(&mut self) -> String {
        const WHOLE: [&str; 6] = [
            "",
            "a@acme.com",
            "127.0.0.1",
            "www.acme.com",
            "https://acme.com/a",
            "git status",
        ];
        let whole = WHOLE[self.below(WHOLE.len())];
        let mut text: Vec<String> = whole.chars().map(String::from).collect();
        for _ in 0..self.below(4) {
            let at = self.below(text.len() + 1);
            let removed = self.below(2).min(text.len() - at);
            text.splice(at..at + removed, [self.piece()]);
        }
        text.concat()
    }
}

#[test]
fn matchers_read_any_text_and_prove_nothing_of_odd_ones() {
    let emails = ["@acme.com", "@*.acme.com", "a@acme.com"].map(|e| EmailPattern::new(e).unwrap());
    let hosts =
        ["acme.com", "*.acme.com", "127.0.0.0/8", "::1"].map(|e| HostPattern::new(e).unwrap());
    let programs = ["git", "ls"].map(|e| ProgramPattern::new(e).unwrap());
    let url = UrlPattern {
        scheme: Some(vec![Scheme::new("https").unwrap()]),
        host: Some(vec![HostPattern::new("acme.com").unwrap()]),
        port: Some(vec![443]),
        path: Some(vec![UrlPath::new("/**").unwrap()]),
    };
    let mut random = Random(1);
    let mut proved = [0; 4];
    for _ in 0..60_000 {
        let text = random.text();
        let has_control = text.contains(char::is_control);
        if email(&text, &emails) == Match::Yes {
            assert_eq!(text.matches('@').count(), 1, "{text:?}");
            assert!(
                !has_control && !text.contains(['<', ',', '"', ' ']),
                "{text:?}"
            );
            proved[0] += 1;
        }
        if host(&text, &hosts) == Match::Yes {
            assert!(
                !has_control && !text.contains(['@', '/', '%', ' ', '\\']),
                "{text:?}"
            );
            proved[1] += 1;
        }
        if url.judge(&text) == Match::Yes {
            let parsed = ::url::Url::parse(&text).unwrap();
            assert_eq!(parsed.scheme(), "https", "{text:?}");
            let host = parsed.host_str().unwrap().trim_end_matches('.');
            assert_eq!(host, "acme.com", "{text:?}");
            assert_eq!(parsed.port_or_known_default(), Some(443), "{text:?}");
            assert!(
                parsed.username().is_empty() && parsed.password().is_none(),
                "{text:?}"
            );
            proved[2] += 1;
        }
        if command_line(&text, &programs) == Match::Yes {
            let words = shlex::split(&text).unwrap();
            assert!(["git", "ls"].contains(&&*words[0]), "{text:?}");
            assert!(
                !has_control && !text.contains([';', '&', '$', '`']),
                "{text:?}"
            );
            assert_eq!(
                argv(words.iter().map(String::as_str), &programs),
                Match::Yes
            );
            proved[3] += 1;
        }
        let _ = Decimal::parse(&text);
    }
    assert!(proved.iter().all(|times| *times > 500), "{proved:?}");
}

#[test]
fn constructors_read_any_text() {
    let mut random = Random(2);
    for _ in 0..20_000 {
        let text = random.text();
        let _ = EmailPattern::new(&text);
        let _ = HostPattern::new(&text);
        let _ = Scheme::new(&text);
        let _ = UrlPath::new(&text);
        let _ = ProgramPattern::new(&text);
    }
}

#[test]
fn an_entry_covers_itself() {
    for entry in ["a@acme.com", "müller@bücher.example"] {
        assert_eq!(
            email(entry, &[EmailPattern::new(entry).unwrap()]),
            Match::Yes
        );
    }
    for entry in [
        "acme.com",
        "bücher.example",
        "10.0.0.1",
        "::1",
        "localhost",
        "0.0.0.0",
    ] {
        assert_eq!(host(entry, &[HostPattern::new(entry).unwrap()]), Match::Yes);
    }
    for entry in ["git", "/usr/bin/git", "g++"] {
        assert_eq!(
            command_line(entry, &[ProgramPattern::new(entry).unwrap()]),
            Match::Yes
        );
    }
}

#[test]
fn what_is_too_long_is_not_read() {
    let programs = [ProgramPattern::new("git").unwrap()];
    assert_eq!(
        command_line(&format!("git {}", "a".repeat(100_000)), &programs),
        Match::Yes
    );
    assert_eq!(
        command_line(&format!("git {}", "a".repeat(140_000)), &programs),
        Match::Unreadable
    );
    let url = UrlPattern::default();
    assert_eq!(
        url.judge(&format!("https://a.com/{}", "a".repeat(8000))),
        Match::Yes
    );
    assert_eq!(
        url.judge(&format!("https://a.com/{}", "a".repeat(9000))),
        Match::Unreadable
    );
}

#[test]
fn decimals_order_as_integers_and_floats_do() {
    let mut random = Random(3);
    for _ in 0..30_000 {
        let (shift, other) = (random.below(127), random.below(127));
        let mut integer = |shift: usize| {
            (i128::from(random.next().cast_signed()) << 64 | i128::from(random.next())) >> shift
        };
        let (a, b) = (integer(shift), integer(other));
        assert_eq!(
            Decimal::from(a).cmp(&Decimal::from(b)),
            a.cmp(&b),
            "{a} {b}"
        );
        assert_eq!(
            Decimal::parse(&a.to_string()),
            Some(Decimal::from(a)),
            "{a}"
        );

        let (a, b) = (f64::from_bits(random.next()), f64::from_bits(random.next()));
        if let (Some(x), Some(y)) = (Decimal::from_f64(a), Decimal::from_f64(b)) {
            assert_eq!(Some(x.cmp(&y)), a.partial_cmp(&b), "{a} {b}");
            assert_eq!(Decimal::parse(&a.to_string()), Some(x), "{a}");
            assert_eq!(Decimal::parse(&format!("{a:e}")), Some(x), "{a}");
        }
    }
}

#[test]
fn decimals_are_exact() {
    let decimal = |text: &str| Decimal::parse(text).unwrap();
    for (one, other) in [
        ("0", "-0"),
        ("0", "0.000e99999999999999999999999"),
        ("1", "1.0"),
        (
            "1",
            "1.000000000000000000000000000000000000000000000000000000000000000000000000",
        ),
        ("100", "1e2"),
        ("100", "0.001E+5"),
        ("-0.05", "-5e-2"),
        ("+5", "5."),
        ("0.5", ".5"),
    ] {
        assert_eq!(decimal(one), decimal(other));
    }
    for ascending in [
        ["-1e400", "-1e308", "-2", "-1.5"],
        ["-1", "-1e-400", "0", "1e-400"],
        ["0.1", "0.1000000000000000055511151231257827", "0.11", "1"],
        [
            "9007199254740992",
            "9007199254740992.5",
            "9007199254740993",
            "1e16",
        ],
        [
            "1e9223372036854775806",
            "2e9223372036854775806",
            "3e9223372036854775806",
            "1e9223372036854775807",
        ],
    ] {
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }
    let digits = |count: usize| "7".repeat(count);
    assert!(Decimal::parse(&digits(64)).is_some());
    assert!(Decimal::parse(&format!("{}000.000", digits(64))).is_some());
    assert!(Decimal::parse(&digits(65)).is_none());
    assert_eq!(
        decimal(&format!("1{}", "0".repeat(1000))),
        decimal("1e1000")
    );
    assert_eq!(Decimal::from(u128::MAX), decimal(&u128::MAX.to_string()));
    assert_eq!(Decimal::from(i128::MIN), decimal(&i128::MIN.to_string()));
    assert_eq!(format!("{:?}", decimal("-120.5")), "-1.205e2");
    for text in [
        "",
        "+",
        "-",
        ".",
        "e5",
        "1e",
        "1e+",
        "1e5.0",
        "--1",
        "+-1",
        "1.2.3",
        "1_000",
        "1,5",
        "0x10",
        "0o7",
        "012",
        "00",
        "-01",
        " 1",
        "1 ",
        "1\n",
        "NaN",
        "inf",
        ".inf",
        "Infinity",
        "１",
        "1e99999999999999999999",
        "10e9223372036854775807",
        "1e-9223372036854775809",
    ] {
        assert_eq!(Decimal::parse(text), None, "{text:?}");
    }
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Decimal::from_f64(float), None);
    }
}
