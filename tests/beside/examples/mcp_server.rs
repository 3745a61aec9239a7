//! An MCP server with three guarded tools, over stdin and stdout.
//!
//! `mcp_server POLICY LOG`: the policy says what the agent `assistant` may do, the log is what an
//! operator reads.

use std::error::Error;
use std::path::PathBuf;

use aegize::{AgentIdentity, AuditLog, GuardContext, PermissionPolicy, guarded_tool};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{ErrorData, ServiceExt, tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct ReadFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct SendEmail {
    to: String,
    body: String,
}

#[derive(Deserialize, JsonSchema)]
struct RunCommand {
    command: String,
}

struct Desk;

// `#[guarded_tool]` stands above `#[tool]`, which looks for the doc comment right above the function.
#[tool_router(server_handler)]
impl Desk {
    /// Read a file.
    #[guarded_tool(tool_name = "file_reader", operation = "read")]
    #[tool]
    async fn read_file(
        &self,
        Parameters(ReadFile { path }): Parameters<ReadFile>,
    ) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }

    /// Send an email.
    // An error that is text becomes a result with `isError`, which every client shows its model.
    #[guarded_tool(tool_name = "email", operation = "send", risk_level = "high")]
    #[tool]
    async fn send_email(&self, Parameters(email): Parameters<SendEmail>) -> Result<String, String> {
        Ok(format!("sent {} bytes to {}", email.body.len(), email.to))
    }

    /// Run a shell command.
    // `ErrorData` becomes a protocol error: its message is the reason, `data.refusal` the kind.
    #[guarded_tool(tool_name = "shell", operation = "execute", risk_level = "critical")]
    #[tool]
    async fn run_command(
        &self,
        Parameters(RunCommand { command }): Parameters<RunCommand>,
    ) -> Result<String, ErrorData> {
        Ok(format!("ran {command}"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(policy), Some(log)) = (arguments.next(), arguments.next()) else {
        return Err("usage: mcp_server POLICY LOG".into());
    };
    let context = GuardContext::new(
        AgentIdentity::new("assistant", "Assistant", "Desk")?,
        PermissionPolicy::from_yaml_file(policy)?,
        AuditLog::open(log)?,
    );
    // rmcp runs each call in a task of its own, where a scope around the server does not reach.
    context.activate();

    let server = Desk.serve(rmcp::transport::stdio()).await?;
    server.waiting().await?;
    Ok(())
}
