use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", crate = ::aegize)]
fn send(to: &str) -> Option<usize> {
    Some(to.len())
}

fn main() {
    let _ = send("to");
}
