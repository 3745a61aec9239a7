//! The guarded functions that are linked into a program.
//!
//! For tests that hold a policy against the code; nothing here takes part in a call. The
//! invariant: a function is listed under the names that its guard asks the policy about.

use std::fmt::Write as _;

use linkme::distributed_slice;
use serde::Serialize;
use serde_json::Value;

use crate::action::RiskLevel;
use crate::policy::PermissionPolicy;

/// Filled by the linker, from what `__private::register` writes beside each function's guard.
#[distributed_slice]
pub static TOOLS: [ToolSite];

/// Where a tool is in the code, and what its `#[guarded_tool]` says: one of [`tools`].
///
/// As JSON, a list of them is what `aegize policy lint --tools` takes:
/// `serde_json::to_writer(file, &aegize::tools())`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ToolSite {
    pub(crate) tool_name: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) risk_level: RiskLevel,
    pub(crate) function: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

impl ToolSite {
    /// The tool, as policies name it.
    pub fn tool_name(&self) -> &'static str {
        self.tool_name
    }

    /// What it does, as policies name it.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// How much harm it can do.
    pub fn risk_level(&self) -> RiskLevel {
        self.risk_level
    }

    /// The function's name, without a path or a type.
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// The source file, as the compiler was given it: most often relative to the workspace.
    pub fn file(&self) -> &'static str {
        self.file
    }

    /// The line of the attribute, or of the macro call that made the function; from 1.
    pub fn line(&self) -> u32 {
        self.line
    }
}

/// Every function with `#[guarded_tool]` that is linked into this program, whether or not
/// anything calls it; sorted by tool, operation, file and line.
///
/// Functions of a library are there as soon as the program names the library, if only with
/// `use my_tools as _;`. Code that is not compiled, under a `#[cfg]` that is off, is not. A
/// generic function is listed once. [`GuardedTool`](crate::GuardedTool)s and
/// [`ToolCall`](crate::ToolCall)s are values, not code, and never listed.
///
/// ```
/// # extern crate aegize_core as aegize;
/// let tools = aegize::tools();
/// assert!(tools.is_sorted_by_key(|tool| (tool.tool_name(), tool.operation())));
/// ```
pub fn tools() -> Vec<ToolSite> {
    let mut tools = TOOLS.to_vec();
    tools.sort_unstable_by_key(|tool| (tool.tool_name, tool.operation, tool.file, tool.line));
    tools
}

/// Asserts that the policy has a rule, in any section, for every one of [`tools`] under an agent.
///
/// For a test beside the policy file: a tool that nobody thought of is denied, which is safe, but
/// better found out before an agent does. What a covering rule decides is for
/// [`PolicyTests`](crate::PolicyTests).
///
/// ```no_run
/// # extern crate aegize_core as aegize;
/// // In `tests/policy.rs`, below `use my_tools as _;`.
/// let policy = aegize::PermissionPolicy::from_yaml_file("aegize.yaml").unwrap();
/// aegize::assert_covered(&policy, "research_bot");
/// ```
///
/// # Panics
///
/// If a tool is not [covered](PermissionPolicy::covers): the message names each, where it is, and
/// the line that would cover it. Also if there is no tool at all, as in a test that forgot to name
/// the library.
#[track_caller]
pub fn assert_covered(policy: &PermissionPolicy, agent_id: &str) {
    if let Err(problem) = check_covered(policy, agent_id, &tools()) {
        #[expect(clippy::panic, reason = "this is an assertion")]
        {
            panic!("{problem}");
        }
    }
}

fn check_covered(
    policy: &PermissionPolicy,
    agent_id: &str,
    tools: &[ToolSite],
) -> Result<(), String> {
    if tools.is_empty() {
        return Err(
            "no guarded tool is linked into this program; name the library that has them, as in \
             `use my_tools as _;`"
                .to_owned(),
        );
    }
    let mut problem = if policy.has_agent(agent_id) {
        format!("no rule of agent `{agent_id}` covers these tools;")
    } else {
        format!("the policy has no agent `{agent_id}`, so nothing covers these tools;")
    };
    problem.push_str(" add each line to its `allow`, `require_approval` or `deny`\n");
    let heading = problem.len();
    for tool in tools {
        let ToolSite {
            tool_name,
            operation,
            risk_level,
            function,
            file,
            line,
        } = tool;
        if !policy.covers(agent_id, tool_name, operation) {
            let [tool_name, operation] = [*tool_name, *operation].map(Value::from);
            // Writing to a string does not fail.
            let _ = write!(
                problem,
                "\n  {file}:{line}: `{function}`, risk {risk_level}\n    \
                 - {{tool: {tool_name}, operations: [{operation}]}}"
            );
        }
    }
    if problem.len() == heading {
        Ok(())
    } else {
        Err(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: [ToolSite; 3] = [
        tool("disk", "read", "read", 3),
        tool("mail: out", "say \"hi\"", "greet", 40),
        tool("mail: out", "send", "send", 30),
    ];

    const fn tool(
        tool_name: &'static str,
        operation: &'static str,
        function: &'static str,
        line: u32,
    ) -> ToolSite {
        ToolSite {
            tool_name,
            operation,
            risk_level: RiskLevel::High,
            function,
            file: "src/tools.rs",
            line,
        }
    }

    fn check(policy: &str) -> Result<(), String> {
        let policy = PermissionPolicy::from_yaml_str(policy).unwrap();
        check_covered(&policy, "bot", &TOOLS)
    }

    #[test]
    fn a_rule_of_any_section_covers_whatever_its_conditions() {
        for policy in [
            "agents: {bot: {allow: [{tool: '*'}]}}",
            "agents: {bot: {deny: [{tool: '*'}]}}",
            "agents: {bot: {require_approval: [{tool: disk, operations: ['r*'], risk_level_min: critical}], allow: [{tool: 'mail*', paths: [./a/**]}]}}",
        ] {
            assert_eq!(check(policy), Ok(()), "{policy}");
        }
    }

    #[test]
    fn what_is_not_covered_is_told_with_the_line_that_covers_it() {
        let message = check("agents: {bot: {allow: [{tool: disk}]}}").unwrap_err();
        let lines = [
            r#"- {tool: "mail: out", operations: ["say \"hi\""]}"#,
            r#"- {tool: "mail: out", operations: ["send"]}"#,
        ];
        assert_eq!(
            message,
            format!(
                "no rule of agent `bot` covers these tools; add each line to its `allow`, \
                 `require_approval` or `deny`\n\n  \
                 src/tools.rs:40: `greet`, risk high\n    {}\n  \
                 src/tools.rs:30: `send`, risk high\n    {}",
                lines[0], lines[1]
            )
        );
        let added = lines.map(|line| format!("\n      {line}")).concat();
        let policy = format!("agents:\n  bot:\n    allow:\n      - {{tool: disk}}{added}\n");
        assert_eq!(check(&policy), Ok(()));
    }

    #[test]
    fn another_agent_s_rules_do_not_cover() {
        let message = check("agents: {other: {allow: [{tool: '*'}]}}").unwrap_err();
        assert!(
            message.starts_with("the policy has no agent `bot`"),
            "{message}"
        );
        assert!(message.contains("disk"), "{message}");
    }

    #[test]
    fn no_tools_at_all_is_a_mistake() {
        let policy = PermissionPolicy::from_yaml_str("agents: {bot: {allow: [{tool: '*'}]}}");
        let message = check_covered(&policy.unwrap(), "bot", &[]).unwrap_err();
        assert!(message.contains("use my_tools as _;"), "{message}");
    }
}
