use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
struct Email {
    to: String,
}

#[guarded_tool(tool_name = "email", operation = "send")]
impl Email {
    fn send(&self) -> Result<(), String> {
        Err(self.to.clone())
    }
}

#[guarded_tool(tool_name = "email", operation = "send")]
const LIMIT: usize = 3;

fn main() {
    let _ = Email { to: String::new() }.send();
    let _ = LIMIT;
}
