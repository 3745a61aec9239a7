//! The example server, started and driven by a client over stdin and stdout.

use std::collections::BTreeMap;
use std::error::Error;

use aegize::AuditLog;
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::ServiceError;
use rmcp::transport::TokioChildProcess;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::process::Command;

fn request(tool: &'static str, arguments: &[(&str, Value)]) -> CallToolRequestParams {
    let arguments = arguments
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    CallToolRequestParams::new(tool).with_arguments(arguments.collect::<Map<_, _>>())
}

fn text(result: &CallToolResult) -> Option<&str> {
    Some(result.content.first()?.as_text()?.text.as_str())
}

#[tokio::test]
async fn a_client_is_told_why_a_tool_did_not_run() -> Result<(), Box<dyn Error>> {
    let directory = TempDir::new()?;
    let log = directory.path().join("audit.jsonl");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp_server"));
    command.arg("examples/mcp_policy.yaml").arg(&log);
    let client = ().serve(TokioChildProcess::new(command)?).await?;

    let tools = client.list_all_tools().await?;
    let described: BTreeMap<_, _> = tools
        .iter()
        .map(|tool| (tool.name.as_ref(), tool.description.as_deref()))
        .collect();
    let expected = [
        ("read_file", Some("Read a file.")),
        ("run_command", Some("Run a shell command.")),
        ("send_email", Some("Send an email.")),
    ];
    assert_eq!(described, BTreeMap::from(expected));

    let policy = json!("./examples/mcp_policy.yaml");
    let read = client
        .call_tool(request("read_file", &[("path", policy)]))
        .await?;
    assert_eq!(read.is_error, Some(false));
    assert!(text(&read).is_some_and(|text| text.starts_with("agents:")));

    let outside = json!("./examples/../Cargo.toml");
    let read = client
        .call_tool(request("read_file", &[("path", outside)]))
        .await?;
    assert_eq!(read.is_error, Some(true));
    assert_eq!(
        text(&read),
        Some("no matching allow rule for tool 'file_reader' operation 'read' (default deny)")
    );

    let email = [("to", json!("ceo@example.com")), ("body", json!("Q3"))];
    let sent = client.call_tool(request("send_email", &email)).await?;
    assert_eq!(sent.is_error, Some(true));
    let reason = "approval required for tool 'email': mail leaves the company";
    assert_eq!(text(&sent), Some(reason));

    let command = [("command", json!("rm -rf /"))];
    let Err(ServiceError::McpError(error)) =
        client.call_tool(request("run_command", &command)).await
    else {
        return Err("a denied command is an error".into());
    };
    assert_eq!(
        error.message,
        "denied by rule for tool 'shell': there is no shell here"
    );
    assert_eq!(error.data, Some(json!({"refusal": "denied"})));
    client.cancel().await?;

    let events: Vec<_> = AuditLog::open(&log)?
        .read_all()?
        .iter()
        .map(|record| format!("{} {}.{}", record.event, record.tool_name, record.operation))
        .collect();
    assert_eq!(
        events,
        [
            "allowed file_reader.read",
            "execution_succeeded file_reader.read",
            "denied file_reader.read",
            "approval_required email.send",
            "denied shell.execute",
        ]
    );
    Ok(())
}
