use aegize::guarded_tool;

// As `#[async_trait]` leaves `(from, to): (&str, &str)`.
#[guarded_tool(tool_name = "file", operation = "copy")]
fn copy(__arg0: (&str, &str)) -> Result<(), String> {
    let _ = __arg0;
    Ok(())
}

fn main() {}
