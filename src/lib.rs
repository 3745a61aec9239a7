#![doc = include_str!("../README.md")]

/// Puts a guard in front of a tool: policy decides, the log records, and only then the body runs.
///
/// # What it does to a function
///
/// The function keeps its signature, and its callers do not change. A call is judged and recorded
/// before the body runs, and its outcome is recorded after; a call that is refused returns an
/// error, and nothing of the body has run.
///
/// ```
/// use aegize::{
///     AgentIdentity, AuditLog, GuardContext, GuardError, PermissionPolicy, guarded_tool,
///     with_context,
/// };
///
/// /// Sends an email.
/// #[guarded_tool(tool_name = "email", operation = "send", risk_level = "high")]
/// fn send(to: &str, body: &str) -> Result<usize, GuardError> {
///     assert_eq!(to, "ann@example.com", "nobody else gets mail");
///     Ok(body.len())
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let context = |policy: &str| -> Result<_, Box<dyn std::error::Error>> {
/// #     Ok(GuardContext::new(
/// #         AgentIdentity::new("bot", "Bot", "Docs")?,
/// #         PermissionPolicy::from_yaml_str(policy)?,
/// #         AuditLog::open(directory.path().join("audit.jsonl"))?,
/// #     ))
/// # };
/// let trusting = context("agents: {bot: {allow: [{tool: email}]}}")?;
/// let careful = context("agents: {bot: {allow: [{tool: email, risk_level_max: low}]}}")?;
/// assert_eq!(with_context(&trusting, || send("ann@example.com", "hi"))?, 2);
/// let refused = with_context(&careful, || send("eve@example.com", "hi"));
/// assert!(matches!(refused, Err(GuardError::PolicyDenied(_))));
///
/// let records = trusting.audit_log().read_all()?;
/// let events: Vec<_> = records.iter().map(|record| record.event.as_str()).collect();
/// assert_eq!(events, ["allowed", "execution_succeeded", "denied"]);
/// # Ok(())
/// # }
/// ```
///
/// # Which signatures work
///
/// Functions and methods, synchronous and asynchronous, as people write them; the
/// [reference](#return-types) has the exceptions.
///
/// ```
/// use std::pin::Pin;
/// use std::sync::Arc;
///
/// use aegize::{GuardError, guarded_tool};
///
/// #[guarded_tool(tool_name = "list", operation = "sort")]
/// fn sorted<T: Ord, const N: usize>(mut items: [T; N]) -> Result<[T; N], GuardError> {
///     items.sort();
///     Ok(items)
/// }
///
/// #[guarded_tool(tool_name = "list", operation = "read")]
/// async fn lines((from, to): (usize, usize), text: &str) -> anyhow::Result<impl Iterator<Item = &str>> {
///     Ok(text.lines().skip(from).take(to - from))
/// }
///
/// struct Vault(Vec<String>);
///
/// impl Vault {
///     #[guarded_tool(tool_name = "vault", operation = "add")]
///     async fn add(&mut self, key: &str) -> Result<(), String> {
///         Ok(self.0.push(key.to_owned()))
///     }
///
///     #[guarded_tool(tool_name = "vault", operation = "count")]
///     fn count(self: Arc<Self>) -> std::io::Result<usize> {
///         Ok(self.0.len())
///     }
/// }
///
/// trait Search {
///     async fn search(&self, query: &str) -> Result<bool, GuardError>;
///     fn later<'s>(&'s self, n: usize) -> Pin<Box<dyn Future<Output = Result<&'s str, String>> + Send + 's>>;
/// }
///
/// impl Search for Vault {
///     #[guarded_tool(tool_name = "vault", operation = "search")]
///     async fn search(&self, query: &str) -> Result<bool, GuardError> {
///         Ok(self.0.iter().any(|key| key == query))
///     }
///
///     // What `#[async_trait]` makes of an `async fn`.
///     #[guarded_tool(tool_name = "vault", operation = "get")]
///     fn later<'s>(&'s self, n: usize) -> Pin<Box<dyn Future<Output = Result<&'s str, String>> + Send + 's>> {
///         Box::pin(async move { Ok(self.0.get(n).ok_or("no such key")?.as_str()) })
///     }
/// }
/// ```
///
/// # What is recorded of the arguments
///
/// Each under its name, in a line of at most a few hundred characters. A secret is hidden with
/// `redact`, and still judged; `skip` is for what is no argument at all, such as a connection. Paths
/// are declared by their type or with `path`, and what a rule says of `paths` is then about them.
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
///         #[guard(skip)] _connection: &mut Vec<u8>,
///     ) -> Result<usize, GuardError> {
///         Ok(name.len() + key.len())
///     }
/// }
///
/// #[guarded_tool(tool_name = "disk", operation = "link")]
/// fn link(#[guard(path)] from: &str, to: &Path) -> std::io::Result<()> {
///     Ok(())
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// let policy = "agents: {bot: {allow: [{tool: disk, paths: ['/srv/**']}]}}";
/// let context = GuardContext::new(
///     AgentIdentity::new("bot", "Bot", "Docs")?,
///     PermissionPolicy::from_yaml_str(policy)?,
///     AuditLog::open(directory.path().join("audit.jsonl"))?,
/// );
/// let disk = |root: &str| Disk { root: Path::new(root).into() };
/// with_context(&context, || {
///     assert!(disk("/srv").write("a", "secret", &mut Vec::new()).is_ok());
///     assert!(disk("/etc").write("a", "secret", &mut Vec::new()).is_err());
///     assert!(link("/srv/a", Path::new("/srv/b")).is_ok());
///     assert!(link("/srv/a", Path::new("/etc/b")).is_err());
/// });
/// assert_eq!(
///     context.audit_log().read_all()?[0].input_summary,
///     r#"file="a", key=[redacted], path="/srv/a""#
/// );
/// # Ok(())
/// # }
/// ```
///
/// # How a refusal is returned
///
/// As the function's error type, which is made `From` a [`GuardError`]; callers match on it.
/// `String`, `std::io::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>` need nothing.
///
/// ```
/// use aegize::{GuardError, guarded_tool};
///
/// #[derive(Debug, thiserror::Error)]
/// enum ToolError {
///     #[error(transparent)]
///     Guard(#[from] GuardError),
///     #[error("no such user")]
///     NoUser,
/// }
///
/// #[guarded_tool(tool_name = "users", operation = "delete", risk_level = "critical")]
/// fn delete(user: &str) -> Result<(), ToolError> {
///     Err(ToolError::NoUser)
/// }
///
/// // Nobody said who is calling.
/// assert!(matches!(delete("ann"), Err(ToolError::Guard(GuardError::NoContext(_)))));
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
/// # With rmcp and rig
///
/// The features of these names add `From<GuardError>` for their error types. The attribute goes
/// above theirs; `redact` and `path` reach the fields of a request that is taken apart.
///
/// ```ignore
/// #[tool_router(server_handler)]
/// impl Desk {
///     /// Send an email.
///     #[guarded_tool(tool_name = "email", operation = "send", risk_level = "high")]
///     #[tool]
///     async fn send_email(
///         &self,
///         Parameters(SendEmail { to, body }): Parameters<SendEmail>,
///     ) -> Result<String, ErrorData> {
///         Ok(format!("sent {} bytes to {to}", body.len()))
///     }
/// }
///
/// /// Send an email.
/// #[guarded_tool(tool_name = "email", operation = "send", risk_level = "high")]
/// #[rig_tool]
/// async fn send_email(to: String, body: String) -> Result<String, ToolExecutionError> {
///     Ok(format!("sent {} bytes to {to}", body.len()))
/// }
/// ```
///
/// [`tests/beside`] has both in full: an MCP server with its client, contexts for each connection,
/// and what a model reads.
///
/// [`tests/beside`]: https://github.com/gggaswint/aegize/tree/main/tests/beside
///
/// # Which tools there are
///
/// With the feature `tools`, a test can hold a policy against all tools that are linked into it.
///
/// ```standalone_crate
/// # #[cfg(feature = "tools")] {
/// use aegize::{PermissionPolicy, assert_covered, guarded_tool, tools};
///
/// #[guarded_tool(tool_name = "clock", operation = "read")]
/// fn now() -> Result<u64, String> {
///     Ok(12)
/// }
///
/// let policy = "agents: {bot: {allow: [{tool: clock}]}}";
/// assert_covered(&PermissionPolicy::from_yaml_str(policy).unwrap(), "bot");
/// for tool in tools() {
///     println!("{}:{}: {}", tool.file(), tool.line(), tool.function());
/// }
/// # }
/// ```
///
/// # Under another name
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

#[cfg(doctest)]
#[doc = include_str!("../docs/audit.md")]
mod audit_page {}

#[cfg(doctest)]
#[doc = include_str!("../docs/approvals.md")]
mod approvals_page {}
