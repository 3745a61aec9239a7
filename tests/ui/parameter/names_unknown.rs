use aegize::guarded_tool;

macro_rules! pair {
    () => {
        (_, _)
    };
}

#[guarded_tool(tool_name = "file", operation = "copy")]
fn copy(pair!(): (&str, &str)) -> Result<(), String> {
    Ok(())
}

fn main() {}
