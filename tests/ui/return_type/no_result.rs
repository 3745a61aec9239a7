use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "read")]
fn text() -> String {
    String::new()
}

#[guarded_tool(tool_name = "email", operation = "read")]
fn optional(id: u64) -> Option<u64> {
    Some(id)
}

#[guarded_tool(tool_name = "email", operation = "read", result = "skip")]
fn nothing() -> () {}

fn main() {}
