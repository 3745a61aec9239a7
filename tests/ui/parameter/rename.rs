use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(
    #[guard(rename)] to: &str,
    #[guard(rename = to)] cc: &str,
    #[guard(rename = " ")] bcc: &str,
    #[guard(rename("b"))] body: &str,
) -> Result<usize, String> {
    Ok(to.len() + cc.len() + bcc.len() + body.len())
}

fn main() {}
