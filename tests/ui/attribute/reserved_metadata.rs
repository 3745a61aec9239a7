use aegize::{GuardError, guarded_tool};

#[guarded_tool(tool_name = "email", operation = "send", metadata(environment = "prod"))]
fn send(to: &str) -> Result<(), GuardError> {
    let _ = to;
    Ok(())
}

fn main() {}
