use aegize::{GuardError, guarded_tool};

fn refused(error: GuardError) -> String {
    error.to_string()
}

#[guarded_tool(tool_name = "email", operation = "send", refuse_with = refused)]
fn send(to: &str) -> usize {
    to.len()
}

#[guarded_tool(tool_name = "email", operation = "send", refuse_with = refused)]
async fn send_later(to: &str) -> usize {
    to.len()
}

fn main() {}
