use aegize::guarded_tool;

#[guarded_tool(tool_name = "file", operation = "copy")]
fn copy(#[guard(path)] (from, to): (&str, &str)) -> Result<(), String> {
    let _ = (from, to);
    Ok(())
}

#[guarded_tool(tool_name = "file", operation = "touch")]
fn touch(#[guard(path)] _: &str) -> Result<(), String> {
    Ok(())
}

fn main() {}
