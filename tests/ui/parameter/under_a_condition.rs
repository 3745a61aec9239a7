use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(
    #[cfg_attr(all(), guard(hide))] to: &str,
    #[cfg_attr(any(), guard(hide))] body: &str,
) -> Result<usize, String> {
    Ok(to.len() + body.len())
}

fn main() {
    let _ = send("to", "body");
}
