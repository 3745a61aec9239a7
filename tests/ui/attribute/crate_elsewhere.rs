use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", crate = ::my_aegize)]
fn send(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}
