//! What is seen of a call's arguments and result: by type, bounded, never too much.

use std::borrow::Cow;
use std::ffi::{CStr, OsStr};
use std::fmt::{self, Debug, Display};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aegize::{GuardError, guarded_tool, with_context};
use serde::Serialize;

use crate::support::World;

#[derive(Serialize, Clone)]
struct Query {
    text: String,
    pages: Vec<u32>,
    kind: Kind,
    none: Option<u8>,
}

#[derive(Serialize, Clone)]
enum Kind {
    Plain,
    Near { lat: f64 },
    Pair(i8, i8),
    Wrapped(&'static str),
}

#[derive(Debug)]
struct OnlyDebug {
    _x: u8,
}

struct Nothing;

struct Broken;

impl Serialize for Broken {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

macro_rules! summary {
    ($($name:ident: $type:ty = $value:expr),*) => {{
        #[guarded_tool(tool_name = "any", operation = "call")]
        fn call($($name: $type),*) -> Result<(), GuardError> {
            $(let _ = &$name;)*
            Ok(())
        }
        let world = World::permissive();
        with_context(&world.context, || call($($value),*)).unwrap();
        world.records()[0].input_summary.clone().into_owned()
    }};
}

#[test]
fn arguments_are_shown_by_name_and_kind() {
    let query = Query {
        text: "a \"b\"\n".into(),
        pages: vec![1, 2],
        kind: Kind::Near { lat: 1.5 },
        none: None,
    };
    assert_eq!(
        summary!(query: Query = query),
        r#"query={"text":"a \"b\"\n","pages":[1,2],"kind":{"Near":{"lat":1.5}},"none":null}"#
    );
    let kinds = [Kind::Plain, Kind::Pair(-1, 2), Kind::Wrapped("w")];
    assert_eq!(
        summary!(kinds: [Kind; 3] = kinds),
        r#"kinds=["Plain",{"Pair":[-1,2]},{"Wrapped":"w"}]"#
    );
    assert_eq!(
        summary!(a: &str = "x", b: String = "y".into(), c: Cow<'_, str> = "z".into(), d: Arc<str> = "q".into()),
        r#"a="x", b="y", c="z", d="q""#
    );
    assert_eq!(
        summary!(a: &Path = Path::new("p"), b: PathBuf = "q".into(), c: Option<PathBuf> = None, d: &[PathBuf] = &["r".into(), "s".into()], e: &OsStr = OsStr::new("t")),
        r#"a="p", b="q", c=null, d=["r","s"], e="t""#
    );
    assert_eq!(
        summary!(a: OnlyDebug = OnlyDebug { _x: 1 }, b: Nothing = Nothing, c: Broken = Broken, d: bool = true, e: u128 = u128::MAX),
        format!(
            "a=OnlyDebug {{ _x: 1 }}, b=<opaque>, c=<unreadable>, d=true, e={}",
            u128::MAX
        )
    );
    // Nothing in a summary moves a terminal's cursor.
    assert_eq!(
        summary!(a: &str = "\u{1b}[2J\u{9b}1m"),
        r#"a="\u{1b}[2J\u{9b}1m""#
    );
    assert_eq!(summary!(), "");
}

#[test]
fn generic_parameters_are_shown_as_far_as_their_bounds_tell() {
    #[guarded_tool(tool_name = "any", operation = "call")]
    fn call<T, D: Debug, S: Serialize, P: AsRef<Path>>(
        opaque: T,
        debug: D,
        serialize: S,
        path: P,
        text: impl AsRef<str>,
    ) -> Result<(), GuardError> {
        let _ = (opaque, debug, serialize, path, text);
        Ok(())
    }
    let world = World::permissive();
    with_context(&world.context, || call("x", "x", "x", "x", "x")).unwrap();
    assert_eq!(
        world.records()[0].input_summary,
        r#"opaque=<opaque>, debug="x", serialize="x", path="x", text="x""#
    );
}

#[test]
fn path_types_declare_themselves() {
    #[guarded_tool(tool_name = "files", operation = "read")]
    fn read(path: &Path, encoding: &str) -> Result<(), GuardError> {
        let _ = (path, encoding);
        Ok(())
    }
    #[guarded_tool(tool_name = "files", operation = "read")]
    fn read_any<P: AsRef<Path> + Debug>(path: P, note: &str) -> Result<(), GuardError> {
        let _ = (path, note);
        Ok(())
    }
    #[guarded_tool(tool_name = "files", operation = "read")]
    fn read_handle(path: &str, #[guard(skip)] handle: &Nothing) -> Result<(), GuardError> {
        let _ = (path, handle);
        Ok(())
    }
    #[guarded_tool(tool_name = "files", operation = "read")]
    fn read_unknown(path: &str, handle: &Nothing) -> Result<(), GuardError> {
        let _ = (path, handle);
        Ok(())
    }
    let world = World::new("agents: {bot: {allow: [{tool: files, paths: ['in/**']}]}}");
    with_context(&world.context, || {
        read(Path::new("in/x"), "a/b is not a path here").unwrap();
        read(Path::new("out/x"), "in/x").unwrap_err();
        read_any("in/x", "a/b").unwrap();
        read_any("out/x", "in/x").unwrap_err();
        read_handle("in/x", &Nothing).unwrap();
        // What cannot be read might be a path.
        read_unknown("in/x", &Nothing).unwrap_err();
    });
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let not_utf8 = Path::new(OsStr::from_bytes(b"in/\xff"));
        with_context(&world.context, || read(not_utf8, "x")).unwrap_err();
    }
}

/// Counts how often it is asked to print a piece of itself.
struct Endless<'c>(&'c AtomicUsize);

impl Debug for Endless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 0..1_000_000 {
            self.0.fetch_add(1, Ordering::Relaxed);
            f.write_str("piece ")?;
        }
        Ok(())
    }
}

impl Serialize for Endless<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pieces = (0..1_000_000).inspect(|_| {
            self.0.fetch_add(1, Ordering::Relaxed);
        });
        serializer.collect_seq(pieces)
    }
}

#[test]
fn a_summary_is_bounded_and_so_is_the_work_for_it() {
    #[guarded_tool(tool_name = "any", operation = "call")]
    fn by_serialize(value: &Endless<'_>, after: &str) -> Result<String, GuardError> {
        let _ = (value, after);
        Ok("é".repeat(1_000))
    }
    #[guarded_tool(tool_name = "any", operation = "call")]
    fn by_debug<D: Debug>(value: D) -> Result<(), String> {
        let _ = value;
        Err("x".repeat(1_000))
    }
    let world = World::permissive();
    let count = AtomicUsize::new(0);
    with_context(&world.context, || {
        by_serialize(&Endless(&count), "never reached").unwrap();
        by_debug(Endless(&count)).unwrap_err();
    });
    assert!(count.load(Ordering::Relaxed) < 500, "{count:?}");
    let records = world.records();
    for text in [
        records[0].input_summary.as_ref(),
        records[1].result_summary.as_deref().unwrap(),
        records[2].input_summary.as_ref(),
        records[3].error.as_deref().unwrap(),
    ] {
        assert_eq!(text.chars().count(), 200, "{text}");
        assert!(text.ends_with('…'), "{text}");
    }
}

#[test]
fn a_refusal_keeps_a_bounded_copy_of_its_arguments() {
    #[guarded_tool(tool_name = "any", operation = "call")]
    fn call(value: &Endless<'_>, text: &str) -> Result<(), GuardError> {
        let _ = (value, text);
        Ok(())
    }
    let world = World::new("agents: {bot: {}}");
    let count = AtomicUsize::new(0);
    let text = "x".repeat(1_000_000);
    let refused = with_context(&world.context, || call(&Endless(&count), &text)).unwrap_err();
    let GuardError::PolicyDenied(denied) = refused else {
        panic!()
    };
    let copy = serde_json::to_string(denied.action()).unwrap();
    assert!(copy.len() < 40_000, "{}", copy.len());
    assert!(copy.contains("… (cut)"));
    assert!(count.load(Ordering::Relaxed) < 5_000);
    let same: aegize::ToolAction = serde_json::from_str(&copy).unwrap();
    assert_eq!(same.arguments, denied.action().arguments);
}

#[test]
fn results_can_be_kept_out_and_errors_are_shown_as_far_as_they_can_be() {
    #[guarded_tool(tool_name = "any", operation = "secret", result = "skip")]
    fn secret() -> Result<String, GuardError> {
        Ok("hunter2".into())
    }
    struct Shown;
    impl Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("shown")
        }
    }
    #[derive(Debug)]
    struct Debugged;
    struct Silent;
    macro_rules! failing {
        ($name:ident, $error:ident) => {
            impl From<GuardError> for $error {
                fn from(_: GuardError) -> Self {
                    $error
                }
            }
            #[guarded_tool(tool_name = "any", operation = "fail")]
            fn $name() -> Result<(), $error> {
                Err($error)
            }
        };
    }
    failing!(shown, Shown);
    failing!(debugged, Debugged);
    failing!(silent, Silent);
    let world = World::permissive();
    with_context(&world.context, || {
        secret().unwrap();
        let _ = (shown(), debugged(), silent());
    });
    let records = world.records();
    assert_eq!(records[1].result_summary, None);
    let errors: Vec<_> = records
        .iter()
        .filter_map(|record| record.error.as_deref())
        .collect();
    assert_eq!(errors, ["shown", "Debugged", "<opaque>"]);
    assert!(!world.text().contains("hunter2"));
}

#[test]
fn bytes_that_are_a_path_are_one() {
    #[guarded_tool(tool_name = "files", operation = "read")]
    fn read(path: &CStr, note: &str) -> Result<(), GuardError> {
        let _ = (path, note);
        Ok(())
    }
    let world = World::new(
        "agents: {bot: {allow: [{tool: files, paths: ['in/**']}], deny: [{tool: files, paths: ['**/secret']}]}}",
    );
    with_context(&world.context, || {
        read(c"in/x", "in/y").unwrap();
        read(c"out/x", "in/y").unwrap_err();
        read(c"in/secret", "in/y").unwrap_err();
        read(c"in/\xff", "in/y").unwrap_err();
    });
}

#[test]
fn looking_takes_no_lock_and_goes_only_so_deep() {
    #[guarded_tool(tool_name = "any", operation = "call")]
    fn call(state: &Arc<Mutex<String>>, value: &serde_json::Value) -> Result<(), GuardError> {
        let _ = (state, value);
        Ok(())
    }
    let world = World::permissive();
    let state = Arc::new(Mutex::new("held".to_owned()));
    let held = state.lock().unwrap();
    let deep = (0..1_000).fold(serde_json::Value::Null, |inner, _| vec![inner].into());
    with_context(&world.context, || call(&state, &deep)).unwrap();
    drop(held);
    let summary = world.records()[0].input_summary.clone();
    assert!(
        summary.starts_with("state=<opaque>, value=[[["),
        "{summary}"
    );
}

#[guarded_tool(tool_name = "c", operation = "conditional")]
fn conditional(
    #[cfg_attr(test, guard(redact))] kept: u8,
    #[cfg_attr(not(test), guard(redact))] shown: u8,
    #[cfg_attr(all(), cfg_attr(test, guard(skip)))] gone: u8,
    #[cfg_attr(test, guard(rename = "file"), cfg(test))] name: u8,
    #[cfg_attr(not(test), guard(no_such_word))] last: u8,
) -> Result<u8, String> {
    Ok(kept + shown + gone + name + last)
}

#[test]
fn what_is_said_of_a_parameter_may_depend_on_a_condition() {
    let world = World::permissive();
    with_context(&world.context, || {
        assert_eq!(conditional(1, 2, 3, 4, 5), Ok(15));
    });
    assert_eq!(
        world.records()[0].input_summary,
        "kept=[redacted], shown=2, file=4, last=5"
    );
}
