//! What the expansion of `#[guarded_tool]` calls. Not API: it changes without notice.

pub use crate::action::RiskLevel;
use crate::arguments::Arguments;
pub use crate::arguments::{
    Argument, Chosen, ChosenForErrors, Lock, PathValue, Probe, Unrecorded, Way,
};
use crate::context::{GuardContext, take_metadata};
use crate::error::{GuardError, NoContext};
use crate::guard::{self, Admission, Coordinates, Entry, Metadata};
pub use crate::guard::{
    Ending, Entering, Guarded, Outcome, Permit, ResultEnding, ReturnedResult, ReturnedValue,
    ToolResult, ValueEnding, lazy, refused, refused_by, run, run_async, run_or,
};
#[cfg(feature = "tools")]
pub use crate::tools::{TOOLS, ToolSite};
pub use crate::{
    __argument as argument, __ending as ending, __path_argument as path_argument,
    __register as register,
};
#[cfg(feature = "tools")]
pub use linkme;

/// A guarded function, as its attribute describes it.
#[derive(Debug)]
pub struct Site {
    tool_name: &'static str,
    operation: &'static str,
    risk_level: RiskLevel,
    /// `None`, and not an empty list, since a pointer in a static has to be relocated.
    metadata: Option<&'static [(&'static str, &'static str)]>,
}

impl Site {
    /// The description of one function.
    pub const fn new(
        tool_name: &'static str,
        operation: &'static str,
        risk_level: RiskLevel,
        metadata: Option<&'static [(&'static str, &'static str)]>,
    ) -> Self {
        Self {
            tool_name,
            operation,
            risk_level,
            metadata,
        }
    }

    /// The entry of one function in the list of tools.
    #[cfg(feature = "tools")]
    pub const fn listed(&self, function: &'static str, file: &'static str, line: u32) -> ToolSite {
        ToolSite {
            tool_name: self.tool_name,
            operation: self.operation,
            risk_level: self.risk_level,
            function,
            file,
            line,
        }
    }
}

/// Asks for permission to run a function's body.
///
/// # Errors
///
/// If the call is refused; then the body must not run.
pub fn enter(site: &'static Site, arguments: &Argument<'_>) -> Entry {
    guard::confirmed(ask(site, arguments))
}

fn ask(site: &'static Site, arguments: &Argument<'_>) -> Admission {
    let call = take_metadata();
    let Some(context) = GuardContext::current() else {
        let refusal = GuardError::from(Box::new(NoContext {
            tool_name: site.tool_name.into(),
            operation: site.operation.into(),
        }));
        return Err(refusal.into()).into();
    };
    let coordinates = Coordinates {
        tool_name: site.tool_name.into(),
        operation: site.operation.into(),
        risk_level: site.risk_level,
    };
    let metadata = Metadata {
        fixed: site.metadata.unwrap_or_default(),
        call,
    };
    guard::admit(
        context.authority(),
        coordinates,
        Arguments::Listed(arguments),
        metadata,
    )
}

/// Asks for permission to run a future's body, from within the future, which has to wait for it.
pub fn enter_async(site: &'static Site, arguments: &Argument<'_>) -> Entering {
    Entering::new(ask(site, arguments))
}

/// Captures a variable in the way that was chosen for it.
#[inline]
pub fn capture<'a, T, W: Way<T>>(
    name: &'a str,
    value: &'a T,
    next: &'a Argument<'a>,
    _: W,
) -> Argument<'a> {
    W::capture(name, value, next)
}

/// Enters a function's static into the list of tools, if there is one.
#[cfg(feature = "tools")]
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($site:ident, $function:expr) => {
        #[$crate::__private::linkme::distributed_slice($crate::__private::TOOLS)]
        #[linkme(crate = $crate::__private::linkme)]
        static TOOL: $crate::__private::ToolSite =
            $site.listed($function, ::core::file!(), ::core::line!());
    };
}

/// Enters a function's static into the list of tools, if there is one.
#[cfg(not(feature = "tools"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($site:ident, $function:expr) => {};
}

// Method resolution tries `&self` methods of what the receiver points to first: one reference
// more than the first choice has.

/// Captures a variable under a name, before other arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __argument {
    ($name:expr, $value:expr, $next:expr) => {{
        use $crate::__private::Chosen as _;
        let way = (&&&&&&&$crate::__private::Probe(&$value)).way();
        $crate::__private::capture($name, &$value, $next, way)
    }};
}

/// Captures a variable that is declared to be a path.
#[doc(hidden)]
#[macro_export]
macro_rules! __path_argument {
    ($name:expr, $value:expr, $next:expr) => {
        $crate::__private::argument!($name, $value, $next).path()
    };
}

/// Tells how to read what a body returned: a success, unless it is a `Result` that is `Err`.
#[doc(hidden)]
#[macro_export]
macro_rules! __ending {
    (@ $returned:ident, $value:pat => $way:expr) => {{
        use $crate::__private::{ChosenForErrors as _, ReturnedResult as _, ReturnedValue as _};
        (&&$crate::__private::Probe($returned))
            .ending(|$value, error| ($way, (&&&$crate::__private::Probe(error)).error_way()))
    }};
    (skip $returned:ident) => {
        $crate::__private::ending!(@ $returned, _ => $crate::__private::Unrecorded)
    };
    ($returned:ident) => {
        $crate::__private::ending!(@ $returned, value => {
            use $crate::__private::Chosen as _;
            (&&&&&&&$crate::__private::Probe(value)).way()
        })
    };
}
