use aegize::guarded_tool;

#[guarded_tool(tool_name = env!("CARGO_PKG_NAME"), operation = concat!("se", "nd"))]
fn send(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}
