#![doc = include_str!("../README.md")]

/// Puts a guard in front of a tool: policy decides, the log records, and only then the body runs.
///
/// # Examples
///
/// The function keeps its signature, and its callers do not change:
///
/// ```
/// use std::path::{Path, PathBuf};
///
/// use aegize::{
///     AgentIdentity, AuditLog, GuardContext, GuardError, PermissionPolicy, guarded_tool,
///     with_context,
/// };
///
/// struct Disk {
///     root: PathBuf,
/// }
///
/// impl Disk {
///     // A field is no parameter: `args` shows it to policies all the same.
///     #[guarded_tool(
///         tool_name = "disk",
///         operation = "write",
///         risk_level = "high",
///         args(path = self.root.join(name))
///     )]
///     fn write(
///         &self,
///         #[guard(rename = "file")] name: &str,
///         #[guard(redact)] key: &str,
///     ) -> Result<usize, GuardError> {
///         Ok(name.len() + key.len())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// let policy = "agents: {bot: {allow: [{tool: disk, operations: [write], paths: ['/srv/**']}]}}";
/// let context = GuardContext::new(
///     AgentIdentity::new("bot", "Bot", "Docs")?,
///     PermissionPolicy::from_yaml_str(policy)?,
///     AuditLog::open(directory.path().join("audit.jsonl"))?,
/// );
/// let disk = |root: &str| Disk { root: Path::new(root).into() };
/// with_context(&context, || {
///     assert!(disk("/srv").write("a", "secret").is_ok());
///     assert!(disk("/etc").write("a", "secret").is_err());
/// });
/// assert_eq!(
///     context.audit_log().read_all()?[0].input_summary,
///     r#"file="a", key=[redacted], path="/srv/a""#
/// );
/// # Ok(())
/// # }
/// ```
///
/// A function that has to return what a protocol wants says how a refusal is told in it:
///
/// ```
/// use aegize::{GuardError, guarded_tool};
///
/// struct Reply {
///     text: String,
///     is_error: bool,
/// }
///
/// impl Reply {
///     fn refused(error: GuardError) -> Self {
///         Self { text: error.to_string(), is_error: true }
///     }
/// }
///
/// #[guarded_tool(tool_name = "clock", operation = "read", refuse_with = Reply::refused)]
/// async fn now(zone: &str) -> Reply {
///     Reply { text: format!("noon in {zone}"), is_error: false }
/// }
///
/// // Nobody said who is calling.
/// let reply = pollster::block_on(now("Paris"));
/// assert!(reply.is_error);
/// assert!(reply.text.contains("clock"));
/// ```
///
/// A crate that re-exports this one, or depends on it by another name, says where it is:
///
/// ```
/// mod guards {
///     pub use aegize::{__private, GuardError, guarded_tool};
/// }
///
/// #[guards::guarded_tool(tool_name = "clock", operation = "read", crate = crate::guards)]
/// fn now() -> Result<u64, guards::GuardError> {
///     Ok(12)
/// }
/// # fn main() {
/// assert!(now().is_err());
/// # }
/// ```
///
/// # Reference
///
pub use aegize_macros::guarded_tool;

#[doc(inline)]
pub use aegize_core::*;

#[doc(hidden)]
pub use aegize_core::__private;
