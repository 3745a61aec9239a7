use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(#[guard(redcat)] to: &str, #[guard(hide)] body: &str) -> Result<(), String> {
    let _ = (to, body);
    Ok(())
}

fn main() {}
