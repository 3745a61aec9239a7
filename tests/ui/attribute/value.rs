use aegize::guarded_tool;

const NAME: &str = "email";

#[guarded_tool(tool_name = NAME, operation = 7)]
fn not_a_literal() -> Result<(), String> {
    let _ = NAME;
    Ok(())
}

#[guarded_tool(tool_name, operation("send"))]
fn not_assigned() -> Result<(), String> {
    Ok(())
}

#[guarded_tool("email", "send")]
fn no_keys() -> Result<(), String> {
    Ok(())
}

fn main() {}
