//! What was seen, as the YAML of a policy. Words of the records are quoted or made one line, so
//! that none of them can be taken for a rule.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter, Write as _};

use time::format_description::well_known::Rfc3339;

use super::paths::Patterns;
use super::{SeenAgent, SeenCalls, Span, Tally};
use crate::action::RiskLevel;
use crate::pattern::NameGlob;
use crate::text::{find_invisible, one_line};

const HEADER: &str = "\
# A suggestion from what an audit log records: read it before you use it. It lets through what
# ran, and nobody has said that all of that was right. What is denied needs no rule.
version: 1
agents:
";

pub(super) fn policy(f: &mut Formatter<'_>, agents: &BTreeMap<String, SeenAgent>) -> fmt::Result {
    f.write_str(HEADER)?;
    for (agent_id, agent) in agents {
        writeln!(f, "  {}:", quoted(agent_id))?;
        write_agent(f, agent)?;
    }
    Ok(())
}

fn write_agent(f: &mut Formatter<'_>, agent: &SeenAgent) -> fmt::Result {
    if !agent.environments.is_empty() {
        let environments: Vec<String> = agent
            .environments
            .iter()
            .map(|name| one_line(name))
            .collect();
        writeln!(f, "    # seen in {}", environments.join(", "))?;
    }
    let rules = |write: fn(&Coordinates<'_>, &SeenCalls) -> Option<Rule>| -> Vec<Rule> {
        let calls = agent.calls.iter();
        calls
            .filter_map(|((tool, operation), calls)| write(&Coordinates { tool, operation }, calls))
            .collect()
    };
    section(f, "allow", &rules(allow))?;
    section(f, "require_approval", &rules(require_approval))?;
    let denied = rules(denied);
    if !denied.is_empty() {
        writeln!(
            f,
            "    # Only ever denied; move to `allow` what is needed after all:"
        )?;
        for rule in denied {
            rule.write(f, &BELOW_THE_RULES)?;
        }
    }
    Ok(())
}

fn section(f: &mut Formatter<'_>, key: &str, rules: &[Rule]) -> fmt::Result {
    let is_empty = rules.iter().all(|rule| rule.is_comment);
    writeln!(f, "    {key}:{}", if is_empty { " []" } else { "" })?;
    rules.iter().try_for_each(|rule| {
        let margins = match rule.is_comment {
            false => &RULE,
            true if is_empty => &BELOW_THE_RULES,
            true => &AMONG_THE_RULES,
        };
        rule.write(f, margins)
    })
}

/// What begins the lines of a rule: its remarks, and its keys. In comments they stand where
/// [`FormattedPolicy`](crate::FormattedPolicy) leaves them, and are rules without their `# `.
type Margins = [&'static str; 2];

const RULE: Margins = ["      # ", "      "];
const AMONG_THE_RULES: Margins = ["      # ", "      # "];
const BELOW_THE_RULES: Margins = ["    #   # ", "    #   "];

struct Coordinates<'a> {
    tool: &'a str,
    operation: &'a str,
}

/// A rule and what is said of it, line by line.
struct Rule {
    remarks: Vec<String>,
    keys: Vec<String>,
    /// What might be added to it.
    hints: Vec<String>,
    /// Whether no policy can say it.
    is_comment: bool,
}

impl Rule {
    fn new(coordinates: &Coordinates<'_>) -> Self {
        let globs = [coordinates.tool, coordinates.operation].map(literal_glob);
        let is_comment = !globs.iter().all(|glob| NameGlob::new(glob).is_ok());
        let [tool, operation] = globs.map(|glob| quoted(&glob));
        let mut rule = Self {
            remarks: Vec::new(),
            keys: vec![
                format!("tool: {tool}"),
                format!("operations: [{operation}]"),
            ],
            hints: Vec::new(),
            is_comment,
        };
        if is_comment {
            rule.remark("no rule can name this; give the tool and its operation plainer names");
        }
        rule
    }

    fn remark(&mut self, text: impl Into<String>) {
        self.remarks.push(text.into());
    }

    fn write(&self, f: &mut Formatter<'_>, margins: &Margins) -> fmt::Result {
        let [remark_margin, key_margin] = margins;
        for remark in &self.remarks {
            writeln!(f, "{remark_margin}{remark}")?;
        }
        for (index, key) in self.keys.iter().enumerate() {
            let lead = if index == 0 { "- " } else { "  " };
            writeln!(f, "{key_margin}{lead}{key}")?;
        }
        for hint in self.hints.iter().filter(|_| margins == &RULE) {
            writeln!(f, "        # {hint}")?;
        }
        Ok(())
    }
}

/// What ran at low or medium risk.
fn allow(coordinates: &Coordinates<'_>, calls: &SeenCalls) -> Option<Rule> {
    let span = calls.routine.span?;
    let mut rule = Rule::new(coordinates);
    rule.remark(tell(&calls.routine, &span, "ran"));
    rule.keys.push(format!("risk_level_max: {}", span.highest));

    let Patterns {
        globs,
        distinct,
        obstacle,
        denied_inside,
    } = calls.paths.patterns(span.highest);
    if let Some(obstacle) = obstacle {
        rule.remark(format!("no `paths`: {obstacle}"));
    }
    match globs.as_slice() {
        [] => {}
        [glob] => rule.keys.push(format!("paths: [{}]", quoted(glob))),
        globs => {
            rule.keys.push("paths:".to_owned());
            let items = globs.iter().map(|glob| format!("  - {}", quoted(glob)));
            rule.keys.extend(items);
        }
    }
    if !globs.is_empty() {
        rule.remark(format!(
            "{} in `paths`",
            counted(distinct as u64, "distinct path", "distinct paths")
        ));
    }
    if denied_inside > 0 {
        rule.remark(format!(
            "denied calls that this may let through: {denied_inside}; narrow it"
        ));
    }
    let mut few = calls.values.few(calls.routine.count).peekable();
    if few.peek().is_some() {
        rule.hints
            .push("args:   # few values were seen; uncomment to hold the agent to them".to_owned());
    }
    for (name, values) in few {
        // A name that could be taken for a pointer or for a key of the author's own is written as a
        // pointer.
        let values: Vec<&str> = values.iter().map(|value| &**value).collect();
        let name = quoted(&if name.starts_with('/') || name.starts_with("x-") {
            format!("/{}", name.replace('~', "~0").replace('/', "~1"))
        } else {
            name.to_owned()
        });
        rule.hints
            .push(format!("  {name}: {{ one_of: [{}] }}", values.join(", ")));
    }
    Some(rule)
}

/// What had to be approved, and what ran at a higher risk.
fn require_approval(coordinates: &Coordinates<'_>, calls: &SeenCalls) -> Option<Rule> {
    let spans = [&calls.risky, &calls.asked].map(|tally| tally.span);
    let lowest = spans.iter().flatten().map(|span| span.lowest).min()?;
    let mut rule = Rule::new(coordinates);
    if let Some(span) = &calls.asked.span {
        rule.remark(tell(&calls.asked, span, "had to be approved"));
    }
    if let Some(span) = &calls.risky.span {
        let ran = tell(&calls.risky, span, "ran");
        rule.remark(format!("{ran}, unasked"));
    }
    if let Some(routine) = &calls.routine.span {
        if lowest > routine.highest {
            rule.keys.push(format!("risk_level_min: {lowest}"));
        } else {
            rule.remark(format!(
                "{} ran unasked at such a risk, and will ask too; say `unless` which do not",
                counted(calls.routine.count, "call", "calls")
            ));
            if lowest > RiskLevel::Low {
                rule.keys.push(format!("risk_level_min: {lowest}"));
            }
        }
    }
    Some(rule)
}

/// What was denied whenever it was attempted.
fn denied(coordinates: &Coordinates<'_>, calls: &SeenCalls) -> Option<Rule> {
    let others = [&calls.routine, &calls.risky, &calls.asked];
    let span = calls.denied.span?;
    if others.iter().any(|tally| tally.count > 0) {
        return None;
    }
    let mut rule = Rule::new(coordinates);
    rule.remark(tell(&calls.denied, &span, "denied"));
    rule.keys.push(format!("risk_level_max: {}", span.highest));
    Some(rule)
}

/// `40 calls ran at low risk, 2026-06-27T18:00:00Z to 2026-06-28T09:30:00Z`.
fn tell(tally: &Tally, span: &Span, what: &str) -> String {
    let calls = counted(tally.count, "call", "calls");
    let (lowest, highest) = (span.lowest, span.highest);
    let risk = if lowest == highest {
        lowest.to_string()
    } else {
        format!("{lowest} to {highest}")
    };
    let time = |time: time::OffsetDateTime| {
        let seconds = time.to_offset(time::UtcOffset::UTC).truncate_to_second();
        seconds
            .format(&Rfc3339)
            .unwrap_or_else(|_| seconds.to_string())
    };
    let (first, last) = (time(span.first), time(span.last));
    if first == last {
        format!("{calls} {what} at {risk} risk, {first}")
    } else {
        format!("{calls} {what} at {risk} risk, {first} to {last}")
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A glob that matches this text and no other.
pub(super) fn literal_glob(text: &str) -> String {
    let mut glob = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}') {
            glob.extend(['[', c, ']']);
        } else {
            glob.push(c);
        }
    }
    glob
}

/// A text as a YAML scalar: plain if it is a word that nothing else could mean, else in quotes.
pub(super) fn quoted(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let is_shown = find_invisible(c.encode_utf8(&mut [0; 4])).is_none();
        let _ = match c {
            '"' | '\\' => write!(quoted, "\\{c}"),
            // What YAML does not let stand, among others.
            c if !is_shown || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                write!(quoted, "\\U{:08x}", u32::from(c))
            }
            c => write!(quoted, "{c}"),
        };
    }
    quoted.push('"');
    quoted
}
