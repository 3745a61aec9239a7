//! The feature `tracing`: a span for each guarded call, in which its body runs, and an event when the
//! ledger fails.

use std::fmt::{Debug, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use aegize::{
    AgentIdentity, AuditLog, GuardContext, GuardError, GuardFutureExt, PermissionPolicy,
    guarded_tool, with_context,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::World;

#[guarded_tool(tool_name = "echo", operation = "run")]
async fn echo(text: &str) -> Result<String, GuardError> {
    tracing::info!("before");
    tokio::task::yield_now().await;
    tracing::info!("after");
    Ok(text.to_owned())
}

#[guarded_tool(tool_name = "echo", operation = "nest")]
fn nest(fails: bool) -> Result<(), String> {
    tracing::info!("body");
    if fails {
        Err("ghp_0123456789abcdefghijklmnopqrstuvwxyz".to_owned())
    } else {
        Ok(())
    }
}

#[guarded_tool(tool_name = "denied", operation = "run")]
fn denied() -> Result<(), GuardError> {
    Ok(())
}

#[tokio::test]
async fn a_body_runs_in_the_span_of_its_call_and_nothing_else_does() {
    let lines = Lines::default();
    let _subscriber = tracing::subscriber::set_default(lines.clone());
    let world = World::new();

    let both = async { tokio::join!(echo("hunter2"), async { tracing::info!("beside") }) };
    both.with_context(&world.context).await.0.unwrap();
    with_context(&world.context, || nest(false)).unwrap();
    with_context(&world.context, || nest(true)).unwrap_err();
    with_context(&world.context, denied).unwrap_err();
    tracing::info!("outside");

    let told = lines.take();
    let expected = [
        "guarded_call agent_id=bot tool_name=echo operation=run",
        "1: decision=allow",
        "1: before",
        "none: beside",
        "1: after",
        "1: outcome=succeeded duration_us",
        "guarded_call agent_id=bot tool_name=echo operation=nest",
        "2: decision=allow",
        "2: body",
        "2: outcome=succeeded duration_us",
        "guarded_call agent_id=bot tool_name=echo operation=nest",
        "3: decision=allow",
        "3: body",
        "3: outcome=failed duration_us",
        "guarded_call agent_id=bot tool_name=denied operation=run",
        "4: decision=deny",
        "none: outside",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_span_is_left_where_a_future_is_dropped() {
    let lines = Lines::default();
    let _subscriber = tracing::subscriber::set_default(lines.clone());
    let world = World::new();
    let mut pending = Box::pin(echo("a").with_context(&world.context));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(pending.as_mut().poll(&mut task).is_pending());
    drop(pending);
    tracing::info!("outside");
    let told = lines.take();
    assert_eq!(
        told[3..],
        ["1: outcome=abandoned duration_us", "none: outside"]
    );
}

#[test]
fn a_failure_of_the_ledger_is_an_event() {
    let lines = Lines::default();
    let _subscriber = tracing::subscriber::set_default(lines.clone());
    let context = GuardContext::new(
        AgentIdentity::new("bot", "Test Bot", "Tests").unwrap(),
        PermissionPolicy::from_yaml_str("agents: {bot: {allow: [{tool: '*'}]}}").unwrap(),
        AuditLog::open(Path::new("/dev/full")).unwrap(),
    );
    with_context(&context, || nest(false)).unwrap_err();
    let told = lines.take();
    let problem = "1: the audit log cannot be written: No space left on device (os error 28)";
    assert_eq!(told[1], format!("{problem} stage=decision log=/dev/full"));
    assert_eq!(told.len(), 2, "{told:?}");
}

/// Writes down spans, and events with the number of the span that they happen in.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    spans: u64,
    entered: Vec<u64>,
    lines: Vec<String>,
}

impl Lines {
    fn take(&self) -> Vec<String> {
        let mut state = self.0.lock().unwrap();
        assert!(state.entered.is_empty(), "a span was not left");
        std::mem::take(&mut state.lines)
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "aegize" || metadata.target() == module_path!()
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        let mut state = self.0.lock().unwrap();
        state.spans += 1;
        state.lines.push(fields.0);
        Id::from_u64(state.spans)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        let mut state = self.0.lock().unwrap();
        let (prefix, id) = (format!("{}:", span.into_u64()), span.into_u64());
        // One line for what is recorded together.
        match state.lines.last_mut() {
            Some(last) if last.starts_with(&format!("{id}: outcome")) => last.push_str(&fields.0),
            _ => state.lines.push(format!("{prefix}{}", fields.0)),
        }
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let mut state = self.0.lock().unwrap();
        let span = state
            .entered
            .last()
            .map_or("none".to_owned(), u64::to_string);
        state.lines.push(format!("{span}:{}", fields.0));
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        let left = self.0.lock().unwrap().entered.pop();
        assert_eq!(left, Some(span.into_u64()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            // Different each time.
            "action_id" => Ok(()),
            "duration_us" => write!(self.0, " duration_us"),
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={}", format!("{value:?}").trim_matches('"')),
        };
    }
}
