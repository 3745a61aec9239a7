//! `#[tracing::instrument]` in either order: the body runs in the span, and one decision is made.

use std::sync::Arc;
use std::sync::Mutex;

use aegize::{GuardError, GuardFutureExt, guarded_tool, with_context};
use async_trait::async_trait;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber, instrument};

use crate::support::{DENIED, World};

#[instrument]
#[guarded_tool(tool_name = "echo", operation = "run")]
async fn instrumented_first(text: &str) -> Result<String, GuardError> {
    echo(text).await
}

#[guarded_tool(tool_name = "echo", operation = "run")]
#[instrument]
async fn instrumented_last(text: &str) -> Result<String, GuardError> {
    echo(text).await
}

#[instrument]
#[guarded_tool(tool_name = "echo", operation = "run")]
fn sync_instrumented_first(text: &str) -> Result<String, GuardError> {
    tracing::info!("body");
    Ok(text.to_owned())
}

#[guarded_tool(tool_name = "echo", operation = "run")]
#[instrument]
fn sync_instrumented_last(text: &str) -> Result<String, GuardError> {
    tracing::info!("body");
    Ok(text.to_owned())
}

#[instrument]
#[guarded_tool(tool_name = "denied", operation = "run")]
async fn denied_first() -> Result<(), GuardError> {
    tracing::info!("body");
    Ok(())
}

#[guarded_tool(tool_name = "denied", operation = "run")]
#[instrument]
async fn denied_last() -> Result<(), GuardError> {
    tracing::info!("body");
    Ok(())
}

#[async_trait]
trait Echo {
    async fn trait_first(&self, text: &str) -> Result<String, GuardError>;
    async fn trait_last(&self, text: &str) -> Result<String, GuardError>;
}

#[async_trait]
impl Echo for () {
    #[instrument]
    #[guarded_tool(tool_name = "echo", operation = "run")]
    async fn trait_first(&self, text: &str) -> Result<String, GuardError> {
        echo(text).await
    }

    #[guarded_tool(tool_name = "echo", operation = "run")]
    #[instrument]
    async fn trait_last(&self, text: &str) -> Result<String, GuardError> {
        echo(text).await
    }
}

async fn echo(text: &str) -> Result<String, GuardError> {
    tokio::task::yield_now().await;
    tracing::info!("body");
    Ok(text.to_owned())
}

#[tokio::test]
async fn the_body_runs_in_the_span_and_one_decision_is_made() {
    let spans = Spans::default();
    let _subscriber = tracing::subscriber::set_default(spans.clone());
    let world = World::new();

    let echoed = instrumented_first("a").with_context(&world.context);
    assert_eq!(echoed.await.unwrap(), "a");
    assert_eq!(
        spans.take(),
        ["span instrumented_first", "body in instrumented_first"]
    );

    let echoed = instrumented_last("b").with_context(&world.context);
    assert_eq!(echoed.await.unwrap(), "b");
    assert_eq!(
        spans.take(),
        ["span instrumented_last", "body in instrumented_last"]
    );

    let echoed = with_context(&world.context, || sync_instrumented_first("c"));
    assert_eq!(echoed.unwrap(), "c");
    assert_eq!(
        spans.take(),
        [
            "span sync_instrumented_first",
            "body in sync_instrumented_first"
        ]
    );

    let echoed = with_context(&world.context, || sync_instrumented_last("d"));
    assert_eq!(echoed.unwrap(), "d");
    assert_eq!(
        spans.take(),
        [
            "span sync_instrumented_last",
            "body in sync_instrumented_last"
        ]
    );

    let calls = ["a", "b", "c", "d"];
    let expected = calls.map(|text| {
        ["allowed", "execution_succeeded"].map(|event| format!("{event} echo(text={text:?})"))
    });
    assert_eq!(world.log(), expected.concat());
}

#[tokio::test]
async fn the_body_of_an_async_trait_runs_in_the_span_of_the_attribute_above() {
    let spans = Spans::default();
    let _subscriber = tracing::subscriber::set_default(spans.clone());
    let world = World::new();
    let echoed = ().trait_first("a").with_context(&world.context);
    assert_eq!(echoed.await.unwrap(), "a");
    assert_eq!(spans.take(), ["span trait_first", "body in trait_first"]);
    assert_eq!(world.log().len(), 2);
}

#[tokio::test]
async fn the_body_of_an_async_trait_runs_in_the_span_of_the_attribute_below() {
    let spans = Spans::default();
    let _subscriber = tracing::subscriber::set_default(spans.clone());
    let world = World::new();
    let echoed = ().trait_last("b").with_context(&world.context);
    assert_eq!(echoed.await.unwrap(), "b");
    assert_eq!(spans.take(), ["span trait_last", "body in trait_last"]);
    assert_eq!(world.log().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_in_the_span_of_the_attribute_below() {
    let spans = Spans::default();
    let _subscriber = tracing::subscriber::set_default(spans.clone());
    let world = World::new();
    let refused = denied_first().with_context(&world.context).await;
    assert_eq!(refused.unwrap_err().to_string(), DENIED);
    assert_eq!(spans.take(), [""; 0]);
    let refused = denied_last().with_context(&world.context).await;
    assert_eq!(refused.unwrap_err().to_string(), DENIED);
    assert_eq!(spans.take(), ["span denied_last"]);
    assert_eq!(world.log(), ["denied denied()"; 2]);
}

/// Records spans as they are made, and events with the span that they happen in.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: Vec<&'static str>,
    entered: Vec<&'static str>,
    lines: Vec<String>,
}

impl Spans {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().lines)
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(module_path!())
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut state = self.0.lock().unwrap();
        let name = attributes.metadata().name();
        state.names.push(name);
        state.lines.push(format!("span {name}"));
        Id::from_u64(state.names.len() as u64)
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let mut state = self.0.lock().unwrap();
        let span = state.entered.last().copied().unwrap_or("no span");
        state.lines.push(format!("{} in {span}", message.0));
    }

    fn enter(&self, span: &Id) {
        let mut state = self.0.lock().unwrap();
        let index = usize::try_from(span.into_u64() - 1).unwrap();
        let name = state.names[index];
        state.entered.push(name);
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().entered.pop();
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
