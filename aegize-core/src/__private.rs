//! What the expansion of `#[guarded_tool]` calls. Not API: it changes without notice.

pub use crate::action::RiskLevel;
use crate::arguments::Arguments;
pub use crate::arguments::{
    Argument, ArgumentByAsPath, ArgumentByDebug, ArgumentByLock, ArgumentByPath,
    ArgumentBySerialize, ArgumentByText, ArgumentOpaque, ErrorByDebug, ErrorByDisplay, ErrorOpaque,
    Lock, PathValue, Probe, ReturnedResult, ReturnedValue,
};
use crate::context::{GuardContext, take_metadata};
use crate::error::{GuardError, NoContext};
use crate::guard::{self, Coordinates, Metadata};
pub use crate::guard::{
    Guarded, Outcome, Permit, ToolResult, run, run_async, run_async_or, run_or,
};
#[cfg(feature = "tools")]
pub use crate::tools::{TOOLS, ToolSite};
pub use crate::{
    __argument as argument, __outcome as outcome, __path_argument as path_argument,
    __register as register, __returned as returned,
};
#[cfg(feature = "tools")]
pub use linkme;

/// A guarded function, as its attribute describes it.
#[derive(Debug)]
pub struct Site {
    tool_name: &'static str,
    operation: &'static str,
    risk_level: RiskLevel,
    metadata: &'static [(&'static str, &'static str)],
}

impl Site {
    /// The description of one function.
    pub const fn new(
        tool_name: &'static str,
        operation: &'static str,
        risk_level: RiskLevel,
        metadata: &'static [(&'static str, &'static str)],
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
pub fn enter(site: &'static Site, arguments: &[Argument<'_>]) -> Result<Permit, GuardError> {
    let call = take_metadata();
    let Some(context) = GuardContext::current() else {
        return Err(GuardError::from(Box::new(NoContext {
            tool_name: site.tool_name.into(),
            operation: site.operation.into(),
        })));
    };
    let coordinates = Coordinates {
        tool_name: site.tool_name.into(),
        operation: site.operation.into(),
        risk_level: site.risk_level,
    };
    let metadata = Metadata {
        fixed: site.metadata,
        call,
    };
    guard::admit(
        context.authority(),
        coordinates,
        Arguments::Captured(arguments),
        metadata,
    )
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

/// Captures a variable under a name.
#[doc(hidden)]
#[macro_export]
macro_rules! __argument {
    ($name:expr, $value:expr) => {{
        use $crate::__private::{
            ArgumentByAsPath as _, ArgumentByDebug as _, ArgumentByLock as _, ArgumentByPath as _,
            ArgumentBySerialize as _, ArgumentByText as _, ArgumentOpaque as _,
        };
        (&&&&&&&$crate::__private::Probe(&$value)).capture($name)
    }};
}

/// Captures a variable that is declared to be a path.
#[doc(hidden)]
#[macro_export]
macro_rules! __path_argument {
    ($name:expr, $value:expr) => {
        $crate::__private::argument!($name, $value).path()
    };
}

/// Takes what a body returned for a success, unless it is a `Result` that is `Err`.
#[doc(hidden)]
#[macro_export]
macro_rules! __returned {
    ($returned:expr) => {{
        use $crate::__private::{ReturnedResult as _, ReturnedValue as _};
        (&&$crate::__private::Probe($returned)).as_result()
    }};
}

/// Captures how a body ended.
#[doc(hidden)]
#[macro_export]
macro_rules! __outcome {
    (@failed $error:ident) => {{
        use $crate::__private::{ErrorByDebug as _, ErrorByDisplay as _, ErrorOpaque as _};
        $crate::__private::Outcome::Failed((&&&$crate::__private::Probe($error)).capture_error())
    }};
    (skip $result:expr) => {
        match $result {
            ::core::result::Result::Ok(_) => {
                $crate::__private::Outcome::Succeeded(::core::option::Option::None)
            }
            ::core::result::Result::Err(error) => $crate::__private::outcome!(@failed error),
        }
    };
    ($result:expr) => {
        match $result {
            ::core::result::Result::Ok(value) => {
                $crate::__private::Outcome::Succeeded(::core::option::Option::Some(
                    $crate::__private::argument!("", *value),
                ))
            }
            ::core::result::Result::Err(error) => $crate::__private::outcome!(@failed error),
        }
    };
}
