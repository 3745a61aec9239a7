//! The canonical layout, and what holds for every text.

use std::fmt::Write as _;

use super::*;

/// A text and its canonical layout.
const ROWS: [(&str, &str); 18] = [
    // The order of keys; rules, agents and items keep theirs.
    (
        "agents:\n  b: {x-team: red, deny: [], roles: [r], allow: []}\n  a:\nroles: {r: }\nx-1: 1\nversion: 1\n",
        "version: 1\nroles:\n  r:\n\nagents:\n  b:\n    roles: [r]\n    allow: []\n    deny: []\n    x-team: red\n\n  a:\nx-1: 1\n",
    ),
    (
        "agents:\n  b:\n    deny:\n    - reason: why\n      unless: [{args: {a: {equals: 1}}, risk_level_max: low}, {paths: [z, b]}]\n      tool: t\n      id: i\n",
        "agents:\n  b:\n    deny:\n      - id: i\n        tool: t\n        unless:\n          - risk_level_max: low\n            args:\n              a: { equals: 1 }\n          - paths: [z, b]\n        reason: why\n",
    ),
    (
        "agents:\n  b:\n    environments: {prod: {deny: [{tool: t}], widens: TRUE}}\n",
        "agents:\n  b:\n    environments:\n      prod:\n        widens: true\n        deny:\n          - tool: t\n",
    ),
    // Comments stay with what they belong to.
    (
        "# file\n\n# the agents\nagents: # here\n  # bot\n  bot: # b\n    # deny\n    deny: [{tool: a, id: x}] # d\n    allow: # a\n      - # rule\n        tool: t # t\n        # id\n        id: i # i\nversion: 1 # v\n",
        "# file\n\nversion: 1  # v\n\n# the agents\nagents:  # here\n  # bot\n  bot:  # b\n    allow:  # a\n      # rule\n      # id\n      - id: i  # i\n        tool: t  # t\n    # deny\n    deny:  # d\n      - id: x\n        tool: a\n",
    ),
    // Comments at the end of a block stay there.
    (
        "agents:\n  a:\n    allow:\n      - tool: t\n        # in the rule\n      # - tool: u\n\n      # - tool: v\n    # after allow\n    deny:\n      - tool: w\n    # end of a\n  # b\n  b:\n      # odd\n    # end\n# file\n\n# end\n",
        "agents:\n  a:\n    allow:\n      - tool: t\n        # in the rule\n      # - tool: u\n\n      # - tool: v\n    # after allow\n    deny:\n      - tool: w\n    # end of a\n\n  # b\n  b:\n  # odd\n  # end\n# file\n\n# end\n",
    ),
    // In their order, however they are indented.
    (
        "agents:\n  a:\n    deny:\n      - tool: t\n    # out\n      # in\n  b:\n",
        "agents:\n  a:\n    deny:\n      - tool: t\n    # out\n    # in\n\n  b:\n",
    ),
    // Comments within brackets give each item its line.
    (
        "agents: {a: {deny: [{tool: t, paths: [ # p\n  a, # a\n  # b\n  b\n  # end\n  ] # q\n}, # r\n{tool: u, paths: [ # none\n]}]}} # all",
        "agents:  # all\n  a:\n    deny:\n      # r\n      - tool: t\n        # q\n        paths:  # p\n          - a  # a\n          # b\n          - b\n          # end\n      - tool: u\n        paths: []  # none\n",
    ),
    // A comment and what it stands above move together; empty lines are kept, one at most.
    (
        "agents:\n  a:\n\n    deny:\n\n      - tool: t\n\n\n      - tool: u\n      # free\n\n      - tool: v\n  b:\n\n\n  c:\n",
        "agents:\n  a:\n    deny:\n      - tool: t\n\n      - tool: u\n      # free\n\n      - tool: v\n\n  b:\n\n  c:\n",
    ),
    // Comments between a key and its value, behind dashes, and behind the heads of block scalars.
    (
        "agents:\n  # first\n  a:\n    # d\n    deny:\n    # item\n    -\n      # tool\n      tool:\n        # name\n        t\n      reason: | # why\n        one\n        two\n    # second\n    - tool: u\n",
        "agents:\n  # first\n  a:\n    # d\n    deny:\n      # item\n      # tool\n      # name\n      - tool: t\n        reason: |  # why\n          one\n          two\n      # second\n      - tool: u\n",
    ),
    // Quotes: where needed, double.
    (
        "agents:\n  'a': {deny: [{'tool': 'a b', operations: ['*', on!, 'it''s', \"1,2\", 'a,b'], reason: 'a, b'}]}\n",
        "agents:\n  a:\n    deny:\n      - tool: a b\n        operations: [\"*\", \"on!\", it's, \"1,2\", \"a,b\"]\n        reason: a, b\n",
    ),
    (
        "x-a: ['yes', \"012\", 'null', '', ' a', '1', '2026-01-01', \"it is\", '<<', '~', '-', '- a', '=', 'a: b', '\\', \"\\e\\u202e\\ufeff\"]\n",
        "x-a:\n  - \"yes\"\n  - \"012\"\n  - \"null\"\n  - \"\"\n  - \" a\"\n  - \"1\"\n  - \"2026-01-01\"\n  - it is\n  - \"<<\"\n  - \"~\"\n  - \"-\"\n  - \"- a\"\n  - \"=\"\n  - \"a: b\"\n  - '\\'\n  - \"\\x1b\\u202e\\ufeff\"\n",
    ),
    // What other readers take for something else stays as it was.
    (
        "x-a: [yes, 012, 12:30, 2026-01-01, -rf, 1.50, 1e3, True, ~, 0x1F]\n",
        "x-a: [yes, 012, 12:30, 2026-01-01, -rf, 1.50, 1e3, true, null, 0x1F]\n",
    ),
    // The author's own keys: in one line if they fit, whatever is inside.
    (
        "x-a:\n  b:\n    c: [1, {d: 2}]\n  e:\n    f: [g]\n    h: ~\n? x-b\n: - - 1\n    - 2\n  - - {a: b}\n",
        "x-a:\n  b:\n    c:\n      - 1\n      - { d: 2 }\n  e: { f: [g], h: null }\n\nx-b:\n  - [1, 2]\n  - - { a: b }\n",
    ),
    // Long lines.
    (
        "x-a: >\n  a text that is folded at one hundred columns, and that has more words than fit into a line of that\n  length\n",
        "x-a: >\n  a text that is folded at one hundred columns, and that has more words than fit into a line of that\n  length\n",
    ),
    (
        "x-b: a text of more than one hundred columns is folded between its words, so that each line of it fits on the screen\n",
        "x-b: >-\n  a text of more than one hundred columns is folded between its words, so that each line of it fits\n  on the screen\n",
    ),
    (
        "x-c: \"a\\nb \\n\\n\"\nx-d: \"a\\n\\nb\"\n",
        "x-c: \"a\\nb \\n\\n\"\nx-d: |-\n  a\n\n  b\n",
    ),
    // Line endings, a byte-order mark, the marks of a document.
    (
        "\u{feff}# top\r\n---\r\n# a\r\nagents: {}  # b  \r\n\r\n\r\n...\r\n# end",
        "# top\n# a\nagents: {}  # b\n# end\n",
    ),
    ("agents: {}", "agents: {}\n"),
];

#[test]
fn each_text_has_its_layout() {
    for (text, expected) in ROWS {
        let formatted = format(text).unwrap();
        assert_eq!(formatted, expected, "{text}");
        assert_eq!(format(expected).unwrap(), expected, "not stable: {text}");
    }
}

/// A text with much that is unusual, chosen by a generator that always begins with the same
/// numbers.
struct Scribe {
    state: u64,
    text: String,
}

impl Scribe {
    fn below(&mut self, bound: usize) -> usize {
        // xorshift64* (Marsaglia 2003, Vigna 2016).
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let mixed = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(mixed).unwrap() % bound
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    fn comment_lines(&mut self, indent: usize) {
        for _ in 0..self.below(8).saturating_sub(5) {
            let indent = self.below(indent + 3);
            let number = self.below(1000);
            writeln!(self.text, "{}#{number} x", " ".repeat(indent)).unwrap();
        }
        if self.below(6) == 0 {
            self.text.push('\n');
        }
    }

    /// Perhaps a comment, and the end of the line.
    fn end_line(&mut self) {
        if self.below(5) == 0 {
            let number = self.below(1000);
            write!(self.text, " # r{number}").unwrap();
        }
        self.text.push('\n');
    }

    fn scalar(&mut self) -> &'static str {
        self.pick(&[
            "a",
            "'b c'",
            "\"d\\n\"",
            "yes",
            "'no'",
            "012",
            "1",
            "1.50",
            "~",
            "True",
            "\"x: y\"",
            "'# z'",
            "a#b",
            "\"\\u202e\"",
            "- 1",
            "it's",
            "'*'",
            "",
            "\"tr \\n \"",
            "\"two\\nlines\"",
        ])
    }

    fn flow(&mut self, depth: usize) {
        match self.below(if depth == 0 { 1 } else { 3 }) {
            0 => {
                let scalar = match self.scalar() {
                    "- 1" | "" => "c",
                    other => other,
                };
                self.text.push_str(scalar);
            }
            shape => {
                self.text.push_str(if shape == 1 { "[" } else { "{" });
                for index in 0..self.below(4) {
                    if self.below(6) == 0 {
                        self.text.push_str(" # in\n ");
                    }
                    if shape == 2 {
                        write!(self.text, "k{index}: ").unwrap();
                    }
                    self.flow(depth - 1);
                    let separator = self.pick(&[", ", ", ", ",\n   ", ", # after\n   "]);
                    self.text.push_str(separator);
                }
                self.text.push_str(if shape == 1 { "]" } else { "}" });
            }
        }
    }

    fn block(&mut self, indent: usize, depth: usize) {
        let is_list = self.below(2) == 0;
        let keys = [
            "tool", "id", "args", "allow", "deny", "x-a", "unless", "reason",
        ];
        let first = self.below(keys.len());
        for index in 0..=self.below(4) {
            self.comment_lines(indent);
            let lead = if is_list {
                "-".to_owned()
            } else {
                format!("{}:", keys[(first + index) % 8])
            };
            write!(self.text, "{}{lead}", " ".repeat(indent)).unwrap();
            match self.below(if depth == 0 { 3 } else { 5 }) {
                0 => {
                    self.text.push(' ');
                    let scalar = match self.scalar() {
                        "- 1" => "q",
                        other => other,
                    };
                    self.text.push_str(scalar);
                    self.end_line();
                }
                1 => {
                    self.text.push(' ');
                    self.flow(2);
                    self.end_line();
                }
                2 => {
                    let header = self.pick(&[" |", " >-", " |-"]);
                    self.text.push_str(header);
                    self.end_line();
                    let pad = " ".repeat(indent + 1);
                    let lines = self.pick(&["one", "one\n\n two", "one # no\n #two"]);
                    writeln!(
                        self.text,
                        "{pad}{}",
                        lines.replace("\n ", &format!("\n{pad}"))
                    )
                    .unwrap();
                }
                _ => {
                    self.end_line();
                    let deeper = indent + 1 + self.below(3);
                    self.block(deeper, depth - 1);
                }
            }
        }
    }
}

#[test]
fn formatting_keeps_everything_and_is_stable() {
    let (mut formatted_texts, mut seed) = (0, 1);
    while formatted_texts < 300 {
        let mut scribe = Scribe {
            state: seed,
            text: String::new(),
        };
        seed += 1_000_003;
        scribe.text.push_str("# top\n");
        for section in ["agents", "x-free"] {
            scribe.comment_lines(0);
            writeln!(scribe.text, "{section}:").unwrap();
            scribe.block(2, 3);
        }
        scribe.comment_lines(6);
        let text = &scribe.text;
        yaml::load(text, |_, _| ()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let once = format(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let twice = format(&once).unwrap_or_else(|error| panic!("{error}\n{once}"));
        assert_eq!(once, twice, "from\n{text}");
        assert!(once.lines().all(|line| line.trim_end() == line), "{once}");
        formatted_texts += 1;
    }
}

#[test]
fn a_difference_is_noticed() {
    let text = "a: [1, {b: c}] # d\ne: f\n";
    assert!(says_the_same(text, "e: f # d\na: [1, {b: c}]\n"));
    for other in [
        "a: [1, {b: c}]\ne: f\n",
        "a: [1, {b: c}] # D\ne: f\n",
        "a: [1, {b: c}] # d\ne: g\n",
        "a: [1, {b: c}] # d\n",
        "a: [{b: c}, 1] # d\ne: f\n",
        "a: ['1', {b: c}] # d\ne: f\n",
        "a: [1, {b: c}] # d\ne: f\n# d\n",
        "a: [1, {b: c} # d\ne: f\n",
    ] {
        assert!(!says_the_same(text, other), "{other}");
    }
}

#[test]
fn what_has_no_layout_is_refused() {
    let long = format!("x-a:\n  ? {}\n  : 1\n", "k".repeat(1100));
    for (text, message) in [
        ("x-a: {[1]: 2}\n", "a list or mapping as a key"),
        (&long, "shorten the longest keys"),
    ] {
        let text = format!("agents: {{}}\n{text}");
        let error = FormattedPolicy::from_yaml_str(&text).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn any_number_of_comments_is_read() {
    let comments = "# c\n".repeat(1000);
    let text = format!("agents:\n{comments}  bot:\n{comments}x-a: [\n{comments}]\n");
    let policy = FormattedPolicy::from_yaml_str(&text).unwrap();
    assert_eq!(policy.formatted().matches("# c\n").count(), 3000);
}
