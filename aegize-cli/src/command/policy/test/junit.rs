//! The outcomes of policy tests as JUnit XML, which CI servers show.
//!
//! One `testsuite` with a `testcase` for each case, in the form that the JUnit Ant task began and
//! that Jenkins, GitLab and GitHub actions read. The invariant: whatever the texts hold, the
//! document is well-formed XML 1.0.

use std::fmt::Write as _;

use aegize::CaseOutcome;

use super::describe;
use crate::output::one_line;

/// The document.
pub(super) fn document(suite: &str, outcomes: &[CaseOutcome<'_>]) -> String {
    let suite = escape(suite);
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\"", outcomes.len());
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  \
         <testsuite name=\"{suite}\" {counts} errors=\"0\">\n"
    );
    for outcome in outcomes {
        let name = escape(&outcome.case.label);
        // Writing to a string does not fail.
        let _ = write!(xml, "    <testcase name=\"{name}\" classname=\"{suite}\"");
        if outcome.passed() {
            xml.push_str("/>\n");
        } else {
            let message = escape(&describe(outcome));
            let _ = write!(
                xml,
                ">\n      <failure message=\"{message}\"/>\n    </testcase>\n"
            );
        }
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// A text as the value of an attribute. Control characters, most of which XML 1.0 cannot hold,
/// are shown as everywhere else.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_escaped() {
        assert_eq!(
            escape("a<b>&\"c'\u{0}\n\u{1b}\u{ffff} — 日本"),
            r"a&lt;b&gt;&amp;&quot;c'\u{0}\n\u{1b}\u{ffff} — 日本"
        );
    }
}
