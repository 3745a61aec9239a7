//! `#[guarded_tool]` beside the attributes and tools of other crates, a module per crate.

mod async_trait;
mod foreign;
mod mcp_server;
mod rig_tools;
mod rmcp_tools;
mod spans;
mod support;
mod tokio_test;
mod tools;
mod tracing_instrument;
