//! rmcp's `#[tool]` in either order, called through its router by a client of the same process.

use aegize::{GuardContext, GuardFutureExt, guarded_tool};
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ErrorCode};
use rmcp::service::{RequestContext, RoleServer, RunningService, ServiceError};
use rmcp::{ErrorData, RoleClient, ServerHandler, ServiceExt, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{DENIED, HELD, World};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Letter {
    to: String,
    body: String,
}

struct Office {
    greeting: &'static str,
    context: GuardContext,
}

#[tool_router]
impl Office {
    #[tool(description = "The tool attribute first.")]
    #[guarded_tool(tool_name = "post", operation = "send")]
    async fn tool_first(
        &self,
        Parameters(letter): Parameters<Letter>,
    ) -> Result<String, ErrorData> {
        tokio::task::yield_now().await;
        Ok(format!("{} {}: {}", self.greeting, letter.to, letter.body))
    }

    /// The tool attribute last.
    #[guarded_tool(tool_name = "post", operation = "send")]
    #[tool]
    async fn tool_last(&self, Parameters(letter): Parameters<Letter>) -> Result<String, ErrorData> {
        tokio::task::yield_now().await;
        Ok(format!("{} {}: {}", self.greeting, letter.to, letter.body))
    }

    #[tool(description = "The fields of the parameters, one of them redacted.")]
    #[guarded_tool(tool_name = "post", operation = "send")]
    async fn fields(
        &self,
        #[guard(redact)] Parameters(Letter { to, body }): Parameters<Letter>,
    ) -> Result<String, ErrorData> {
        Ok(format!("{to}: {body}"))
    }

    #[guarded_tool(tool_name = "post", operation = "send")]
    #[tool(description = "The same, with the tool attribute last.")]
    async fn fields_last(
        &self,
        #[guard(redact)] Parameters(Letter { to, body }): Parameters<Letter>,
    ) -> Result<String, ErrorData> {
        Ok(format!("{to}: {body}"))
    }

    #[tool]
    #[guarded_tool(tool_name = "denied", operation = "run")]
    fn sync_first(&self) -> Result<String, ErrorData> {
        Ok(self.greeting.to_owned())
    }

    #[guarded_tool(tool_name = "held", operation = "run")]
    #[tool]
    fn sync_last(&self) -> Result<String, ErrorData> {
        Ok(self.greeting.to_owned())
    }

    #[tool]
    #[guarded_tool(tool_name = "held", operation = "run")]
    async fn text_error(&self) -> Result<String, String> {
        Ok(self.greeting.to_owned())
    }
}

/// A context for each connection: the scope is put around the call, because rmcp runs every call
/// in a task of its own.
#[tool_handler(router = Self::tool_router())]
impl ServerHandler for Office {
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = ToolCallContext::new(self, request, context);
        Self::tool_router()
            .call(call)
            .with_context(&self.context)
            .await
    }
}

async fn connect(world: &World) -> RunningService<RoleClient, ()> {
    let (near, far) = tokio::io::duplex(4096);
    let office = Office {
        greeting: "Dear",
        context: world.context.clone(),
    };
    tokio::spawn(async move { office.serve(near).await.unwrap().waiting().await.unwrap() });
    ().serve(far).await.unwrap()
}

async fn call(
    client: &RunningService<RoleClient, ()>,
    tool: &'static str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object")
    };
    client
        .call_tool(CallToolRequestParams::new(tool).with_arguments(arguments))
        .await
}

fn text(result: &CallToolResult) -> &str {
    &result.content[0].as_text().unwrap().text
}

#[tokio::test]
async fn an_allowed_tool_runs_in_either_order() {
    let world = World::new();
    let client = connect(&world).await;
    for tool in ["tool_first", "tool_last"] {
        let result = call(&client, tool, json!({"to": "Ann", "body": "hello"}));
        assert_eq!(text(&result.await.unwrap()), "Dear Ann: hello");
    }
    let letter = r#"letter={"to":"Ann","body":"hello"}"#;
    let expected =
        ["allowed", "execution_succeeded"].map(|event| format!("{event} post({letter})"));
    assert_eq!(world.log(), [&expected[..], &expected[..]].concat());
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn fields_are_recorded_by_name() {
    let world = World::new();
    let client = connect(&world).await;
    for tool in ["fields", "fields_last"] {
        let result = call(&client, tool, json!({"to": "Ann", "body": "hello"}));
        assert_eq!(text(&result.await.unwrap()), "Ann: hello");
    }
    let expected = ["allowed", "execution_succeeded"]
        .map(|event| format!("{event} post(to=[redacted], body=[redacted])"));
    assert_eq!(world.log(), [&expected[..], &expected[..]].concat());
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_a_protocol_error_or_a_result_with_the_reason() {
    let world = World::new();
    let client = connect(&world).await;
    for (tool, reason, kind) in [
        ("sync_first", DENIED, "denied"),
        ("sync_last", HELD, "approval_required"),
    ] {
        let Err(ServiceError::McpError(error)) = call(&client, tool, json!({})).await else {
            panic!("{tool} is refused")
        };
        assert_eq!(error.code, ErrorCode::INVALID_REQUEST);
        assert_eq!(error.message, reason);
        assert_eq!(error.data, Some(json!({ "refusal": kind })));
    }
    let result = call(&client, "text_error", json!({})).await.unwrap();
    assert_eq!(result.is_error, Some(true));
    assert_eq!(text(&result), HELD);
    client.cancel().await.unwrap();
}

#[test]
fn descriptions_and_schemas_are_those_of_the_plain_functions() {
    let first = Office::tool_first_tool_attr();
    let last = Office::tool_last_tool_attr();
    assert_eq!(
        first.description.as_deref(),
        Some("The tool attribute first.")
    );
    assert_eq!(
        last.description.as_deref(),
        Some("The tool attribute last.")
    );
    assert_eq!(first.input_schema, last.input_schema);
    assert!(first.input_schema["properties"].get("to").is_some());
}
