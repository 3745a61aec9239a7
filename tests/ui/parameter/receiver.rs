use aegize::guarded_tool;

struct Vault;

impl Vault {
    #[guarded_tool(tool_name = "vault", operation = "open")]
    fn open(#[guard(skip)] &self) -> Result<(), String> {
        Ok(())
    }
}

fn main() {
    let _ = Vault.open();
}
