use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", crate)]
fn a() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send", crate = "aegize")]
fn b() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send", crate =)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
