use aegize::guarded_tool;

#[guarded_tool(tool_name = "file", operation = "read")]
fn read(
    #[guard] a: &str,
    #[guard()] b: &str,
    #[guard = "path"] c: &str,
    #[guard(path = true)] d: &str,
    #[guard("path")] e: &str,
) -> Result<(), String> {
    let _ = (a, b, c, d, e);
    Ok(())
}

fn main() {}
