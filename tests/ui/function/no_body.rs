use aegize::guarded_tool;

trait Clock {
    #[guarded_tool(tool_name = "clock", operation = "read")]
    fn read(&self, #[guard(skip)] zone: &str) -> Result<u64, String>;
}

fn main() {}
