use aegize::guarded_tool;

#[guarded_tool(tool_name = "file", operation = "read")]
fn twice(#[guard(path, path)] file: &str) -> Result<(), String> {
    let _ = file;
    Ok(())
}

#[guarded_tool(tool_name = "file", operation = "read")]
fn skipped_and_more(#[guard(redact, skip)] file: &str) -> Result<(), String> {
    let _ = file;
    Ok(())
}

fn main() {}
