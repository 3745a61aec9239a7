use aegize::guarded_tool;

// All of them are reported at once, and the function still exists.
#[guarded_tool(tool = "email", operation = "", risk_level = "hihg", result = "none")]
fn send(#[guard(redcat)] to: &str, #[guard(path, skip)] body: &str) -> Result<(), String> {
    let _ = (to, body);
    Ok(())
}

fn main() {
    let _ = send("a", "b");
}
