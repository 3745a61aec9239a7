use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", refuse_with)]
fn a() {}

#[guarded_tool(tool_name = "email", operation = "send", refuse_with = |_| ())]
fn b() {}

#[guarded_tool(tool_name = "email", operation = "send", refuse_with = "drop")]
fn c() {}

fn main() {}
