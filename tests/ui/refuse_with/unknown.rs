use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", refuse_with = refused)]
fn send(to: &str) -> String {
    to.to_owned()
}

fn main() {}
