//! Files that have no meaning, and what is told of each. `DIR` stands for a directory with secrets.

pub(crate) const ROWS: &[(&str, &str)] = &[
    (
        "",
        "line 1, column 1: the text ends where more is expected; complete it",
    ),
    ("{}", "missing key `channels`; add it"),
    ("channels: [", "line 1, column 11: not valid YAML: "),
    (
        "channels: []\nchannels: []",
        "line 2, column 1: the key `channels` is there twice; remove one",
    ),
    (
        "channels: 5",
        "line 1, column 11: expected a list; write `[a, b]`",
    ),
    (
        "channels: [a]",
        "line 1, column 12: expected a mapping; write `key: value`",
    ),
    (
        "channels: [{name: a, type: [x]}]",
        "line 1, column 28: expected one word; write it without brackets",
    ),
    (
        "channels: [{name: a, type: command, command: [ls], timeout_seconds: x}]",
        "line 1, column 69: expected a whole number; write one such as 30",
    ),
    (
        "chanels: []",
        "line 1, column 1: unknown key `chanels`; did you mean `channels`?",
    ),
    ("channels: [{name: a}]", "missing key `type`; add it"),
    ("channels: [{type: terminal}]", "missing key `name`; add it"),
    (
        "channels:\n  - name: a\n    type: webhok\n",
        "line 3, column 11: unknown word `webhok`; did you mean `webhook`?",
    ),
    (
        "channels:\n  - name: a\n    type: webhook\n    url: https://a.example\n    secret: hunter2\n",
        "line 5, column 5: unknown key `secret`; did you mean `secret_env`?",
    ),
    (
        "channels:\n  - name: a\n    type: webhook\n    url: https://a.example\n    secrt_env: X\n",
        "line 5, column 5: unknown key `secrt_env`; did you mean `secret_env`?",
    ),
    (
        "channels: [{name: a b, type: terminal}]",
        "line 1, column 19: `a b` is no name of a channel; write up to 64 letters, digits, `-` and `_`",
    ),
    (
        "channels: [{name: a, type: terminal}, {name: a, type: terminal}]",
        "line 1, column 46: there are two channels `a`; rename one",
    ),
    (
        "channels: [{name: a, type: terminal, url: https://a.example}]",
        "line 1, column 43: `url` belongs to channels of type `webhook`, and this one is of type `terminal`; remove it",
    ),
    (
        "channels: [{name: a, type: terminal, risk_level_min: hi}]",
        "unknown word `hi`; use low, medium, high, critical",
    ),
    (
        "channels: [{name: a, type: terminal, environments: [production]}]",
        "unknown word `production`; use dev, staging, prod",
    ),
    (
        "channels: [{name: a, type: terminal, tools: ['a**']}]",
        "line 1, column 46: the pattern `a**` has `**`",
    ),
    (
        "channels: [{name: a, type: webhook}]",
        "line 1, column 28: a channel of type `webhook` needs `url`; add it",
    ),
    (
        "channels: [{name: a, type: webhook, url: https://a.example}]",
        "a channel of type `webhook` needs `secret_env` or `secret_file`; add it",
    ),
    (
        "channels: [{name: a, type: webhook, url: ftp://a.example, secret_file: DIR/webhook}]",
        "`url` is no address; write `https://host/path`",
    ),
    (
        "channels: [{name: a, type: webhook, url: 'https://u:hunter2@a.example', secret_file: DIR/webhook}]",
        "`url` has credentials; remove them",
    ),
    (
        "channels: [{name: a, type: webhook, url: 'https://a.example/#x', secret_file: DIR/webhook}]",
        "`url` has a part behind `#`; remove it",
    ),
    (
        "url: 'https://a.example/?x=1'\nchannels: []",
        "line 1, column 6: `url` has a part behind `?`; remove it",
    ),
    (
        "channels: [{name: a, type: webhook, url: https://a.example, secret_file: DIR/webhook, secret_env: X}]",
        "there are `secret_env` and `secret_file`; remove one",
    ),
    (
        "channels: [{name: a, type: webhook, url: https://a.example, secret_file: DIR/none}]",
        "the file in `secret_file` cannot be read: ",
    ),
    (
        "channels: [{name: a, type: webhook, url: https://a.example, secret_file: DIR/empty}]",
        "the secret that is named here is unusable: it is empty; write the secret there",
    ),
    (
        "channels: [{name: a, type: webhook, url: https://a.example, secret_file: DIR/short}]",
        "the secret that is named here is unusable: the secret is none of Standard Webhooks",
    ),
    (
        "channels: [{name: a, type: webhook, url: https://a.example, secret_env: AEGIZE_TEST_UNSET}]",
        "the environment has no variable of the name in `secret_env`; set it",
    ),
    (
        "channels: [{name: a, type: webhook, url: https://a.example, secret_env: CARGO_PKG_NAME}]",
        "the secret that is named here is unusable: ",
    ),
    (
        "channels: [{name: a, type: slack, channel: '#finance', bot_token_file: DIR/token, signing_secret_file: DIR/signing}]",
        "`#finance` is no id of a channel; write the one that Slack shows",
    ),
    (
        "channels: [{name: a, type: slack, channel: C1, bot_token_file: DIR/spaced, signing_secret_file: DIR/signing}]",
        "it holds a character that no token has; check it",
    ),
    (
        "channels: [{name: a, type: slack, channel: C1, bot_token_file: DIR/token}]",
        "a channel of type `slack` needs `signing_secret_env` or `signing_secret_file`; add it",
    ),
    (
        "channels: [{name: a, type: command}]",
        "a channel of type `command` needs `command`; add it",
    ),
    (
        "channels: [{name: a, type: command, command: []}]",
        "the command is empty; write the program and its arguments",
    ),
    (
        "channels: [{name: a, type: command, command: [a], timeout_seconds: 0}]",
        "`timeout_seconds` is not from 1 to 600; write 30 or leave it out",
    ),
];
