//! The list of guarded functions, and a library that knows aegize by another name.

use aegize::{
    GuardFutureExt, PermissionPolicy, RiskLevel, ToolSite, assert_covered, guarded_tool, tools,
    with_context,
};
use aegize_beside_renamed::{bare::add, count, repeat};

use crate::support::World;

mod unused {
    use aegize::guarded_tool;

    #[expect(dead_code, reason = "what nobody calls is listed, too")]
    #[guarded_tool(tool_name = "listed", operation = "read", risk_level = "critical")]
    async fn read(&byte: &u8) -> Result<u8, String> {
        Ok(byte)
    }
}

trait Act {
    fn act(&self) -> Result<u8, String>;
}

impl Act for u8 {
    #[guarded_tool(tool_name = "listed", operation = "act")]
    fn act(&self) -> Result<u8, String> {
        Ok(*self)
    }
}

fn listed(file: &str) -> Vec<ToolSite> {
    let mut tools = tools();
    tools.retain(|tool| tool.file().ends_with(file));
    tools
}

/// The line of the attribute that holds a text.
fn line(source: &str, attribute: &str) -> u32 {
    let found = source.lines().position(|line| line.contains(attribute));
    u32::try_from(found.unwrap() + 1).unwrap()
}

fn cover(policy: &str) {
    let policy = PermissionPolicy::from_yaml_str(policy).unwrap();
    assert_covered(&policy, "bot");
}

#[test]
fn every_tool_of_a_linked_library_is_listed_once() {
    let source = include_str!("../../renamed/src/lib.rs");
    let found = listed("renamed/src/lib.rs");
    let expected = [
        ("add", RiskLevel::Low, "add"),
        ("boxed", RiskLevel::Low, "boxed"),
        ("count", RiskLevel::Low, "count"),
        ("generic", RiskLevel::High, "try"),
        ("repeat", RiskLevel::Low, "repeat"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (tool, (operation, risk_level, function)) in found.iter().zip(expected) {
        assert_eq!(tool.tool_name(), "renamed");
        assert_eq!(tool.operation(), operation);
        assert_eq!(tool.risk_level(), risk_level, "{operation}");
        assert_eq!(tool.function(), function);
        let attribute = format!("operation = \"{operation}\"");
        assert_eq!(tool.line(), line(source, &attribute), "{operation}");
    }
}

#[test]
fn tools_of_the_program_itself_are_listed_called_or_not() {
    assert!(7.act().unwrap_err().contains("no guard context"));
    let found = listed("it/tools.rs");
    let names: Vec<_> = found.iter().map(ToolSite::function).collect();
    assert_eq!(names, ["act", "read"]);
}

#[test]
fn a_policy_that_mentions_every_tool_passes() {
    cover("agents: {bot: {allow: [{tool: renamed}], deny: [{tool: '*', paths: [./never]}]}}");
}

#[test]
#[should_panic(expected = r#"tools.rs:15: `read`, risk critical
    - {tool: "listed", operations: ["read"]}"#)]
fn a_policy_that_does_not_is_told_what_to_add() {
    cover("agents: {bot: {allow: [{tool: '[!l]*'}, {tool: listed, operations: [act]}]}}");
}

#[test]
#[should_panic(expected = "the policy has no agent `bot`")]
fn an_unknown_agent_covers_nothing() {
    cover("agents: {other: {allow: [{tool: '*'}]}}");
}

#[tokio::test]
async fn a_renamed_dependency_guards_as_well() {
    let world = World::new();
    assert_eq!(with_context(&world.context, || count("four")).unwrap(), 4);
    let repeated = repeat("ab", 2).with_context(&world.context).await;
    assert_eq!(repeated.unwrap(), "abab");
    let added = add(&1, &2).with_context(&world.context).await;
    assert_eq!(added.unwrap(), 6);
    assert_eq!(
        world.log(),
        [
            r#"allowed renamed(text="four")"#,
            r#"execution_succeeded renamed(text="four")"#,
            "allowed renamed(text=[redacted], n=2)",
            "execution_succeeded renamed(text=[redacted], n=2)",
            "allowed renamed(one=1, other=2)",
            "execution_succeeded renamed(one=1, other=2)",
        ]
    );
}
