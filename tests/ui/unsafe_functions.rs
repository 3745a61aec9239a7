//! Unsafe functions stay unsafe, and their bodies may be.

use aegize::{
    AgentIdentity, AuditLog, GuardContext, GuardError, PermissionPolicy, guarded_tool, with_context,
};

#[guarded_tool(tool_name = "memory", operation = "read")]
unsafe fn read(text: &str, at: *const u8) -> Result<u8, GuardError> {
    assert!(!text.is_empty());
    Ok(unsafe { *at })
}

#[guarded_tool(tool_name = "memory", operation = "read")]
async unsafe fn read_async(at: &[u8]) -> Result<u8, GuardError> {
    Ok(unsafe { *at.get_unchecked(0) })
}

fn main() {
    let file = std::env::temp_dir().join(format!("aegize-unsafe-{}.jsonl", std::process::id()));
    let context = GuardContext::new(
        AgentIdentity::new("bot", "Bot", "Tests").unwrap(),
        PermissionPolicy::from_yaml_str("agents: {bot: {allow: [{tool: memory}]}}").unwrap(),
        AuditLog::open(&file).unwrap(),
    );
    let function: unsafe fn(&str, *const u8) -> Result<u8, GuardError> = read;
    with_context(&context, || {
        assert_eq!(unsafe { function("a", &7) }.unwrap(), 7);
        assert_eq!(pollster::block_on(unsafe { read_async(&[8]) }).unwrap(), 8);
    });
    std::fs::remove_file(file).unwrap();
}
