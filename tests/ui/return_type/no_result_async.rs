use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "read")]
async fn text(id: u64) -> String {
    id.to_string()
}

#[guarded_tool(tool_name = "email", operation = "read")]
fn optional(id: u64) -> impl Future<Output = Option<u64>> {
    async move { Some(id) }
}

fn main() {}
