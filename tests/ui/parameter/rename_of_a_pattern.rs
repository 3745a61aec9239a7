use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(#[guard(rename = "to")] (user, host): (&str, &str)) -> Result<usize, String> {
    Ok(user.len() + host.len())
}

fn main() {}
