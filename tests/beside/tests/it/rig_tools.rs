//! rig's `#[rig_tool]` in either order, and its `PortableTool` implemented by hand.

use aegize::{GuardError, GuardFutureExt, guarded_tool};
use rig_core::rig_tool;
use rig_core::tool::{
    ErasedTool, PortableTool, ToolContext, ToolErrorKind, ToolExecutionError, ToolResult,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{DENIED, HELD, World};

/// The rig attribute first.
#[rig_tool]
#[guarded_tool(tool_name = "post", operation = "send")]
async fn rig_first(
    /// The addressee
    to: String,
    #[guard(redact)] body: String,
) -> Result<String, ToolExecutionError> {
    tokio::task::yield_now().await;
    Ok(format!("{to}: {body}"))
}

/// The rig attribute last.
#[guarded_tool(tool_name = "post", operation = "send")]
#[rig_tool]
async fn rig_last(
    /// The addressee
    to: String,
    #[guard(redact)] body: String,
) -> Result<String, ToolExecutionError> {
    tokio::task::yield_now().await;
    Ok(format!("{to}: {body}"))
}

#[rig_tool]
#[guarded_tool(tool_name = "denied", operation = "run")]
fn sync_first() -> Result<String, ToolExecutionError> {
    Ok(String::new())
}

#[guarded_tool(tool_name = "held", operation = "run")]
#[rig_tool]
fn sync_last() -> Result<String, ToolExecutionError> {
    Ok(String::new())
}

#[rig_tool]
#[guarded_tool(tool_name = "held", operation = "run")]
async fn own_error() -> Result<String, GuardError> {
    Ok(String::new())
}

#[rig_tool]
#[guarded_tool(tool_name = "session", operation = "read")]
async fn contextual(
    #[rig(context)]
    #[guard(skip)]
    context: &mut ToolContext,
    key: String,
) -> Result<String, ToolExecutionError> {
    let _ = context;
    Ok(key)
}

#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    to: String,
}

struct Burn;

impl PortableTool for Burn {
    const NAME: &'static str = "burn";
    type Args = Letter;
    type Output = String;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "Burn a letter".to_owned()
    }

    fn parameters(&self) -> serde_json::Value {
        json!({"type": "object", "properties": {"to": {"type": "string"}}})
    }

    #[guarded_tool(tool_name = "denied", operation = "burn")]
    async fn call(&self, letter: Letter) -> Result<String, ToolExecutionError> {
        Ok(letter.to)
    }
}

async fn call(tool: &dyn ErasedTool, arguments: serde_json::Value, world: &World) -> ToolResult {
    let mut context = ToolContext::new();
    tool.execute(arguments.to_string(), &mut context)
        .with_context(&world.context)
        .await
}

#[tokio::test]
async fn an_allowed_tool_runs_in_either_order() {
    let world = World::new();
    for tool in [&RIG_FIRST as &dyn ErasedTool, &RIG_LAST] {
        let result = call(tool, json!({"to": "Ann", "body": "hello"}), &world).await;
        assert_eq!(result.output().as_text(), Some("Ann: hello"));
    }
    let expected = ["allowed", "execution_succeeded"]
        .map(|event| format!(r#"{event} post(to="Ann", body=[redacted])"#));
    assert_eq!(world.log(), [&expected[..], &expected[..]].concat());
}

#[tokio::test]
async fn the_context_of_rig_is_beside_the_arguments() {
    let world = World::new();
    let result = call(&CONTEXTUAL, json!({"key": "k"}), &world).await;
    assert_eq!(result.output().as_text(), Some("k"));
    assert_eq!(world.log()[0], r#"allowed session(key="k")"#);
}

#[tokio::test]
async fn the_model_reads_the_reason() {
    let world = World::new();
    for (tool, reason) in [(&SYNC_FIRST as &dyn ErasedTool, DENIED), (&SYNC_LAST, HELD)] {
        let result = call(tool, json!({}), &world).await;
        assert!(result.is_refused());
        assert_eq!(result.output().as_text(), Some(reason));
    }
    let result = call(&Burn, json!({"to": "Ann"}), &world).await;
    assert_eq!(result.output().as_text(), Some(DENIED));
    assert_eq!(world.log()[2], r#"denied denied(letter={"to":"Ann"})"#);
}

/// Why `ToolExecutionError` is the error to return: rig hides every other error from the model.
#[tokio::test]
async fn rig_hides_the_text_of_other_errors() {
    let world = World::new();
    let result = call(&OWN_ERROR, json!({}), &world).await;
    assert!(result.is_error());
    assert_ne!(result.output().as_text(), Some(HELD));
    let error =
        ToolExecutionError::from_error(own_error().with_context(&world.context).await.unwrap_err());
    assert_eq!(error.kind(), ToolErrorKind::Other);
}

#[test]
fn descriptions_and_schemas_are_those_of_the_plain_functions() {
    for (tool, description) in [
        (&RIG_FIRST as &dyn ErasedTool, "The rig attribute first."),
        (&RIG_LAST, "The rig attribute last."),
    ] {
        assert_eq!(tool.description(), description);
        let parameters = tool.parameters();
        assert_eq!(
            parameters["properties"]["to"]["description"],
            "The addressee"
        );
    }
}
