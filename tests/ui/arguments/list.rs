use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", args)]
fn a(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

#[guarded_tool(tool_name = "email", operation = "send", args())]
fn b(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

#[guarded_tool(tool_name = "email", operation = "send", args = to)]
fn c(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}
