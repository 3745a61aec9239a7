//! The matcher against tables, against the most naive one there could be, and against the
//! regular expressions that it says it is equal to.

use regex::Regex;

use super::translate::whole;
use super::*;

fn matches(pattern: &str, text: &str) -> bool {
    Glob::new(pattern, Syntax::Path).unwrap().is_match(text)
}

#[test]
fn wildcards_stay_within_a_segment_and_count_characters() {
    for (pattern, text, expected) in [
        ("a*c", "abbc", true),
        ("a*c", "ab/c", false),
        ("a?c", "aéc", true),
        ("a?c", "a/c", false),
        ("a?c", "aééc", false),
        ("a[!b]c", "axc", true),
        ("a[!b]c", "aéc", true),
        ("a[!b]c", "a/c", false),
        ("a[^b]c", "a/c", false),
        ("a[!]b]c", "a/c", false),
        ("a[!]b]c", "axc", true),
        ("a[!]b]c", "a]c", false),
        ("a[]b]c", "a]c", true),
        ("a[é-ü]c", "aöc", true),
        ("a[a-]c", "a-c", true),
        ("[*]", "*", true),
        ("[*]", "x", false),
        ("*.{md,txt}", "a.txt", true),
        ("*.{md,txt}", "a.txt.exe", false),
        ("**/x", "x", true),
        ("**/x", "a/b/x", true),
        ("**/x", "ax", false),
        ("a/**/x", "a/x", true),
        ("a/**/x", "a/b/c/x", true),
        ("*/b/**", "a/b", true),
        ("*/b/**", "a/b/c/d", true),
        ("*/b/**", "a/bc", false),
        ("a.c", "abc", false),
        ("a", "a\n", false),
        ("(a|b)$^", "(a|b)$^", true),
        ("aa*aa", "aaa", false),
        ("a{b*,[c-e]?,}f", "abxxf", true),
        ("a{b*,[c-e]?,}f", "adxf", true),
        ("a{b*,[c-e]?,}f", "af", true),
        ("a{b*,[c-e]?,}f", "adf", false),
        ("{x}", "x", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text:?}");
    }
}

#[test]
fn mistakes_and_hostile_patterns_are_refused_at_once() {
    let nested = "{".repeat(20_000) + &"}".repeat(20_000);
    for (pattern, problem) in [
        (nested.as_str(), "is 40000 bytes long"),
        ("", "is empty"),
        (" a", "white space"),
        ("a\u{200b}", "nobody sees"),
        ("{a,{b,c}}", "nests braces"),
        ("{a/b,c}", "`/` within braces"),
        ("x{a/**", "`/` within braces"),
        ("[a", "`[` without its `]`"),
        ("[]", "`[` without its `]`"),
        ("[!]", "`[` without its `]`"),
        ("{a", "`{` without its `}`"),
        ("a}", "`}` without its `{`"),
        ("a]", "`]` without its `[`"),
        ("[z-a]", "write `a-z`"),
        ("a[.-0]c", "class that holds `/`"),
        ("a[/]c", "class that holds `/`"),
        ("a[!--z]c", "class that holds `/`"),
        ("a[!a/]c", "class that holds `/`"),
    ] {
        let checked = check(pattern).and_then(|()| Glob::new(pattern, Syntax::Path));
        let error = checked.unwrap_err().to_string();
        assert!(error.contains(problem), "{pattern:.40}: {error}");
    }
}

/// Patterns on which a matcher that tries one way after the other takes longer than a life.
#[test]
fn hostile_pairs_of_pattern_and_text_take_no_time() {
    let names = "a/".repeat(2_000);
    for (pattern, text, expected) in [
        ("a*".repeat(400) + "b", "a".repeat(10_000), false),
        ("*a".repeat(400) + "?", "a".repeat(10_000), true),
        ("**/a/".repeat(150) + "b", format!("{names}c"), false),
        ("**/*/".repeat(150) + "b", format!("{names}b"), true),
        ("{a,aa,*}".repeat(100) + "b", "a".repeat(4_000), false),
        (format!("{{{}}}b", ",".repeat(1_000)), "b".into(), true),
        ("[!b]*".repeat(150) + "b", "a".repeat(4_000), false),
    ] {
        assert_eq!(matches(&pattern, &text), expected, "{pattern:.40}");
    }
}

#[test]
fn patterns_of_every_length_match() {
    for length in 1..=LONGEST {
        let glob = Glob::new(&"?".repeat(length), Syntax::Path).unwrap();
        assert!(glob.is_match(&"é".repeat(length)), "{length}");
        assert!(!glob.is_match(&"é".repeat(length - 1)), "{length}");
        assert!(!glob.is_match(&"é".repeat(length + 1)), "{length}");
    }
}

/// The pieces of a pattern: braces, classes, stars and single characters.
fn cut(pattern: &str, syntax: Syntax) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '{' => rest.find('}').unwrap() + 1,
            '[' => rest.find(']').unwrap() + 1,
            '/' if rest == "/**" && syntax == Syntax::Path => 3,
            '*' if rest.starts_with("**/") && syntax == Syntax::Path => 3,
            '*' if rest.starts_with("**") && syntax == Syntax::Text => 2,
            c => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// As the documentation of the syntax says it, one piece after the other.
fn naive(pieces: &[&str], text: &str, syntax: Syntax) -> bool {
    let [piece, rest @ ..] = pieces else {
        return text.is_empty();
    };
    let crosses = syntax == Syntax::Name;
    let one_if = |holds: &dyn Fn(char) -> bool| {
        let mut chars = text.chars();
        chars.next().is_some_and(holds) && naive(rest, chars.as_str(), syntax)
    };
    let many_if = |holds: &dyn Fn(&str) -> bool| {
        let ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
        let mut splits = ends.map(|end| text.split_at(end));
        splits.any(|(head, tail)| holds(head) && naive(rest, tail, syntax))
    };
    match piece.as_bytes() {
        b"**" => many_if(&|_| true),
        b"**/" => many_if(&|head| head.is_empty() || head.ends_with('/')),
        b"/**" => text.is_empty() || text.starts_with('/'),
        b"*" => many_if(&|head| crosses || !head.contains('/')),
        b"?" => one_if(&|c| crosses || c != '/'),
        [b'[', b'!' | b'^', _, b']'] => {
            one_if(&|c| !piece[2..].starts_with(c) && (crosses || c != '/'))
        }
        [b'[', from, b'-', to, b']'] => one_if(&|c| (*from..=*to).any(|b| char::from(b) == c)),
        [b'{', ..] => piece[1..piece.len() - 1].split(',').any(|branch| {
            let whole = [&cut(branch, syntax), rest].concat();
            naive(&whole, text, syntax)
        }),
        _ => one_if(&|c| piece.starts_with(c)),
    }
}

/// Every text of up to so many of the letters.
fn texts(letters: &[&str], longest: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut last = texts.clone();
    for _ in 0..longest {
        let longer = |text: &String| {
            letters
                .iter()
                .map(|l| format!("{text}{l}"))
                .collect::<Vec<_>>()
        };
        last = last.iter().flat_map(longer).collect();
        texts.extend(last.clone());
    }
    texts
}

/// Patterns of a few pieces, in a fixed order that looks like none.
fn patterns(pieces: &[&str], count: usize) -> impl Iterator<Item = String> {
    let mut state = 1_u64;
    let mut below = move |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let pieces: Vec<String> = pieces.iter().map(ToString::to_string).collect();
    std::iter::repeat_with(move || {
        let length = 1 + below(6);
        (0..length)
            .map(|_| pieces[below(pieces.len())].as_str())
            .collect()
    })
    .take(count)
}

#[test]
fn matching_agrees_with_the_naive_matcher_and_with_its_own_translation() {
    let words = [
        "a", "b", "é", "/", "*", "*", "?", "[!a]", "[^b]", "[a-b]", "{a,b*}", "{,?}", "{*a,/}",
        "**",
    ];
    let texts = texts(&["a", "b", "é", "/"], 4);
    for syntax in [Syntax::Name, Syntax::Text] {
        let (mut tried, mut matched) = (0, 0);
        for pattern in patterns(&words, 250) {
            let glob = Glob::new(&pattern, syntax).unwrap();
            let regex = Regex::new(&whole(&glob.to_regex())).unwrap();
            let pieces = cut(&pattern, syntax);
            for text in &texts {
                let expected = naive(&pieces, text, syntax);
                assert_eq!(glob.is_match(text), expected, "{pattern} {text}");
                assert_eq!(regex.is_match(text), expected, "{pattern} {text} {regex}");
                tried += 1;
                matched += u32::from(expected);
            }
        }
        assert!(
            matched > tried / 100 && matched < tried,
            "{matched} of {tried}"
        );
    }
}

#[test]
fn path_globs_agree_with_the_naive_matcher_and_with_their_translation() {
    let words = [
        "a", "b", "/", "/", "*", "?", "[!a]", "[a-b]", "{a,b*}", "{,?}", "{,a}", "**/", "/**/",
        "/**",
    ];
    // Names without empty ones among them.
    let mut texts = texts(&["a", "b", "a/", "b/"], 4);
    texts.retain(|text| !text.is_empty() && !text.ends_with('/'));
    let (mut tried, mut matched) = (0, 0);
    for pattern in patterns(&words, 800) {
        let mut names: Vec<&str> = pattern.split('/').filter(|name| !name.is_empty()).collect();
        names.dedup_by(|next, before| next == before && *next == "**");
        let is_whole = |name: &&str| !name.contains("**") || *name == "**";
        let pattern = names.join("/");
        if pattern.is_empty() || pattern == "**" || !names.iter().all(is_whole) {
            continue;
        }
        let glob = Glob::new(&pattern, Syntax::Path).unwrap();
        let regex = Regex::new(&whole(&glob.to_path_regex())).unwrap();
        let pieces = cut(&pattern, Syntax::Path);
        for text in &texts {
            let expected = naive(&pieces, text, Syntax::Path);
            assert_eq!(glob.is_match(text), expected, "{pattern} {text}");
            assert_eq!(regex.is_match(text), expected, "{pattern} {text} {regex}");
            tried += 1;
            matched += u32::from(expected);
        }
        for empty in ["", "/a", "a/", "a//b"] {
            assert!(!regex.is_match(empty), "{pattern} {empty} {regex}");
        }
    }
    assert!(
        tried > 20_000 && matched > tried / 100 && matched < tried,
        "{matched} of {tried}"
    );
}
