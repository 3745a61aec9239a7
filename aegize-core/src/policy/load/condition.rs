//! The conditions on arguments.

use super::rule::path_patterns;
use super::value::{
    read_length, read_literal, read_literals, read_number, read_url, regex, shown, some,
};
use crate::pattern::{EmailPattern, HostPattern, ProgramPattern, TextGlob};
use crate::policy::condition::{
    ArgumentCondition, Bound, Expectation, LONGEST_POINTER, Matcher, Pointer, Test, TestKind,
};
use crate::policy::document::PathPattern;
use crate::yaml::decode::{Decoder, Fields, Trail};
use crate::yaml::{Kind, Node};

/// The keys of a matcher, in the order of the documentation.
pub(crate) const MATCHER_KEYS: [&str; 18] = [
    "equals",
    "one_of",
    "not_one_of",
    "min",
    "max",
    "above",
    "below",
    "max_length",
    "glob",
    "matches",
    "path",
    "email",
    "host",
    "url",
    "command",
    "present",
    "not",
    "optional",
];

/// How matchers are read.
#[derive(Clone, Copy)]
struct Setting {
    /// Whether the condition has to be proved: in an allow rule or an exemption.
    must_be_proved: bool,
    follows_links: bool,
    is_negated: bool,
}

/// Input: the mapping under `args`.
pub(super) fn read_arguments(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
    must_be_proved: bool,
    follows_links: bool,
) -> Vec<ArgumentCondition> {
    let expected = "a mapping from argument names to matchers";
    let entries = decoder.entries(node, trail, expected);
    refuse_own_keys(decoder, node, trail);
    if matches!(&node.kind, Kind::Map(pairs) if pairs.is_empty()) {
        let message = "names no argument; write a matcher for one, or remove the key";
        decoder.problem(node, trail, message);
    }
    let setting = Setting {
        must_be_proved,
        follows_links,
        is_negated: false,
    };
    let mut conditions = Vec::with_capacity(entries.len());
    for (name, key, matcher) in entries {
        let trail = Trail::Key(&trail, name);
        let pointer = match Pointer::new(name) {
            Ok(pointer) => pointer,
            Err(problem) => {
                decoder.problem(key, trail, problem);
                continue;
            }
        };
        if let Some(expectation) = read_expectation(decoder, matcher, trail, setting) {
            conditions.push(ArgumentCondition {
                pointer,
                expectation,
            });
        }
    }
    conditions
}

/// Elsewhere, keys that begin with `x-` are the author's own. An argument may be named like this,
/// and a condition that is not looked at would be worse than none.
fn refuse_own_keys(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) {
    let Kind::Map(pairs) = &node.kind else { return };
    for (key, _) in pairs {
        if let Kind::String { text, .. } = &key.kind
            && text.starts_with("x-")
        {
            let message = format!(
                "`{text}` would be ignored, as every key that begins with `x-` is; \
                write `/{text}` for the argument of that name"
            );
            decoder.problem(key, Trail::Key(&trail, text), message);
        }
    }
}

impl Pointer {
    /// An argument's name, or a JSON Pointer (RFC 6901) whose first key is one.
    fn new(text: &str) -> Result<Self, String> {
        let Some(pointer) = text.strip_prefix('/') else {
            return Ok(Self {
                argument: text.into(),
                rest: Box::default(),
                text: text.into(),
            });
        };
        let mut segments: Vec<Box<str>> = Vec::new();
        for segment in pointer.split('/') {
            let plain = segment.replace("~1", "").replace("~0", "");
            if plain.contains('~') {
                return Err(format!(
                    "`{text}` is not a JSON Pointer; write `~0` for `~` and `~1` for `/` in a key"
                ));
            }
            segments.push(Box::from(segment.replace("~1", "/").replace("~0", "~")));
        }
        let argument = segments.remove(0);
        if argument.is_empty() {
            return Err(format!(
                "`{text}` names no argument; a JSON Pointer begins with one, as in `/filter/owner`"
            ));
        }
        if segments.len() >= LONGEST_POINTER {
            return Err(format!(
                "`{text}` is longer than {LONGEST_POINTER} keys; shorten it"
            ));
        }
        Ok(Self {
            argument,
            rest: segments.into(),
            text: text.into(),
        })
    }
}

fn read_expectation(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
    setting: Setting,
) -> Option<Expectation> {
    let fields = matcher_fields(decoder, node, trail)?;
    if let Some(present) = fields.get("present") {
        let present = decoder.boolean(present, Trail::Key(&trail, "present"));
        if fields.iter().count() > 1 {
            let message = "`present` stands alone: every other matcher needs a value that is there";
            decoder.problem(node, trail, message);
        }
        return present.map(Expectation::Present);
    }
    let optional = fields.get("optional").and_then(|node| {
        let trail = Trail::Key(&trail, "optional");
        let optional = decoder.boolean(node, trail);
        if !setting.must_be_proved {
            let message = "`optional` is for allow rules and `unless`; \
                a deny or approval rule never applies to an argument that is absent";
            decoder.problem(node, trail, message);
        }
        optional
    });
    let matcher = read_matcher(decoder, node, &fields, trail, setting)?;
    Some(Expectation::Matching {
        matcher,
        is_optional: optional.unwrap_or(false),
    })
}

fn matcher_fields<'n>(
    decoder: &mut Decoder,
    node: &'n Node<'n>,
    trail: Trail<'_>,
) -> Option<Fields<'n>> {
    let expected = "a matcher such as `{ one_of: [a, b] }`";
    let fields = decoder.fields(node, trail, expected, &MATCHER_KEYS);
    matches!(node.kind, Kind::Map(_)).then_some(fields)
}

fn read_matcher(
    decoder: &mut Decoder,
    node: &Node,
    fields: &Fields<'_>,
    trail: Trail<'_>,
    setting: Setting,
) -> Option<Matcher> {
    let mut tests = Vec::new();
    let mut is_whole = true;
    for key in MATCHER_KEYS {
        let Some(value) = fields.get(key) else {
            continue;
        };
        if key == "optional" {
            continue;
        }
        match read_test(decoder, key, value, Trail::Key(&trail, key), setting) {
            Some(kind) => tests.push(Test {
                key,
                text: shown(value).into(),
                kind,
            }),
            None => is_whole = false,
        }
    }
    if !is_whole {
        return None;
    }
    if tests.is_empty() {
        // Keys that nobody knows were told before.
        let has_other = |(key, _): &(Node, Node)| matches!(&key.kind, Kind::String { text, .. } if text != "optional" && !text.starts_with("x-"));
        if matches!(&node.kind, Kind::Map(pairs) if pairs.iter().any(has_other)) {
            return None;
        }
        let message = "asks for nothing; write a matcher such as `one_of: [a, b]`, \
            or `present: true`";
        decoder.problem(node, trail, message);
        return None;
    }
    check_range(decoder, fields, trail, &tests);
    let about_lists = tests.iter().filter(|test| test.kind.is_about_lists());
    if setting.is_negated && ![0, tests.len()].contains(&about_lists.count()) {
        let message = "mixes what is asked of a list as a whole (`max_length`, `command`) with what \
            is asked of its elements; negate one of them elsewhere";
        decoder.problem(node, trail, message);
    }
    Some(Matcher(tests))
}

fn read_test(
    decoder: &mut Decoder,
    key: &str,
    node: &Node,
    trail: Trail<'_>,
    setting: Setting,
) -> Option<TestKind> {
    Some(match key {
        "equals" => TestKind::OneOf(vec![read_literal(decoder, node, trail)?]),
        "one_of" => TestKind::OneOf(read_literals(decoder, node, trail)?),
        "not_one_of" => TestKind::NotOneOf(read_literals(decoder, node, trail)?),
        "min" => TestKind::Bound(Bound::Min, read_number(decoder, node, trail)?),
        "max" => TestKind::Bound(Bound::Max, read_number(decoder, node, trail)?),
        "above" => TestKind::Bound(Bound::Above, read_number(decoder, node, trail)?),
        "below" => TestKind::Bound(Bound::Below, read_number(decoder, node, trail)?),
        "max_length" => TestKind::MaxLength(read_length(decoder, node, trail)?),
        "glob" => TestKind::Glob(some(decoder, node, trail, "globs", TextGlob::new)?),
        "matches" => TestKind::Matches(some(decoder, node, trail, "regular expressions", regex)?),
        "path" => TestKind::Path {
            patterns: match &node.kind {
                Kind::String { .. } => some(decoder, node, trail, "path globs", PathPattern::new)?,
                _ => path_patterns(decoder, node, trail, "a list of path globs")?,
            },
            follows_links: setting.follows_links,
        },
        "email" => TestKind::Email(some(
            decoder,
            node,
            trail,
            "e-mail addresses and domains",
            EmailPattern::new,
        )?),
        "host" => TestKind::Host(some(decoder, node, trail, "hosts", HostPattern::new)?),
        "url" => TestKind::Url(read_url(decoder, node, trail)?),
        "command" => {
            TestKind::Command(some(decoder, node, trail, "programs", ProgramPattern::new)?)
        }
        "not" => TestKind::Not(read_negated(decoder, node, trail, setting)?),
        // `present` within `not`: everything else was read before.
        _ => {
            let message = "write `present` by itself, not within `not`: `present: false`";
            decoder.problem(node, trail, message);
            return None;
        }
    })
}

fn read_negated(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
    setting: Setting,
) -> Option<Matcher> {
    let fields = matcher_fields(decoder, node, trail)?;
    if let Some(optional) = fields.get("optional") {
        let message = "write `optional` beside `not`, not within it";
        decoder.problem(optional, Trail::Key(&trail, "optional"), message);
    }
    let setting = Setting {
        is_negated: true,
        ..setting
    };
    read_matcher(decoder, node, &fields, trail, setting)
}

/// A range that holds no number is a mistake.
fn check_range(decoder: &mut Decoder, fields: &Fields<'_>, trail: Trail<'_>, tests: &[Test]) {
    let ends = |wanted: [Bound; 2]| {
        tests.iter().filter_map(move |test| match &test.kind {
            TestKind::Bound(bound, end) if wanted.contains(bound) => Some((test, *bound, *end)),
            _ => None,
        })
    };
    for (low, low_bound, low_end) in ends([Bound::Min, Bound::Above]) {
        for (high, high_bound, high_end) in ends([Bound::Max, Bound::Below]) {
            let is_closed = low_bound == Bound::Min && high_bound == Bound::Max;
            if low_end < high_end || (low_end == high_end && is_closed) {
                continue;
            }
            let message =
                format!("no number is in this range: `{low}` and `{high}`; mend one of the two");
            if let Some(node) = fields.get(low.key) {
                decoder.problem(node, Trail::Key(&trail, low.key), message);
            }
        }
    }
}
