use aegize::guarded_tool;

fn refused(error: String) -> String {
    error
}

#[guarded_tool(tool_name = "email", operation = "send", refuse_with = refused)]
fn send(to: &str) -> String {
    to.to_owned()
}

#[guarded_tool(tool_name = "email", operation = "send", refuse_with = refused)]
async fn send_later(to: &str) -> String {
    to.to_owned()
}

fn main() {}
