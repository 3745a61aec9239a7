#!/usr/bin/env python3
"""Random policies and actions with the answers of the Python package, as JSON Lines.

    pip install aegize==0.3.0
    python generate.py [--first N] [--count N] > cases.jsonl

One line is one policy and the actions tried on it; README.md describes the fields.
The policy of seed N depends on N alone: only `Random.random()` is used, the one
method whose sequence Python keeps from version to version. POSIX only, because
`fnmatch` folds case elsewhere.

The answer is always the package's. What this project documents differently is
written down once, in `normal_form` and `within`, and serves two ends: to name the
difference that may apply to a case, and to leave out paths on which the Rust side
is meant to be laxer, which a test of "never laxer" could not tell from a fault.
"""

import argparse
import json
import posixpath
import re
import sys
from fnmatch import fnmatchcase
from functools import lru_cache
from random import Random

import aegize
from aegize import PermissionPolicy, ToolAction

ACTIONS_PER_POLICY = 16
LAXITY = ("deny", "require_approval", "allow")
RISKS = ("low", "medium", "high", "critical")

# Names are near each other on purpose: case, prefixes and quoting must not blur them.
AGENTS = ("bot", "Bot", "bot2", "team.bot", "o'neil", 'the "old" bot', "night shift bot", "агент", "données")
TOOLS = ("files", "file", "Files", "email", "shell", "github.issues", "café")
OPERATIONS = ("read", "Read", "re", "write", "delete", "send", "rm -rf", "créer")

PATTERNS = (
    "./safe_data/**", "safe_data/*", "safe_data/*.csv", ".\\safe_data\\**", "safe_data/sub?/x", "**/*.md",
    "**/secrets/**", "src/**/mod.rs", "**", "*", "*/config.toml", "notes.txt", "/srv/data/**", "/etc/*.conf",
    "/**", "logs/[a-c]*.log", "logs/[!a-c]*.log", "reports/????-??.txt", "données/?.txt",
    "v1.2/(final)+$^|.txt", "a b/*",
)  # fmt: skip
PATHS = (
    "safe_data/a.csv", "./safe_data/a.csv", "safe_data/sub1/x", "safe_data/sub1/b.csv",
    "safe_data/sub/y/b.csv", "safe_data/.env", "safe_data/..hidden", "safe_data/.../x", "safe_data/a..b",
    "safe_data/%2e%2e/x", "safe_data/a.csv.bak", "safe_data/été.csv", "safe_data_evil/x", "Safe_Data/a.csv",
    "SAFE_DATA/a.csv", "safe_data*/x", "safe_data/**", "/safe_data/a.csv", "x/safe_data/a.csv",
    "docs/index.md", "docs/en/index.md", "/docs/index.md", "index.md", "index.MD", "index.mdx",
    "home/secrets/key", "secrets/key", "/home/secrets/key", "home/secrets_old/key", "home/secrets/a/key",
    "src/a/mod.rs", "src/a/b/mod.rs", "src/mod.rs", "src/amod.rs", "app/config.toml", "app/x/config.toml",
    "config.toml", "notes.txt", "./notes.txt", "notes_txt", "notes.txt.exe", "x/notes.txt", "/srv/data/a",
    "/srv/data/a/b", "/srv/database/a", "srv/data/a", "/etc/app.conf", "/etc/app/app.conf", "/etc/passwd",
    "etc/app.conf", "logs/a1.log", "logs/d1.log", "logs/-.log", "logs/A1.log", "logs/a/1.log", "logs/d/1.log",
    "logs/.log", "reports/2024-01.txt", "reports/2024-1.txt", "reports/24/1-01.txt", "données/é.txt",
    "données/e\u0301.txt", "donne\u0301es/x.txt", "données/日.txt", "v1.2/(final)+$^|.txt",
    "v1x2/(final)+$^|.txt", "a b/c d", "a b/c/d", "[x]/{y}", "!x",
)  # fmt: skip

# Other spellings of a path, most of which lead elsewhere.
DISGUISES = (
    lambda path: path + "/../../etc/passwd",
    lambda path: path + "/x/..",
    lambda path: path + "/",
    lambda path: path + "\n",
    lambda path: path + "\x00.md",
    lambda path: "outside/../" + path,
    lambda path: "../" + path,
    lambda path: "/../" + path,
    lambda path: "~/" + path,
    lambda path: "C:\\" + path,
    lambda path: "\\\\host\\share\\" + path,
    lambda path: path.replace("/", "\\"),
    lambda path: path.replace("/", "//", 1),
    lambda path: path.replace("/", "/./", 1),
    lambda path: path.replace("/", "/../", 1),
    lambda path: path.replace("/", "/x/../", 1),
    lambda path: path.replace("/", "\\..\\", 1),
)

# A leading `./` is no disguise: both sides drop it.
DISGUISED = re.compile(r"[\\~\x00-\x1f\x7f]|//|/$|^[A-Za-z]:|(^|/)\.\.(/|$)|/\.(/|$)")


# What is generated.


def pick(rng, choices):
    return choices[int(rng.random() * len(choices))]


def pick_some(rng, choices, least, most):
    """Between `least` and `most` members, without repetition, in a random order."""
    left = list(choices)
    return [left.pop(int(rng.random() * len(left))) for _ in range(pick(rng, range(least, most + 1)))]


def chance(rng, probability):
    return rng.random() < probability


def random_rule(rng, section):
    rule = {"tool": pick(rng, TOOLS)}
    if chance(rng, 0.8):
        rule["operations"] = pick_some(rng, OPERATIONS, 0, 3)
    if section == "allow":
        if chance(rng, 0.3):
            rule["risk_level_max"] = pick(rng, RISKS)
        if chance(rng, 0.7):
            rule["paths"] = pick_some(rng, PATTERNS, 1, 2)
    return rule


def random_agent(rng):
    """An agent's sections; one in eight of them is absent, null or empty."""
    sections = {}
    for section, most in (("allow", 6), ("require_approval", 2), ("deny", 2)):
        if chance(rng, 0.125):
            empty = pick(rng, ("absent", None, []))
            if empty != "absent":
                sections[section] = empty
        else:
            sections[section] = [random_rule(rng, section) for _ in range(pick(rng, range(1, most + 1)))]
    return sections


def random_policy(rng):
    return {"agents": {agent: random_agent(rng) for agent in pick_some(rng, AGENTS, 1, 3)}}


def random_path(rng, wanted, patterns):
    """A path, often inside one of `wanted`, on which no one of `patterns` is meant to be laxer here."""
    inside = [path for path in PATHS if any(accepts(pattern, path) for pattern in wanted)]
    while True:
        path = pick(rng, inside if inside and chance(rng, 0.6) else PATHS)
        if chance(rng, 0.2):
            path = pick(rng, DISGUISES)(path)
        normal = normal_form(path)
        if all(accepts(pattern, normal) for pattern in patterns if within(pattern, normal)):
            return path


def random_metadata(rng, wanted, patterns):
    """No path, one, or several, in the two keys the package reads."""
    metadata = {}
    if chance(rng, 0.8 if wanted else 0.25):
        metadata["path"] = random_path(rng, wanted, patterns)
    if chance(rng, 0.25 if wanted else 0.05):
        metadata["candidate_paths"] = [random_path(rng, wanted, patterns) for _ in range(pick(rng, range(4)))]
    return metadata


def random_action(rng, policy):
    """An action on some rule of the policy more often than not."""
    agent = pick(rng, tuple(policy["agents"]) if chance(rng, 0.95) else AGENTS)
    sections = policy["agents"].get(agent, {})
    section = "allow" if chance(rng, 0.7) else pick(rng, ("require_approval", "deny"))
    rules = sections.get(section)
    rule = pick(rng, rules) if rules and chance(rng, 0.9) else {}
    listed = rule.get("operations") if chance(rng, 0.9) else None
    patterns = [pattern for rule in sections.get("allow") or () for pattern in rule.get("paths", ())]
    return {
        "agent": agent,
        "tool": rule.get("tool") or pick(rng, TOOLS),
        "operation": pick(rng, listed or OPERATIONS),
        "risk_level": pick(rng, RISKS if chance(rng, 0.5) else RISKS[:1]),
        "metadata": random_metadata(rng, rule.get("paths", ()), patterns),
    }


# What the package answers.


def ask(policy, action):
    return PermissionPolicy.from_dict(policy).evaluate(
        ToolAction(
            agent_id=action["agent"],
            tool_name=action["tool"],
            operation=action["operation"],
            risk_level=action["risk_level"],
            metadata=action["metadata"],
        )
    )


@lru_cache(maxsize=None)
def accepts(pattern, path):
    """Whether the package takes `path` to be inside `pattern`."""
    policy = {"agents": {"a": {"allow": [{"tool": "t", "paths": [pattern]}]}}}
    action = {"agent": "a", "tool": "t", "operation": "o", "risk_level": "low", "metadata": {"path": path}}
    return ask(policy, action).allowed


def paths_of(metadata):
    single = [metadata["path"]] if "path" in metadata else []
    return single + metadata.get("candidate_paths", [])


def with_paths(action, change):
    """The same action with every path changed."""
    metadata = {
        key: change(value) if isinstance(value, str) else [change(path) for path in value]
        for key, value in action["metadata"].items()
    }
    return {**action, "metadata": metadata}


# What this project documents.


def normal_form(path):
    """`path` with `/` for separator and without `.`, `..` and repeated separators.

    >>> normal_form(".\\\\a\\\\..\\\\b//c/"), normal_form("//a/../b"), normal_form("../a")
    ('b/c', '/b', '../a')
    """
    path = posixpath.normpath(path.replace("\\", "/"))
    return "/" + path.lstrip("/") if path.startswith("/") else path


@lru_cache(maxsize=None)
def within(pattern, path):
    """Whether `path`, in normal form, is inside `pattern` as this project reads it.

    A segment matches a segment, `**` any number of them, none included. Relative
    and absolute never meet. `**` for none is where the package is stricter:

    >>> [(within(g, p), accepts(g, p)) for g, p in (("a/**", "a"), ("**/a", "a"), ("a/**/b", "a/b"))]
    [(True, False), (True, False), (True, False)]

    A separator under `*`, `?` or `[...]`, the leading one included, is where it is laxer:

    >>> [(within(g, p), accepts(g, p)) for g, p in (("a/*", "a/b/c"), ("[!b]a", "/a"), ("**/a", "/b/a"))]
    [(False, True), (False, True), (False, True)]
    """

    def match(names, globs):
        if not globs:
            return not names
        if globs[0] == "**":
            return any(match(names[skip:], globs[1:]) for skip in range(len(names) + 1))
        return bool(names) and fnmatchcase(names[0], globs[0]) and match(names[1:], globs[1:])

    pattern = normal_form(pattern)
    if path.startswith("/") != pattern.startswith("/"):
        return False
    return match(path.lstrip("/").split("/"), pattern.lstrip("/").split("/"))


def covered(policy, action, inside):
    """Whether one allow rule that fits the action has each path `inside(pattern, path)` for one of its patterns."""
    bare = {**action, "metadata": {}}
    for rule in policy["agents"][action["agent"]].get("allow") or ():
        patterns = rule.get("paths", ())
        unconditional = {key: value for key, value in rule.items() if key != "paths"}
        if ask({"agents": {action["agent"]: {"allow": [unconditional]}}}, bare).allowed:
            if all(any(inside(pattern, path) for pattern in patterns) for path in paths_of(action["metadata"])):
                return True
    return False


def judge(policy, action):
    """The package's answer, and the name of the documented difference that may apply.

    All differences tighten, so only an `allow` that rests on a path can be one.
    """
    normal = with_paths(action, normal_form)
    result = max(ask(policy, action), ask(policy, normal), key=lambda result: LAXITY.index(result.decision.value))
    differs = None
    if result.allowed and not ask(policy, {**action, "metadata": {}}).allowed:
        if any(DISGUISED.search(path) for path in paths_of(action["metadata"])):
            differs = "traversal"
        elif not covered(policy, action, accepts):
            differs = "every_path"
        elif not covered(policy, normal, within):
            differs = "star_crosses"
    return result, differs


# What is printed.


def case(policy, action):
    result, differs = judge(policy, action)
    row = {**action, "decision": result.decision.value, "reason": result.reason, "differs": differs}
    defaults = {"risk_level": "low", "metadata": {}, "differs": None}
    return {key: value for key, value in row.items() if key not in defaults or value != defaults[key]}


def line(seed):
    rng = Random(seed)
    policy = random_policy(rng)
    cases = [case(policy, random_action(rng, policy)) for _ in range(ACTIONS_PER_POLICY)]
    return json.dumps({"seed": seed, "policy": policy, "cases": cases}, ensure_ascii=False, separators=(",", ":"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--first", type=int, default=0, metavar="N", help="first seed (default: 0)")
    parser.add_argument("--count", type=int, default=250, metavar="N", help="number of policies (default: 250)")
    options = parser.parse_args()
    if aegize.__version__ != "0.3.0":
        parser.error(f"aegize 0.3.0 is needed, not {aegize.__version__}")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for seed in range(options.first, options.first + options.count):
        print(line(seed))


if __name__ == "__main__":
    main()
