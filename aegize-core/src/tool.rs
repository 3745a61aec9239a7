//! The explicit style: tools that are values, and calls that are only known as JSON.
//!
//! For closures, tools loaded at run time, and proxies. Both kinds go through the guard's one
//! pipeline, as annotated functions do.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::future::Future;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::action::RiskLevel;
use crate::arguments::{
    Argument, Arguments, Captured, Inexact, JsonArguments, OwnMap, is_map, own_map,
};
use crate::context::{GuardContext, take_metadata};
use crate::guard::{self, Admission, Coordinates, Ending, Entering, Metadata, Outcome, ToolResult};

/// A call of a tool whose arguments are known as JSON, such as a model's tool call.
///
/// ```
/// # extern crate aegize_core as aegize;
/// # use aegize::{GuardContext, GuardError, ToolCall};
/// # use serde_json::{Value, json};
/// # async fn forward(arguments: &Value) -> Result<String, GuardError> { Ok(arguments.to_string()) }
/// # async fn example(context: &GuardContext) -> Result<(), GuardError> {
/// let arguments = json!({"title": "A bug", "repository": "acme/shop"});
/// let call = ToolCall::new("github", "create_issue").arguments(arguments.clone());
/// let outcome = context.guard(call).run(|| forward(&arguments)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a call does nothing until it is guarded and run"]
pub struct ToolCall {
    coordinates: Coordinates,
    arguments: Value,
    /// Which argument has a value that JSON does not have, and why.
    inexact: Option<(String, Inexact)>,
    paths: Vec<String>,
    redacted: Vec<String>,
    metadata: Option<Value>,
}

impl ToolCall {
    /// A call without arguments, at [`RiskLevel::Low`].
    pub fn new(
        tool_name: impl Into<Cow<'static, str>>,
        operation: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            coordinates: Coordinates {
                tool_name: tool_name.into(),
                operation: operation.into(),
                risk_level: RiskLevel::Low,
            },
            arguments: Value::Null,
            inexact: None,
            paths: Vec::new(),
            redacted: Vec::new(),
            metadata: None,
        }
    }

    /// The same call at another risk level.
    pub fn risk_level(mut self, risk_level: RiskLevel) -> Self {
        self.coordinates.risk_level = risk_level;
        self
    }

    /// The same call with these arguments: a JSON object. Anything else is refused when the
    /// call is run.
    pub fn arguments(mut self, arguments: impl Into<Value>) -> Self {
        self.arguments = arguments.into();
        self
    }

    /// The same call, one of its arguments declared to be a path.
    pub fn path_argument(mut self, name: impl Into<String>) -> Self {
        self.paths.push(name.into());
        self
    }

    /// The same call, one of its arguments kept out of every record and message.
    pub fn redacted_argument(mut self, name: impl Into<String>) -> Self {
        self.redacted.push(name.into());
        self
    }

    /// The same call with metadata: a JSON object, seen by policy and the log only. Anything
    /// else is refused when the call is run.
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    fn enter(self, context: &GuardContext) -> Admission {
        let values = match self.arguments {
            Value::Null => Map::new(),
            Value::Object(values) => values,
            _ => {
                let problem = "its arguments are not a JSON object";
                return guard::refuse(context.authority(), self.coordinates, problem).into();
            }
        };
        let arguments = Arguments::Json(JsonArguments {
            values: &values,
            paths: &self.paths,
            redacted: &self.redacted,
            inexact: self.inexact.as_ref(),
        });
        let metadata = Metadata {
            fixed: &[],
            call: take_metadata().into_iter().chain(self.metadata).collect(),
        };
        guard::admit(context.authority(), self.coordinates, arguments, metadata)
    }
}

impl fmt::Debug for ToolCall {
    /// Without the arguments, of which some may be redacted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("coordinates", &self.coordinates)
            .finish_non_exhaustive()
    }
}

impl GuardContext {
    /// Prepares a call to be judged and recorded under this context. It is not made before it
    /// is [`run`](GuardedCall::run).
    pub fn guard(&self, call: ToolCall) -> GuardedCall<'_> {
        GuardedCall {
            context: self,
            call,
        }
    }
}

/// A [`ToolCall`] under a context; made by [`GuardContext::guard`].
#[derive(Debug)]
#[must_use = "a guarded call does nothing until it is run"]
pub struct GuardedCall<'c> {
    context: &'c GuardContext,
    call: ToolCall,
}

impl GuardedCall<'_> {
    /// Makes the call: asks for permission when first polled, and only then calls `body` and
    /// runs its future. The result may hold references of `body`'s.
    ///
    /// # Errors
    ///
    /// The tool's own, and a refusal as [`GuardError`](crate::GuardError).
    pub fn run<F, R>(self, body: impl FnOnce() -> F) -> impl Future<Output = R>
    where
        F: Future<Output = R>,
        R: ToolResult<Value: Serialize, Error: Display>,
    {
        let Self { context, call } = self;
        let enter = move || (Entering::new(call.enter(context)), body);
        guard::run_async(guard::lazy(enter, guard::refused), ending)
    }

    /// Makes the call on this thread.
    ///
    /// # Errors
    ///
    /// The tool's own, and a refusal as [`GuardError`](crate::GuardError).
    pub fn run_blocking<R>(self, body: impl FnOnce() -> R) -> R
    where
        R: ToolResult<Value: Serialize, Error: Display>,
    {
        let entry = guard::confirmed(self.call.enter(self.context));
        guard::run(entry, body, ending)
    }
}

/// A tool that is a value: a function with its policy coordinates.
///
/// The function has one parameter that serializes. Is that a struct or a map, its fields are the
/// arguments that policy and log see; anything else is one argument named `input`. A call whose fields
/// hold what JSON does not have, such as bytes or NaN, cannot be approved by people.
///
/// ```
/// # extern crate aegize_core as aegize;
/// # use aegize::*;
/// # fn example(context: &GuardContext) -> Result<(), GuardError> {
/// let search = GuardedTool::new("web_search", "search", |query: String| -> Result<String, GuardError> {
///     Ok(format!("results for '{query}'"))
/// })
/// .risk_level(RiskLevel::Low)
/// .bind(context);
///
/// let results = search.call("Aegize runtime".to_string())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct GuardedTool<F> {
    /// The call to make, but for its arguments.
    template: ToolCall,
    function: F,
}

impl<F> GuardedTool<F> {
    /// A tool at [`RiskLevel::Low`].
    pub fn new(
        tool_name: impl Into<Cow<'static, str>>,
        operation: impl Into<Cow<'static, str>>,
        function: F,
    ) -> Self {
        Self {
            template: ToolCall::new(tool_name, operation),
            function,
        }
    }

    /// The same tool at another risk level.
    #[must_use]
    pub fn risk_level(mut self, risk_level: RiskLevel) -> Self {
        self.template = self.template.risk_level(risk_level);
        self
    }

    /// The same tool, one of its arguments declared to be a path.
    #[must_use]
    pub fn path_argument(mut self, name: impl Into<String>) -> Self {
        self.template = self.template.path_argument(name);
        self
    }

    /// The same tool, one of its arguments kept out of every record and message.
    #[must_use]
    pub fn redacted_argument(mut self, name: impl Into<String>) -> Self {
        self.template = self.template.redacted_argument(name);
        self
    }

    /// The same tool with metadata for each of its calls: a JSON object.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.template = self.template.metadata(metadata);
        self
    }

    /// The tool, ready to be called under a context.
    pub fn bind(self, context: &GuardContext) -> BoundTool<F> {
        BoundTool {
            tool: self,
            context: context.clone(),
        }
    }
}

impl<F> fmt::Debug for GuardedTool<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedTool")
            .field("coordinates", &self.template.coordinates)
            .finish_non_exhaustive()
    }
}

/// A [`GuardedTool`] under a context; made by [`GuardedTool::bind`].
#[derive(Debug, Clone)]
pub struct BoundTool<F> {
    tool: GuardedTool<F>,
    context: GuardContext,
}

impl<F> BoundTool<F> {
    /// Calls the tool.
    ///
    /// # Errors
    ///
    /// The tool's own, and a refusal as [`GuardError`](crate::GuardError).
    pub fn call<A, R>(&self, input: A) -> R
    where
        A: Serialize,
        F: Fn(A) -> R,
        R: ToolResult<Value: Serialize, Error: Display>,
    {
        let entry = guard::confirmed(self.enter(&input));
        guard::run(entry, || (self.tool.function)(input), ending)
    }

    /// Calls a tool whose function returns a future. Nothing happens before it is polled.
    ///
    /// # Errors
    ///
    /// The tool's own, and a refusal as [`GuardError`](crate::GuardError).
    pub fn call_async<A, T, R>(&self, input: A) -> impl Future<Output = R>
    where
        A: Serialize,
        F: Fn(A) -> T,
        T: Future<Output = R>,
        R: ToolResult<Value: Serialize, Error: Display>,
    {
        let enter = move || {
            let entering = Entering::new(self.enter(&input));
            (entering, move || (self.tool.function)(input))
        };
        guard::run_async(guard::lazy(enter, guard::refused), ending)
    }

    fn refuse(&self, problem: &str) -> Admission {
        let coordinates = self.tool.template.coordinates.clone();
        guard::refuse(self.context.authority(), coordinates, problem).into()
    }

    fn enter<A: Serialize>(&self, input: &A) -> Admission {
        let template = &self.tool.template;
        let mut declared = template.paths.iter().chain(&template.redacted);
        if is_map(input) {
            let Some(OwnMap { values, inexact }) = own_map(input) else {
                let problem = "its input does not serialize, or has a key twice";
                return self.refuse(problem);
            };
            if let Some(name) = declared.find(|name| !values.contains_key(*name)) {
                return self.refuse(&format!("its input has no argument `{name}`"));
            }
            let mut call = template.clone().arguments(values);
            call.inexact = inexact;
            return call.enter(&self.context);
        }
        if let Some(name) = declared.find(|name| *name != "input") {
            return self.refuse(&format!(
                "its input has no argument `{name}`; a value without fields is named `input`"
            ));
        }
        // One value is lent as it is, not copied.
        let mut argument = Argument::new("input", Captured::Structured(input));
        argument.is_path = template.paths.iter().any(|name| name == argument.name);
        argument.is_redacted = template.redacted.iter().any(|name| name == argument.name);
        let metadata = Metadata {
            fixed: &[],
            call: take_metadata()
                .into_iter()
                .chain(template.metadata.clone())
                .collect(),
        };
        guard::admit(
            self.context.authority(),
            template.coordinates.clone(),
            Arguments::Captured(&[argument]),
            metadata,
        )
    }
}

/// Reads the values of results as structured ones, and the errors by their text.
struct ExplicitEnding;

impl<R: ToolResult<Value: Serialize, Error: Display>> Ending<R> for ExplicitEnding {
    fn outcome(returned: &R) -> Outcome<'_> {
        match returned.as_result() {
            Ok(value) => Outcome::Succeeded(Argument::new("", Captured::Structured(value))),
            Err(error) => Outcome::Failed(Argument::new("", Captured::Display(error))),
        }
    }
}

fn ending<R>(_: &R) -> ExplicitEnding {
    ExplicitEnding
}
