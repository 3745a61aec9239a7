//! Help that teaches, and that is true.

use crate::support::{Ran, aegize, directory, policy_test, run};

#[test]
#[expect(clippy::too_many_lines, reason = "a table is as long as it is")]
fn every_level_teaches_the_essentials() {
    let common = [
        "Usage: aegize",
        "Nothing is executed",
        "Exit codes:",
        "  0  ",
        "  1  ",
        "  2  ",
    ];
    let rows: [(&[&str], &[&str]); 20] = [
        (
            &["--help"],
            &[
                "Check what an AI agent's policy decides",
                "policy     Work with policy files",
                "audit      Work with audit logs",
                "approvals  Decide about calls that wait for a person",
                "aegize audit show audit.jsonl --since 1h",
                "aegize policy test aegize.yaml policy_tests.yaml",
                "--version",
            ],
        ),
        (
            &["policy", "--help"],
            &[
                "`deny`, `require_approval`, `allow`; what no rule allows is denied",
                "Find mistakes in a policy",
                "Compare a policy's decisions with expected ones",
                "Tell what changes in meaning from one policy to another",
                "Tell why a call is allowed, denied, or waits for a person",
                "Lay policy files out as reviewers expect",
                "Print the JSON Schema of policy files",
                "Judge recorded calls by a policy, and show what would have been decided otherwise",
                "Write the least policy that lets through what agents did",
                "aegize policy test aegize.yaml policy_tests.yaml",
            ],
        ),
        (
            &["policy", "test", "--help"],
            &[
                "Usage: aegize policy test [OPTIONS] <POLICY>... <TESTS>",
                "--coverage",
                "JUnit XML",
                "symbolic links are not looked at",
                "agents:\n",
                "tests:\n",
                "require_approval",
                "candidate_paths",
                "risk_level",
                "every case passed",
                "at least one case failed",
                "expect_rule",
                "standard error says why",
            ],
        ),
        (
            &["policy", "diff", "--help"],
            &[
                "Usage: aegize policy diff [OPTIONS] <OLD> <NEW>",
                "--fail-on widen",
                "make no difference",
                "could not be ruled out",
            ],
        ),
        (
            &["policy", "explain", "--help"],
            &[
                "Usage: aegize policy explain [OPTIONS] --agent <ID>",
                "Paths are judged by their text",
                "whatever the decision",
                "--arg amount=12.50",
                "[possible values: dev, staging, prod]",
            ],
        ),
        (
            &["policy", "fmt", "--help"],
            &[
                "Usage: aegize policy fmt [OPTIONS] <FILE>...",
                "--check",
                "`-` alone reads standard input",
                "policy tests are not supported",
                "is not touched",
                "at least one file would change",
            ],
        ),
        (
            &["policy", "schema", "--help"],
            &[
                "Usage: aegize policy schema",
                "draft 2020-12",
                "aegize policy schema > aegize.schema.json",
                "# yaml-language-server: $schema=",
            ],
        ),
        (
            &["policy", "replay", "--help"],
            &[
                "Usage: aegize policy replay [OPTIONS] <POLICY> <LOG>...",
                "symbolic links",
                "not resolved again",
                "short summary of the arguments",
                "cannot be told",
                "--format <FORMAT>",
                "every decision is as it was recorded",
            ],
        ),
        (
            &["policy", "suggest", "--help"],
            &[
                "Usage: aegize policy suggest --agent <ID> <LOG>...",
                "only ever denied is in comments",
                "aegize policy replay suggested.yaml audit.jsonl",
                "risk_level_max: low",
            ],
        ),
        (
            &["audit", "--help"],
            &[
                "a directory of segments; every command takes either",
                "Show what is on record",
                "Count what is on record",
                "aegize audit show audit.jsonl --event denied --follow",
            ],
        ),
        (
            &["audit", "show", "--help"],
            &[
                "Usage: aegize audit show [OPTIONS] <LOG>",
                "-f, --follow",
                "The same as `--format json`",
                "`*` stands for any text, as in policies",
                "90s, 15m, 1h, 2d, 4w",
                "possible values: allowed, denied, approval_required",
                "jq 'select(.duration_us > 1000000)'",
                r#"{"timestamp":"2026-06-27T18:00:00.123456Z","seq":41"#,
                "whether or not any record passed",
            ],
        ),
        (
            &["audit", "stats", "--help"],
            &[
                "Usage: aegize audit stats [OPTIONS] <LOG>",
                "no outcome in the log",
                "does not grow with the log",
                "--until <TIME>",
                "\"duration_us\": {\"count\"",
            ],
        ),
        (
            &["approvals", "--help"],
            &[
                "Usage: aegize approvals <COMMAND>",
                "You decide as the operating system's user",
                "List requests, the newest first",
                "Make tokens for approvers",
                "aegize approvals watch --prompt",
                "  4  there is no such request",
            ],
        ),
        (
            &["approvals", "list", "--help"],
            &[
                "Usage: aegize approvals list [OPTIONS]",
                "granted, consumed",
                "[env: AEGIZE_STORE]",
                "`has_more`",
            ],
        ),
        (
            &["approvals", "show", "--help"],
            &[
                "Usage: aegize approvals show [OPTIONS] <ID>",
                "at least 8 digits",
                "\"earlier\": [{",
            ],
        ),
        (
            &["approvals", "approve", "--help"],
            &[
                "Usage: aegize approvals approve [OPTIONS] <ID>",
                "any other argument makes another request",
                "--when 'args: {amount: {max: 100}}'",
                "  3  not done: the approver may not decide that, or is unknown",
            ],
        ),
        (
            &["approvals", "reject", "--help"],
            &["Usage: aegize approvals reject [OPTIONS] --reason <TEXT> <ID>"],
        ),
        (
            &["approvals", "watch", "--help"],
            &[
                "Usage: aegize approvals watch [OPTIONS]",
                "An answer is about the call above it only",
            ],
        ),
        (
            &["approvals", "tokens", "create", "--help"],
            &[
                "Usage: aegize approvals tokens create [OPTIONS] <NAME>",
                "--print-hash",
                "once",
            ],
        ),
        (
            &["serve", "--help"],
            &[
                "Usage: aegize serve [OPTIONS]",
                "[default: 127.0.0.1:8787]",
                "--host approvals.acme.com",
                "Beyond this host, it wants a certificate",
            ],
        ),
    ];
    for (arguments, contains) in rows {
        let ran = run(arguments);
        let common = common.iter().filter(|part| {
            // Nothing is ever unexpected of what is explained, listed, watched, made or served.
            let without = ["explain", "list", "watch", "create", "serve"];
            **part != "  1  " || !arguments.iter().any(|argument| without.contains(argument))
        });
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        // Wherever a line ends.
        let words: Vec<_> = ran.stdout.split_whitespace().collect();
        let told = [ran.stdout.to_lowercase(), words.join(" ").to_lowercase()];
        for part in common.chain(contains) {
            let is_told = told.iter().any(|told| told.contains(&part.to_lowercase()));
            assert!(is_told, "{arguments:?}: no {part:?} in\n{}", ran.stdout);
        }
        let widest = ran.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{arguments:?}: {widest:?}");
        let help = run(&[&["help"], &arguments[..arguments.len() - 1]].concat());
        assert_eq!(help, ran, "{arguments:?}");
    }
}

/// The indented block after the line that begins with a heading.
fn block(text: &str, heading: &str) -> String {
    text.lines()
        .skip_while(|line| !line.starts_with(heading))
        .skip(2)
        .take_while(|line| line.is_empty() || line.starts_with("  "))
        .flat_map(|line| [line.get(2..).unwrap_or_default(), "\n"])
        .collect()
}

#[test]
fn the_example_in_the_help_gives_the_result_in_the_help() {
    let help = run(&["policy", "test", "--help"]).stdout;
    let ran = policy_test(block(&help, "A policy, "), block(&help, "Its tests, "));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        ran.stdout.trim_end(),
        block(&help, "The result of ").trim_end()
    );
}

#[test]
fn the_example_of_fmt_is_what_it_does() {
    let help = run(&["policy", "fmt", "--help"]).stdout;
    let directory = directory(block(&help, "A policy, "), "");
    let output = aegize(directory.path())
        .args(["policy", "fmt", "policy.yaml"])
        .output();
    let ran: Ran = output.unwrap().into();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let formatted = std::fs::read_to_string(directory.path().join("policy.yaml")).unwrap();
    assert_eq!(formatted.trim_end(), block(&help, "After `").trim_end());
}

#[test]
fn the_example_in_the_readme_gives_the_result_in_the_readme() {
    let readme = include_str!("../../README.md");
    let fenced = |language: &str| -> Vec<&str> {
        let blocks = readme.split("```").skip(1).step_by(2);
        blocks
            .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
            .collect()
    };
    let yaml = fenced("yaml");
    let ran = policy_test(yaml[0], yaml[1]);
    let command = "$ aegize policy test aegize.yaml policy_tests.yaml\n";
    assert_eq!(format!("{command}{}", ran.stdout), fenced("console")[1]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));

    let directory = directory("", "");
    std::fs::write(directory.path().join("aegize.yaml"), yaml[0]).unwrap();
    let (command, result) = fenced("console")[2].split_once('\n').unwrap();
    let arguments = command.strip_prefix("$ aegize ").unwrap().split(' ');
    let ran: Ran = aegize(directory.path())
        .args(arguments)
        .output()
        .unwrap()
        .into();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (result, ""));
}
