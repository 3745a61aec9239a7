//! Files that say what they cannot mean.

use crate::support::{POLICY, TESTS};

/// Name, policy, tests, and what standard error has to contain.
pub(super) type Row = (
    &'static str,
    &'static [u8],
    &'static [u8],
    &'static [&'static str],
);

const P: &[u8] = POLICY.as_bytes();
pub(super) const T: &[u8] = TESTS.as_bytes();

pub(super) const BAD_POLICIES: &[Row] = &[
    ("an empty file", b"", T, &["policy.yaml", "empty"]),
    (
        "no agents",
        b"version: 1",
        T,
        &["policy.yaml:1:1: ", "missing key `agents`"],
    ),
    (
        "a list",
        b"[bot]",
        T,
        &["policy.yaml:1:1: ", "expected a mapping"],
    ),
    (
        "not YAML",
        b"agents: {bot: [",
        T,
        &["policy.yaml:", "not valid YAML"],
    ),
    (
        "bad UTF-8",
        b"agents:\n  b\xffot: {}\n",
        T,
        &["policy.yaml:2:4: ", "not UTF-8"],
    ),
    (
        "an unknown section",
        b"agents: {bot: {denny: []}}",
        T,
        &[
            "policy.yaml:1:16: ",
            "unknown key `denny`",
            "did you mean `deny`?",
        ],
    ),
    (
        "an unknown key of a rule",
        b"agents: {bot: {deny: [{tool: a, operation: [b]}]}}",
        T,
        &["unknown key `operation`", "did you mean `operations`?"],
    ),
    (
        "a second deny",
        b"agents:\n  bot:\n    deny: [{tool: a}]\n    deny: []\n",
        T,
        &[
            "policy.yaml:4:5: ",
            "duplicate key `deny`",
            "4 |     deny: []",
        ],
    ),
    (
        "operations that are no list",
        b"agents: {bot: {allow: [{tool: shell, operations: rm}]}}",
        T,
        &["expected a list", "write `[rm]`"],
    ),
    (
        "an unknown risk level",
        b"agents: {bot: {allow: [{tool: a, risk_level_max: hihg}]}}",
        T,
        &["`hihg`", "did you mean `high`?"],
    ),
    (
        "a bad glob",
        b"agents: {bot: {allow: [{tool: \"a[\"}]}}",
        T,
        &["policy.yaml:1:31: ", "a["],
    ),
    (
        "two documents",
        b"agents: {}\n---\nagents: {}\n",
        T,
        &["one document in a file"],
    ),
    (
        "an alias",
        b"agents: {a: &x {}, b: *x}\n",
        T,
        &["anchors and aliases"],
    ),
    (
        "the other way round",
        T,
        P,
        &[
            "policy.yaml:2:1: ",
            "unknown key `tests`",
            "tests.yaml:2:1: ",
        ],
    ),
];

pub(super) const BAD_TESTS: &[Row] = &[
    ("an empty file", P, b"", &["tests.yaml", "tests"]),
    (
        "no tests",
        P,
        b"cases: []",
        &[
            "tests.yaml:1:1: ",
            "missing key `tests`",
            "unknown key `cases`",
        ],
    ),
    (
        "empty tests",
        P,
        b"tests: []",
        &["tests.yaml:1:8: ", "empty list"],
    ),
    (
        "tests of nothing",
        P,
        b"tests:\n",
        &["tests.yaml:", "expected a list of cases"],
    ),
    (
        "tests that are no list",
        P,
        b"tests: {a: b}",
        &["tests.yaml:1:8: ", "expected a list of cases"],
    ),
    (
        "a case that is no mapping",
        P,
        b"tests: [a]",
        &["tests.yaml:1:9: ", "expected a case"],
    ),
    (
        "not YAML",
        P,
        b"tests: \"",
        &["tests.yaml:", "not valid YAML"],
    ),
    ("bad UTF-8", P, b"\xc3(", &["tests.yaml:1:1: ", "not UTF-8"]),
    (
        "no agent",
        P,
        b"tests: [{tool: a, operation: b, expect: deny}]",
        &["test #1: missing required field 'agent'"],
    ),
    (
        "no tool and no operation in a case with a name",
        P,
        b"tests: [{name: the case, agent: bot, expect: deny}]",
        &[
            "the case: missing required field 'tool'",
            "the case: missing required field 'operation'",
        ],
    ),
    (
        "no expect",
        P,
        b"tests: [{agent: bot, tool: a, operation: b}]",
        &["missing required field 'expect'"],
    ),
    (
        "a misspelt expect",
        P,
        b"tests:\n  - agent: bot\n    tool: a\n    operation: b\n    expect: alow\n",
        &[
            "tests.yaml:5:13: ",
            "unknown expect `alow`",
            "did you mean `allow`?",
        ],
    ),
    (
        "another word to expect",
        P,
        b"tests: [{agent: bot, tool: a, operation: b, expect: blocked}]",
        &["`blocked`", "allow, deny, require_approval"],
    ),
    (
        "a case in capitals",
        P,
        b"tests: [{agent: bot, tool: a, operation: b, expect: ALLOW}]",
        &["unknown expect `ALLOW`"],
    ),
    (
        "a bad risk level",
        P,
        b"tests: [{agent: bot, tool: a, operation: b, risk_level: extreme, expect: deny}]",
        &[
            "unknown risk_level `extreme`",
            "low, medium, high, critical",
        ],
    ),
    (
        "an unknown key of a case",
        P,
        b"tests: [{agent: bot, tool: a, operations: b, expect: deny}]",
        &["unknown key `operations`", "did you mean `operation`?"],
    ),
    (
        "args that are no mapping",
        P,
        b"tests: [{agent: bot, tool: a, operation: b, args: [c], expect: deny}]",
        &["tests.yaml:1:51: ", "expected a mapping, found a list"],
    ),
    (
        "metadata that is no mapping",
        P,
        b"tests: [{agent: bot, tool: a, operation: b, metadata: ./safe, expect: deny}]",
        &["expected a mapping, found a string"],
    ),
    (
        "a boolean where a name is",
        P,
        b"tests: [{agent: true, tool: a, operation: b, expect: deny}]",
        &["tests.yaml:1:17: ", "put it in quotes"],
    ),
    (
        "several mistakes at once",
        P,
        b"tests: [{agent: bot, tool: a, operation: b, expect: alow}, {agent: bot, risk: low}]",
        &[
            "`alow`",
            "unknown key `risk`",
            "test #2: missing required field 'tool'",
        ],
    ),
];
