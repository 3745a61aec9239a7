//! The attribute's options: `crate`, `rename`, `args` and `refuse_with`.
#![expect(
    clippy::needless_pass_by_value,
    reason = "`refuse_with` hands the error over"
)]

use std::fmt::Display;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Mutex;

use aegize::{AuditEvent, GuardError, GuardFutureExt, guarded_tool, with_context};

use crate::support::World;

mod vendor {
    pub(crate) mod guards {
        pub(crate) use aegize::{__private, guarded_tool};
    }
}

#[vendor::guards::guarded_tool(
    tool_name = "t", operation = "sync", metadata(team = "ops"), crate = crate::options::vendor::guards
)]
fn reexported(#[guard(path)] file: &str) -> Result<usize, String> {
    Ok(file.len())
}

#[guarded_tool(tool_name = "t", operation = "async", args(twice = n * 2), crate = vendor::guards)]
async fn reexported_async(n: u8) -> Result<u8, String> {
    Ok(n)
}

#[guarded_tool(tool_name = "t", operation = "future", crate = ::aegize)]
fn reexported_future(n: u8) -> impl Future<Output = Result<u8, String>> {
    async move { Ok(n) }
}

struct Disk {
    root: PathBuf,
    used: Mutex<u64>,
}

impl Disk {
    #[guarded_tool(
        tool_name = "disk",
        operation = "write",
        args(path = self.root.join(name), used = *self.used.lock().unwrap(), r#type = "file")
    )]
    fn write(&self, name: &str, #[guard(skip)] text: &str) -> Result<u64, String> {
        let mut used = self
            .used
            .try_lock()
            .map_err(|_| "still locked by `args`".to_owned())?;
        *used += text.len() as u64;
        Ok(*used)
    }

    #[guarded_tool(tool_name = "disk", operation = "wipe", args(path = &self.root))]
    async fn wipe(self) -> Result<PathBuf, String> {
        Ok(self.root)
    }
}

#[guarded_tool(
    tool_name = "disk",
    operation = "measure",
    args(sum = a + b.len(), size = size_of::<[u8; 3]>(), kind = <Vec<(u8, u16)>>::new())
)]
fn measure(a: usize, b: &str) -> Result<usize, String> {
    Ok(a + b.len())
}

#[guarded_tool(tool_name = "disk", operation = "copy")]
fn copy(
    #[guard(path, rename = "source")] from: &str,
    #[guard(rename = "target-file")] (to, ..): (&str, u8, u8),
    #[guard(rename = "token", redact)] secret: &str,
) -> Result<usize, String> {
    Ok(from.len() + to.len() + secret.len())
}

/// What a foreign protocol wants to have returned.
#[derive(Debug, PartialEq, serde::Serialize)]
struct Reply {
    text: String,
    is_error: bool,
}

impl Reply {
    fn ok(text: impl Display) -> Self {
        Self {
            text: text.to_string(),
            is_error: false,
        }
    }

    fn refused(error: GuardError) -> Self {
        Self {
            text: error.to_string(),
            is_error: true,
        }
    }
}

#[derive(Debug, PartialEq)]
enum Mine {
    Empty,
    Refused(String),
}

fn refused<T>(error: GuardError) -> Result<T, Mine> {
    Err(Mine::Refused(error.to_string()))
}

#[guarded_tool(tool_name = "m", operation = "sync", refuse_with = Reply::refused)]
fn reply(text: &str) -> Reply {
    if text.is_empty() {
        return Reply::ok("nothing");
    }
    Reply::ok(text)
}

#[guarded_tool(tool_name = "m", operation = "async", refuse_with = Reply::refused, result = "skip")]
async fn reply_async(text: &str) -> Reply {
    std::future::ready(()).await;
    Reply::ok(text)
}

#[guarded_tool(tool_name = "m", operation = "future", refuse_with = Reply::refused)]
fn reply_future(text: &str) -> impl Future<Output = Reply> {
    async move { Reply::ok(text) }
}

#[guarded_tool(tool_name = "m", operation = "boxed", refuse_with = Reply::refused)]
fn reply_boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Reply> + Send + 'a>> {
    Box::pin(async move { Reply::ok(text) })
}

#[guarded_tool(tool_name = "m", operation = "result", refuse_with = refused::<usize>)]
fn mine(text: &str) -> Result<usize, Mine> {
    if text.is_empty() {
        return Err(Mine::Empty);
    }
    Ok(text.len())
}

/// An alias of a result is a result.
type Alias<T> = Result<T, Mine>;

#[guarded_tool(tool_name = "m", operation = "alias", refuse_with = refused)]
async fn mine_async(text: &str) -> Alias<usize> {
    if text.is_empty() {
        return Err(Mine::Empty);
    }
    Ok(text.len())
}

#[guarded_tool(tool_name = "m", operation = "optional", refuse_with = <u8 as Nothing>::none)]
fn optional(n: u8) -> Option<u8> {
    n.checked_sub(1)
}

trait Nothing: Sized {
    fn none(_: GuardError) -> Option<Self> {
        None
    }
}

impl Nothing for u8 {}

#[guarded_tool(tool_name = "m", operation = "unit", refuse_with = drop)]
fn unit(count: &mut u8) {
    *count += 1;
}

#[guarded_tool(tool_name = "m", operation = "unit_async", refuse_with = drop)]
async fn unit_async(count: &mut u8) {
    *count += 1;
}

#[test]
fn the_crate_may_be_elsewhere() {
    let world = World::permissive();
    with_context(&world.context, || {
        assert_eq!(reexported("a"), Ok(1));
        assert_eq!(pollster::block_on(reexported_async(2)), Ok(2));
        assert_eq!(pollster::block_on(reexported_future(3)), Ok(3));
    });
    assert_eq!(world.records().len(), 6);
}

#[test]
fn further_arguments_are_seen_by_policy_and_records() {
    let world =
        World::new("agents: {bot: {allow: [{tool: disk, operations: ['*'], paths: ['/srv/**']}]}}");
    let disk = |root: &str| Disk {
        root: Path::new(root).into(),
        used: Mutex::new(1),
    };
    with_context(&world.context, || {
        assert_eq!(disk("/srv").write("a.txt", "four"), Ok(5));
        let error = disk("/etc").write("passwd", "root").unwrap_err();
        assert!(error.contains("default deny"), "{error}");
        assert!(pollster::block_on(disk("/srv").wipe()).is_ok());
        assert!(pollster::block_on(disk("/").wipe()).is_err());
    });
    let records = world.records();
    assert_eq!(
        records[0].input_summary,
        r#"name="a.txt", path="/srv/a.txt", used=1, type="file""#
    );
    assert_eq!(records[3].input_summary, r#"path="/srv""#);
}

#[test]
fn further_arguments_are_any_expressions() {
    let world = World::permissive();
    with_context(&world.context, || assert_eq!(measure(1, "xy"), Ok(3)));
    assert_eq!(
        world.records()[0].input_summary,
        "a=1, b=\"xy\", sum=3, size=3, kind=[]"
    );
}

#[test]
fn renamed_arguments_are_known_by_that_name() {
    let world = World::permissive();
    with_context(&world.context, || {
        assert_eq!(copy("a", ("bc", 0, 0), "def"), Ok(6));
    });
    assert_eq!(
        world.records()[0].input_summary,
        r#"source="a", target-file="bc", token=[redacted]"#
    );
}

#[test]
fn refusals_become_what_the_function_returns() {
    let world = World::new("agents: {bot: {}}");
    let mut count = 0;
    with_context(&world.context, || {
        for refused in [
            reply("a"),
            pollster::block_on(reply_async("a")),
            pollster::block_on(reply_future("a")),
            pollster::block_on(reply_boxed("a")),
        ] {
            assert!(refused.is_error, "{refused:?}");
            assert!(refused.text.contains("default deny"), "{refused:?}");
        }
        assert!(matches!(mine("a"), Err(Mine::Refused(_))));
        let refused = pollster::block_on(mine_async("a").with_context(&world.context));
        assert!(matches!(refused, Err(Mine::Refused(_))));
        assert_eq!(optional(1), None);
        unit(&mut count);
        pollster::block_on(unit_async(&mut count));
    });
    assert_eq!(count, 0);
    assert!(
        world
            .events()
            .iter()
            .all(|event| *event == AuditEvent::Denied)
    );
}

#[test]
fn what_is_returned_is_a_success_unless_it_is_an_error() {
    let world = World::permissive();
    let mut count = 0;
    with_context(&world.context, || {
        assert_eq!(reply(""), Reply::ok("nothing"));
        assert_eq!(pollster::block_on(reply_async("b")), Reply::ok("b"));
        assert_eq!(pollster::block_on(reply_future("c")), Reply::ok("c"));
        assert_eq!(pollster::block_on(reply_boxed("d")), Reply::ok("d"));
        assert_eq!(mine("e"), Ok(1));
        assert_eq!(mine(""), Err(Mine::Empty));
        assert_eq!(pollster::block_on(mine_async("")), Err(Mine::Empty));
        assert_eq!(optional(0), None);
        unit(&mut count);
        pollster::block_on(unit_async(&mut count));
    });
    assert_eq!(count, 2);
    let records = world.records();
    let failed: Vec<&str> = records
        .iter()
        .filter(|record| record.event == AuditEvent::ExecutionFailed)
        .map(|record| &*record.operation)
        .collect();
    assert_eq!(failed, ["result", "alias"]);
    let results: Vec<bool> = records
        .iter()
        .filter(|record| record.event == AuditEvent::ExecutionSucceeded)
        .map(|record| record.result_summary.is_some())
        .collect();
    assert_eq!(
        results,
        [true, false, true, true, true, true, true, true],
        "one skips it"
    );
}
