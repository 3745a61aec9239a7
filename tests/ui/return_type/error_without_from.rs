use aegize::guarded_tool;

#[derive(Debug)]
struct MailError;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(to: &str) -> Result<usize, MailError> {
    if to.is_empty() { Err(MailError) } else { Ok(to.len()) }
}

#[guarded_tool(tool_name = "email", operation = "send")]
async fn send_later(to: &str) -> Result<usize, MailError> {
    if to.is_empty() { Err(MailError) } else { Ok(to.len()) }
}

fn main() {}
